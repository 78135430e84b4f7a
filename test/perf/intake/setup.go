package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

// timeout of a request. What is accepted is never to take as long.
const timeout = 20 * time.Second

// setup is what a case measures: endpoints on a store, and what their limits are measured with.
type setup struct {
	b       *bencher
	name    string
	engine  engine
	kind    load.Kind
	kept    kept
	running []*endpoint
	bares   []string
	writers []alone
	sources []*rows
	// stopBares ends the bare handlers.
	stopBares func() error
	// total is what the endpoints were sent, cpu and databaseCPU what that took.
	total            load.Total
	cpu, databaseCPU time.Duration
	// busy is what the last load kept busy.
	busy cores
}

// cores are how many processors were busy: with the endpoints, with the database's own processes, and with sending requests.
type cores struct{ endpoints, database, load float64 }

func (c cores) String() string {
	return fmt.Sprintf("%.2f processors were busy with the endpoints, %.2f with the database's own processes and %.2f with the clients",
		c.endpoints, c.database, c.load)
}

// prepare starts endpoints on a fresh store, and as many bare handlers and writers.
func (b *bencher) prepare(ctx context.Context, name string, e engine, processes int, kind load.Kind) (s *setup, err error) {
	s = &setup{b: b, name: name, engine: e, kind: kind}
	if s.kept, err = e.fresh(ctx); err != nil {
		return nil, err
	}
	b.profileTo(name)
	if s.running, err = b.startAll(ctx, processes, s.kept.flags()...); err != nil {
		return nil, err
	}
	if s.bares, s.stopBares, err = startBares(processes); err != nil {
		return nil, errors.Join(err, stopAll(s.running))
	}
	for i := range processes {
		w, err := s.kept.alone(ctx, i)
		if err != nil {
			return nil, errors.Join(err, stopAll(s.running), s.stopBares())
		}
		source, err := newRows(kind)
		if err != nil {
			return nil, errors.Join(err, stopAll(s.running), s.stopBares())
		}
		s.writers, s.sources = append(s.writers, w), append(s.sources, source)
	}
	return s, nil
}

// plan is a load of so many clients that send as fast as they are answered.
func (s *setup) plan(clients int) load.Plan {
	return load.Plan{
		Targets: addresses(s.running), Kind: s.kind, Survey: form(), Sign: signToken, Clients: clients,
		WarmUp: s.b.warmUp, Duration: s.b.duration, Timeout: timeout,
	}
}

// load sends a load to the endpoints, and keeps account of what becomes of it.
func (s *setup) load(ctx context.Context, p load.Plan) (load.Result, error) {
	before, databaseBefore, err := s.usage()
	if err != nil {
		return load.Result{}, err
	}
	r, err := load.Run(ctx, p)
	if err != nil {
		return r, err
	}
	after, databaseAfter, err := s.usage()
	s.cpu += after - before
	s.databaseCPU += databaseAfter - databaseBefore
	s.busy = cores{(after - before).Seconds() / r.Ran.Seconds(), (databaseAfter - databaseBefore).Seconds() / r.Ran.Seconds(), r.Cores()}
	s.total.Merge(r.Total)
	return r, err
}

func (s *setup) usage() (endpoints, database time.Duration, err error) {
	for _, e := range s.running {
		u, err := e.usage()
		if err != nil {
			return 0, 0, err
		}
		endpoints += u.cpu
	}
	database, err = s.engine.cpu()
	return endpoints, database, err
}

// rate measures answers a second of the endpoints.
func (s *setup) rate(clients int) bench.Subject {
	return func(ctx context.Context) (float64, error) {
		r, err := s.load(ctx, s.plan(clients))
		return r.Rate(), err
	}
}

// bareRate measures those of the bare handlers.
func (s *setup) bareRate(clients int) bench.Subject {
	return func(ctx context.Context) (float64, error) {
		p := s.plan(clients)
		p.Targets = s.bares
		r, err := load.Run(ctx, p)
		if err == nil && r.Total.Failures()+r.Total.Shed > 0 {
			err = fmt.Errorf("the bare handler failed: %+v", r.Total)
		}
		return r.Rate(), err
	}
}

// databaseRate measures those of the database alone, in batches of all that the clients could have sent.
func (s *setup) databaseRate(clients int) bench.Subject {
	return func(ctx context.Context) (float64, error) {
		return writeFor(ctx, s.b.duration, s.writers, s.sources, max(1, clients/len(s.writers)))
	}
}

