package rollup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// pageSize bounds the counts of one read.
	pageSize = 5000
	// readTimeout bounds one read, so that a store that hangs counts as one that cannot be read.
	readTimeout = 30 * time.Second
	// minInterval between the starts of two catch-ups makes a burst of commits one read.
	minInterval = 200 * time.Millisecond
	// defaultTick is how often a store is read without an update.
	defaultTick = 10 * time.Second
)

var errStuck = errors.New("the feed promises more but its cursor does not move")

// Follower keeps a Book up to date with one store.
type Follower struct {
	// Source under which the Book knows the store: its namespace/name.
	Source string
	Feed   store.Feed
	Book   *Book
	// Clock tells the time at which a read ended.
	Clock func() time.Time
	// Changed is called with the places whose counts or imports changed, in order, after each read that reached the end of the
	// feed. It must not block for long.
	Changed func([]Place)
	// Readable, if set, is called when the store could be read to its end for the first time or again (true), and when a
	// read failed after that or at first (false): only on a change, and before Changed. Programs without any answer hear
	// of the store only here.
	Readable func(bool)
	Log      logr.Logger
	// Tick is how often the store is read without an update; 10 s if zero.
	Tick time.Duration
	// Retry is how soon it is read again after an error; Tick if zero.
	Retry time.Duration
}

// progress is how far a Follower has come.
type progress struct {
	cursor store.Cursor
	// changed are the places to report at the end of the feed.
	changed places
	// known and readable are whether any read ended yet, and how the last one did.
	known, readable bool
}

// Run follows the feed until the context ends, and then returns nil. An error of the feed is logged once, and the read is
// tried again after Retry from where it stood.
func (f *Follower) Run(ctx context.Context) error {
	tick := cmp.Or(f.Tick, defaultTick)
	retry := cmp.Or(f.Retry, tick)
	p := &progress{changed: places{}}
	for {
		// Taken before the read, so that a commit during the read is not missed.
		updated := f.Feed.Updated()
		rest := time.NewTimer(minInterval)
		err := f.catchUp(ctx, p)
		if ctx.Err() != nil {
			rest.Stop()
			return nil
		}
		f.report(p, err)
		pause := tick
		if err != nil {
			pause, updated = retry, nil
		}
		if !wait(ctx, pause, updated) || !rested(ctx, rest) {
			return nil
		}
	}
}

// catchUp reads to the end of the feed.
func (f *Follower) catchUp(ctx context.Context, p *progress) error {
	for {
		c, err := f.read(ctx, p.cursor)
		if err != nil {
			return fmt.Errorf("reading the counts of store %s: %w", f.Source, err)
		}
		stuck := c.More && c.Next == p.cursor
		for _, k := range f.Book.Apply(f.Source, c, f.Clock()) {
			p.changed[k] = true
		}
		p.cursor = c.Next
		if stuck {
			return fmt.Errorf("reading the counts of store %s: %w", f.Source, errStuck)
		}
		if !c.More {
			return nil
		}
	}
}

func (f *Follower) read(ctx context.Context, since store.Cursor) (store.Changes, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return f.Feed.Changes(ctx, since, pageSize)
}

// report tells how a catch-up ended: on a change whether the store can be read, and at the end of the feed what changed.
func (f *Follower) report(p *progress, err error) {
	turned := !p.known || p.readable != (err == nil)
	p.known, p.readable = true, err == nil
	if turned {
		f.turn(err)
	}
	if err != nil || len(p.changed) == 0 {
		return
	}
	all := p.changed.sorted()
	clear(p.changed)
	f.Changed(all)
}

func (f *Follower) turn(err error) {
	if err != nil {
		f.Log.Error(err, "Store cannot be read", "store", f.Source)
	} else {
		f.Log.Info("Store is read", "store", f.Source)
	}
	if f.Readable != nil {
		f.Readable(err == nil)
	}
}

// wait returns true after d or when wake is closed, false when the context ended.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-t.C:
	}
	return true
}

// rested returns true when the timer has fired, false when the context ended.
func rested(ctx context.Context, t *time.Timer) bool {
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
