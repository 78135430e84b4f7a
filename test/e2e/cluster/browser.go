//go:build linux && e2e

package cluster

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// AnswerInABrowser fills in the page of the program's touchpoint in Chromium, as a person does, and sends it.
func (p *Program) AnswerInABrowser(t *testing.T, score int) {
	t.Helper()
	const limit = 90 * time.Second
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Fatal("Chromium is not installed: run 'make browser'")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WSURLReadTimeout(limit),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		// A Service has no name here that is secured; its pages must work by plain HTTP, too.
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"))
	defer stop()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	ctx, end := context.WithTimeout(ctx, limit)
	defer end()
	choice := chromedp.CSS(fmt.Sprintf(`label:has([name="%s"][value="%d"])`, p.Question, score))
	err := chromedp.Do(ctx, chromedp.Navigate(p.PageURL()), chromedp.WaitReady(chromedp.CSS("main")),
		chromedp.ScrollIntoView(choice), chromedp.Click(choice))
	if err != nil {
		t.Fatalf("filling in %s: %v", p.PageURL(), err)
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(`.go button:not(.quiet)`))); err != nil {
		t.Fatalf("sending %s: %v", p.PageURL(), err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "Thank you"; !strings.Contains(text, want) {
		t.Fatalf("the page says %q, want %q", text, want)
	}
}
