package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestSentTwice presses the button twice at once, and again while the first answer is on its way.
func TestSentTwice(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", "?recommend=6"))
	b.do(chromedp.ScrollIntoView(chromedp.CSS(send)), chromedp.DoubleClick(chromedp.CSS(send)))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "6"})

	b.open(e.page("steps", "?recommend=7"))
	b.load(click(send))
	b.sees("The people you met")
	release := e.hold()
	defer release()
	before := len(e.posted(false))
	b.do(click(send))
	e.until("the first answer", func() bool { return len(e.posted(false)) == before+1 })
	b.key(kb.Enter)
	e.until("the second answer", func() bool { return len(e.posted(false)) == before+2 })
	release()
	b.sees("Thank you")
	e.want("steps", answers{"recommend": "7"})
	e.wantCounts("steps", map[string]int64{"@completed": 1, "@seconds 5": 1})
}

// TestBackButton goes back with the browser's own button, in the middle and after the end.
func TestBackButton(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("steps", "?recommend=2"))
	b.load(click(send))
	b.do(write("#q_why", "Rain"))
	b.load(click(send))
	b.sees("The people you met")
	b.goBack()
	b.sees("What went wrong?")
	b.goBack()
	b.sees("How likely are you")
	b.load(click(send))
	b.do(chromedp.SetValue(chromedp.CSS("#q_why"), "Snow"))
	b.load(click(send))
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", answers{"recommend": "2", "why": "Snow"})
	b.goBack()
	b.sees("The people you met")
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", answers{"recommend": "2", "why": "Snow"})
}

// filled waits until the browser has filled in a form again that was gone back to.
func (b *tab) filled(score, comment string) {
	b.t.Helper()
	b.waits(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector(':checked')?.value === '%s' && document.querySelector('#q_comment').value === '%s'`, score, comment))
}

// TestBackAfterTheEnd goes back to a form of one page that was sent, and sends it again as it is.
func TestBackAfterTheEnd(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(click(label("recommend", "8")), write("#q_comment", "once"))
	b.load(click(send))
	b.sees("Thank you")
	b.goBack()
	b.filled("8", "once")
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "8", "comment": "once"})
}

// TestBackToFaults goes back over a page that said what was wrong.
func TestBackToFaults(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(write("#q_comment", "hasty"))
	b.load(click(send))
	b.sees("Please check your answers")
	b.do(click(label("recommend", "8")))
	b.load(click(send))
	b.sees("Thank you")
	b.goBack()
	b.sees("Please check your answers")
	b.filled("8", "hasty")
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "8", "comment": "hasty"})
}

func TestReload(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("steps", "?recommend=2"))
	b.load(click(send))
	b.sees("What went wrong?")
	b.load(chromedp.Reload())
	b.sees("What went wrong?")
	b.do(write("#q_why", "Rain"))
	b.load(click(send))
	b.load(click(send))
	b.sees("Thank you")
	b.load(chromedp.Reload())
	b.sees("Thank you")
	e.want("steps", answers{"recommend": "2", "why": "Rain"})
}

// TestStoreAway: nothing that was typed is lost while the store is away, with scripts and without.
func TestStoreAway(t *testing.T) {
	for name, actions := range map[string][]action{"with scripts": nil, "without": {withoutScript}} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			b := newTab(e, actions...)
			b.open(e.page("steps", "?recommend=5"))
			b.load(click(send))
			b.do(write("#q_why", "patient\nand kind"))
			e.serve("steps", nil)
			b.load(click(send))
			b.sees("The people you met")
			b.do(click(label("staff", "3")))
			b.load(click(send))
			b.sees("Your answers could not be saved just now.")
			e.want("steps")
			e.serve("steps", e.store)
			b.load(click(send))
			b.sees("Thank you")
			e.want("steps", answers{"recommend": "5", "why": "patient\nand kind", "staff": "3"})
		})
	}
}

// TestNetworkDrops sends into a dead network, and again when it is back: by the browser's button to load again, and by going
// back to the form. One response is stored.
func TestNetworkDrops(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	drop := func() {
		b.do(click(label("recommend", "5")), write("#q_comment", "in a tunnel"), offline(true), click(send))
		b.waits(`location.protocol === 'chrome-error:' || document.body.innerText.includes('ERR_')`)
	}
	want := answers{"recommend": "5", "comment": "in a tunnel"}
	b.open(e.page("visit", ""))
	drop()
	e.want("visit")
	b.do(offline(false))
	b.load(chromedp.Reload())
	b.sees("Thank you")
	e.want("visit", want)

	b.open(e.page("visit", "?lang=en")) // where the form is sent to is another address, so that there is a page to go back to
	drop()
	b.do(offline(false))
	b.goBack()
	b.filled("5", "in a tunnel")
	e.pass(reading)
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", want, want)
}

func TestErase(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", "?recommend=5"))
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"recommend": "5"})
	b.load(click(`a[href*="/erase"]`))
	b.sees("Delete your answers")
	b.load(click(`button`))
	b.sees("they are now deleted")
	e.want("visit")
}
