package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long one load may take on a busy machine.
const patience = 60 * time.Second

// browser is a Chromium without a window.
type browser struct {
	ctx  context.Context
	stop func()
}

// startBrowser starts a Chromium, which asks nobody but this machine for anything. It ends with stop, which may be called twice.
func startBrowser(ctx context.Context) (*browser, error) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, errors.New("no Chromium: 'make chromium' installs it")
	}
	dir, err := os.MkdirTemp("", "cx-bench-page-")
	if err != nil {
		return nil, err
	}
	allocator, end := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(program), chromedp.UserDataDir(dir), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"))
	root, cancel := chromedp.NewContext(allocator)
	b := &browser{ctx: root, stop: sync.OnceFunc(func() {
		cancel()
		end()
		_ = os.RemoveAll(dir) // a folder for temporary files: what is left of it harms nobody
	})}
	if err := chromedp.Do(root); err != nil {
		b.stop()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return b, nil
}

// load is what a page did in a tab.
type load struct {
	// Paint is when the first content was painted, in milliseconds after the address was asked for.
	Paint float64 `json:"paint"`
	// Shift is the sum of all layout shifts, as browsers score them.
	Shift float64 `json:"shift"`
}

// watch waits until the page is loaded and painted, then for so many milliseconds, scrolls to its end, waits as long again, and
// tells what was seen.
const watch = `(async (milliseconds) => {
  let shift = 0
  const add = (list) => list.forEach((entry) => { shift += entry.value })
  const shifts = new PerformanceObserver((list) => add(list.getEntries()))
  shifts.observe({type: 'layout-shift', buffered: true})
  const paint = await new Promise((resolve) => {
    new PerformanceObserver((list) => {
      const first = list.getEntriesByName('first-contentful-paint')[0]
      if (first) resolve(first.startTime)
    }).observe({type: 'paint', buffered: true})
  })
  const still = async () => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  }
  if (document.readyState !== 'complete') await new Promise((resolve) => addEventListener('load', resolve))
  if (milliseconds > 0) {
    await still()
    scrollTo(0, document.documentElement.scrollHeight)
    await still()
  }
  add(shifts.takeRecords())
  return {paint, shift}
})`

// open opens an address in a tab of its own, which shares neither cache nor connections with others, and watches the page for
// some time before and after it was scrolled.
func (b *browser) open(ctx context.Context, address string, watched time.Duration) (load, error) {
	tab, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	defer closeTab()
	tab, done := context.WithTimeout(tab, patience)
	defer done()
	stop := context.AfterFunc(ctx, done)
	defer stop()
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		return load{}, fmt.Errorf("open %s: %w", address, err)
	}
	seen, err := chromedp.Run(tab, chromedp.Evaluate[load](fmt.Sprintf("%s(%d)", watch, watched.Milliseconds()), chromedp.EvalAwaitPromise))
	if err != nil {
		return load{}, fmt.Errorf("watch %s: %w", address, err)
	}
	return seen, nil
}
