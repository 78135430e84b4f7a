// Package commit is what stores have in common that commit the answers of many callers together: the queue, the turns of
// those who wait in it, the one goroutine that writes, and the rows and counts that it writes.
package commit

import (
	"context"
	"fmt"
	"sync"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Defaults of a queue: how many rows may wait for a commit, and how many are in one at most.
const (
	DefaultQueueLength = 1024
	DefaultBatchSize   = 512
)

// Loop is the one goroutine of a store that changes its database. It commits all that waited together.
type Loop struct {
	name    string
	write   func([]Part) error
	queue   *queue
	jobs    chan job
	closing chan struct{}
	stopped chan struct{}
	stop    sync.Once
}

// job is a change that shares no commit: it has a transaction of its own.
type job struct {
	run  func() error
	done chan error
}

// NewLoop returns a loop that commits with write. Write sets the results of every row of its parts, or fails single parts,
// or returns an error, with which all of them fail. name begins every error of a call. A queueLength or batchSize of
// zero or less stands for the default.
func NewLoop(name string, queueLength, batchSize int, write func([]Part) error) *Loop {
	return &Loop{
		name: name, write: write,
		queue: newQueue(orDefault(queueLength, DefaultQueueLength), orDefault(batchSize, DefaultBatchSize)),
		jobs:  make(chan job), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
}

func orDefault(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}

// Run works until Stop, and then until nothing waits. What is in the queue and jobs take turns.
func (l *Loop) Run() {
	defer close(l.stopped)
	for {
		worked := l.writeBatch()
		select {
		case j := <-l.jobs:
			j.done <- j.run()
			continue
		default:
		}
		if worked {
			continue
		}
		select {
		case j := <-l.jobs:
			j.done <- j.run()
		case <-l.queue.ready:
		case <-l.closing:
			for l.writeBatch() {
			}
			return
		}
	}
}

// writeBatch commits what waits and tells whether there was something.
func (l *Loop) writeBatch() bool {
	parts := l.queue.take()
	if len(parts) == 0 {
		return false
	}
	l.queue.finish(parts, l.write(parts))
	return true
}

// Append is store.Store's.
func (l *Loop) Append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	rows := make([]Row, len(responses))
	for i, r := range responses {
		var err error
		if rows[i], err = NewRow(r); err != nil {
			return nil, fmt.Errorf("%s: append: response %d: %w", l.name, i, err)
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	r, err := l.wait(ctx, Work{Name: l.name + ": append", Rows: rows})
	if err != nil {
		return nil, err
	}
	return r.Results, nil
}

// Track is store.Store's. Its visits come to the writer as parts that have Visits, and no Rows.
func (l *Loop) Track(ctx context.Context, visits []store.Visit) error {
	work := Work{Name: l.name + ": track", Visits: make([]Visit, len(visits))}
	for i, v := range visits {
		var err error
		if work.Visits[i], err = NewVisit(v); err != nil {
			return fmt.Errorf("%s: visit %d: %w", work.Name, i, err)
		}
	}
	if len(visits) == 0 {
		return nil
	}
	_, err := l.wait(ctx, work)
	return err
}

// Invite is store.Store's. Its invitations come to the writer in one part, which has Invitations and no Rows.
func (l *Loop) Invite(ctx context.Context, invitations []store.Invitation, f store.Fatigue) ([]store.InviteResult, error) {
	work := Work{Name: l.name + ": invite", Fatigue: f}
	var err error
	if work.Invitations, err = NewInvitations(invitations); err != nil {
		return nil, fmt.Errorf("%s: %w", work.Name, err)
	}
	if len(invitations) == 0 {
		return nil, nil
	}
	r, err := l.wait(ctx, work)
	if err != nil {
		return nil, err
	}
	return r.Invited, nil
}

// wait puts work into the queue and waits for what becomes of it, or for the end of the context.
func (l *Loop) wait(ctx context.Context, work Work) (*request, error) {
	r, err := l.queue.put(ctx, work)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return r, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Do has the loop run a job and waits for its end, whatever becomes of the context once the job has begun.
func (l *Loop) Do(ctx context.Context, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := job{run: run, done: make(chan error, 1)}
	select {
	case l.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closing:
		return store.ErrClosed
	}
}

// Stop refuses what comes from now on, and returns when what was accepted is done.
func (l *Loop) Stop() {
	l.queue.shut()
	l.stop.Do(func() { close(l.closing) })
	<-l.stopped
}