// commitTime measures the median time, in microseconds, in which the database makes one answer's rows durable with their counts.
func (s *setup) commitTime(ctx context.Context) (float64, error) {
	d, err := median(s.b.duration/2, func() error { return s.writers[0].write(ctx, s.sources[0].take(1)) })
	return microseconds(d), err
}

// besideEvery is how often commitsBeside commits: seldom enough to be no load of its own.
const besideEvery = 20 * time.Millisecond

// beside is what commits took beside a load, and how many answers the last had.
type beside struct {
	took  bench.Sample
	batch int
}

// commitsBeside measures, until the context ends, the time in microseconds in which the database makes as many answers durable
// as come, at a rate per second, while a commit goes on. That is what the endpoint has to do, too: how many those are is learned
// on the way.
func (s *setup) commitsBeside(ctx context.Context, rate float64) (b beside, err error) {
	lasting := context.WithoutCancel(ctx)
	every := time.NewTicker(besideEvery)
	defer every.Stop()
	for b.batch = 1; ; b.batch = max(1, int(rate*b.took.Median()/1e6+0.5)) {
		select {
		case <-every.C:
		case <-ctx.Done():
			return b, nil
		}
		batch := s.sources[0].take(b.batch)
		begun := time.Now()
		if err := s.writers[0].write(lasting, batch); err != nil {
			return b, err
		}
		b.took = append(b.took, microseconds(time.Since(begun)))
	}
}

// loadBeside is load, with commitsBeside as long as it is measured.
func (s *setup) loadBeside(ctx context.Context, p load.Plan) (r load.Result, b beside, err error) {
	loading, loaded := context.WithCancel(ctx)
	var committing sync.WaitGroup
	var failed error
	committing.Go(func() { b, failed = s.commitsBeside(loading, p.Rate) })
	r, err = s.load(ctx, p)
	loaded()
	committing.Wait()
	return r, b, errors.Join(err, failed)
}

// singleTime is commitTime of a single row of two numbers.
func (s *setup) singleTime(ctx context.Context) (float64, error) {
	d, err := median(s.b.duration/4, func() error { return s.writers[0].commit(ctx) })
	return microseconds(d), err
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// end stops all, and holds what the store has against what was acknowledged.
func (s *setup) end(ctx context.Context) error {
	var errs []error
	for _, w := range s.writers {
		errs = append(errs, w.close(ctx))
	}
	errs = append(errs, stopAll(s.running), s.stopBares())
	has, err := s.kept.tally(ctx)
	errs = append(errs, err)
	if err == nil {
		s.b.judge(s.name, s.total, has)
	}
	if n := s.total.Accepted; n > 0 {
		each := func(d time.Duration) string { return fmt.Sprintf("%.0f µs", microseconds(d)/float64(n)) }
		s.b.report.Note("%s: CPU for each answer: %s of the endpoints, %s of the database's own processes.", s.name, each(s.cpu), each(s.databaseCPU))
	}
	return errors.Join(append(errs, s.kept.drop(ctx))...)
}

// judge notes what must never happen: an answer that was acknowledged and is not there, one that is there twice or that nobody
// sent, counts that are not those of the answers, and a request that got no proper answer.
func (b *bencher) judge(name string, sent load.Total, has tally) {
	wrong := func(format string, args ...any) {
		b.wrong = append(b.wrong, fmt.Errorf(name+": "+format, args...))
	}
	if has.responses < sent.Accepted {
		wrong("%d answers were acknowledged and %d are there", sent.Accepted, has.responses)
	}
	if most := sent.Accepted + sent.Unknown(); has.responses > most {
		wrong("%d answers are there and at most %d were taken", has.responses, most)
	}
	if has.counted != has.responses {
		wrong("%d answers are there and %d are counted", has.responses, has.counted)
	}
	if sent.Failures() > 0 {
		wrong("%d requests failed: %+v", sent.Failures(), sent)
	}
}

// profileTo has the endpoints that are started from now on write profiles named by the case, where profiles are wanted.
func (b *bencher) profileTo(name string) {
	if b.profiles != "" {
		b.env = []string{asProfiled + "=" + filepath.Join(b.profiles, filename(name))}
	}
}
