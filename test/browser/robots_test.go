package browser

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// endless is more work than a browser can ever show: a hash begins with 32 zero bits at most where the script looks.
const endless = 40

// worked is what the checks say of a person whose browser has worked.
var worked = answers{"@passed": "honeypot page proof time"}

// TestTooFast: who sends at once what takes a person seconds is kept apart.
func TestTooFast(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", "?recommend=10"))
	e.pass(1999*time.Millisecond - reading)
	b.load(click(send))
	b.sees("Thank you")
	fast := answers{"recommend": "10", "@standing": "suspect", "@failed": "time", "@passed": "honeypot page"}
	e.want("visit", fast)
	e.wantCounts("visit", map[string]int64{"@suspect time": 1})
}

// TestProof: on a page without TLS the browser works while a person answers, by mouse and by keyboard, on one page and in steps.
func TestProof(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("proof", ""))
	if value[bool](b, `isSecureContext || 'subtle' in crypto`) {
		t.Error("the browser takes the page for one with TLS")
	}
	if e.asked("/") != 1 {
		t.Error("the page asks for something before anybody does something")
	}
	b.do(click(label("recommend", "9")), write("#q_comment", "by mouse"))
	b.load(click(send))
	b.sees("Thank you")
	if e.asked("/proof.js") != 1 {
		t.Error("the page does not ask for the worker once")
	}
	byMouse := with(worked, answers{"recommend": "9", "comment": "by mouse"})
	e.want("proof", byMouse)

	b.open(e.page("proof", ""))
	b.tabTo(`[name=recommend]`)
	b.key(" ")
	b.tabTo(`button`)
	b.load(chromedp.KeyEvent(kb.Enter))
	b.sees("Thank you")
	e.want("proof", byMouse, with(worked, answers{"recommend": "0"}))

	e.change("steps", func(s *survey.Survey) { s.Access.ProofBits = 12 })
	b.open(e.page("steps", "?recommend=10"))
	b.load(click(send))
	b.sees("The people you met")
	first, second := e.posted(false)[len(e.posted(false))-1].Get("_proof"), value[string](b, `document.querySelector('[name=_proof]').value`)
	if first == "" || first != second {
		t.Errorf("the next step works again: %q after %q", second, first)
	}
	b.load(click(send))
	b.sees("Thank you")
	e.want("steps", with(worked, answers{"recommend": "10"}))
}

// TestProofWithoutScript: the answer is taken, and kept apart.
func TestProofWithoutScript(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e, withoutScript)
	b.open(e.page("proof", ""))
	b.do(click(label("recommend", "9")), write("#q_comment", "no scripts here"))
	b.load(click(send))
	b.sees("Thank you")
	e.want("proof", answers{"recommend": "9", "comment": "no scripts here", "@standing": "suspect", "@failed": "proof", "@passed": "honeypot page time"})
	e.wantCounts("proof", map[string]int64{"@suspect proof": 1})
}

// TestProofTakesLong: a page whose work does not end can be filled in and corrected all the same, says that it is busy once it
// is sent, and is sent at last.
func TestProofTakesLong(t *testing.T) {
	e := newEndpoint(t)
	e.change("proof", func(s *survey.Survey) { s.Access.ProofBits = endless })
	// Half a minute of the page is a moment.
	soon := command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.waited = []
		const real = setTimeout
		window.setTimeout = (f, ms) => { if (ms) waited.push([ms, f]); else return real(f) }`})
	b := newTab(e, soon)
	b.open(e.page("proof", ""))
	b.do(click(label("recommend", "9")), write("#q_comment", "at work"), click(label("recommend", "8")))
	value[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	b.do(click(send))
	b.sees("One moment, please")
	b.do(click(send), write("#q_comment", ", still"))
	if got := value[string](b, `document.querySelector('[role=status]').innerText + JSON.stringify(waited) + document.querySelector('[name=_proof]').value`); got != "One moment, please …[[30000,null]]" {
		t.Errorf("while it is busy: %s", got)
	}
	e.want("proof")
	b.load(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](`waited[0][1](), true`)(ctx, target)
		return err
	}))
	b.sees("Thank you")
	e.want("proof", answers{"recommend": "8", "comment": "at work, still", "@standing": "suspect", "@failed": "proof", "@passed": "honeypot page time"})
}

// TestProofOfAnotherForm: a form that the browser fills in again with what it remembers is another one where the page was not
// kept; the browser works again.
func TestProofOfAnotherForm(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e, command(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}))
	b.open(e.page("proof", "?lang=en"))
	b.do(click(label("recommend", "9")), write("#q_comment", "again"))
	b.waits(`document.querySelector('[name=_proof]').value !== ''`)
	before := value[string](b, `document.querySelector('[name=_id]').value`)
	b.do(offline(true), click(send))
	b.waits(`location.protocol === 'chrome-error:' || document.body.innerText.includes('ERR_')`)
	b.do(offline(false))
	b.goBack()
	b.waits(`document.readyState === 'complete' && document.querySelector('#q_comment').value === 'again'`)
	if value[string](b, `document.querySelector('[name=_id]').value`) == before {
		t.Fatal("it is the same form")
	}
	e.pass(reading)
	b.load(click(send))
	b.sees("Thank you")
	e.want("proof", with(worked, answers{"recommend": "9", "comment": "again"}))
}
