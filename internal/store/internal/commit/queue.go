package commit

import (
	"context"
	"sync"

	"github.com/cx-operator/cx-operator/internal/store"
)

// request is one Append on its way. The loop alone touches it between put and the closing of done.
type request struct {
	ctx context.Context
	// Rows are what is to be stored, Results what became of each.
	Rows    []Row
	Results []store.Result
	taken   int // rows that the loop has taken
	weight  int // what it counts for in the queue
	over    bool
	err     error
	done    chan struct{}
}

// Part is what one commit takes of an Append: its rows [From, To).
type Part struct {
	*request
	From, To int
}

// Fail fails the Append that the part is of, and no other.
func (p Part) Fail(err error) { p.err = err }

// Err returns what failed the Append, nil if nothing did.
func (p Part) Err() error { return p.err }

// queue holds what waits for a commit, up to a limit. It gives every request its turn: one with many rows gets no more
// than a share of a commit while others wait, and then goes to the end.
type queue struct {
	limit, batch, share int
	// ready has an element when there may be something to take.
	ready chan struct{}

	mu      sync.Mutex
	waiting []*request
	weight  int
	closed  bool
}

func newQueue(limit, batch int) *queue {
	return &queue{limit: limit, batch: batch, share: max(1, batch/2), ready: make(chan struct{}, 1)}
}

// put returns store.ErrBusy at once where there is no room.
func (q *queue) put(ctx context.Context, rows []Row) (*request, error) {
	r := &request{
		ctx: ctx, Rows: rows, Results: make([]store.Result, len(rows)),
		weight: min(len(rows), q.share, q.limit), done: make(chan struct{}),
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, store.ErrClosed
	}
	if q.weight+r.weight > q.limit {
		return nil, store.ErrBusy
	}
	q.weight += r.weight
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
		n := min(q.share, room, len(r.Rows)-r.taken)
		parts = append(parts, Part{r, r.taken, r.taken + n})
		r.taken += n
		room -= n
		if r.taken < len(r.Rows) {
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
		if err != nil || p.err != nil || p.To == len(p.Rows) {
			q.end(p.request, err)
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
	close(r.done)
}

// shut refuses what comes from now on.
func (q *queue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
