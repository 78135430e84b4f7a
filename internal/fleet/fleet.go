// Package fleet is the operator's side of Dedicated endpoints: it follows the counts of each one into the operator's book,
// and knows what each one serves.
package fleet

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	// startsPerSecond bounds how many endpoints are read for the first time at once, when a leader takes over.
	startsPerSecond = 500
	// lookEvery is how often it is looked for counts that were unread for too long.
	lookEvery = 5 * time.Second
)

// Options of a Fleet.
type Options struct {
	// Book takes the counts.
	Book *rollup.Book
	// Clock tells the time.
	Clock func() time.Time
	// StaleAfter is how long counts may be unread before their program is told; 0 for one minute.
	StaleAfter time.Duration
	// Log takes what a person on call would want to know.
	Log logr.Logger
	// Address returns where a program's operations port is: https://host:port. Nil for that of its Service.
	Address func(program store.Key) string
	// CA returns the certificates, in PEM, of the authorities that vouch for endpoints, as they are now.
	CA func() []byte
}

// Program is a Dedicated program as it is to be served.
type Program struct {
	// Key of the program.
	Key store.Key
	// Survey that its endpoint serves; never changed after it was handed over.
	Survey *survey.Survey
	// Token is the program's token "internal".
	Token string
	// URL is the base address that respondents use: scheme, host and port.
	URL string
	// Ready says that pods take answers, as far as Kubernetes knows. An endpoint that cannot be reached is tried less often
	// where none does, and anew as soon as one does.
	Ready bool
}

// Fleet follows the endpoints of Dedicated programs. Its methods may be called at once from several goroutines, also before
// Start. Each program takes two goroutines and, mostly, one connection; one that does not answer holds up no other.
type Fleet struct {
	options   Options
	transport *http.Transport
	starts    *rate.Limiter
	retries   chan struct{} // see member

	mu          sync.Mutex
	ctx         context.Context // of Start, nil before
	members     map[store.Key]*member
	subscribers []chan event.TypedGenericEvent[store.Key]
	ofPlaces    []chan event.TypedGenericEvent[rollup.Place]
	following   sync.WaitGroup
}

