// Package embedded serves Embedded programs in the operator's own process: it opens their stores, follows the counts
// into the operator's book, keeps each program's last good survey on disk, and owns the HTTP server.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/upkeep"
)

// Options of an Endpoint.
type Options struct {
	// Dir is the folder for the stores and the last good surveys.
	Dir string
	// Address to serve pages and submissions at, host:port.
	Address string
	// PublicURL is the base address that respondents use: scheme, host and port.
	PublicURL string
	// Book takes the counts.
	Book *rollup.Book
	// Clock tells the time.
	Clock func() time.Time
	// StaleAfter is how long a store may be unread before its programs are told.
	StaleAfter time.Duration
	// Intake configures the HTTP server, whose PublicURL is this one.
	Intake intake.Config
	// Log takes what a person on call would want to know.
	Log logr.Logger
}

// Endpoint serves every Embedded program of this process. Its methods may be called at once from several goroutines.
type Endpoint struct {
	options     Options
	registry    *intake.Registry
	handler     http.Handler
	mu          sync.Mutex
	ctx         context.Context // of the followers; set by New, ended by Start
	cancel      context.CancelFunc
	stores      map[string]*openStore
	attempts    map[string]*attempt // at opening PostgreSQL stores, by store
	programs    map[store.Key]program
	ofStore     map[string]map[store.Key]bool // the programs of each store
	units       map[string]map[string]string  // by namespace, see SetUnits
	subscribers []chan event.TypedGenericEvent[store.Key]
	ofPlaces    []chan event.TypedGenericEvent[rollup.Place]
	ofStores    []chan event.TypedGenericEvent[store.Key]
	followers   sync.WaitGroup
	listening   net.Addr
	keeper      upkeep.Keeper
	closed      bool
}

type program struct {
	storeName string
	survey    *survey.Survey
	secrets   Secrets
	keys      desk.Keys
}

// Secrets of a program and its store.
type Secrets struct {
	// Tokens of the program.
	Tokens intake.Tokens
	// ContactKey of the store, under which contacts are hashed; empty while there is none.
	ContactKey string
	// CaseKeys of the store, which seal contacts, as render.KeyCases has them; empty while there are none.
	CaseKeys string
}

// New returns an Endpoint that serves nothing yet.
func New(o Options) (*Endpoint, error) {
	base, err := url.Parse(o.PublicURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("public URL %q must be http(s)://host[:port]", o.PublicURL)
	}
	registry := intake.NewRegistry()
	o.Intake.PublicURL = o.PublicURL
	server, err := intake.New(registry, o.Intake)
	if err != nil {
		return nil, fmt.Errorf("prepare intake: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Endpoint{
		options: o, registry: registry, handler: server.Handler(), ctx: ctx, cancel: cancel,
		stores: map[string]*openStore{}, attempts: map[string]*attempt{}, programs: map[store.Key]program{},
		ofStore: map[string]map[store.Key]bool{}, units: map[string]map[string]string{},
		keeper: upkeep.Keeper{Log: o.Log},
	}, nil
}

// URL returns the address of a page; touchpoint may be empty.
func (e *Endpoint) URL(p store.Key, touchpoint string) string {
	address, err := url.JoinPath(e.options.PublicURL, "s", p.Namespace, p.Name, touchpoint)
	if err != nil { // New checked the base, and names are path segments
		return ""
	}
	return address
}

// Addr returns the address that the endpoint listens at, nil before it does.
func (e *Endpoint) Addr() net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listening
}

// Subscribe returns a channel of programs whose counts, import marks, readability or survey changed. Subscribers must be added
// before Start and must keep reading until its context ends.
func (e *Endpoint) Subscribe() <-chan event.TypedGenericEvent[store.Key] {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := make(chan event.TypedGenericEvent[store.Key], 1024)
	e.subscribers = append(e.subscribers, c)
	return c
}

// SubscribePlaces is Subscribe for those to whom it matters where in a program counts changed. What else Subscribe tells of
// concerns a program as a whole.
func (e *Endpoint) SubscribePlaces() <-chan event.TypedGenericEvent[rollup.Place] {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := make(chan event.TypedGenericEvent[rollup.Place], 1024)
	e.ofPlaces = append(e.ofPlaces, c)
	return c
}

// SubscribeStores returns a channel of ResponseStores that OpenStore or OpenPostgres has something new to say of. Subscribers
// must be added before Start and must keep reading until its context ends.
func (e *Endpoint) SubscribeStores() <-chan event.TypedGenericEvent[store.Key] {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := make(chan event.TypedGenericEvent[store.Key], 1024)
	e.ofStores = append(e.ofStores, c)
	return c
}

// Start serves until the context ends; then it lets requests finish, and closes the stores after them.
func (e *Endpoint) Start(ctx context.Context) error {
	defer e.closeAll()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.options.Address)
	if err != nil {
		return fmt.Errorf("listen for answers: %w", err)
	}
	e.mu.Lock()
	e.listening = listener.Addr()
	e.mu.Unlock()
	server := intake.HTTPServer(e.options.Address, e.handler)
	const mostConnections = 1024 // the operator has better things to do with its memory
	listener = intake.Bound(listener, server, mostConnections, false)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	e.options.Log.Info("Taking answers", "address", listener.Addr().String())
	minding, stop := context.WithCancel(ctx)
	defer stop()
	e.followers.Go(func() { e.keeper.Run(minding, e.options.Clock, e.tasks) })
	e.followers.Go(func() { e.watchReadability(minding) })
	select {
	case err := <-failed:
		return fmt.Errorf("serve answers: %w", err)
	case <-ctx.Done():
	}
	const drain = 20 * time.Second
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer done()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving answers: %w", err)
	}
	return nil
}

func (e *Endpoint) closeAll() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.followers.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, s := range e.stores {
		if err := s.store.Close(); err != nil {
			e.options.Log.Error(err, "Store did not close cleanly", "store", name)
		}
	}
	e.stores = map[string]*openStore{}
}

// notify tells every subscriber of programs that changed as a whole.
func (e *Endpoint) notify(keys []store.Key) {
	places := make([]rollup.Place, len(keys))
	for i, k := range keys {
		places[i] = rollup.Place{Program: k, All: true}
	}
	e.changed(places)
}

// changed tells every subscriber where counts changed.
func (e *Endpoint) changed(places []rollup.Place) {
	e.mu.Lock()
	programs, ofPlaces := e.subscribers, e.ofPlaces
	e.mu.Unlock()
	tell(e.ctx, programs, rollup.Programs(places))
	tell(e.ctx, ofPlaces, places)
}

// notifyOfStore tells every subscriber of a changed store.
func (e *Endpoint) notifyOfStore(key store.Key) {
	e.mu.Lock()
	subscribers := e.ofStores
	e.mu.Unlock()
	tell(e.ctx, subscribers, []store.Key{key})
}

func tell[T any](ctx context.Context, subscribers []chan event.TypedGenericEvent[T], news []T) {
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
