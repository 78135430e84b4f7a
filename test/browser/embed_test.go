package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// shop is another site, with a strict policy of its own, that offers a survey in a corner of its page.
func shop(e *endpoint) (origin string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+e.url+"; frame-src "+e.url)
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Shop</title><script async src="%s/embed.js" data-survey="/s/test/visit?lang=en&amp;recommend=9" data-label="How was it?"></script><main><h1>Shop</h1></main>`, e.url)
	}))
	e.t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "shop.test", 1)
}

const corner = `button[aria-expanded]`

// TestEmbedded opens a survey from a corner of another site's page, by mouse and by keyboard, and fills it in there.
func TestEmbedded(t *testing.T) {
	e := newEndpoint(t)
	origin := shop(e)
	e.change("visit", func(s *survey.Survey) { s.FrameAncestors = []string{origin} })
	b := newTab(e, chromedp.EmulateViewport(320, 640))
	b.others = []string{origin}
	b.do(chromedp.Navigate(origin + "/"))
	b.waits(`document.querySelector('` + corner + `') !== null`)
	if e.asked("/s/") != 0 {
		t.Error("the survey is asked for before it is opened")
	}
	b.do(click(corner))
	b.until("the form", func() bool { return e.asked("/s/") == 1 && b.unreachable() == "" })
	b.key(kb.Escape)
	if !value[bool](b, `document.activeElement.matches('`+corner+`[aria-expanded=false]') && document.cookie === '' && localStorage.length === 0`) {
		t.Error("Escape does not bring the focus back, or something is kept")
	}
	if got := value[float64](b, `document.documentElement.scrollWidth`); got > 320 {
		t.Errorf("the shop's page is %v wide", got)
	}
	b.key(kb.Enter)
	b.waits(`document.activeElement.matches('` + corner + `[aria-expanded=true], iframe, button')`)
	b.screenshot("embedded-320.png")
	e.pass(reading)
	// From the button that closes, Shift+Tab leads to the end of the form in the frame.
	for range 3 {
		b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(kb.Enter))
	}
	e.until("the answer", func() bool { return len(e.stored("visit")) > 0 })
	e.want("visit", answers{"recommend": "9"})
}

// TestNotEmbedded: a site that the program does not name cannot show the page, and the browser says why.
func TestNotEmbedded(t *testing.T) {
	e := newEndpoint(t)
	origin := shop(e)
	e.change("visit", func(s *survey.Survey) { s.FrameAncestors = []string{"https://www.example.org"} })
	b := newTab(e)
	b.others = []string{origin, "chrome-error:"}
	b.do(chromedp.Navigate(origin+"/"), click(corner))
	b.complains("frame-ancestors")
	if b.unreachable() == "" {
		t.Error("the form is there all the same")
	}
}

// unreachable is the address of which the page's frame shows nothing; empty where it shows it.
func (b *tab) unreachable() string {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil || len(tree.FrameTree.ChildFrames) != 1 {
		b.t.Fatalf("the page's frames: %+v, %v", tree, err)
	}
	return tree.FrameTree.ChildFrames[0].Frame.UnreachableURL
}
