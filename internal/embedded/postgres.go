package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
)

// openWithin bounds an attempt to open a PostgreSQL store, in which another process may be migrating its tables.
const openWithin = 10 * time.Minute

// ErrOpening says that a store is being opened. Subscribers of stores are told when that has ended, either way.
var ErrOpening = errors.New("the store is being opened")

// attempt is one at opening a PostgreSQL store, under way or failed.
type attempt struct {
	uri    string
	cancel context.CancelFunc
	failed error
}

// OpenPostgres opens the PostgreSQL store of a ResponseStore where the connection URI says, follows its counts, and hands it
// to the programs that wait for it. It waits for no server: it returns ErrOpening until the attempt has ended, and then, once,
// the error with which it failed; the next call begins another one. What is open there already stays as it is, and what is
// open elsewhere is served until the new place is.
func (e *Endpoint) OpenPostgres(ctx context.Context, key store.Key, uri string) (store.Info, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.Info{}, store.ErrClosed
	}
	name := key.String()
	if s, ok := e.stores[name]; ok && s.uri == uri {
		e.abandon(name)
		return e.describe(ctx, name, s)
	}
	a, ok := e.attempts[name]
	if ok && a.uri == uri && a.failed == nil {
		return store.Info{}, ErrOpening
	}
	e.abandon(name)
	if ok && a.uri == uri {
		return store.Info{}, a.failed
	}
	e.attempt(key, uri)
	return store.Info{}, ErrOpening
}

// abandon ends an attempt: what it opens all the same is closed. The caller holds the lock.
func (e *Endpoint) abandon(name string) {
	if a, ok := e.attempts[name]; ok {
		a.cancel()
		delete(e.attempts, name)
	}
}

// attempt begins to open a store. The caller holds the lock.
func (e *Endpoint) attempt(key store.Key, uri string) {
	ctx, cancel := context.WithTimeout(e.ctx, openWithin)
	a := &attempt{uri: uri, cancel: cancel}
	e.attempts[key.String()] = a
	e.followers.Go(func() {
		defer cancel()
		opened, err := postgres.Open(ctx, uri, postgres.Options{Schema: Schema(key), Untrusted: true})
		if err == nil {
			err = e.install(key, a, opened)
		}
		e.mu.Lock()
		a.failed = err
		e.mu.Unlock()
		e.notifyOfStore(key)
	})
}

// install puts a store that was opened in the place of the one before, if there is any.
func (e *Endpoint) install(key store.Key, a *attempt, opened store.Store) error {
	name := key.String()
	e.mu.Lock()
	last := e.stores[name]
	e.mu.Unlock()
	// The book must not hear of both. Answers go to the last one meanwhile.
	if last != nil {
		last.stopFollowing()
	}
	if !e.replaceStore(key, a, opened) {
		e.followAgain(key, last)
		return errors.Join(store.ErrClosed, opened.Close())
	}
	if last == nil {
		return nil
	}
	if err := last.store.Close(); err != nil {
		e.options.Log.Error(err, "Store did not close cleanly", "store", name)
	}
	return nil
}

// replaceStore returns false where the attempt was abandoned.
func (e *Endpoint) replaceStore(key store.Key, a *attempt, opened store.Store) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := key.String()
	if e.closed || e.attempts[name] != a {
		return false
	}
	delete(e.attempts, name)
	next := e.follow(key, opened)
	next.uri = a.uri
	e.stores[name] = next
	e.refresh(name)
	return true
}

// followAgain goes on following a store that was not replaced after all.
func (e *Endpoint) followAgain(key store.Key, s *openStore) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := key.String()
	if s == nil || e.closed || e.stores[name] != s {
		return
	}
	next := e.follow(key, s.store)
	next.uri = s.uri
	e.stores[name] = next
}

// Schema returns the name of the PostgreSQL schema of a ResponseStore.
func Schema(key store.Key) string { return render.Schema(key) }
