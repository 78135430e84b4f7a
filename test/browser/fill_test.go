package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

type answers = map[string]string

func TestByMouse(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", ""))
	b.do(click(label("q_recommend_9")), click(label("q_staff_4")), click(label("q_reason_cafe")), click(label("q_used_guide")), click(label("q_used_lockers")),
		write("#q_comment", "Lovely <b>\nthank you"))
	b.load(click(send))
	b.sees("Thank you")
	b.sees("See you again at the museum.")
	b.sees("4 on the scale from 1 to 5")
	want := answers{"language": "en", "recommend": "9", "staff": "4", "reason": "cafe", "used": "guide lockers", "comment": "Lovely <b>\nthank you"}
	e.want("visit", want)
	b.load(chromedp.Reload())
	b.sees("Thank you")
	e.want("visit", want)
}

// TestByKeyboard uses Tab, the arrows, Space and Enter, and nothing else.
func TestByKeyboard(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", ""))
	key := func(keys string) { b.do(chromedp.KeyEvent(keys)) }
	// tabTo goes on until an element has the focus, which must be seen.
	tabTo := func(selector string) {
		t.Helper()
		for range 12 {
			key(kb.Tab)
			if value[bool](b, `document.activeElement.matches('`+selector+`')`) {
				if !value[bool](b, `(() => { const shown = e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }
					const a = document.activeElement; return shown(a) || (a.closest('label') !== null && shown(a.closest('label'))) })()`) {
					t.Errorf("the focus on %s is not seen", selector)
				}
				return
			}
		}
		t.Fatalf("Tab does not reach %s", selector)
	}
	tabTo(`[name=recommend]`)
	key(" ")
	for range 8 {
		key(kb.ArrowRight)
	}
	tabTo(`[name=staff]`)
	key(kb.ArrowRight)
	tabTo(`[name=ticket]`)
	tabTo(`[name=reason]`)
	key(kb.ArrowDown)
	tabTo(`[name=used]`)
	key(" ")
	tabTo(`#q_comment`)
	key("by keys")
	tabTo(`button`)
	b.load(chromedp.KeyEvent(kb.Enter))
	b.sees("Thank you")
	e.want("visit", answers{"language": "en", "recommend": "8", "staff": "2", "reason": "cafe", "used": "guide", "comment": "by keys"})
}

// TestWithoutScript fills in the steps of a detractor and of a promoter with scripts switched off.
func TestWithoutScript(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.open(e.page("steps", ""))
	b.do(click(label("q_recommend_3")))
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
	b.do(click(label("q_staff_5")))
	b.load(click(send))
	b.sees("Thank you")

	b.open(e.page("steps", "?recommend=10"))
	b.sees("Your answer from the link is chosen below.")
	e.want("steps", answers{"language": "en", "recommend": "3", "why": "The queue", "staff": "5"})
	b.load(click(send))
	b.sees("The people you met")
	b.load(click(send))
	b.sees("Thank you")
	if got := len(e.stored("steps")); got != 2 {
		t.Errorf("%d responses", got)
	}
}

