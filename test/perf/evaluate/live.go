package main

import (
	"context"
	"flag"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// liveOptions are the flags of what is measured on a running operator.
type liveOptions struct {
	touchpoints, rate int
}

func (o *liveOptions) add(f *flag.FlagSet) {
	f.IntVar(&o.touchpoints, "live-touchpoints", 10_000, "touchpoints of the operator whose metrics are watched")
	f.IntVar(&o.rate, "rate", 1000, "answers a second meanwhile")
}

func liveMetrics(context.Context, options, *bench.Report) error { return nil }
