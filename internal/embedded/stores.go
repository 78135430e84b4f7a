package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// ErrUnread says that a store is open, but that its counts could not be read for longer than Options.StaleAfter.
var ErrUnread = errors.New("the store is open, but cannot be read now")

// openStore is a store with the follower of its counts.
type openStore struct {
	store store.Store
	// uri is where a PostgreSQL store is, empty for SQLite.
	uri    string
	cancel context.CancelFunc
	done   chan struct{}
}

// stopFollowing returns when the counts are no longer read.
func (s *openStore) stopFollowing() {
	s.cancel()
	<-s.done
}

// OpenStore opens the SQLite store of a ResponseStore, follows its counts, and hands it to the programs that wait for
// it. Opening an open store again is harmless, and says what became of it: see ErrUnread.
func (e *Endpoint) OpenStore(ctx context.Context, key store.Key) (store.Info, error) {
	if uri, open := e.openAt(key); open && uri != "" {
		// The ResponseStore was deleted and made anew with the other engine.
		if err := e.CloseStore(key); err != nil {
			return store.Info{}, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.Info{}, store.ErrClosed
	}
	name := key.String()
	e.abandon(name)
	if s, ok := e.stores[name]; ok {
		return e.describe(ctx, name, s)
	}
	opened, err := sqlite.Open(ctx, e.storePath(key), sqlite.Options{})
	if err != nil {
		return store.Info{}, fmt.Errorf("open store %s: %w", name, err)
	}
	info, err := opened.Info(ctx)
	if err != nil {
		return store.Info{}, fmt.Errorf("read store %s: %w", name, errors.Join(err, opened.Close()))
	}
	e.stores[name] = e.follow(key, opened)
	e.refresh(name)
	return info, nil
}

// describe describes an open store, also with ErrUnread.
func (e *Endpoint) describe(ctx context.Context, name string, s *openStore) (store.Info, error) {
	info, err := s.store.Info(ctx)
	if err == nil && e.isStale(name) {
		err = ErrUnread
	}
	return info, err
}

// isStale says whether the counts of a store were read once, but not for too long.
func (e *Endpoint) isStale(name string) bool {
	at, ok := e.options.Book.ReadAt(name)
	return ok && e.options.Clock().Sub(at) > e.options.StaleAfter
}

// openAt says whether a store is open, and where a PostgreSQL store is.
func (e *Endpoint) openAt(key store.Key) (uri string, open bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, open := e.stores[key.String()]
	if !open {
		return "", false
	}
	return s.uri, true
}

// Serving says whether a store is open, wherever it is.
func (e *Endpoint) Serving(key store.Key) bool {
	_, open := e.openAt(key)
	return open
}

// follow starts the follower of a store. The caller holds the lock.
func (e *Endpoint) follow(key store.Key, s store.Store) *openStore {
	ctx, cancel := context.WithCancel(e.ctx)
	o := &openStore{store: s, cancel: cancel, done: make(chan struct{})}
	name := key.String()
	follower := &rollup.Follower{
		Source: name, Feed: s, Book: e.options.Book, Clock: e.options.Clock, Changed: e.changed,
		Readable: func(bool) { e.notifyOfReadability(key) },
		Log:      e.options.Log.WithValues("store", name),
	}
	e.followers.Go(func() {
		defer close(o.done)
		if err := follower.Run(ctx); err != nil {
			e.options.Log.Error(err, "Counts are no longer followed", "store", name)
		}
	})
	return o
}

// notifyOfReadability tells of a store, and of its programs: one without any answer hears only here that its counts can be
// read.
func (e *Endpoint) notifyOfReadability(key store.Key) {
	e.notifyOfStore(key)
	e.notify(e.programsOf(key.String()))
}

// CloseStore closes the store of a ResponseStore that was deleted. Its programs answer 503 from then on; the answers stay.
// What was read of it stays too while a program needs it, and grows stale.
func (e *Endpoint) CloseStore(key store.Key) error {
	name := key.String()
	e.mu.Lock()
	e.abandon(name)
	s, ok := e.stores[name]
	delete(e.stores, name)
	e.refresh(name)
	e.mu.Unlock()
	if !ok {
		return nil
	}
	s.stopFollowing()
	e.forgetUnused(name)
	if err := s.store.Close(); err != nil {
		return fmt.Errorf("close store %s: %w", name, err)
	}
	return nil
}

// forgetUnused drops the counts of a store that is neither open nor any program's.
func (e *Endpoint) forgetUnused(name string) {
	if _, open := e.storeOf(name); !open && len(e.programsOf(name)) == 0 {
		e.options.Book.Forget(name)
	}
}

const readableWithin = 5 * time.Second

// watchReadability tells of a store and its programs when its counts become stale or fresh again.
func (e *Endpoint) watchReadability(ctx context.Context) {
	tick := time.NewTicker(readableWithin)
	defer tick.Stop()
	stale := map[string]bool{}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := map[string]bool{}
		for _, name := range e.storeNames() {
			if now[name] = e.isStale(name); now[name] != stale[name] {
				namespace, of, _ := strings.Cut(name, "/")
				e.notifyOfReadability(store.Key{Namespace: namespace, Name: of})
			}
		}
		stale = now
	}
}

// storeNames returns the stores that are open, and those of programs.
func (e *Endpoint) storeNames() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	names := map[string]bool{}
	for name := range e.stores {
		names[name] = true
	}
	for name := range e.ofStore {
		names[name] = true
	}
	return slices.Collect(maps.Keys(names))
}
