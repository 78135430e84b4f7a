package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// liveOptions are the flags of what is measured on a running operator.
type liveOptions struct {
	touchpoints, namespaces, rate, history int
	duration                               time.Duration
	// profile is the folder that gets a profile of the operator while answers are sent; empty for none.
	profile string
}

func (o *liveOptions) add(f *flag.FlagSet) {
	f.IntVar(&o.touchpoints, "live-touchpoints", 10_000, "touchpoints of the operator whose metrics are watched, five to a program")
	f.IntVar(&o.namespaces, "live-namespaces", 4, "namespaces, each with a store, that they are spread over")
	f.IntVar(&o.rate, "rate", 1000, "answers a second meanwhile")
	f.IntVar(&o.history, "history", 40, "answers of each touchpoint that are imported before")
	f.StringVar(&o.profile, "profile", "", "existing folder that gets a profile of the operator's CPU while answers are sent; it costs a few percent")
	f.DurationVar(&o.duration, "duration", 60*time.Second, "for how long answers are sent")
}

const (
	liveCase = "live"
	// liveLimit is how soon an answer shows, in seconds.
	liveLimit = 2
	// settleLimit is how long the operator may take until all that was created and imported is judged.
	settleLimit = 30 * time.Minute
	// drainLimit is how long the last answers may take to show: one that takes longer counts as lost.
	drainLimit = 2 * time.Minute
)

// liveMetrics measures how soon an answer that was acknowledged shows in the metrics.
func liveMetrics(ctx context.Context, o options, report *bench.Report) (err error) {
	if !o.has(liveCase) {
		return nil
	}
	if o.live.touchpoints < perProgram || o.live.namespaces < 1 || o.live.rate < 1 {
		return errors.New("-live-touchpoints must be 5 or more, -live-namespaces and -rate 1")
	}
	settled, end := context.WithTimeoutCause(ctx, settleLimit, fmt.Errorf("the operator has not judged everything within %s", settleLimit))
	defer end()
	op, err := startOperator(settled, o.live)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, op.stop()) }()
	l := newLedger(o.live)
	if err := op.prepare(settled, o.live, l); err != nil {
		return err
	}
	progress("live: sending %d answers a second for %s", o.live.rate, o.live.duration)
	load, err := op.whileLoaded(ctx, o.live, func() error { return op.observe(ctx, o.live, l) })
	if err != nil {
		return err
	}
	if err := l.report(ctx, o.live, op, report); err != nil {
		return err
	}
	load.report(o.live, report)
	return nil
}

func (l *ledger) report(ctx context.Context, o liveOptions, op *operator, report *bench.Report) error {
	began := time.Now()
	series, size, err := op.scrape(ctx, "")
	if err != nil {
		return err
	}
	full := time.Since(began)
	name := fmt.Sprintf("%s: %d touchpoints, %d answers a second: ", liveCase, o.touchpoints, o.rate)
	report.Add(
		bench.Within(name+"from acknowledgement to /metrics, p99", "s", bench.Sample{l.percentile(99)}, liveLimit, bench.AtMost(1)),
		bench.Alone(name+"from acknowledgement to /metrics, median", "s", bench.Sample{l.percentile(50)}),
		bench.Alone(name+"sent in a second", "answers", bench.Sample{float64(l.acknowledged) / o.duration.Seconds()}),
		bench.Alone(name+"a scrape of everything", "s", bench.Sample{full.Seconds()}),
	)
	report.Note("Live: a real API server and the operator with an endpoint and %d SQLite stores. An answer shows when a scrape of", o.namespaces)
	report.Note("cx_objective_responses, read to its end, counts it; its verdict is set with it, and in the end all counts and scores are checked.")
	report.Note("All of /metrics is %d MB, the watched metric %d series.", size>>20, len(series["cx_objective_responses"]))
	return nil
}
