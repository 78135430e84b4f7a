// Command page measures what opening a survey's page costs: requests and bytes on the wire, when Chromium paints it beside an
// empty page of the same server, whether it shifts, and what rendering it takes. 'make bench-page' runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// How often is usual, and how often with -short.
const (
	usualLoads, usualRenders              = 7, 2000
	shortRounds, shortLoads, shortRenders = 3, 3, 500
)

// options are the flags.
type options struct {
	counts  bool
	short   bool
	only    *regexp.Regexp
	rounds  int
	loads   int
	renders int
	sample  string
}

func main() {
	var o options
	only := o.add(flag.CommandLine)
	flag.Parse()
	o.shorten(flag.CommandLine)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, *only); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

// add adds the flags, and returns the one that is read later.
func (o *options) add(flags *flag.FlagSet) (only *string) {
	flags.BoolVar(&o.counts, "counts", false, "only what is counted exactly: requests, bytes and allocations")
	flags.BoolVar(&o.short, "short", false, "fewer rounds, loads and renderings where no flag says how many: less than a minute")
	flags.IntVar(&o.rounds, "rounds", bench.Rounds, "rounds of what is timed")
	flags.IntVar(&o.loads, "loads", usualLoads, "loads of each page in a round, each by a browser that knows nothing of the server")
	flags.IntVar(&o.renders, "renders", usualRenders, "renderings of each page in a round")
	flags.StringVar(&o.sample, "program", "config/samples/airport", "files or folder of the program with usual pages")
	return flags.String("run", "", "only cases whose name matches this regular expression")
}

// shorten leaves out what makes figures steadier, but no figure, where it is a short run and the flags were not given.
func (o *options) shorten(flags *flag.FlagSet) {
	if !o.short {
		return
	}
	bench.Shorten(flags, map[string]func(){
		"rounds": func() { o.rounds = shortRounds }, "loads": func() { o.loads = shortLoads }, "renders": func() { o.renders = shortRenders },
	})
}

func run(ctx context.Context, o options, only string) error {
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if o.rounds < 1 || o.loads < 1 || o.renders < 1 {
		return errors.New("-rounds, -loads and -renders must be 1 or more")
	}
	pages, err := pagesOf(o.sample)
	if err != nil {
		return err
	}
	report := bench.NewReport("page")
	inBrowser, inProcess := subjects(o)
	if wanted(o, pages, inBrowser) {
		if err := browse(ctx, o, report, pages, inBrowser); err != nil {
			return err
		}
	}
	if err := (*browser)(nil).measure(ctx, o, report, pages, inProcess); err != nil {
		return err
	}
	report.Note("Bytes: all that the server wrote to the browser, headers included. Paint: first contentful paint after the start of the")
	report.Note("navigation, beside that of a page of one word; every load is by a tab of its own, without a cache or connections.")
	report.Note("Its words alone: what the page shows, as paragraphs without style, fields or script.")
	report.Note("Rendering: CPU of the process, garbage collection included, without a network; beside packing the same page with gzip.")
	return report.Print(os.Stdout)
}

// subject measures several cases of one page at once.
type subject struct {
	// cases are what comes after the page's name in the names of the figures.
	cases []string
	of    func(context.Context, *browser, page, options) ([]bench.Figure, error)
}

// subjects returns what is measured in the browser, and what without one.
func subjects(o options) (inBrowser, inProcess []subject) {
	inBrowser = []subject{{[]string{caseRequests, caseBytes}, wire}}
	inProcess = []subject{{[]string{caseAllocations, caseGrowth}, allocations}}
	if !o.counts {
		inBrowser = []subject{{[]string{caseRequests, caseBytes, caseShift}, wire}, {[]string{casePaint, casePaintOfWords, casePaintByWords}, paint}}
		inProcess = append(inProcess, subject{[]string{caseRender, casePacking}, rendering})
	}
	return inBrowser, inProcess
}

// wants says whether a subject has a case of the page that is asked for.
func (o options) wants(p page, s subject) bool {
	return slices.ContainsFunc(s.cases, func(name string) bool { return o.only.MatchString(p.called(name)) })
}

func wanted(o options, pages []page, all []subject) bool {
	return slices.ContainsFunc(pages, func(p page) bool {
		return slices.ContainsFunc(all, func(s subject) bool { return o.wants(p, s) })
	})
}

// browse measures in a browser, which has ended when it returns, so that it costs nothing while something else is measured.
func browse(ctx context.Context, o options, report *bench.Report, pages []page, all []subject) error {
	b, err := startBrowser(ctx)
	if err != nil {
		return err
	}
	defer b.stop()
	if err := b.check(ctx); err != nil {
		return fmt.Errorf("check what measures: %w", err)
	}
	return b.measure(ctx, o, report, pages, all)
}

// measure adds the figures that are asked for, subject by subject.
func (b *browser) measure(ctx context.Context, o options, report *bench.Report, pages []page, all []subject) error {
	for _, s := range all {
		for _, p := range pages {
			if !o.wants(p, s) {
				continue
			}
			fmt.Fprintf(os.Stderr, "page: %s\n", p.called(strings.Join(s.cases, ", ")))
			figures, err := s.of(ctx, b, p, o)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			report.Add(slices.DeleteFunc(figures, func(f bench.Figure) bool { return !o.only.MatchString(f.Case) })...)
		}
	}
	return nil
}
