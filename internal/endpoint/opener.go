package endpoint

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

const (
	// openWithin bounds an attempt to open a store, in which another process may be migrating its tables.
	openWithin = 10 * time.Minute
	// firstPause and lastPause are between attempts: the pause doubles with each failure.
	firstPause = time.Second
	lastPause  = 5 * time.Second
	// closeAfter is how long a store that was replaced stays open for requests that have begun with it.
	closeAfter = 30 * time.Second
)

// opener opens the store, in the background and until it succeeds, and once more wherever it moves. The former store serves
// until the new one is open.
type opener struct {
	open func(ctx context.Context, place string) (store.Store, error)
	// opened is told of what is open now, failed of why an attempt failed.
	opened func(store.Store)
	failed func(error)
	// closing is told of a store that did not close cleanly.
	closing    func(error)
	closeAfter time.Duration

	mu    sync.Mutex
	place string
	moved chan struct{}
}

// want says where the store is to be.
func (o *opener) want(place string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.moved == nil {
		o.moved = make(chan struct{})
	}
	if place != o.place {
		o.place = place
		close(o.moved)
		o.moved = make(chan struct{})
	}
}

// wanted returns where the store is to be, and a channel that is closed when that changes.
func (o *opener) wanted() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.moved == nil {
		o.moved = make(chan struct{})
	}
	return o.place, o.moved
}

// isIdle says whether nothing is known of where the store is to be.
func (o *opener) isIdle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.place == ""
}

// run keeps the store open until the context ends, and closes it then.
func (o *opener) run(ctx context.Context) {
	var old sync.WaitGroup
	defer old.Wait()
	var current store.Store
	defer func() {
		if current != nil {
			o.close(current)
		}
	}()
	at, pause := "", firstPause
	for ctx.Err() == nil {
		place, moved := o.wanted()
		if place == at {
			pause = firstPause
			wait(ctx, moved, nil)
			continue
		}
		next, err := o.attempt(ctx, place, moved)
		switch {
		case ctx.Err() != nil || isClosed(moved):
			if err == nil {
				o.close(next)
			}
			pause = firstPause
		case err != nil:
			o.failed(err)
			timer := time.NewTimer(pause)
			wait(ctx, moved, timer.C)
			timer.Stop()
			pause = min(2*pause, lastPause)
		default:
			last := current
			current, at = next, place
			o.opened(next)
			if last != nil {
				old.Go(func() { o.closeLater(ctx, last) })
			}
		}
	}
}

// attempt opens the store, and gives up when it is to be elsewhere.
func (o *opener) attempt(ctx context.Context, place string, moved <-chan struct{}) (store.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	done := make(chan struct{})
	var watching sync.WaitGroup
	defer watching.Wait()
	defer close(done)
	watching.Go(func() {
		select {
		case <-moved:
			cancel()
		case <-done:
		}
	})
	return o.open(ctx, place)
}

func (o *opener) closeLater(ctx context.Context, s store.Store) {
	timer := time.NewTimer(o.closeAfter)
	defer timer.Stop()
	wait(ctx, nil, timer.C)
	o.close(s)
}

func (o *opener) close(s store.Store) {
	if err := s.Close(); err != nil {
		o.closing(err)
	}
}

// wait returns when one of the channels says something, or the context ends.
func wait(ctx context.Context, moved <-chan struct{}, after <-chan time.Time) {
	select {
	case <-moved:
	case <-after:
	case <-ctx.Done():
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (e *Endpoint) newOpener() *opener {
	o := &opener{
		open: e.openSQLite, closeAfter: orDefault(e.options.closeAfter, closeAfter),
		opened: func(s store.Store) {
			e.install(s, "")
			e.options.Log.Info("The store is open", "store", e.options.Store.String())
		},
		closing: func(err error) {
			e.options.Log.Error(err, "The store did not close cleanly", "store", e.options.Store.String())
		},
	}
	said := complaints{log: e.options.Log} // run calls back in one goroutine
	o.failed = func(err error) {
		said.note("The store cannot be opened, and is tried again", err)
		e.lack(e.explain(err))
	}
	if e.options.SQLiteDir == "" {
		o.open = e.openPostgres
	} else {
		o.want(e.sqliteFile())
	}
	return o
}

func (e *Endpoint) openSQLite(ctx context.Context, file string) (store.Store, error) {
	return asStore(sqlite.Open(ctx, file, sqlite.Options{}))
}

func (e *Endpoint) openPostgres(ctx context.Context, uri string) (store.Store, error) {
	return asStore(postgres.Open(ctx, uri, postgres.Options{
		// One connection writes and one listens.
		PoolSize: e.options.PostgresConnections - 2, Schema: e.options.PostgresSchema, Untrusted: true,
	}))
}

// asStore does not make a store of a nil pointer.
func asStore[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errNoURI = errors.New("there is no connection URI yet")

// explain says why the store cannot be opened or read, in a sentence that stays the same while the cause does.
func (e *Endpoint) explain(err error) string {
	switch {
	case errors.Is(err, store.ErrLocked):
		return "another process has the store's file open"
	case e.options.SQLiteDir == "":
		return postgres.Explain(err)
	}
	return "the store's file cannot be used: the endpoint's log says why"
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
