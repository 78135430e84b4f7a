package main

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var usual = Process{
	Cores: 2, Handler: 50 * time.Microsecond, Commit: time.Millisecond, Tail: 3, Row: 100 * time.Microsecond, Batch: 512, Queue: 1024,
}

func simulate(t rapid.TB, p Process, l Load) Outcome {
	t.Helper()
	o, err := Simulate(p, l)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestNothingIsLost: what arrived was acknowledged, was shed or is under way, whatever the load; and equal seeds give equal
// outcomes.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Process{
			Cores: rapid.IntRange(1, 8).Draw(t, "cores"), Handler: time.Duration(rapid.IntRange(0, 2000).Draw(t, "handler")) * time.Microsecond,
			Commit: time.Duration(rapid.IntRange(0, 20_000).Draw(t, "commit")) * time.Microsecond,
			Tail:   rapid.Float64Range(1, 20).Draw(t, "tail"), Row: time.Duration(rapid.IntRange(1, 1000).Draw(t, "row")) * time.Microsecond,
			Batch: rapid.IntRange(1, 600).Draw(t, "batch"), Queue: rapid.IntRange(1, 1500).Draw(t, "queue"),
		}
		l := Load{Duration: 200 * time.Millisecond, RetryAfter: time.Second, Seed: rapid.Uint64().Draw(t, "seed")}
		if rapid.Bool().Draw(t, "closed") {
			l.Clients = rapid.IntRange(1, 2000).Draw(t, "clients")
		} else {
			l.Rate = rapid.Float64Range(1, 20_000).Draw(t, "rate")
		}
		o := simulate(t, p, l)
		if o.Arrived != o.Served+o.Shed+o.Waiting {
			t.Errorf("%d arrived, %d served, %d shed, %d wait", o.Arrived, o.Served, o.Shed, o.Waiting)
		}
		if o.MeanBatch() > float64(p.Batch) || o.Busy < 0 || o.Busy > 1+1e-9 || o.P50 > o.P99 || o.P99 > l.Duration {
			t.Errorf("impossible: %+v", o)
		}
		if again := simulate(t, p, l); again != o {
			t.Errorf("another outcome from the same seed: %+v, %+v", o, again)
		}
	})
}

// TestKnownCases holds the simulation to what can be worked out by hand.
func TestKnownCases(t *testing.T) {
	even := usual
	even.Tail = 1
	one := even.Handler + even.Commit + even.Row
	if o := simulate(t, even, Load{Clients: 1, RetryAfter: time.Second, Duration: time.Second}); o.P50 != one || o.P99 != one || o.Served != int(time.Second/one) {
		t.Errorf("one client: %+v, each should take %s", o, one)
	}
	if o := simulate(t, even, Load{Rate: 1, Duration: 500 * time.Second, Seed: 1}); math.Abs(float64(o.Arrived)-500) > 100 || o.P50 != one || o.MeanBatch() > 1.1 {
		t.Errorf("an answer a second: %+v", o)
	}
	// 1,024 clients fill every commit: 512 answers in 1 ms + 512 x 0.1 ms.
	full, limit := even.Capacity()
	if want := 512 / 0.0522; math.Abs(full-want) > 1 || limit != "the writer" {
		t.Errorf("capacity %v by %s, want %v", full, limit, want)
	}
	o := simulate(t, even, Load{Clients: 1024, RetryAfter: time.Second, Duration: 10 * time.Second})
	if math.Abs(o.Throughput()/full-1) > 0.02 || o.Shed != 0 || o.Busy < 0.98 {
		t.Errorf("1,024 clients: %v a second, capacity %v; %+v", o.Throughput(), full, o)
	}
	slow := even
	slow.Handler = time.Millisecond
	if rate, limit := slow.Capacity(); rate != 2000 || limit != "CPU for requests" {
		t.Errorf("capacity %v by %s", rate, limit)
	}
}

// TestOverloadIsShed: at twice its capacity the process keeps it, sheds the rest, and acknowledges within the time of a full queue.
func TestOverloadIsShed(t *testing.T) {
	full, _ := usual.Capacity()
	o := simulate(t, usual, Load{Rate: 2 * full, Duration: 5 * time.Second, Seed: 1})
	if o.Throughput() < 0.95*full || o.Throughput() > 1.05*full || math.Abs(o.ShedShare()-0.5) > 0.05 {
		t.Errorf("%v a second of %v, %v shed", o.Throughput(), full, o.ShedShare())
	}
	if worst := time.Duration(4 * float64(usual.Queue) / full * float64(time.Second)); o.P99 > worst {
		t.Errorf("p99 %s, a full queue takes %s", o.P99, worst)
	}
	if o := simulate(t, usual, Load{Rate: full / 2, Duration: 5 * time.Second, Seed: 1}); o.Shed != 0 {
		t.Errorf("at half load %d are shed", o.Shed)
	}
}

// TestWorseIsWorse: slower commits, dearer rows and more load never give a better outcome.
func TestWorseIsWorse(t *testing.T) {
	load := Load{Clients: 64, RetryAfter: time.Second, Duration: 5 * time.Second, Seed: 1}
	last := simulate(t, usual, load)
	for _, commit := range []time.Duration{2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
		p := usual
		p.Commit = commit
		o := simulate(t, p, load)
		if o.Throughput() >= last.Throughput() || o.P50 <= last.P50 {
			t.Errorf("commits of %s: %v a second, p50 %s; before %v, %s", p.Commit, o.Throughput(), o.P50, last.Throughput(), last.P50)
		}
		last = o
	}
	last = simulate(t, usual, load)
	for _, row := range []time.Duration{200 * time.Microsecond, 500 * time.Microsecond, time.Millisecond} {
		p := usual
		p.Row = row
		o := simulate(t, p, load)
		if o.Throughput() >= last.Throughput() {
			t.Errorf("rows of %s: %v a second, before %v", p.Row, o.Throughput(), last.Throughput())
		}
		last = o
	}
	full, _ := usual.Capacity()
	last = Outcome{}
	for _, part := range []float64{0.1, 0.5, 0.9, 1.5, 3} {
		o := simulate(t, usual, Load{Rate: part * full, Duration: 5 * time.Second, Seed: 1})
		if o.ShedShare() < last.ShedShare() || o.P50 < last.P50 || o.MeanBatch() < last.MeanBatch() {
			t.Errorf("at %v of the capacity: %+v, before %+v", part, o, last)
		}
		last = o
	}
}

func TestSimulateRefuses(t *testing.T) {
	for name, change := range map[string]func(*Process, *Load){
		"no cores":       func(p *Process, _ *Load) { p.Cores = 0 },
		"a tail below 1": func(p *Process, _ *Load) { p.Tail = 0.5 },
		"negative time":  func(p *Process, _ *Load) { p.Row = -1 },
		"no queue":       func(p *Process, _ *Load) { p.Queue = 0 },
		"no duration":    func(_ *Process, l *Load) { l.Duration = 0 },
		"no load":        func(_ *Process, l *Load) { l.Rate = 0 },
		"no pause":       func(_ *Process, l *Load) { l.Rate, l.Clients = 0, 1 },
	} {
		p, l := usual, Load{Rate: 1, Duration: time.Second}
		change(&p, &l)
		if _, err := Simulate(p, l); err == nil {
			t.Errorf("%s is simulated", name)
		}
	}
}
