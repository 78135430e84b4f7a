package sqlite

import (
	"context"
	"sync"

	"github.com/cx-operator/cx-operator/internal/store"
)

// request is one Append on its way. The writer alone touches it between put and the closing of done.
type request struct {
	ctx     context.Context
	rows    []row
	results []store.Result
	taken   int // rows that the writer has taken
	weight  int // what it counts for in the queue
	over    bool
	err     error
	done    chan struct{}
}

// part is what one commit takes of a request: rows [from, to).
type part struct {
	*request
	from, to int
}

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
func (q *queue) put(ctx context.Context, rows []row) (*request, error) {
	r := &request{
		ctx: ctx, rows: rows, results: make([]store.Result, len(rows)),
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
func (q *queue) take() []part {
	q.mu.Lock()
	defer q.mu.Unlock()
	var parts []part
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
		n := min(q.share, room, len(r.rows)-r.taken)
		parts = append(parts, part{r, r.taken, r.taken + n})
		r.taken += n
		room -= n
		if r.taken < len(r.rows) {
			q.waiting = append(q.waiting, r)
		}
	}
	return parts
}

// finish answers the requests whose last row was in a commit; with an error, all that had a part in it.
func (q *queue) finish(parts []part, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		if err != nil || p.err != nil || p.to == len(p.rows) {
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

// broadcast is a channel that is closed at each of a sequence of moments.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) fire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
