// Package browser fills in surveys in a real browser, as people do: Chromium against the real endpoint with a SQLite store.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/go-logr/logr"
	"sigs.k8s.io/yaml"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// patience is how long one test may take, on a busy machine.
const patience = 90 * time.Second

var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run starts one browser for all tests, each of which gets a tab without anything of the others.
func run(m *testing.M) int {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if _, err := os.Stat(axePath); program == "" || err != nil {
		fmt.Fprintf(os.Stderr, "These tests need Chromium (found: %q) and axe-core (%v): 'make browser' installs both.\n", program, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "cx-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // the browser may still write to it
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.UserDataDir(dir), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		// Without this cache a page that is gone back to comes from the server or the HTTP cache, which is the harder case.
		chromedp.Flag("disable-features", "BackForwardCache"), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience))
	defer stop()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium does not start:", err)
		return 1
	}
	browser = ctx
	return m.Run()
}

// endpoint is a real one, with every program of testdata.
type endpoint struct {
	*httptest.Server
	t        *testing.T
	registry *intake.Registry
	store    store.Store
	surveys  map[string]*survey.Survey
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "responses.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	registry := intake.NewRegistry()
	server, err := intake.New(registry, intake.Config{RatePerMinute: -1, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{Server: httptest.NewServer(server), t: t, registry: registry, store: st, surveys: map[string]*survey.Survey{}}
	t.Cleanup(func() {
		e.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	for _, file := range files {
		e.load(file)
	}
	return e
}

func (e *endpoint) load(file string) {
	e.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	program := &v1alpha1.SurveyProgram{}
	if err := yaml.UnmarshalStrict(content, program); err != nil {
		e.t.Fatal(err)
	}
	compiled, problems := survey.Compile(program, nil, nil)
	if compiled == nil {
		e.t.Fatalf("%s: %v", file, problems)
	}
	e.surveys[program.Name] = compiled
	e.serve(program.Name, e.store)
}

// serve serves a program over a store; nil is one that is away.
func (e *endpoint) serve(name string, st store.Store) {
	s := e.surveys[name]
	e.registry.Set(s.Program, intake.Program{Survey: s, Store: st})
}

func (e *endpoint) page(program, query string) string { return e.URL + "/s/test/" + program + query }

// stored are the answers of a program, after a check that the counts are right.
func (e *endpoint) stored(program string) []map[string]string {
	e.t.Helper()
	var all []map[string]string
	key := store.Key{Namespace: "test", Name: program}
	if err := e.store.Export(context.Background(), key, func(r store.Response) error {
		answers := map[string]string{"language": r.Language}
		for _, a := range r.Answers {
			answers[a.Question] = strings.Join(a.Values, " ")
		}
		all = append(all, answers)
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	if check, err := e.store.Recount(context.Background(), key); err != nil || len(check.Differences) > 0 {
		e.t.Errorf("recount: %+v, %v", check, err)
	}
	return all
}

// want fails the test unless exactly these answers are stored.
func (e *endpoint) want(program string, want ...map[string]string) {
	e.t.Helper()
	got, _ := json.Marshal(e.stored(program))
	expected, _ := json.Marshal(want)
	if string(got) != string(expected) && (len(want) > 0 || string(got) != "null") {
		e.t.Errorf("stored %s\nwant   %s", got, expected)
	}
}

// tab is a page of the browser, which notes every request that it makes.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string
	bytes    float64
}

// action is a step that returns nothing.
type action = chromedp.Action[chromedp.Void]

// command is the step of sending a command of the DevTools protocol.
func command[P, R any](name cdp.Command[P, R], parameters P) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, name, parameters)
		return err
	})
}

func newTab(t *testing.T, actions ...action) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	b.ctx = ctx
	b.do(command(network.Enable, network.EnableParams{}))
	b.do(actions...)
	return b
}

func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			b.requests = append(b.requests, e.Request.URL)
		}
	case *network.EventLoadingFinished:
		b.bytes += e.EncodedDataLength
	}
}

func (b *tab) do(actions ...action) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
}

// open goes to an address; that it answers with an error is no fault.
func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main")))
}

// load does something that loads another page, and waits until it is there.
func (b *tab) load(actions ...action) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
}

func (b *tab) text() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ''`))
	if err != nil {
		return err.Error()
	}
	return text
}

// sees waits until the page has the text.
func (b *tab) sees(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	b.waits("document.body !== null && document.body.innerText.includes(" + string(quoted) + ")")
}

// waits until an expression is true. Asking from here works with scripts switched off, and goes on when another page comes.
func (b *tab) waits(expression string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); ; {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("never true: %s\n%s", expression, b.text())
		}
	}
}

func value[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// goBack presses the browser's back button. It does not wait: a page that is kept loads nothing.
func (b *tab) goBack() {
	b.t.Helper()
	history, err := chromedp.Run(b.ctx, chromedp.NavigationEntries())
	if err != nil || history.CurrentIndex < 1 {
		b.t.Fatal("there is no page to go back to: ", err)
	}
	b.do(command(page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID}))
}

const (
	send = `.go button:not(.quiet)`
	back = `.quiet`
)

func label(id string) string { return `label[for="` + id + `"]` }

func click(selector string) action {
	return chromedp.Steps(chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

func write(selector, text string) action { return chromedp.SendKeys(chromedp.CSS(selector), text) }

// offline cuts the network, or brings it back.
func offline(on bool) action {
	return command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: on, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}
