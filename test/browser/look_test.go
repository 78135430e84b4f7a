package browser

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	axePath = "node_modules/axe-core/axe.min.js"
	// artifacts is where screenshots are kept for people to look at.
	artifacts = "artifacts"
	// maxWeight is what a page may weigh on the wire, headers included.
	maxWeight = 14 << 10
	// minTarget is the least height and width of what is to be hit, in CSS pixels: WCAG 2.2, 2.5.8.
	minTarget = 24
)

// state is one kind of page, and how a browser comes to it.
type state struct {
	name   string
	status int
	reach  func(*tab)
}

// states are all kinds of pages.
var states = []state{
	{"form", 200, func(b *tab) { b.open(b.e.page("visit", "?recommend=9&staff=4")) }},
	{"form-ar", 200, func(b *tab) { b.open(b.e.page("visit", "?lang=ar&recommend=9")) }},
	{"form-de", 200, func(b *tab) { b.open(b.e.page("visit", "?lang=de")) }},
	{"form-by-link", 200, func(b *tab) {
		b.open(b.e.invite("invited", map[string]any{"id": uuid.NewString(), "touchpoint": "cafe", "team": "waiters"}))
	}},
	{"errors", 422, func(b *tab) {
		b.open(b.e.page("visit", ""))
		b.load(click(send))
	}},
	{"errors-ar", 422, func(b *tab) {
		b.open(b.e.page("visit", "?lang=ar"))
		b.load(click(send))
	}},
	{"contact", 200, func(b *tab) { b.open(b.e.page("asking", "")) }},
	{"contact-errors-ar", 422, func(b *tab) {
		b.open(b.e.page("asking", "?lang=ar"))
		b.do(write("#_contact", "ana@example.org"))
		b.load(click(send))
	}},
	{"step", 200, func(b *tab) {
		b.open(b.e.page("steps", "?recommend=3"))
		b.load(click(send))
		b.sees("What went wrong")
	}},
	{"waiting", 200, func(b *tab) {
		b.open(b.e.page("endless", "?recommend=3"))
		b.do(click(send))
		b.sees("One moment, please")
	}},
	{"away", 503, func(b *tab) {
		b.open(b.e.page("away", "?recommend=3"))
		b.load(click(send))
	}},
	{"thanks", 200, func(b *tab) {
		b.open(b.e.page("visit", "?recommend=9&staff=5"))
		b.load(click(send))
		b.sees("Thank you")
	}},
	{"thanks-ar", 200, func(b *tab) {
		b.open(b.e.page("visit", "?recommend=9&staff=5&lang=ar"))
		b.load(click(send))
		b.sees("شكرًا لك")
	}},
	{"erase", 200, func(b *tab) { b.open(b.e.page("visit", "/erase")) }},
	{"erase-errors", 422, func(b *tab) {
		b.open(b.e.page("visit", "/erase"))
		b.load(click("button"))
	}},
	{"erased", 200, func(b *tab) {
		b.open(b.e.page("visit", "/erase?receipt=0123456789ABCDEFGHJK"))
		b.load(click("button"))
		b.sees("they are now deleted")
	}},
	{"closed", 410, func(b *tab) { b.open(b.e.page("closed", "")) }},
	{"nothing-here", 404, func(b *tab) { b.open(b.e.page("nothing", "")) }},
	{"not-invited", 403, func(b *tab) { b.open(b.e.page("invited", "")) }},
	{"link-invalid", 403, func(b *tab) { b.open(forged(b.e.invite("invited", map[string]any{"id": uuid.NewString()}))) }},
	{"link-expired", 403, func(b *tab) { b.open(expired(b.e, "invited", "de")) }},
	{"link-used", 403, func(b *tab) {
		link := b.e.invite("invited", map[string]any{"id": uuid.NewString(), "touchpoint": "cafe", "singleUse": true})
		b.open(link + "&recommend=9")
		b.e.spend("invited", link)
		b.load(click(send))
	}},
	{"languages", 200, func(b *tab) {
		b.open(b.e.page("many", ""))
		b.do(click(`nav summary`))
	}},
	{"languages-ar", 200, func(b *tab) {
		b.open(b.e.page("many", "?lang=ar"))
		b.do(click(`nav summary`))
	}},
}

// forStates is an endpoint for all states.
func forStates(t *testing.T) *endpoint {
	e := newEndpoint(t)
	e.surveys["asking"] = e.named("visit", "asking")
	e.askContact("asking")
	e.surveys["many"] = e.named("visit", "many")
	e.change("many", lengthen)
	e.surveys["away"] = e.named("visit", "away")
	e.serve("away", nil)
	e.surveys["endless"] = e.named("proof", "endless")
	e.change("endless", func(s *survey.Survey) { s.Access.ProofBits = endless })
	return e
}

