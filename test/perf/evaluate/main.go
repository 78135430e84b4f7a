// Command evaluate measures what judging a promise costs: an objective at ten thousand to a hundred million answers in both
// stores, many touchpoints of which few changed, and how soon an answer shows in the metrics. 'make bench-evaluate' runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// options are the flags.
type options struct {
	counts, short bool
	only          *regexp.Regexp
	rounds        int
	// answers that are stored one by one; what is more is counted as retention leaves it.
	answers int64
	// touchpoints of which 1 % changed, and busy those that have answers in every hour.
	touchpoints, busy int
	live              liveOptions
}

// has says whether a case is wanted.
func (o options) has(name string) bool { return o.only.MatchString(name) }

func main() {
	var o options
	flag.BoolVar(&o.counts, "counts", false, "only what is counted exactly: allocations and reconciles")
	flag.BoolVar(&o.short, "short", false, "one round of small sizes, in about a minute; other flags that are given still count")
	only := flag.String("run", "", "only cases whose name matches this regular expression")
	flag.IntVar(&o.rounds, "rounds", bench.Rounds, "rounds of what is timed")
	flag.Int64Var(&o.answers, "answers", 1_000_000, "a store of at most so many answers keeps them all; of a larger one it keeps counts, as retention leaves them")
	flag.IntVar(&o.touchpoints, "touchpoints", 50_000, "touchpoints of which 1 % changed")
	flag.IntVar(&o.busy, "busy-touchpoints", 500, "touchpoints with answers in every hour")
	o.live.add(flag.CommandLine)
	flag.Parse()
	o.shorten()
	ctrl.SetLogger(logr.Discard()) // the clients' own chatter
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, *only); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

// shorten sets the sizes of a short run, where it is one and they were not given.
func (o *options) shorten() {
	if !o.short {
		return
	}
	bench.Shorten(flag.CommandLine, map[string]func(){
		"rounds": func() { o.rounds = 1 }, "answers": func() { o.answers = 10_000 },
		"touchpoints": func() { o.touchpoints = 5000 }, "busy-touchpoints": func() { o.busy = 20 },
		"live-touchpoints": func() { o.live.touchpoints = 250 }, "rate": func() { o.live.rate = 100 },
		"duration": func() { o.live.duration = 10 * time.Second },
	})
}

func run(ctx context.Context, o options, only string) error {
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if o.rounds < 1 || o.answers < 10_000 || o.touchpoints < 100 || o.busy < 1 {
		return errors.New("-rounds and -busy-touchpoints must be 1 or more, -touchpoints 100, -answers 10000")
	}
	report := bench.NewReport("evaluate")
	if o.counts {
		err = counts(o, report)
	} else {
		err = measure(ctx, o, report)
	}
	return errors.Join(err, report.Print(os.Stdout))
}

func measure(ctx context.Context, o options, report *bench.Report) error {
	for _, part := range []func(context.Context, options, *bench.Report) error{objectiveCost, manyTouchpoints, liveMetrics} {
		if err := part(ctx, o, report); err != nil {
			return err
		}
	}
	return nil
}

// progress says what is under way.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
