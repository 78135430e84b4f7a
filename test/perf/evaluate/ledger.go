package main

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// ledger knows of each touchpoint what was acknowledged and what was seen.
type ledger struct {
	mu   sync.Mutex
	desk []deskLedger
	// acknowledged answers and, of those seen, how many seconds that took.
	acknowledged int
	delays       []float64
}

type deskLedger struct {
	// seen answers of the window, good and all answers sent.
	seen, good, all int64
	// waiting are the times of acknowledgements that were not seen.
	waiting []time.Time
}

func newLedger(o liveOptions) *ledger { return &ledger{desk: make([]deskLedger, o.touchpoints)} }

// imported notes answers that were there before.
func (l *ledger) imported(i int, good, all int64) {
	l.desk[i].good, l.desk[i].all, l.desk[i].seen = good, all, all
}

// acknowledge notes an answer.
func (l *ledger) acknowledge(i int, good bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := &l.desk[i]
	l.acknowledged++
	d.all++
	if good {
		d.good++
	}
	d.waiting = append(d.waiting, time.Now())
}

// see notes what a scrape that ended at a time showed. Answers that a scrape saw before their acknowledgement was heard took no
// time.
func (l *ledger) see(counts map[string]int64, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.desk {
		d := &l.desk[i]
		news := min(counts[touchpointName(i)]-d.seen, int64(len(d.waiting)))
		for range max(news, 0) {
			l.delays = append(l.delays, max(at.Sub(d.waiting[0]).Seconds(), 0))
			d.waiting = d.waiting[1:]
			d.seen++
		}
	}
}

// waiting is how many answers were not seen.
func (l *ledger) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i := range l.desk {
		n += len(l.desk[i].waiting)
	}
	return n
}

// score is what the metrics are to say of a touchpoint: the percentage of satisfied answers with two decimals.
func (l *ledger) score(i int) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.desk[i]
	return math.Round(10_000*float64(d.good)/float64(d.all)) / 100
}

// check holds scores to what was sent.
func (l *ledger) check(scores map[string]float64) error {
	for i := range l.desk {
		if got, want := scores[touchpointName(i)], l.score(i); math.Abs(got-want) > 0.011 {
			return fmt.Errorf("the score of %s is %v, want %v", touchpointName(i), got, want)
		}
	}
	return nil
}

func (l *ledger) percentile(p int) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.delays) == 0 {
		return math.NaN()
	}
	slices.Sort(l.delays)
	return l.delays[min(len(l.delays)*p/100, len(l.delays)-1)]
}