func TestInThreeLanguages(t *testing.T) {
	for _, c := range []struct{ lang, direction, needed, thanks string }{
		{"en", "ltr", "Please answer this question.", "Thank you"},
		{"de", "ltr", "Bitte beantworten Sie diese Frage.", "Vielen Dank"},
		{"ar", "rtl", "يرجى الإجابة عن هذا السؤال.", "شكرًا لك"},
	} {
		t.Run(c.lang, func(t *testing.T) {
			e := newEndpoint(t)
			b := newTab(t, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": c.lang + ";q=0.9, xx"}}))
			b.open(e.page("visit", ""))
			if got := value[string](b, `document.documentElement.lang + ' ' + getComputedStyle(document.body).direction`); got != c.lang+" "+c.direction {
				t.Fatalf("the page is %s", got)
			}
			b.load(click(send))
			b.sees(c.needed)
			// The lowest value stands where the language begins.
			low, high := value[float64](b, `document.querySelector('label[for=q_staff_1]').getBoundingClientRect().x`), value[float64](b, `document.querySelector('label[for=q_staff_5]').getBoundingClientRect().x`)
			if (low < high) != (c.direction == "ltr") {
				t.Errorf("1 stands at %v, 5 at %v", low, high)
			}
			b.do(click(label("q_recommend_7")))
			b.load(click(send))
			b.sees(c.thanks)
			e.want("visit", answers{"language": c.lang, "recommend": "7"})
		})
	}
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", "?recommend=8"))
	b.load(click(`nav a[hreflang=ar]`))
	if got := value[string](b, `document.documentElement.dir + document.querySelector(':checked').value`); got != "rtl8" {
		t.Errorf("the switch leads to %s", got)
	}
}

// TestFaultsAreFound: the summary has the focus, its link leads to the field, and what was typed is still there.
func TestFaultsAreFound(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", ""))
	b.do(write("#q_comment", "still here"), click(label("q_used_shop")))
	b.load(click(send))
	b.sees("Please check your answers")
	if !value[bool](b, `document.activeElement.matches('.summary') && document.title.startsWith('Error:')`) {
		t.Error("the summary has no focus, or the title does not say that something is wrong")
	}
	b.do(click(`.summary a`))
	if got := value[string](b, `document.activeElement.id + document.querySelector('#q_comment').value + document.querySelectorAll(':checked').length`); got != "q_recommend_0still here1" {
		t.Errorf("after the link: %s", got)
	}
	e.want("visit")
}

func TestSentTwice(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", "?recommend=6"))
	b.load(chromedp.ScrollIntoView(chromedp.CSS(send)), chromedp.DoubleClick(chromedp.CSS(send)))
	b.sees("Thank you")
	e.want("visit", answers{"language": "en", "recommend": "6"})
}

// TestBackButton goes back with the browser's own button, in the middle and after the end.
func TestBackButton(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
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
	e.want("steps", answers{"language": "en", "recommend": "2", "why": "Snow"})
	b.goBack()
	b.sees("The people you met")
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", answers{"language": "en", "recommend": "2", "why": "Snow"})
}

func TestReloadOfAStep(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("steps", "?recommend=2"))
	b.load(click(send))
	b.sees("What went wrong?")
	b.load(chromedp.Reload())
	b.sees("What went wrong?")
	b.do(write("#q_why", "Rain"))
	b.load(click(send))
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", answers{"language": "en", "recommend": "2", "why": "Rain"})
}

// TestStoreAway: nothing that was typed is lost while the store is away.
func TestStoreAway(t *testing.T) {
	e := newEndpoint(t)
	e.serve("visit", nil)
	b := newTab(t)
	b.open(e.page("visit", "?recommend=5"))
	b.do(write("#q_comment", "patient"))
	b.load(click(send))
	b.sees("Your answers could not be saved just now.")
	e.want("visit")
	e.serve("visit", e.store)
	b.load(click(send))
	b.sees("Thank you")
	e.want("visit", answers{"language": "en", "recommend": "5", "comment": "patient"})
}

// TestNetworkDrops sends into a dead network, and again when it is back. One response is stored.
func TestNetworkDrops(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", "?recommend=5"))
	b.do(write("#q_comment", "in a tunnel"), offline(true), click(send))
	b.waits(`location.protocol === 'chrome-error:' || document.body.innerText.includes('ERR_')`)
	e.want("visit")
	b.do(offline(false))
	b.load(chromedp.Reload())
	b.sees("Thank you")
	e.want("visit", answers{"language": "en", "recommend": "5", "comment": "in a tunnel"})
}

func TestErase(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(t)
	b.open(e.page("visit", "?recommend=5"))
	b.load(click(send))
	b.sees("Thank you")
	b.load(click(`a[href*="/erase"]`))
	b.sees("Delete your answers")
	b.load(click(`button`))
	b.sees("they are now deleted")
	e.want("visit")
}
