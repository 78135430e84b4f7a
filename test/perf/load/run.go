package load

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Do does a Plan in this process.
func Do(ctx context.Context, p Plan) (Result, error) {
	if len(p.Targets) == 0 || p.Survey == nil || p.Clients < 1 || p.Duration <= 0 || p.Timeout <= 0 || p.Kind != JSON && p.Kind != Form {
		return Result{}, errors.New("the plan lacks targets, a survey, clients, a duration, a timeout or a kind")
	}
	start := time.Now()
	r := &run{plan: p, start: start, from: start.Add(p.WarmUp), to: start.Add(p.WarmUp + p.Duration), latency: newHistogram(), late: newHistogram()}
	ctx, r.stop = context.WithCancel(ctx)
	defer r.stop()
	var clients sync.WaitGroup
	for i := range p.Clients {
		clients.Go(func() { r.drive(ctx, newClient(p, i)) })
	}
	clients.Wait()
	return r.result(), nil
}

// run is a plan under way.
type run struct {
	plan            Plan
	start, from, to time.Time
	stop            context.CancelFunc
	// sent numbers the requests.
	sent atomic.Int64

	mu            sync.Mutex
	total         Total
	measured      Result
	last          time.Time
	latency, late *hdrhistogram.Histogram
}

// newHistogram is for times from a microsecond to two minutes, kept to a part in a thousand.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (2 * time.Minute).Microseconds(), 3)
}

// drive has a client send until the run ends.
func (r *run) drive(ctx context.Context, c *client) {
	defer c.close()
	for {
		c.prepare(time.Now())
		due, ok := r.turn(ctx)
		if !ok {
			return
		}
		begun := time.Now()
		// A request that has begun is finished, so that it is known what became of it.
		a := c.send(context.WithoutCancel(ctx))
		ended := time.Now()
		r.note(a, begun, ended, due)
		if a.ending == shed && r.plan.Patient && !pause(ctx, a.retryAfter) {
			return
		}
	}
}

// turn waits until the next request is due, and returns when that was; false once there is none any more.
func (r *run) turn(ctx context.Context) (time.Time, bool) {
	due := time.Now()
	n := r.sent.Add(1) - 1
	if r.plan.Rate > 0 {
		due = r.start.Add(time.Duration(float64(n) / r.plan.Rate * float64(time.Second)))
	}
	if !due.Before(r.to) {
		return due, false
	}
	return due, pause(ctx, time.Until(due))
}

// pause returns false where the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *run) note(a answered, begun, ended, due time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.add(a)
	if r.plan.Accepted > 0 && r.total.Accepted >= r.plan.Accepted {
		r.stop()
	}
	if ended.Before(r.from) || ended.After(r.to) {
		return
	}
	r.last = ended
	switch a.ending {
	case accepted:
		r.measured.Accepted++
		// What is longer than the histogram counts as its longest.
		_ = r.latency.RecordValue(min(ended.Sub(begun).Microseconds(), r.latency.HighestTrackableValue()))
		_ = r.late.RecordValue(min(max(0, begun.Sub(due).Microseconds()), r.late.HighestTrackableValue()))
	case shed:
		r.measured.Shed++
	}
}

func (t *Total) add(a answered) {
	if a.why != nil {
		t.First = cmp.Or(t.First, a.why.Error())
	}
	switch a.ending {
	case accepted:
		t.Accepted++
	case repeated:
		t.Repeated++
	case shed:
		t.Shed++
		if a.retryAfter < 0 {
			t.Hasty++
			t.First = cmp.Or(t.First, "a 503 without Retry-After")
		}
	case refused:
		t.Refused++
	case timedOut:
		t.Timeouts++
	case broken:
		t.Broken++
	}
}

func (r *run) result() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.measured
	out.Total, out.Latency, out.Late = r.total, percentiles(r.latency), percentiles(r.late)
	end := r.to
	if r.plan.Accepted > 0 && r.total.Accepted >= r.plan.Accepted {
		end = r.last
	}
	out.Seconds = end.Sub(r.from).Seconds()
	return out
}

func percentiles(h *hdrhistogram.Histogram) Latency {
	at := func(p float64) time.Duration { return time.Duration(h.ValueAtPercentile(p)) * time.Microsecond }
	return Latency{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()) * time.Microsecond}
}
