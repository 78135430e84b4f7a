package main

import (
	"container/heap"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Process is one endpoint process as the simulation knows it: requests are handled by some cores, then wait in a queue for the
// one writer, which commits together what waits. Times are of one machine; measure them on yours.
type Process struct {
	// Cores that handle requests, 1 or more, and the CPU time that each request takes there before it waits for its commit.
	Cores   int
	Handler time.Duration
	// Commit is the median time of a durable commit, without its rows; Tail is its 99th percentile by its median, 1 or more.
	Commit time.Duration
	Tail   float64
	// Commits are times that were measured, none of them negative. Where there are some, they are drawn instead.
	Commits []time.Duration
	// Row is what each answer adds to its commit.
	Row time.Duration
	// Batch is how many answers are in a commit at most, Queue how many may wait or be in one: the next is shed with 503.
	Batch, Queue int
}

// Load is what comes to a process.
type Load struct {
	// Rate of answers per second that come by chance (Poisson), whatever becomes of those before. Where it is 0, each of so
	// many Clients sends one at a time, and the next when it has the answer.
	Rate    float64
	Clients int
	// RetryAfter is how long a client waits that was shed.
	RetryAfter time.Duration
	// Duration that is simulated, and the seed of chance.
	Duration time.Duration
	Seed     uint64
}

// Outcome is what became of a load. Arrived is the sum of Served, Shed and Waiting, those under way at the end.
type Outcome struct {
	Arrived, Served, Shed, Waiting int
	Commits                        int
	// P50 and P99 of the time from an answer's arrival to its acknowledgement.
	P50, P99 time.Duration
	// Busy is the share of the time in which the writer worked, from 0 to 1.
	Busy     float64
	Duration time.Duration
}

// Throughput is acknowledged answers per second.
func (o Outcome) Throughput() float64 { return float64(o.Served) / o.Duration.Seconds() }

// MeanBatch is how many answers shared a commit on average.
func (o Outcome) MeanBatch() float64 { return float64(o.Served) / math.Max(1, float64(o.Commits)) }

// ShedShare is the share of what arrived that was shed, from 0 to 1.
func (o Outcome) ShedShare() float64 { return float64(o.Shed) / math.Max(1, float64(o.Arrived)) }

// Capacity is how many answers per second the process can acknowledge at most, and what limits it.
func (p Process) Capacity() (rate float64, limit string) {
	full := float64(min(p.Batch, p.Queue))
	rate, limit = full/(p.meanCommit()+full*p.Row.Seconds()), "the writer"
	if handled := float64(p.Cores) / p.Handler.Seconds(); handled < rate {
		return handled, "CPU for requests"
	}
	return rate, limit
}

// sigma is that of the commit times' logarithms: z is the normal distribution's 99th percentile.
func (p Process) sigma() float64 {
	const z = 2.326347874
	return math.Log(p.Tail) / z
}

// meanCommit is in seconds.
func (p Process) meanCommit() float64 {
	if len(p.Commits) > 0 {
		sum := time.Duration(0)
		for _, c := range p.Commits {
			sum += c
		}
		return sum.Seconds() / float64(len(p.Commits))
	}
	return p.Commit.Seconds() * math.Exp(p.sigma()*p.sigma()/2)
}

func (p Process) check() error {
	switch {
	case p.Cores < 1 || p.Batch < 1 || p.Queue < 1:
		return errors.New("cores, batch and queue must be 1 or more")
	case p.Handler < 0 || p.Commit < 0 || p.Row < 0:
		return errors.New("no time may be negative")
	case p.Tail < 1:
		return errors.New("the tail of commits is their 99th percentile by their median: 1 or more")
	}
	return nil
}

// Simulate plays a load on a process, event by event. Equal arguments give equal outcomes.
func Simulate(p Process, l Load) (Outcome, error) {
	if err := p.check(); err != nil {
		return Outcome{}, err
	}
	if l.Duration <= 0 || l.Rate < 0 || l.Rate == 0 && l.Clients < 1 || l.Rate == 0 && l.RetryAfter <= 0 {
		return Outcome{}, errors.New("a load has a duration, and a rate or clients, which wait some time after they were shed")
	}
	s := &simulation{p: p, l: l, chance: rand.New(rand.NewPCG(l.Seed, 1))} //nolint:gosec // it must be the same in every run
	if l.Rate > 0 {
		s.schedule(s.gap(), arrive, 0)
	} else {
		for range l.Clients {
			s.schedule(0, arrive, 0)
		}
	}
	for len(s.events) > 0 && s.events[0].at <= l.Duration {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		s.happen(e)
	}
	return s.outcome(), nil
}

// simulation is one under way. Requests are known by the time they arrived.
type simulation struct {
	p      Process
	l      Load
	chance *rand.Rand
	now    time.Duration
	events events
	order  int

	arrived, shed, commits int
	front                  []time.Duration // wait for a core
	handling               int             // are being handled
	queue                  []time.Duration // wait for a commit
	committing             []time.Duration
	busy                   time.Duration
	latencies              []time.Duration
}

type kind int

const (
	arrive kind = iota
	handled
	committed
)

// event of a request that arrived at a time.
type event struct {
	at      time.Duration
	order   int
	kind    kind
	arrived time.Duration
}

func (s *simulation) schedule(in time.Duration, k kind, arrived time.Duration) {
	s.order++
	heap.Push(&s.events, event{s.now + in, s.order, k, arrived})
}

// gap is the time to the next arrival.
func (s *simulation) gap() time.Duration {
	return time.Duration(s.chance.ExpFloat64() / s.l.Rate * float64(time.Second))
}

func (s *simulation) happen(e event) {
	switch e.kind {
	case arrive:
		s.arrived++
		s.front = append(s.front, s.now)
		if s.l.Rate > 0 {
			s.schedule(s.gap(), arrive, 0)
		}
	case handled:
		s.handling--
		s.put(e.arrived)
	case committed:
		s.acknowledge()
	}
	for s.handling < s.p.Cores && len(s.front) > 0 {
		s.handling++
		s.schedule(s.p.Handler, handled, s.front[0])
		s.front = s.front[1:]
	}
	if len(s.committing) == 0 && len(s.queue) > 0 {
		s.commit()
	}
}

// put queues an answer, or sheds it where the queue is full.
func (s *simulation) put(arrived time.Duration) {
	if len(s.queue)+len(s.committing) < s.p.Queue {
		s.queue = append(s.queue, arrived)
		return
	}
	s.shed++
	if s.l.Rate == 0 {
		s.schedule(s.l.RetryAfter, arrive, 0)
	}
}

func (s *simulation) commit() {
	n := min(s.p.Batch, len(s.queue))
	s.committing, s.queue = s.queue[:n:n], s.queue[n:]
	takes := s.drawCommit() + time.Duration(n)*s.p.Row
	s.schedule(takes, committed, 0)
	s.busy += min(takes, s.l.Duration-s.now)
}

// drawCommit draws the time of a commit without its rows.
func (s *simulation) drawCommit() time.Duration {
	if n := len(s.p.Commits); n > 0 {
		return s.p.Commits[s.chance.IntN(n)]
	}
	return time.Duration(float64(s.p.Commit) * math.Exp(s.p.sigma()*s.chance.NormFloat64()))
}

func (s *simulation) acknowledge() {
	s.commits++
	for _, arrived := range s.committing {
		s.latencies = append(s.latencies, s.now-arrived)
		if s.l.Rate == 0 {
			s.schedule(0, arrive, 0)
		}
	}
	s.committing = nil
}

func (s *simulation) outcome() Outcome {
	o := Outcome{
		Arrived: s.arrived, Served: len(s.latencies), Shed: s.shed, Commits: s.commits, Duration: s.l.Duration,
		Waiting: len(s.front) + s.handling + len(s.queue) + len(s.committing), Busy: s.busy.Seconds() / s.l.Duration.Seconds(),
	}
	slices.Sort(s.latencies)
	o.P50, o.P99 = percentile(s.latencies, 50), percentile(s.latencies, 99)
	return o
}

// percentile of sorted times by nearest rank, 0 of none.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// events are a heap by time; what was scheduled first happens first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
