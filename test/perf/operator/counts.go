package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// countCases are small enough for a minute, and have each kind.
func countCases() []benchCase {
	return []benchCase{
		{"Embedded", size{programs: 2, touchpoints: 6, teams: 2, namespaces: 1}},
		{"Dedicated", size{programs: 2, teams: 1, namespaces: 1, dedicated: true}},
	}
}

// countCase creates one object after the other, each when the operator is done with those before, and counts what it asks: that
// is the same in every run.
func (s *setup) countCase(ctx context.Context, r *bench.Report, c benchCase) (err error) {
	at, err := s.open(ctx, c.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	if err := at.start(ctx); err != nil {
		return err
	}
	if _, err := at.cluster.audit.next(); err != nil {
		return err
	}
	for _, i := range at.inputs {
		if err := at.createDone(ctx, i); err != nil {
			return err
		}
	}
	asked, err := at.cluster.audit.next()
	if err != nil {
		return err
	}
	m := &measured{}
	if m.floor, err = record(ctx, at.cluster.admin); err != nil {
		return err
	}
	least := float64(m.floor.children + m.floor.statuses)
	name := func(text string) string { return "counts, " + c.name + ": " + text }
	r.Add(
		bench.Within(name("requests, objects created one by one"), "requests", bench.Sample{float64(asked.all())}, least, bench.Wanted{}),
		bench.Alone(name("reads among them"), "requests", bench.Sample{float64(asked.all() - asked.writes())}),
		bench.Alone(name("conflicts and refusals"), "errors", bench.Sample{float64(asked.conflicts + asked.failures)}),
	)
	r.Note("%s, one by one: %s.", c.name, &asked)
	if err := at.countEdits(ctx, r, name); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *measured) error{at.rest, at.again} {
		if err := step(ctx, m); err != nil {
			return err
		}
	}
	r.Add(
		bench.Alone(name("steady, writes"), "writes", m.steadyWrites),
		bench.Alone(name("steady, reconciles per object and minute"), "reconciles", m.steadyReconciles),
		bench.Alone(name("restart, writes"), "writes", m.restartWrites),
	)
	return nil
}

// createDone creates an object and waits until it is done, and the operator idle.
func (s *site) createDone(ctx context.Context, i input) error {
	done := s.watcher.wish(i.key(), func(o *object) bool { return s.done(i.resource, o) })
	if err := s.createPlainly(ctx, i); err != nil {
		return err
	}
	if _, err := s.within(ctx, i.key(), done); err != nil {
		return err
	}
	_, err := s.settle(ctx, nil)
	return err
}

// within waits for a wish, and returns when it came true.
func (s *site) within(ctx context.Context, k key, done <-chan time.Time) (time.Time, error) {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case at := <-done:
		return at, nil
	case <-timer.C:
		return time.Time{}, fmt.Errorf("%s: nothing followed within %v", k, s.patience)
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// countEdits counts what the operator asks for one edit of each kind.
func (s *site) countEdits(ctx context.Context, r *bench.Report, name func(string) string) error {
	for _, c := range s.changes(0) {
		if _, err := s.measure(ctx, c); err != nil {
			return err
		}
		if _, err := s.settle(ctx, nil); err != nil {
			return err
		}
		asked, err := s.cluster.audit.next()
		if err != nil {
			return err
		}
		r.Add(bench.Alone(name("requests for an edit of "+c.what), "requests", bench.Sample{float64(asked.all())}))
		r.Note("%s: %s.", name("an edit of "+c.what), &asked)
	}
	return nil
}
