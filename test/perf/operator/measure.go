package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// releasedWithin is how long after its work the operator gives memory back, at the most: it does not do so twice in a minute.
const releasedWithin = 80 * time.Second

// measured is what the rounds of one size gave.
type measured struct {
	floor *floor // recorded in the first round

	requests, limit, conflicts           bench.Sample
	memory, peak, allowed                bench.Sample
	held                                 int64 // in memory when all was created, in bytes
	steadyReconciles, steadyWrites       bench.Sample
	restart, restartWrites, restartReads bench.Sample
	restartPeak                          bench.Sample
	edits                                map[string]bench.Sample // p99 by what is edited, ms
	calls                                calls                   // of the last cold round
	reads                                bench.Sample
	// cpu is what all processes used while everything was created, by the subject.
	cpu map[string]bench.Sample
}

// The subjects of a round.
const (
	subjectWhole   = "operator"
	subjectQuarter = "operator, a quarter"
	subjectBare    = "bare client"
)

// took keeps the CPU time of a subject, and returns its time.
func (m *measured) took(subject string, s spent) float64 {
	if m.cpu == nil {
		m.cpu = map[string]bench.Sample{}
	}
	m.cpu[subject] = append(m.cpu[subject], s.cpu)
	return s.time
}

// cold creates a size on a new cluster where the operator waits for it, and returns how long it took in seconds.
func (s *setup) cold(ctx context.Context, of size, m *measured) (seconds float64, err error) {
	at, err := s.open(ctx, of)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	s.say("operator: %d programs, %d touchpoints, %d teams in %d namespaces", of.programs, of.touchpoints, of.teams, of.namespaces)
	took, err := at.createAt(ctx)
	if err != nil {
		return 0, err
	}
	return m.took(subjectQuarter, took), nil
}

// createAt starts the operator on the empty cluster and creates everything.
func (s *site) createAt(ctx context.Context) (spent, error) {
	if err := s.start(ctx); err != nil {
		return spent{}, err
	}
	if _, err := s.cluster.audit.next(); err != nil {
		return spent{}, err
	}
	return s.create(ctx, s.createPlainly)
}

// bare creates the same by a bare client, and returns how long it took in seconds.
func (s *setup) bare(ctx context.Context, of size, m *measured) (seconds float64, err error) {
	f := m.floor
	at, err := s.open(ctx, of)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	operator, err := newBare(at.cluster.operator)
	if err != nil {
		return 0, err
	}
	s.say("bare client: the same, with %d children and %d statuses", f.children, f.statuses)
	took, err := at.create(ctx, func(ctx context.Context, i input) error { return f.bring(ctx, at.people, operator, i) })
	if err != nil {
		return 0, err
	}
	asked, err := at.cluster.audit.next()
	if err != nil {
		return 0, err
	}
	if want := f.children + f.statuses; asked.all() != want || asked.failures+asked.conflicts > 0 {
		return 0, fmt.Errorf("the bare client was to make %d requests as the operator: %s; %s", want, &asked, asked.failed)
	}
	return m.took(subjectBare, took), nil
}

// whole creates a size like cold, and measures all that follows.
func (s *setup) whole(ctx context.Context, of size, m *measured) (seconds float64, err error) {
	at, err := s.open(ctx, of)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	s.say("operator: %d programs, %d touchpoints, %d teams in %d namespaces", of.programs, of.touchpoints, of.teams, of.namespaces)
	took, err := at.createAt(ctx)
	if err != nil {
		return 0, err
	}
	for _, step := range []func(context.Context, *measured) error{at.afterwards, at.rest, at.slim, at.edit, at.again} {
		if err := step(ctx, m); err != nil {
			return 0, err
		}
	}
	return m.took(subjectWhole, took), nil
}

