// Package ledger sends answers to a program and keeps a ledger of which of them were acknowledged, to compare it with what the
// program has stored once something was broken on purpose: an acknowledged answer that is not stored is lost, and one that is
// stored or counted more than once is duplicated.
package ledger

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options of a Ledger.
type Options struct {
	// Address is where the program is served, such as http://10.96.0.7.
	Address string
	// Program is NAMESPACE/PROGRAM.
	Program string
	// Touchpoint and Question are what is answered, by 1 to 5.
	Touchpoint, Question string
	// PerSecond is how many answers are begun each second, 1 to 200. 10 if 0.
	PerSecond int
	// Patience is how long one attempt may take; 20 s if 0, twice as long as an endpoint may.
	Patience time.Duration
	// Pause is how long a client waits before it sends an answer again, unless it is told how long. 250 ms if 0.
	Pause time.Duration
}

// Ledger is a client that sends answers. Every one has an id; as long as nothing is known to be stored, it is sent again with
// the same id, as the pages and every careful client do.
type Ledger struct {
	options Options
	// lasting keeps connections as browsers do, single makes one for each attempt.
	lasting, single *http.Client

	mu      sync.Mutex
	entries map[string]*entry
	events  []event
	counts  Counts
	pending sync.WaitGroup
}

// entry is one answer.
type entry struct {
	score        int
	acknowledged bool
	created      int // times that it was called new (201)
}

// event is how one attempt ended.
type event struct {
	at time.Time
	ok bool
}

// Counts are how attempts ended.
type Counts struct {
	// Attempts in all.
	Attempts int
	// Unavailable were answered with 503 and Retry-After, as promised.
	Unavailable int
	// Unanswered were refused, cut off, or took longer than the patience.
	Unanswered int
	// Wrong were answered as they never should be: any other status, or no Retry-After beside 503.
	Wrong int
	// Faults are the first few of those that were not acknowledged, for people.
	Faults []string
}

// Trouble is how many attempts were not acknowledged.
func (c Counts) Trouble() int { return c.Unavailable + c.Unanswered + c.Wrong }

// New returns a ledger that has sent nothing yet.
func New(o Options) *Ledger {
	if o.PerSecond == 0 {
		o.PerSecond = 10
	}
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	if o.Pause == 0 {
		o.Pause = 250 * time.Millisecond
	}
	l := &Ledger{options: o, entries: map[string]*entry{}}
	l.lasting = &http.Client{Timeout: o.Patience, Transport: &http.Transport{MaxIdleConnsPerHost: o.PerSecond}}
	l.single = &http.Client{Timeout: o.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	return l
}

// Start sends answers until stop is called, which returns once every answer is acknowledged or settle has passed: then what is
// in doubt stays so, which is no loss. Cancelling ctx ends everything at once.
func (l *Ledger) Start(ctx context.Context) (stop func(settle time.Duration)) {
	sending, stopSending := context.WithCancel(ctx)
	retrying, stopRetrying := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second / time.Duration(l.options.PerSecond))
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ticker.C:
				l.begin(retrying, n)
			case <-sending.Done():
				return
			}
		}
	}()
	return func(settle time.Duration) {
		stopSending()
		<-done
		timer := time.AfterFunc(settle, stopRetrying)
		l.pending.Wait()
		timer.Stop()
		stopRetrying()
		l.lasting.CloseIdleConnections()
	}
}

// begin sends one answer. Every seventh is sent by two at once, as by somebody who clicks twice, and every other one by a
// connection of its own.
func (l *Ledger) begin(ctx context.Context, n int) {
	const often, scores = 7, 5
	id, e := uuid.NewString(), &entry{score: 1 + n%scores}
	l.mu.Lock()
	l.entries[id] = e
	l.mu.Unlock()
	client := l.lasting
	if n%2 == 1 {
		client = l.single
	}
	times := 1
	if n%often == 0 {
		times = 2
	}
	for range times {
		l.pending.Go(func() { l.deliver(ctx, client, id, e) })
	}
}

// deliver sends an answer until it is acknowledged.
func (l *Ledger) deliver(ctx context.Context, client *http.Client, id string, e *entry) {
	for {
		status, after, err := l.post(ctx, client, id, e.score)
		if ctx.Err() != nil {
			return // given up, which says nothing of the server
		}
		if l.note(e, status, after, err) {
			return
		}
		timer := time.NewTimer(max(after, l.options.Pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// note writes down how an attempt ended, and tells whether the answer is settled.
func (l *Ledger) note(e *entry, status int, after time.Duration, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.counts.Attempts++
	ok := err == nil && (status == http.StatusCreated || status == http.StatusOK)
	l.events = append(l.events, event{now, ok})
	if ok {
		e.acknowledged = true
		if status == http.StatusCreated {
			e.created++
		}
		return true
	}
	const most = 10
	if len(l.counts.Faults) < most {
		l.counts.Faults = append(l.counts.Faults, fmt.Sprintf("%s: status %d, Retry-After %s, %v", now.Format("15:04:05.000"), status, after, err))
	}
	switch {
	case err != nil:
		l.counts.Unanswered++
	case status == http.StatusServiceUnavailable && after > 0:
		l.counts.Unavailable++
	default:
		l.counts.Wrong++
	}
	return false
}

// Counts returns how attempts have ended so far.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// AcknowledgedSince tells whether an answer was acknowledged after a moment.
func (l *Ledger) AcknowledgedSince(moment time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.events) {
		if e.ok {
			return e.at.After(moment)
		}
	}
	return false
}

// Recovery returns how long after a moment answers were acknowledged again: until the first acknowledgement after the last
// attempt that was not, whether that was after the moment or the last before it. It is 0 where there was no such trouble; ok is
// false where nothing was acknowledged after it.
func (l *Ledger) Recovery(since time.Time) (after time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return recovery(l.events, since)
}

func recovery(events []event, since time.Time) (time.Duration, bool) {
	troubled := false
	var back time.Time
	for _, e := range events {
		switch {
		case e.at.Before(since):
			troubled = !e.ok
		case !e.ok:
			troubled, back = true, time.Time{}
		case back.IsZero():
			back = e.at
		}
	}
	if !troubled {
		return 0, true
	}
	return back.Sub(since), !back.IsZero()
}
