package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestByMouse(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(click(label("recommend", "9")), click(label("staff", "4")), click(label("reason", "cafe")), click(label("used", "guide")), click(label("used", "lockers")),
		write("#q_comment", "Lovely <b>\nthank you"))
	b.load(click(send))
	b.sees("Thank you")
	b.sees("See you again at the museum.")
	b.sees("4 on the scale from 1 to 5")
	want := answers{"recommend": "9", "staff": "4", "reason": "cafe", "used": "guide lockers", "comment": "Lovely <b>\nthank you"}
	e.want("visit", want)
	b.load(chromedp.Reload())
	b.sees("Thank you")
	e.want("visit", want)
}

// TestByKeyboard uses Tab, the arrows, Space and Enter, and nothing else.
func TestByKeyboard(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.tabTo(`[name=recommend]`)
	b.key(" ")
	b.key(strings.Repeat(kb.ArrowRight, 8))
	b.tabTo(`[name=staff]`)
	b.key(kb.ArrowRight)
	b.tabTo(`[name=ticket]`)
	b.tabTo(`[name=reason]`)
	b.key(kb.ArrowDown)
	b.tabTo(`[name=used]`)
	b.key(" ")
	b.tabTo(`#q_comment`)
	b.key("by keys")
	b.tabTo(`button`)
	b.load(chromedp.KeyEvent(kb.Enter))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "8", "staff": "2", "reason": "cafe", "used": "guide", "comment": "by keys"})
}

func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until an element has the focus, which must be seen.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 12 {
		b.key(kb.Tab)
		switch value[string](b, `(() => {
			const shown = e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }
			const a = document.activeElement, l = a.closest('label')
			return !a.matches('`+selector+`') ? 'elsewhere' : shown(a) || l !== null && shown(l) ? 'here' : 'unseen'
		})()`) {
		case "here":
			return
		case "unseen":
			b.t.Errorf("the focus on %s is not seen", selector)
			return
		}
	}
	b.t.Fatalf("Tab does not reach %s", selector)
}

// TestWithoutScript fills in the steps of a detractor and of a promoter with scripts switched off.
func TestWithoutScript(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e, withoutScript)
	b.open(e.page("steps", ""))
	b.do(click(label("recommend", "3")))
	b.load(click(send))
	b.sees("What went wrong?")
	b.load(click(send))
	b.sees("Please answer this question.")
	b.do(write("#q_why", "The queue"))
	b.load(click(send))
	b.sees("The people you met")
	b.load(click(back))
	if got := value[string](b, `document.querySelector('#q_why').value`); got != "The queue" {
		t.Errorf("going back lost the text: %q", got)
	}
	b.load(click(send))
	b.do(click(label("staff", "5")))
	b.load(click(send))
	b.sees("Thank you")
	first := answers{"recommend": "3", "why": "The queue", "staff": "5"}
	e.want("steps", first)

	b.open(e.page("steps", "?recommend=10"))
	b.sees("Your answer from the link is chosen below.")
	e.want("steps", first)
	b.load(click(send))
	b.sees("The people you met")
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", first, answers{"recommend": "10"})
}

func TestInThreeLanguages(t *testing.T) {
	for _, c := range []struct{ lang, direction, needed, thanks string }{
		{"en", "ltr", "Please answer this question.", "Thank you"},
		{"de", "ltr", "Bitte beantworten Sie diese Frage.", "Vielen Dank"},
		{"ar", "rtl", "يرجى الإجابة عن هذا السؤال.", "شكرًا لك"},
	} {
		t.Run(c.lang, func(t *testing.T) {
			e := newEndpoint(t)
			b := newTab(e, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": c.lang + ";q=0.9, xx"}}))
			b.open(e.page("visit", ""))
			if got := value[string](b, `document.documentElement.lang + ' ' + getComputedStyle(document.body).direction`); got != c.lang+" "+c.direction {
				t.Fatalf("the page is %s", got)
			}
			b.load(click(send))
			b.sees(c.needed)
			// The lowest value stands where the language begins.
			left := func(score string) float64 {
				return value[float64](b, `document.querySelector('`+label("staff", score)+`').getBoundingClientRect().x`)
			}
			low, high := left("1"), left("5")
			if (low < high) != (c.direction == "ltr") {
				t.Errorf("1 stands at %v, 5 at %v", low, high)
			}
			b.do(click(label("recommend", "7")), write("#q_comment", "Zoë: جميل"))
			b.load(click(send))
			b.sees(c.thanks)
			e.want("visit", answers{"@language": c.lang, "recommend": "7", "comment": "Zoë: جميل"})
		})
	}
}

func TestLanguageSwitch(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", "?recommend=8"))
	b.load(click(`nav a[hreflang=ar]`))
	if got := value[string](b, `document.documentElement.dir + document.querySelector(':checked').value`); got != "rtl8" {
		t.Errorf("the switch leads to %s", got)
	}
}

// TestFaultsAreFound: the summary has the focus, its link leads to the field, and what was typed is still there.
func TestFaultsAreFound(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(write("#q_comment", "still here"), click(label("used", "shop")))
	b.load(click(send))
	b.sees("Please check your answers")
	if !value[bool](b, `document.activeElement.matches('.summary') && document.title.startsWith('Error:')`) {
		t.Error("the summary has no focus, or the title does not say that something is wrong")
	}
	b.do(click(`.summary a`))
	if got := value[string](b, `document.activeElement.id + document.querySelector('#q_comment').value + document.querySelectorAll(':checked').length`); got != "q_recommendstill here1" {
		t.Errorf("after the link: %s", got)
	}
	e.want("visit")
	b.do(click(label("recommend", "0")))
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "0", "used": "shop", "comment": "still here"})
}
