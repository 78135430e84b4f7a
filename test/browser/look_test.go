package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	axePath = "node_modules/axe-core/axe.min.js"
	// artifacts is where screenshots are kept for people to look at.
	artifacts = "artifacts"
	// maxWeight is what a page may weigh on the wire with all that it loads, headers included.
	maxWeight = 14 << 10
	// minTarget is the least height and width of what is to be hit, in CSS pixels: WCAG 2.2, 2.5.8.
	minTarget = 24
)

// states are all kinds of pages, and how a browser comes to them.
func states(e *endpoint) map[string]func(*tab) {
	return map[string]func(*tab){
		"form":    func(b *tab) { b.open(e.page("visit", "?recommend=9&staff=4")) },
		"form-ar": func(b *tab) { b.open(e.page("visit", "?lang=ar&recommend=9")) },
		"form-de": func(b *tab) { b.open(e.page("visit", "?lang=de")) },
		"errors": func(b *tab) {
			b.open(e.page("visit", ""))
			b.load(click(send))
			b.sees("Please check")
		},
		"errors-ar": func(b *tab) {
			b.open(e.page("visit", "?lang=ar"))
			b.load(click(send))
			b.waits(`document.querySelector('.summary') !== null`)
		},
		"step": func(b *tab) {
			b.open(e.page("steps", "?recommend=3"))
			b.load(click(send))
			b.sees("What went wrong")
		},
		"thanks": func(b *tab) {
			b.open(e.page("visit", "?recommend=9&staff=5"))
			b.load(click(send))
			b.sees("Thank you")
		},
		"erase": func(b *tab) { b.open(e.page("visit", "/erase")) },
		"erase-errors": func(b *tab) {
			b.open(e.page("visit", "/erase"))
			b.load(click("button"))
			b.sees("Error")
		},
		"closed":       func(b *tab) { b.open(e.page("closed", "")) },
		"nothing-here": func(b *tab) { b.open(e.page("nothing", "")) },
	}
}