// named is a copy of a program under another name.
func (e *endpoint) named(name, other string) *survey.Survey {
	s := *e.surveys[name]
	s.Program.Name = other
	return &s
}

func scheme(name string) action {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// TestPagesLookRight goes through every page, light and dark, at three widths: axe finds nothing, nothing sticks out, all is
// large enough to be hit, nothing comes from elsewhere or stays, and the page is light. A screenshot of each is kept.
func TestPagesLookRight(t *testing.T) {
	axe := readAxe(t)
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	// Some at the same time, since a tab of its own for each would take longer than what is looked at.
	for part := range slices.Chunk(states, (len(states)+3)/4) {
		t.Run("from "+part[0].name, func(t *testing.T) {
			b := newTab(forStates(t), command(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}))
			for _, s := range part {
				t.Run(s.name, func(t *testing.T) { b.of(t).lookAt(s, axe) })
			}
		})
	}
}

func (b *tab) lookAt(s state, axe string) {
	b.forget()
	b.do(chromedp.EmulateViewport(1280, 900)) // and not as tall as the page before
	s.reach(b)
	if got := value[int](b, `performance.getEntriesByType('navigation')[0].responseStatus`); got != s.status {
		b.t.Errorf("status %d, want %d", got, s.status)
	}
	for _, width := range []int64{1280, 768, 320} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.checkLayout(width)
		// The window shows all of the page: what is beyond it is out of place in pictures of pages from right to left.
		b.do(chromedp.EmulateViewport(width, max(900, value[int64](b, `document.documentElement.scrollHeight`))))
		for _, colours := range []string{"dark", "light"} {
			b.do(scheme(colours))
			b.screenshot(fmt.Sprintf("%s-%s-%d.png", s.name, colours, width))
		}
	}
	b.checkAxe(axe, `{resultTypes: ['violations']}`)
	b.do(scheme("dark"))
	b.checkAxe(axe, `{runOnly: ['color-contrast']}`)
	if !value[bool](b, `document.cookie === '' && localStorage.length + sessionStorage.length === 0`) {
		b.t.Error("something stays in the browser")
	}
	b.checkWeight()
	b.checkQuiet()
}

func readAxe(t *testing.T) string {
	t.Helper()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(axe)
}

// checkLayout finds what sticks out sideways, and what is too small to be hit.
func (b *tab) checkLayout(width int64) {
	b.t.Helper()
	if got := value[float64](b, `document.documentElement.scrollWidth`); got > float64(width) {
		b.t.Errorf("at %d px the page is %v wide", width, got)
	}
	small := value[[]string](b, fmt.Sprintf(`[...document.querySelectorAll('a,button,textarea,input:not([type=hidden])')].filter(e => !e.closest('[aria-hidden]'))
		.map(e => [e, (e.closest('label') || e).getBoundingClientRect()])
		.filter(([e, r]) => r.width < %d || r.height < %d).map(([e, r]) => e.outerHTML + ' ' + r.width + 'x' + r.height)`, minTarget, minTarget))
	for _, target := range small {
		b.t.Errorf("at %d px it is too small: %s", width, target)
	}
}

// screenshot keeps a picture of what the window shows.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artifacts, name), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// checkAxe runs axe-core with all its rules, those of best practice too, or with those of colours only.
func (b *tab) checkAxe(script, rules string) {
	b.t.Helper()
	if value[bool](b, `typeof axe === 'undefined'`) {
		value[string](b, script+"; 'axe is there'")
	}
	for _, violation := range value[[]string](b, `axe.run(document, `+rules+`).then(r => {
		if (r.passes.length === 0) throw new Error('axe checked nothing')
		return r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; '))
	})`) {
		b.t.Error(violation)
	}
}

// TestAxeCanFail proves that the check sees a fault.
func TestAxeCanFail(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	b.do(chromedp.SetAttributeValue(chromedp.CSS("label[for=q_comment]"), "for", "nothing"))
	var probe testing.T
	(&tab{t: &probe, ctx: b.ctx}).checkAxe(readAxe(t), "{}")
	if !probe.Failed() {
		t.Error("axe finds a field without a label right")
	}
}

// checkWeight weighs every page that the tab has loaded. A page is one request: nothing follows but what its reader does.
func (b *tab) checkWeight() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	weights := map[cdp.LoaderID]float64{}
	for _, r := range b.requests {
		switch {
		case r.document:
			weights[r.loader] += r.bytes
		case !strings.HasSuffix(r.url, "/visits") && !strings.HasSuffix(r.url, "/proof.js"):
			b.t.Errorf("the page asks for %s", r.url)
		}
	}
	for loader, weight := range weights {
		if weight == 0 || weight > maxWeight {
			b.t.Errorf("%v bytes for %s", weight, loader)
		}
	}
	if len(weights) == 0 {
		b.t.Error("nothing was loaded")
	}
	b.t.Logf("bytes on the wire: %v", slices.Collect(maps.Values(weights)))
}