// afterwards waits for the operator, and looks at what it asked and holds.
func (s *site) afterwards(ctx context.Context, m *measured) error {
	if _, err := s.settle(ctx, s.size.looked()); err != nil {
		return err
	}
	asked, err := s.cluster.audit.next()
	if err != nil {
		return err
	}
	if asked.failures > 0 {
		return fmt.Errorf("the API server refused %d requests, one of them %s", asked.failures, asked.failed)
	}
	if m.floor == nil {
		if m.floor, err = record(ctx, s.cluster.admin); err != nil {
			return err
		}
	}
	w, err := s.manager.work(ctx)
	if err != nil {
		return err
	}
	now, most, err := memory(s.manager.pid())
	if err != nil {
		return err
	}
	s.say("  asked: %s; twice or more: %v; conflicts %d", &asked, asked.repeated(), asked.conflicts)
	s.say("  reconciles %v, of which %d with errors; memory %d MiB, at the most %d MiB", w.reconciles, w.errors, now>>20, most>>20)
	m.calls = asked
	m.requests = append(m.requests, float64(asked.all()))
	m.limit = append(m.limit, float64(m.floor.children+m.floor.statuses))
	m.conflicts = append(m.conflicts, float64(asked.conflicts))
	m.reads = append(m.reads, float64(asked.all()-asked.writes()))
	m.held, m.peak = now, append(m.peak, float64(most)/mib)
	return nil
}

const mib = 1 << 20

// slim notes what the operator holds in memory when it rests: it gives back then what only the work needed.
func (s *site) slim(ctx context.Context, m *measured) error {
	const perObject, base = 15 << 10, 60 << 20
	now, _, err := memory(s.manager.pid())
	for deadline := time.Now().Add(releasedWithin); err == nil && now > m.held-m.held/10 && time.Now().Before(deadline); {
		if err = pause(ctx, time.Second); err == nil {
			now, _, err = memory(s.manager.pid())
		}
	}
	if err != nil {
		return err
	}
	s.say("  memory at rest %d MiB", now>>20)
	m.memory = append(m.memory, float64(now)/mib)
	m.allowed = append(m.allowed, float64(base+perObject*s.size.objects())/mib)
	return nil
}

// rest does nothing for a while and sees that the operator does nothing either.
func (s *site) rest(ctx context.Context, m *measured) error {
	before, err := s.manager.work(ctx)
	if err != nil {
		return err
	}
	used, err := cpu(s.manager.pid())
	if err != nil {
		return err
	}
	if err := pause(ctx, s.steady); err != nil {
		return err
	}
	again, err := cpu(s.manager.pid())
	if err != nil {
		return err
	}
	after, err := s.manager.work(ctx)
	if err != nil {
		return err
	}
	asked, err := s.cluster.audit.next()
	if err != nil {
		return err
	}
	perMinute := float64(after.all()-before.all()) / s.steady.Minutes() / float64(s.size.objects())
	s.say("  steady for %v: %d reconciles, asked: %s, CPU %.1f %% of a core", s.steady, after.all()-before.all(), &asked, 100*(again-used).Seconds()/s.steady.Seconds())
	m.steadyReconciles = append(m.steadyReconciles, perMinute)
	m.steadyWrites = append(m.steadyWrites, float64(asked.writes()))
	return nil
}

// again restarts the operator where nothing changed.
func (s *site) again(ctx context.Context, m *measured) error {
	if err := s.manager.stop(); err != nil {
		return err
	}
	s.manager = nil
	if _, err := s.cluster.audit.next(); err != nil {
		return err
	}
	next, err := startManager(ctx, s.cluster, s.binary, s.addresses, s.flags)
	if err != nil {
		return err
	}
	s.manager = next
	last, err := s.settle(ctx, s.size.looked())
	if err != nil {
		return err
	}
	asked, err := s.cluster.audit.next()
	if err != nil {
		return err
	}
	now, most, err := memory(next.pid())
	if err != nil {
		return err
	}
	used, err := cpu(next.pid())
	if err != nil {
		return err
	}
	w, err := next.work(ctx)
	if err != nil {
		return err
	}
	s.say("  restarted: caught up after %.1f s and %.1f s of CPU, reconciles %v, asked: %s; memory %d MiB, at the most %d MiB",
		last.Sub(next.started).Seconds(), used.Seconds(), w.reconciles, &asked, now>>20, most>>20)
	m.restart = append(m.restart, last.Sub(next.started).Seconds())
	m.restartWrites = append(m.restartWrites, float64(asked.writes()))
	m.restartReads = append(m.restartReads, float64(asked.all()-asked.writes()))
	m.restartPeak = append(m.restartPeak, float64(most)/mib)
	return nil
}

// pause lets time pass in which nothing is to happen.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