func scheme(name string) action {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// TestPagesLookRight goes through every page, light and dark, at three widths: axe finds nothing, nothing sticks out, all is
// large enough to be hit, nothing comes from elsewhere, and the page is light. A screenshot of each is kept.
func TestPagesLookRight(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	for name := range states(nil) {
		for _, colors := range []string{"light", "dark"} {
			t.Run(name+"/"+colors, func(t *testing.T) {
				e := newEndpoint(t)
				b := newTab(t, scheme(colors), chromedp.EmulateViewport(320, 640))
				states(e)[name](b)
				for _, width := range []int64{320, 768, 1280} {
					b.do(chromedp.EmulateViewport(width, 900))
					b.checkLayout(width)
					b.screenshot(fmt.Sprintf("%s-%s-%d.png", name, colors, width))
				}
				b.checkAxe(string(axe))
				b.checkTraffic(e.URL)
			})
		}
	}
}

// checkLayout finds what sticks out sideways, and what is too small to be hit.
func (b *tab) checkLayout(width int64) {
	b.t.Helper()
	if got := value[float64](b, `document.documentElement.scrollWidth`); got > float64(width) {
		b.t.Errorf("at %d px the page is %v wide", width, got)
	}
	small := value[[]string](b, fmt.Sprintf(`[...document.querySelectorAll('a,button,textarea,input:not([type=hidden])')].map(e => [e, (e.closest('label') || e).getBoundingClientRect()])
		.filter(([e, r]) => r.width < %d || r.height < %d).map(([e, r]) => e.outerHTML + ' ' + r.width + 'x' + r.height)`, minTarget, minTarget))
	for _, target := range small {
		b.t.Errorf("at %d px it is too small: %s", width, target)
	}
}

func (b *tab) screenshot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artifacts, name), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// checkAxe runs axe-core with all its rules, those of best practice too.
func (b *tab) checkAxe(script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script+"; 'axe is there'")); err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ['violations']}).then(r => {
		if (r.passes.length < 5) throw new Error('axe checked nothing')
		return r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; '))
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, violation := range found {
		b.t.Error(violation)
	}
}

// TestAxeCanFail proves that the check sees a fault.
func TestAxeCanFail(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.open(newEndpoint(t).page("visit", ""))
	b.do(chromedp.SetAttributeValue(chromedp.CSS("label[for=q_comment]"), "for", "nothing"))
	var probe testing.T
	(&tab{t: &probe, ctx: b.ctx}).checkAxe(string(axe))
	if !probe.Failed() {
		t.Error("axe finds a field without a label right")
	}
}

// checkTraffic finds requests to others, and weighs the rest.
func (b *tab) checkTraffic(own string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, request := range b.requests {
		if !strings.HasPrefix(request, own+"/") {
			b.t.Errorf("a request to %s", request)
		}
	}
	if pages := max(1, len(b.requests)); len(b.requests) == 0 || b.bytes == 0 || b.bytes/float64(pages) > maxWeight {
		b.t.Errorf("%d requests of %v bytes", len(b.requests), b.bytes)
	}
}

// TestEmbedded opens a survey from a corner of another site's page, by keyboard too, and fills it in there.
func TestEmbedded(t *testing.T) {
	e := newEndpoint(t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+e.URL+"; frame-src "+e.URL)
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Shop</title><script async src="%s/embed.js" data-survey="/s/test/visit?lang=en&amp;recommend=9" data-label="How was it?"></script><main><h1>Shop</h1></main>`, e.URL)
	}))
	t.Cleanup(host.Close)
	b := newTab(t, chromedp.EmulateViewport(320, 640))
	inFrame := `document.querySelector('iframe')`

	b.open(host.URL)
	b.waits(`document.querySelector('button') !== null`)
	b.do(click(`button[aria-expanded]`))
	b.waits(inFrame + ` !== null`)
	frames := func() (found []string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, request := range b.requests {
			if strings.Contains(request, "/s/test/visit") {
				found = append(found, request)
			}
		}
		return found
	}
	if got := frames(); len(got) != 1 {
		t.Errorf("opening asks for %v", got)
	}
	b.do(chromedp.KeyEvent("\u001b"))
	if !value[bool](b, `document.activeElement.matches('button[aria-expanded=false]') && document.cookie === '' && localStorage.length === 0`) {
		t.Error("Escape does not bring the focus back, or something is kept")
	}
	if got := value[float64](b, `document.documentElement.scrollWidth`); got > 320 {
		t.Errorf("the page of the host is %v wide", got)
	}
	// Without leave no page may be the frame.
	if policy := policyOf(t, e.page("visit", "")); !strings.HasSuffix(policy, "frame-ancestors 'none'") {
		t.Errorf("policy %s", policy)
	}
	allowed := *e.surveys["visit"]
	allowed.FrameAncestors = []string{host.URL}
	e.surveys["visit"] = &allowed
	e.serve("visit", e.store)
	if policy := policyOf(t, e.page("visit", "")); !strings.HasSuffix(policy, "frame-ancestors "+host.URL) {
		t.Errorf("policy %s", policy)
	}
	b.open(host.URL)
	b.waits(`document.querySelector('button') !== null`)
	b.do(click(`button[aria-expanded]`))
	b.waits(inFrame + ` !== null`)
	b.framed()
	b.screenshot("embedded-320.png")
	// From the button that closes, Shift+Tab leads to the end of the form in the frame.
	b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(kb.Enter))
	for tick := time.NewTicker(50 * time.Millisecond); len(e.stored("visit")) == 0; <-tick.C {
		if b.ctx.Err() != nil {
			t.Fatal("nothing was stored")
		}
	}
	e.want("visit", answers{"language": "en", "recommend": "9"})
}

// framed waits until the page's frame shows a survey, which the browser allows only where the policy does.
func (b *tab) framed() {
	b.t.Helper()
	for tick := time.NewTicker(50 * time.Millisecond); b.ctx.Err() == nil; <-tick.C {
		tree, err := chromedp.Call(b.ctx, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, child := range tree.FrameTree.ChildFrames {
			f := child.Frame
			if f.UnreachableURL == "" && strings.Contains(f.URL, "/s/test/visit") && value[bool](b, `document.readyState === 'complete'`) {
				return
			}
		}
	}
	b.t.Fatal("the frame shows no survey")
}

func policyOf(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Header.Get("Content-Security-Policy")
}
