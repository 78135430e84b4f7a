package commit

import (
	"context"
	"fmt"
	"sync"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Work is what one call wants to be stored: one of Rows, Visits and Invitations.
type Work struct {
	// Name of the call: it begins the error with which a commit fails it.
	Name        string
	Rows        []Row
	Visits      []Visit
	Invitations []Invitation
	// Fatigue is for the invitations.
	Fatigue store.Fatigue
}

// size is how many rows there are, of whatever kind.
func (w *Work) size() int { return len(w.Rows) + len(w.Visits) + len(w.Invitations) }

// bytes is about how much memory the rows take, of those that can be large.
func (w *Work) bytes() (n int) {
	for i := range w.Rows {
		n += w.Rows[i].bytes()
	}
	return n
}

// request is one call on its way. The loop alone touches it between put and the closing of done.
type request struct {
	ctx context.Context
	Work
	// Results is what became of each of the Rows, Invited of each of the Invitations.
	Results []store.Result
	Invited []store.InviteResult
	taken   int // rows that the loop has taken
	weight  int // what it counts for in the queue
	bytes   int // what it counts for in the queue's memory
	over    bool
	err     error
	done    chan struct{}
}

// Part is what one commit takes of a call: its rows [From, To), of whichever kind it has. Of Invitations it takes all.
type Part struct {
	*request
	From, To int
}

// Fail fails the call that the part is of, and no other.
func (p Part) Fail(err error) { p.err = err }

// Err returns what failed the call, nil if nothing did.
func (p Part) Err() error { return p.err }

// maxBytes bounds the memory of what waits for a commit, in bytes: as many answers of the ordinary size as may wait take a
// tenth of it. Of a request with many rows no more than a quarter counts, so that it is taken beside others.
const maxBytes = 16 << 20

// queue holds what waits for a commit, up to a limit. It gives every request its turn: one with many rows gets no more
// than a share of a commit while others wait, and then goes to the end.
type queue struct {
	limit, batch, share int
	// ready has an element when there may be something to take.
	ready chan struct{}

	mu      sync.Mutex
	waiting []*request
	weight  int
	bytes   int
	closed  bool
}

func newQueue(limit, batch int) *queue {
	return &queue{limit: limit, batch: batch, share: max(1, batch/2), ready: make(chan struct{}, 1)}
}

// put returns store.ErrBusy at once where there is no room.
func (q *queue) put(ctx context.Context, work Work) (*request, error) {
	r := &request{
		ctx: ctx, Work: work, Results: make([]store.Result, len(work.Rows)),
		weight: min(work.size(), q.share, q.limit), bytes: min(work.bytes(), maxBytes/4), done: make(chan struct{}),
	}
	if n := len(work.Invitations); n > 0 {
		r.Invited = make([]store.InviteResult, n)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, store.ErrClosed
	}
	if q.weight+r.weight > q.limit || q.bytes+r.bytes > maxBytes {
		return nil, store.ErrBusy
	}
	q.weight += r.weight
	q.bytes += r.bytes
	q.waiting = append(q.waiting, r)
	q.wake()
	return r, nil
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take returns the parts of the next commit, none where nothing waits.
func (q *queue) take() []Part {
	q.mu.Lock()
	defer q.mu.Unlock()
	var parts []Part
	for room := q.batch; room > 0 && len(q.waiting) > 0; {
		r := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		if r.over {
			continue
		}
		if err := r.ctx.Err(); err != nil && r.taken == 0 {
			q.end(r, err)
			continue
		}
		n := r.size() - r.taken
		if len(r.Invitations) == 0 {
			n = min(q.share, room, n)
		}
		parts = append(parts, Part{r, r.taken, r.taken + n})
		r.taken += n
		room -= n
		if r.taken < r.size() {
			q.waiting = append(q.waiting, r)
		}
	}
	return parts
}

// finish answers the requests whose last row was in a commit; with an error, all that had a part in it.
func (q *queue) finish(parts []Part, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		switch {
		case err != nil:
			q.end(p.request, fmt.Errorf("%s: %w", p.Name, err))
		case p.err != nil || p.To == p.size():
			q.end(p.request, nil)
		}
	}
}

// end wakes the caller and makes room. The caller of end holds the lock.
func (q *queue) end(r *request, err error) {
	if r.over {
		return
	}
	r.over = true
	if r.err == nil {
		r.err = err
	}
	q.weight -= r.weight
	q.bytes -= r.bytes
	close(r.done)
}

// shut refuses what comes from now on.
func (q *queue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