// New returns a Fleet that follows nobody yet.
func New(o Options) *Fleet {
	o.StaleAfter = cmp.Or(o.StaleAfter, time.Minute)
	if o.Address == nil {
		o.Address = func(program store.Key) string {
			return fmt.Sprintf("https://%s:%d", render.ServiceHost(program), render.OperationsPort)
		}
	}
	return &Fleet{
		options: o, transport: operations.NewTransport(o.CA), starts: rate.NewLimiter(startsPerSecond, 1),
		retries: make(chan struct{}, retriesAtOnce),
		members: map[store.Key]*member{},
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader reads counts.
func (f *Fleet) NeedLeaderElection() bool { return true }

// Start follows the programs, those that come later too, until the context ends.
func (f *Fleet) Start(ctx context.Context) error {
	f.mu.Lock()
	f.ctx = ctx
	for _, m := range f.members {
		f.start(m)
	}
	f.mu.Unlock()
	f.watchStaleness(ctx)
	// Who is being started has the lock, and nobody is any more after that: the context has ended.
	f.mu.Lock()
	f.mu.Unlock() //nolint:staticcheck // an empty critical section waits
	f.following.Wait()
	f.transport.CloseIdleConnections()
	return nil
}

// start follows a member. The caller holds the lock.
func (f *Fleet) start(m *member) {
	if f.ctx == nil || f.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(f.ctx)
	m.cancel, m.done = cancel, make(chan struct{})
	f.following.Go(func() {
		defer close(m.done)
		if f.starts.Wait(ctx) == nil { // it fails where the context ends
			f.follow(ctx, m)
		}
	})
}

// follow follows a member until the context ends.
func (f *Fleet) follow(ctx context.Context, m *member) {
	var waiting sync.WaitGroup
	waiting.Go(func() { m.client.Run(ctx) })
	defer waiting.Wait()
	source := f.Source(m.key)
	follower := &rollup.Follower{
		Source: source, Feed: m, Book: f.options.Book, Clock: f.options.Clock,
		Changed:  func(places []rollup.Place) { f.tellOf(ctx, places) },
		Readable: func(ok bool) { m.noteReadable(ok); f.tell(ctx, m.key) },
		Log:      f.options.Log.WithValues("program", m.key.String()),
		Tick:     tick, Retry: retry,
	}
	if err := follower.Run(ctx); err != nil {
		f.options.Log.Error(err, "Counts are no longer followed", "program", m.key.String())
	}
}

// Follow hands over a program, or what has changed of it.
func (f *Fleet) Follow(p Program) {
	f.mu.Lock()
	m, known := f.members[p.Key]
	if !known {
		m = newMember(p.Key, f.options, f.transport, f.retries)
		m.told = func(ctx context.Context) { f.tell(ctx, p.Key) }
		f.members[p.Key] = m
	}
	shown := m.serve(p)
	if !known {
		f.start(m)
	}
	ctx := f.ctx
	f.mu.Unlock()
	if shown && ctx != nil {
		f.tell(ctx, p.Key)
	}
}

// Forget follows a program no longer, and drops its counts from the book.
func (f *Fleet) Forget(key store.Key) {
	f.mu.Lock()
	m, known := f.members[key]
	delete(f.members, key)
	f.mu.Unlock()
	if !known {
		return
	}
	if m.cancel != nil {
		m.cancel()
		<-m.done
	}
	f.options.Book.Forget(f.Source(key))
}

func (f *Fleet) member(key store.Key) (*member, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, known := f.members[key]
	return m, known
}

// Page returns the questions of a touchpoint's page as it is served, none where there is no such page. Known is false
// where the program is not followed.
func (f *Fleet) Page(key store.Key, touchpoint string) (questions []string, known bool) {
	m, known := f.member(key)
	if !known {
		return nil, false
	}
	s := m.served().Survey
	if s == nil {
		return nil, false
	}
	return s.Touchpoints[touchpoint].Questions, true
}

// URL returns the address of a page; touchpoint may be empty. It is empty where the program is not followed.
func (f *Fleet) URL(key store.Key, touchpoint string) string {
	m, known := f.member(key)
	if !known {
		return ""
	}
	base := m.served().URL
	address, err := url.JoinPath(base, "s", key.Namespace, key.Name, touchpoint)
	if err != nil || base == "" {
		return ""
	}
	return address
}

// Source returns the name under which the book knows the counts of a program's endpoint.
func (f *Fleet) Source(key store.Key) string { return key.String() + " (endpoint)" }

// Store returns what a program's endpoint last said of its store, or the error for which it cannot be asked, in words that
// stay the same while the cause does. Known is false until one of the two is known.
func (f *Fleet) Store(key store.Key) (info store.Info, err error, known bool) { //nolint:revive // known is about both
	m, known := f.member(key)
	if !known {
		return store.Info{}, nil, false
	}
	return m.store()
}

// Readable says whether a program's counts can be read now. Known is false until the first try has ended.
func (f *Fleet) Readable(key store.Key) (readable, known bool) {
	m, known := f.member(key)
	if !known {
		return false, false
	}
	return m.isReadable()
}

// Subscribe returns a channel of programs whose counts, import marks, readability, store or survey changed. Subscribers must be
// added before Start and must keep reading until its context ends.
func (f *Fleet) Subscribe() <-chan event.TypedGenericEvent[store.Key] {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan event.TypedGenericEvent[store.Key], 1024)
	f.subscribers = append(f.subscribers, c)
	return c
}

// SubscribePlaces is Subscribe for those to whom it matters where in a program counts changed. What else Subscribe tells of
// concerns a program as a whole.
func (f *Fleet) SubscribePlaces() <-chan event.TypedGenericEvent[rollup.Place] {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan event.TypedGenericEvent[rollup.Place], 1024)
	f.ofPlaces = append(f.ofPlaces, c)
	return c
}

// tell tells every subscriber of a program that changed as a whole.
func (f *Fleet) tell(ctx context.Context, program store.Key) {
	f.tellOf(ctx, []rollup.Place{{Program: program, All: true}})
}

// tellOf tells every subscriber where counts changed.
func (f *Fleet) tellOf(ctx context.Context, places []rollup.Place) {
	f.mu.Lock()
	programs, ofPlaces := f.subscribers, f.ofPlaces
	f.mu.Unlock()
	send(ctx, programs, rollup.Programs(places))
	send(ctx, ofPlaces, places)
}

func send[T any](ctx context.Context, subscribers []chan event.TypedGenericEvent[T], news []T) {
	for _, c := range subscribers {
		for _, n := range news {
			select {
			case c <- event.TypedGenericEvent[T]{Object: n}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// watchStaleness tells of programs whose counts become stale or fresh again, until the context ends.
func (f *Fleet) watchStaleness(ctx context.Context) {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	stale := map[store.Key]bool{}
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		now := map[store.Key]bool{}
		for _, key := range f.keys() {
			at, read := f.options.Book.ReadAt(f.Source(key))
			if now[key] = read && f.options.Clock().Sub(at) > f.options.StaleAfter; now[key] != stale[key] {
				f.tell(ctx, key)
			}
		}
		stale = now
	}
}

func (f *Fleet) keys() []store.Key {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := make([]store.Key, 0, len(f.members))
	for key := range f.members {
		keys = append(keys, key)
	}
	return keys
}
