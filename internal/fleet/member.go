package fleet

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// tick is when counts are read although no wait for them has ended: it is longer than any, so that an idle program costs
	// nothing but its waits. tickOf makes it shorter than what makes counts stale.
	tick = operations.MaxWait + 5*time.Second
	// askEvery is how often an endpoint is asked what store it has, when nothing says that this has changed.
	askEvery = 10 * time.Minute
)

// tickOf returns how often counts are read where nothing happens: more often where less time makes them stale.
func tickOf(staleAfter time.Duration) time.Duration {
	return min(tick, max(2*staleAfter/3, time.Second))
}

// member is one program of a Fleet. It is the feed of its endpoint, and takes note of what comes with it.
type member struct {
	key    store.Key
	clock  func() time.Time
	client *operations.Client
	// told tells subscribers of the program.
	told func(context.Context)
	// cancel and done end the following, nil before it began. They are the fleet's, under its lock.
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	program Program
	// info is of the time askedAt, zero for never; err is why the endpoint cannot be read now.
	info    store.Info
	askedAt time.Time
	err     error
	// readable is how the last catch-up ended, if known.
	readable, known bool
	// failures are the tries in a row that failed; before notBefore there is no other one.
	failures  int
	notBefore time.Time
	// retries has an element for each endpoint of the fleet that is tried again now.
	retries chan struct{}
}

func newMember(key store.Key, o Options, transport http.RoundTripper, retries chan struct{}) *member {
	m := &member{key: key, clock: o.Clock, retries: retries}
	m.client = operations.NewClient(operations.ClientOptions{
		Program: key, Address: o.Address(key), Token: func() string { return m.served().Token }, Transport: transport,
	})
	return m
}

// serve takes over what is served, and says whether what others see of it has changed.
func (m *member) serve(p Program) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.program
	m.program = p
	if last.Token != p.Token || !last.Ready && p.Ready {
		m.failures, m.notBefore = 0, time.Time{} // what it failed for may be gone
	}
	if (last.Survey == nil) != (p.Survey == nil) {
		return true
	}
	return p.Survey != nil && last.Survey.Hash != p.Survey.Hash || last.URL != p.URL
}

func (m *member) served() Program {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.program
}

func (m *member) noteReadable(ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readable, m.known = ok, true
}

func (m *member) isReadable() (readable, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.readable, m.known
}

func (m *member) store() (info store.Info, err error, known bool) { //nolint:revive // as Fleet.Store
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return store.Info{}, m.err, true
	}
	return m.info, nil, m.info != (store.Info{})
}

// Updated implements store.Feed.
func (m *member) Updated() <-chan struct{} { return m.client.Updated() }

// Changes implements store.Feed, and takes note of how it ended.
func (m *member) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	if err := m.resting(time.Now()); err != nil { //nolint:forbidigo // how long a try rests is of the machine's own time
		return store.Changes{}, err
	}
	end, err := m.turn(ctx)
	if err != nil {
		return store.Changes{}, err
	}
	defer end()
	info, page, err := m.read(ctx, since, limit)
	if err != nil {
		page = store.Changes{}
	}
	m.note(ctx, info, err)
	return page, err
}

// read reads a page. It asks what store the counts come from where that may have changed: before it reads, because afterwards
// the wait for the next change has the connection. Info is zero where it was not asked for.
func (m *member) read(ctx context.Context, since store.Cursor, limit int) (info store.Info, page store.Changes, err error) {
	asked := m.mustAsk()
	if asked {
		if info, err = m.client.Info(ctx); err != nil {
			return info, page, err
		}
	}
	if page, err = m.client.Changes(ctx, since, limit); err != nil {
		return info, page, err
	}
	if page.Reset && !asked { // it may be another store
		info, err = m.client.Info(ctx)
	}
	return info, page, err
}

func (m *member) mustAsk() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err != nil || m.info == (store.Info{}) || m.clock().Sub(m.askedAt) >= askEvery
}

// note takes note of what the endpoint said of its store, if it was asked, or of why it cannot be read, and tells where that
// is news.
func (m *member) note(ctx context.Context, info store.Info, err error) {
	if err != nil && ctx.Err() != nil { // the call was given up here: nothing is known
		return
	}
	m.mu.Lock()
	news := (m.err == nil) != (err == nil) || err != nil && m.err.Error() != err.Error()
	m.err = err
	m.pace(err, time.Now()) //nolint:forbidigo // as in Changes
	if err == nil && info != (store.Info{}) {
		news = news || m.info != info
		m.info, m.askedAt = info, m.clock()
	}
	m.mu.Unlock()
	if news {
		m.told(ctx)
	}
}
