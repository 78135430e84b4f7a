package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// size is how many answers a touchpoint has, within its window.
type size struct {
	name    string
	answers int64
}

var sizes = []size{
	{"10 thousand answers", 10_000}, {"1 million answers", 1_000_000},
	{"10 million answers", 10_000_000}, {"100 million answers", 100_000_000},
}

// base is the size that the others are held against.
const base = 1

const (
	// objectiveLimit is how long an objective may take, in microseconds.
	objectiveLimit = 1000
	// flat is by how much a size may cost more than the base.
	flat = 1.2
	// sampleTime is for how long one sample repeats what it measures.
	sampleTime = 40 * time.Millisecond
)

// objectiveCost measures an objective's evaluation at each size in each store.
func objectiveCost(ctx context.Context, o options, report *bench.Report) error {
	measured := false
	for _, e := range engines {
		if !slices.ContainsFunc(sizes, func(s size) bool { return o.has(e.name + ", " + s.name) }) {
			continue
		}
		measured = true
		if err := objectiveCostIn(ctx, o, report, e.open); err != nil {
			return err
		}
	}
	if !measured {
		return nil
	}
	report.Note("An objective's evaluation is the count of its window of %d days in the book, its score with interval, the verdict and what", windowDays)
	report.Note("follows, in CPU time. Up to %d answers a store keeps each one; of more it keeps the counts alone, as retention leaves them.", o.answers)
	return nil
}

// moment is when an objective is evaluated.
type moment struct {
	name string
	at   func(*subject)
}

// moments are an answer more, and the end of a day with three days to confirm a verdict and three windows in a row to look at.
var moments = []moment{
	{"an objective", func(*subject) {}},
	{"an objective at the end of a day", func(s *subject) {
		s.Effective.ConfirmDays, s.Effective.ConsecutiveWindows = 3, 3
		judged := *s.Previous.Judged
		judged.Through = "2026-11-08"
		s.Previous.Judged = &judged
	}},
}

func objectiveCostIn(ctx context.Context, o options, report *bench.Report, open func(context.Context) (*engine, error)) (err error) {
	e, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	w := newWorld()
	subjects, err := w.load(ctx, o, e)
	if err != nil {
		return err
	}
	for _, m := range moments {
		var timed []bench.Subject
		for _, s := range subjects {
			at := *s
			m.at(&at)
			timed = append(timed, func(context.Context) (float64, error) { return w.timeObjective(&at) })
		}
		samples, err := bench.Interleave(ctx, o.rounds, timed...)
		if err != nil {
			return err
		}
		for i, s := range sizes {
			name := fmt.Sprintf("%s, %s: %s", e.name, s.name, m.name)
			report.Add(bench.Within(name, "µs", samples[i], objectiveLimit, bench.AtMost(1)))
			if i != base {
				report.Add(bench.Beside(name+", beside 1 million", "µs", samples[i], samples[base], bench.AtMost(flat)))
			}
		}
	}
	return nil
}

// load fills the store with a program of each size, reads it as the operator does, and judges each for the first time.
func (w *world) load(ctx context.Context, o options, e *engine) ([]*subject, error) {
	var subjects []*subject
	for _, s := range sizes {
		p := program(fmt.Sprintf("of-%d", s.answers))
		began := time.Now()
		if err := e.fill(ctx, w, p, s.answers, o.answers); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", e.name, s.name, err)
		}
		progress("%s: %s loaded in %s", e.name, s.name, time.Since(began).Round(time.Millisecond))
		subjects = append(subjects, newSubject(p, touchpoint(p, desk)))
	}
	if err := w.read(ctx, e); err != nil {
		return nil, err
	}
	for i, s := range subjects {
		out, err := w.judge(s)
		if err != nil {
			return nil, err
		}
		if err := counted(out.Objectives, sizes[i].answers); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		s.settle(out)
	}
	return subjects, nil
}

// counted wants every answer in both objectives.
func counted(verdicts []v1alpha1.ObjectiveStatus, answers int64) error {
	for _, v := range verdicts {
		if v.Responses != answers || v.Score == "" {
			return fmt.Errorf("objective %s counts %d of %d answers, score %q", v.Name, v.Responses, answers, v.Score)
		}
	}
	return nil
}

// read brings the book up to date with a store.
func (w *world) read(ctx context.Context, e *engine) error {
	began := time.Now()
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	read := make(chan struct{})
	follower := &rollup.Follower{
		Source: source, Feed: e.store, Book: w.env.Book, Clock: w.env.Clock,
		Changed: func([]rollup.Place) {}, Readable: func(bool) { close(read) },
	}
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	select {
	case <-read:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), <-done)
	}
	end()
	progress("%s: counts read in %s", e.name, time.Since(began).Round(time.Millisecond))
	return <-done
}

// timeObjective returns the microseconds of CPU of one objective's evaluation, garbage collection included.
func (w *world) timeObjective(s *subject) (float64, error) {
	began, n := cpu(), 0
	for cpu()-began < sampleTime {
		for range 16 {
			if _, err := w.judge(s); err != nil {
				return 0, err
			}
			n++
		}
	}
	return float64((cpu() - began).Microseconds()) / float64(n*len(s.Objectives)), nil
}
