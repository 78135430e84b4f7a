package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

const (
	mib = 1 << 20
	// What is asked, in MiB and milliseconds.
	mostBusy   = 100
	mostIdle   = 25
	firstPage  = 150
	mostGrowth = 1.2
	// longest bounds the time for all answers of the memory case.
	longest = 6 * time.Hour
)

// startAndIdle measures how soon an endpoint shows a page, and what memory it takes once it has shown one, has taken an answer
// and has idled.
func (b *bencher) startAndIdle(ctx context.Context, e engine) error {
	name := e.name() + " start and idle"
	b.env = nil // a profile would take time and memory, too
	var page, ready, idle, own bench.Sample
	for range b.rounds {
		keep, err := e.fresh(ctx)
		if err != nil {
			return err
		}
		p, err := b.start(ctx, keep.flags()...)
		if err != nil {
			return err
		}
		used, err := b.idleAfterOne(ctx, p)
		page, ready = append(page, p.page.Seconds()*1e3), append(ready, p.ready.Seconds()*1e3)
		idle, own = append(idle, float64(used.resident)/mib), append(own, float64(used.own)/mib)
		if err := errors.Join(err, p.stop(), keep.drop(ctx)); err != nil {
			return err
		}
	}
	b.report.Add(
		bench.Within(name+": first page after the start", "ms", page, firstPage, bench.AtMost(1)),
		bench.Alone(name+": ready for answers after the start", "ms", ready),
		bench.Within(name+": memory when idle", "MiB", idle, mostIdle, bench.AtMost(1)),
		bench.Alone(name+": memory when idle without the program's file", "MiB", own),
	)
	return nil
}

func (b *bencher) idleAfterOne(ctx context.Context, p *endpoint) (usage, error) {
	body := load.NewAnswers(form(), signToken, load.NewSeed()).AppendJSON(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+load.ResponsesPath(form()), strings.NewReader(string(body)))
	if err != nil {
		return usage{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := b.client.Do(request)
	if err != nil {
		return usage{}, err
	}
	if err := response.Body.Close(); err != nil {
		return usage{}, err
	}
	if response.StatusCode != http.StatusCreated {
		return usage{}, fmt.Errorf("the answer got %s", response.Status)
	}
	timer := time.NewTimer(b.idle)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return usage{}, ctx.Err()
	}
	return p.usage()
}

// memory watches an endpoint's memory while it takes very many answers.
func (b *bencher) memory(ctx context.Context, e engine) error {
	s, err := b.prepare(ctx, e.name()+" memory", e, 1, load.JSON)
	if err != nil {
		return err
	}
	started, err := s.running[0].usage()
	if err == nil {
		err = forgetPeak(s.running[0].cmd.Process.Pid)
	}
	if err != nil {
		return errors.Join(err, s.end(ctx))
	}
	p := s.plan(peakClients)
	p.WarmUp, p.Duration, p.Accepted = 0, longest, b.memoryAnswers
	watching, done := context.WithCancel(ctx)
	var resident bench.Sample
	var watch sync.WaitGroup
	watch.Go(func() { resident = watchMemory(watching, s.running[0]) })
	r, err := s.load(ctx, p)
	done()
	watch.Wait()
	if err == nil {
		err = s.reportMemory(r, resident, started)
	}
	return errors.Join(err, s.end(ctx))
}

// reportMemory compares the second tenth of the time, when all that is needed is there, with the last. The peak is that of taking
// answers: the one of the start is told beside it, which is that of the program's file, since all of its packages are initialised.
func (s *setup) reportMemory(r load.Result, resident bench.Sample, started usage) error {
	if len(resident) < 10 {
		return fmt.Errorf("only %d looks at the memory: send more answers", len(resident))
	}
	u, err := s.running[0].usage()
	if err != nil {
		return err
	}
	tenth := len(resident) / 10
	early, late := resident[tenth:2*tenth], resident[len(resident)-tenth:]
	perMillion := (late.Median() - early.Median()) / (float64(r.Accepted) * 0.85 / 1e6)
	s.b.report.Add(
		bench.Within(s.name+": most at any time", "MiB", bench.Sample{float64(u.peak) / mib}, mostBusy, bench.AtMost(1)),
		bench.Within(s.name+": last tenth by second tenth", "MiB", bench.Sample{late.Median()}, early.Median(), bench.AtMost(mostGrowth)),
	)
	s.b.report.Note("%s: %d answers, %.0f each second; it grew by %.2f MiB for each million, to %.1f MiB of its own memory and %.1f MiB of files. The start took %.1f MiB at the most.",
		s.name, r.Accepted, r.Rate(), perMillion, float64(u.own)/mib, float64(u.resident-u.own)/mib, float64(started.peak)/mib)
	return nil
}

// watchMemory looks every 200 ms until the context ends, and returns MiB.
func watchMemory(ctx context.Context, e *endpoint) (resident bench.Sample) {
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return resident
		}
		u, err := e.usage()
		if err != nil {
			fmt.Fprintln(os.Stderr, "memory cannot be read:", err)
			return resident
		}
		resident = append(resident, float64(u.resident)/mib)
	}
}
