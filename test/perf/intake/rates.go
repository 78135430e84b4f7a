package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

// What is asked: at least this much of the narrower limit where so many clients keep it busy, and at most so many commits' time
// for an answer that is alone.
const (
	leastOfLimit = 0.6
	mostCommits  = 2
)

// rateCase measures how many answers are taken each second.
func (b *bencher) rateCase(e engine, processes int, kind load.Kind, clients int) one {
	name := e.name()
	if processes > 1 {
		name += fmt.Sprintf(" %d processes", processes)
	}
	name += fmt.Sprintf(" %s %d clients", kind, clients)
	if clients == 1 {
		name = name[:len(name)-1]
	}
	return one{name, func(ctx context.Context) error {
		s, err := b.prepare(ctx, name, e, processes, kind)
		if err != nil {
			return err
		}
		if clients == 1 {
			err = s.measureOne(ctx)
		} else {
			err = s.measureMany(ctx, clients)
		}
		return errors.Join(err, s.end(ctx))
	}}
}

// measureMany holds the rate against that of a bare handler and of the database alone.
func (s *setup) measureMany(ctx context.Context, clients int) error {
	samples, err := bench.Interleave(ctx, s.b.rounds, s.rate(clients), s.bareRate(clients), s.databaseRate(clients))
	if err != nil {
		return err
	}
	rate, bare, database := samples[0], samples[1], samples[2]
	narrower := make(bench.Sample, len(rate))
	for i := range narrower {
		narrower[i] = min(bare[i], database[i])
	}
	var asked bench.Wanted
	if clients == 64 || clients == 256 {
		asked = bench.AtLeast(leastOfLimit)
	}
	s.b.report.Add(
		bench.Beside(s.name+": of the narrower limit", "answers/s", rate, narrower, asked),
		bench.Beside(s.name+": of a bare handler", "answers/s", rate, bare, bench.Wanted{}),
		bench.Beside(s.name+": of the database alone", "answers/s", rate, database, bench.Wanted{}),
	)
	return nil
}

// measureOne holds the time that an answer takes against that of a durable commit.
func (s *setup) measureOne(ctx context.Context) error {
	perAnswer := func(rate bench.Subject) bench.Subject {
		return func(ctx context.Context) (float64, error) {
			r, err := rate(ctx)
			return 1e6 / r, err
		}
	}
	samples, err := bench.Interleave(ctx, s.b.rounds, perAnswer(s.rate(1)), s.commitTime, s.singleTime, perAnswer(s.bareRate(1)))
	if err != nil {
		return err
	}
	s.b.report.Add(
		bench.Beside(s.name+": by a commit of the same rows", "µs", samples[0], samples[1], bench.AtMost(mostCommits)),
		bench.Beside(s.name+": by a commit of one small row", "µs", samples[0], samples[2], bench.Wanted{}),
		bench.Beside(s.name+": by a bare handler", "µs", samples[0], samples[3], bench.Wanted{}),
	)
	return nil
}
