// Package browser fills in surveys in a real browser, as people do: Chromium against the real endpoint with a SQLite store.
package browser

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long one test may take, on a busy machine, and impatience how long something may that a test waits for.
	patience, impatience = 5 * time.Minute, time.Minute
	// reading is how long a person looks at a page before the first answer.
	reading = 5 * time.Second
)

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
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
		// Tabs work at the same time, each as if it were the one that somebody looks at.
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		// A frame of another site is part of its page's tab.
		chromedp.Flag("disable-site-isolation-trials", true),
		// Nobody is reached but this machine.
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		// Without BackForwardCache a page that is gone back to comes from the server or the HTTP cache, which is the harder case.
		chromedp.Flag("disable-features", "IsolateOrigins,site-per-process,BackForwardCache,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"))
	defer stop()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium does not start:", err)
		return 1
	}
	browser = ctx
	// Tests wait for the browser more than they work.
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// tab is a page of the browser.
type tab struct {
	t   *testing.T
	e   *endpoint
	ctx context.Context
	*notes
}

// notes are what a tab asks for and what goes wrong in it.
type notes struct {
	mu       sync.Mutex
	others   []string // origins other than the endpoint's that the test is about
	requests []*request
	wrong    []string
}

// request is one that a page made.
type request struct {
	id       network.RequestID
	loader   cdp.LoaderID // the same for all requests of one page
	url      string
	document bool
	bytes    float64 // of the answer on the wire, with its headers
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

// newTab opens a tab for pages of the endpoint. The test fails where anything goes wrong in the pages, or they ask others than
// the endpoint for something.
func newTab(e *endpoint, actions ...action) *tab {
	e.t.Helper()
	b := &tab{t: e.t, e: e, notes: &notes{}}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	e.t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, patience)
	e.t.Cleanup(stop)
	b.ctx = ctx
	e.t.Cleanup(b.checkQuiet)
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lives as long as this context
		e.t.Fatal(err)
	}
	b.do(command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}),
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	b.do(actions...)
	return b
}

// of is the tab for a part of the test.
func (b *tab) of(t *testing.T) *tab { return &tab{t, b.e.of(t), b.ctx, b.notes} }

// withoutScript switches scripts off.
var withoutScript = command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

func (n *notes) note(event any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			n.requests = append(n.requests, &request{id: e.RequestID, loader: e.LoaderID, url: e.Request.URL, document: e.Type == network.ResourceTypeDocument})
		}
	case *network.EventLoadingFinished:
		if r := n.request(e.RequestID); r != nil {
			r.bytes = e.EncodedDataLength
		}
	case *log.EventEntryAdded:
		// That a page answers with an error is told to whoever reads it.
		if r := n.request(e.Entry.NetworkRequestID); e.Entry.Source != log.EntrySourceNetwork || r == nil || !r.document {
			n.wrong = append(n.wrong, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		n.wrong = append(n.wrong, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		n.wrong = append(n.wrong, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	}
}

// request returns the last one of an ID, nil for none. Whoever calls it holds the lock.
func (n *notes) request(id network.RequestID) *request {
	for i := len(n.requests) - 1; i >= 0; i-- {
		if n.requests[i].id == id {
			return n.requests[i]
		}
	}
	return nil
}

// forget lets what was asked for so far be.
func (n *notes) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = nil
}

// checkQuiet finds what the browser had to say of the pages, and requests to others.
func (b *tab) checkQuiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	own := append(b.others, b.e.url)
	for _, r := range b.requests {
		if !slices.ContainsFunc(own, func(origin string) bool { return strings.HasPrefix(r.url, origin+"/") }) {
			b.t.Errorf("a request to %s", r.url)
		}
	}
	for _, wrong := range b.wrong {
		b.t.Error(wrong)
	}
	b.wrong = nil
}

// complains waits until the browser has said something of the page that it should say.
func (b *tab) complains(text string) {
	b.t.Helper()
	b.until("the browser says "+text, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		before := len(b.wrong)
		b.wrong = slices.DeleteFunc(b.wrong, func(wrong string) bool { return strings.Contains(wrong, text) })
		return len(b.wrong) < before
	})
}

func (b *tab) do(actions ...action) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, impatience)
	defer stop()
	err := whileReplaced(func() error { return chromedp.Do(ctx, actions...) })
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
}

// whileReplaced tries again where the page was replaced between the finding of a node and its use: nothing was done to it then.
func whileReplaced(do func() error) error {
	for {
		err := do()
		if err == nil || !strings.Contains(err.Error(), "Could not find node with given id") {
			return err
		}
	}
}

// open goes to an address and takes the time to read; that it answers with an error is no fault.
func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main")))
	b.e.pass(reading)
}

// load does something that loads another page, and waits until it is there.
func (b *tab) load(actions ...action) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, impatience)
	defer stop()
	err := whileReplaced(func() error {
		_, err := chromedp.RunResponse(ctx, actions...)
		return err
	})
	if err != nil {
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
	b.until(expression, func() bool {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		return err == nil && ok
	})
}

// until asks until something is so.
func (b *tab) until(what string, done func() bool) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(impatience); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("never so: %s\n%s", what, b.text())
		}
	}
}

// value is that of an expression or, if it is a promise, of what it promises.
func value[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
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

// label is that of a choice.
func label(name, value string) string {
	return fmt.Sprintf(`label:has([name="%s"][value="%s"])`, name, value)
}

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
