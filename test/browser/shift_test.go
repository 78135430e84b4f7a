package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// still is how long a page is looked at for what it may do later.
const still = 300 * time.Millisecond

// shifts is the sum of all layout shifts of the page so far, as browsers score them, after it was looked at, scrolled to its end
// and looked at again.
func (b *tab) shifts() float64 {
	b.t.Helper()
	return value[float64](b, fmt.Sprintf(`(async () => {
		let sum = 0
		const add = (entries) => entries.forEach((entry) => { sum += entry.value })
		const seen = new PerformanceObserver((list) => add(list.getEntries()))
		seen.observe({type: 'layout-shift', buffered: true})
		const still = async () => {
			await new Promise((resolve) => setTimeout(resolve, %d))
			await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
		}
		await still()
		scrollTo(0, document.documentElement.scrollHeight)
		await still()
		add(seen.takeRecords())
		return sum
	})()`, still.Milliseconds()))
}

// TestNothingShifts opens forms on a wide screen and on a narrow one, and in both directions: nothing moves once it is painted,
// also where somebody jumps to the end of a page whose last questions were not laid out before.
func TestNothingShifts(t *testing.T) {
	e := newEndpoint(t)
	e.surveys["long"] = e.named("visit", "long")
	e.change("long", lengthen)
	b := newTab(e)
	for _, size := range [][2]int64{{1280, 720}, {320, 640}} {
		b.do(chromedp.EmulateViewport(size[0], size[1]))
		for _, address := range []string{e.page("visit", ""), e.page("visit", "?lang=ar"), e.page("steps", ""), e.page("long", ""), e.page("long", "?lang=ar")} {
			b.open(address)
			if got := b.shifts(); got != 0 {
				t.Errorf("%s at %dx%d shifts by %v", address, size[0], size[1], got)
			}
		}
	}
}

// lengthen gives a survey as many questions as fill several screens, and more languages than stand open.
func lengthen(s *survey.Survey) {
	first := s.Questions
	s.Questions = nil
	for i := range 4 {
		for _, q := range first {
			q.Name = fmt.Sprintf("%s-%d", q.Name, i)
			s.Questions = append(s.Questions, q)
		}
	}
	s.Feedback = nil
	s.Languages = []string{"ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "zh"}
}

// TestShiftIsSeen proves that the check sees a page shift.
func TestShiftIsSeen(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(chromedp.Evaluate[chromedp.Void](`requestAnimationFrame(() => requestAnimationFrame(() => {
		const above = document.createElement('div')
		above.append(document.createElement('textarea'), document.createElement('textarea'))
		document.body.prepend(above)
	}))`))
	if got := b.shifts(); got <= 0 {
		t.Errorf("something comes in above, and the page shifts by %v", got)
	}
}

// TestManyLanguages: more languages than stand open are in a list that the keyboard and the mouse open, with and without scripts,
// and that leads to the page in each.
func TestManyLanguages(t *testing.T) {
	const list, arabic = `nav summary`, `nav a[hreflang=ar]`
	for name, actions := range map[string][]action{"with scripts": nil, "without": {withoutScript}} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			e.change("visit", lengthen)
			b := newTab(e, actions...)
			b.open(e.page("visit", ""))
			if b.shown(arabic) {
				t.Error("the list is open")
			}
			b.tabTo(list)
			b.key(kb.Enter)
			b.waits(`document.querySelector('nav details').open`)
			if !b.shown(arabic) {
				t.Error("the list is open and shows nothing")
			}
			if got := value[int](b, `document.querySelectorAll('nav li').length`); got != 12 {
				t.Errorf("%d languages", got)
			}
			b.tabTo(arabic)
			b.load(chromedp.KeyEvent(kb.Enter))
			b.sees("كيف كانت زيارتك؟")
			if got := value[string](b, `document.documentElement.lang + ' ' + document.documentElement.dir`); got != "ar rtl" {
				t.Errorf("the page is %q", got)
			}
			b.do(click(list))
			b.load(click(`nav a[hreflang=de]`))
			b.sees("Wie war Ihr Besuch?")
		})
	}
}

// shown says whether an element is where somebody sees it.
func (b *tab) shown(selector string) bool {
	b.t.Helper()
	return value[bool](b, fmt.Sprintf(`document.querySelector('%s').checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})`, selector))
}
