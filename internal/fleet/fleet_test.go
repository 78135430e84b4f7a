package fleet

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/cx-operator/cx-operator/internal/operations"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ manager.LeaderElectionRunnable = (*Fleet)(nil)

var (
	visits   = store.Key{Namespace: "sfo", Name: "visits"}
	arrivals = store.Key{Namespace: "sfo", Name: "arrivals"}
)

// patience is longer than anything takes that works.
const patience = 30 * time.Second

// world is a fleet that runs, and the endpoints that it can reach.
type world struct {
	*Fleet
	t         *testing.T
	authority pki.Pair
	book      *rollup.Book
	heard     <-chan event.TypedGenericEvent[store.Key]
	stop      func()

	mu        sync.Mutex
	addresses map[store.Key]string
	now       time.Duration // that the clock is ahead
}

func newWorld(t *testing.T) *world {
	t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, authority: authority, book: rollup.NewBook(), addresses: map[store.Key]string{}}
	w.Fleet = New(Options{
		Book: w.book, Clock: w.clock, StaleAfter: time.Minute, Log: logr.Discard(),
		Address: func(program store.Key) string { w.mu.Lock(); defer w.mu.Unlock(); return w.addresses[program] },
		CA:      func() []byte { return authority.Certificate },
	})
	w.heard = w.Subscribe()
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.now)
}

func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.t.Error(err)
			}
		case <-time.After(patience):
			w.t.Error("the fleet does not end")
		}
	})
	w.t.Cleanup(w.stop)
}

func (w *world) eventually(what string, check func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not in time", what)
		}
		<-tick.C
	}
}

// tell waits until subscribers hear of the program.
func (w *world) tell(key store.Key) {
	w.t.Helper()
	over := time.After(patience)
	for {
		select {
		case e := <-w.heard:
			if e.Object == key {
				return
			}
		case <-over:
			w.t.Fatalf("nobody is told of %s", key)
		}
	}
}

// quiet forgets what was heard.
func (w *world) quiet() {
	for {
		select {
		case <-w.heard:
		default:
			return
		}
	}
}

func (w *world) count(key store.Key) int64 {
	hour := store.HourOf(answered)
	return w.book.Window(rollup.Query{
		Source: w.Source(key), Program: key, ProgramWide: true, Question: "ease", Revision: 1, From: hour, To: hour + 1,
	}).Values["5"]
}

// endpoint is the operations port of a program.
type endpoint struct {
	w     *world
	key   store.Key
	stop  func()
	mu    sync.Mutex
	token string
	store store.Store
	// admitted counts calls that had the right token.
	admitted int
}

// endpoint starts one, which tests can start again elsewhere.
func (w *world) endpoint(key store.Key, s store.Store) *endpoint {
	w.t.Helper()
	e := &endpoint{w: w, key: key, token: "of " + key.Name, store: s}
	e.stop = w.listen(key, operations.NewHandler(operations.Config{
		Program: key, Ready: func() bool { return true }, Log: logr.Discard(),
		Token: func() string { e.mu.Lock(); defer e.mu.Unlock(); return e.token },
		Store: func() operations.Opened {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.admitted++
			return operations.Opened{Store: e.store, Why: "the server cannot be reached"}
		},
	}))
	return e
}

func (e *endpoint) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

// listen serves a program's port by TLS, as localhost, and returns what ends it.
func (w *world) listen(key store.Key, h http.Handler) (stop func()) {
	w.t.Helper()
	leaf, err := w.authority.Issue(rand.Reader, time.Now(), []string{"localhost"})
	if err != nil {
		w.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(leaf.Certificate, leaf.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{
		Handler: h, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: patience,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	_, number, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.addresses[key] = "https://localhost:" + number
	w.mu.Unlock()
	stop = sync.OnceFunc(func() {
		if err := errors.Join(server.Close(), <-ended); !errors.Is(err, http.ErrServerClosed) {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func openSQLite(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "answers.sqlite"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answered is when the tests' answers were given.
var answered = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func answer(t *testing.T, s store.Store, program store.Key, n int) {
	t.Helper()
	for range n {
		id := uuid.NewString()
		_, err := s.Append(context.Background(), []store.Response{{
			Program: program, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id, SubmittedAt: answered, Touchpoint: "desk",
			Answers: []store.Answer{{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"5"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func of(key store.Key, title string) Program {
	return Program{
		Key: key, Token: "of " + key.Name, URL: "https://survey.test",
		Survey: &survey.Survey{
			Program: key, Hash: "hash of " + title, Touchpoints: map[string]survey.Touchpoint{"desk": {Questions: []string{"ease"}}},
		},
	}
}

// Counts arrive, those from before the start too, and an import is known.
func TestFollow(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	w.endpoint(visits, s)
	answer(t, s, visits, 2)
	w.Follow(of(visits, "A"))
	if _, known := w.Readable(visits); known {
		t.Error("known before the start")
	}
	if _, _, known := w.Store(visits); known {
		t.Error("the store is known before the start")
	}
	w.start()
	w.eventually("the counts are read", func() bool { return w.count(visits) == 2 })
	w.tell(visits)
	answer(t, s, visits, 3)
	w.eventually("new counts are read", func() bool { return w.count(visits) == 5 })
	id, err := s.FinishImport(t.Context(), visits)
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the import is known", func() bool { return w.book.LastImport(visits) == id })
	if readable, known := w.Readable(visits); !readable || !known {
		t.Errorf("readable %t, known %t", readable, known)
	}
	want, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info, err, known := w.Store(visits); info != want || err != nil || !known {
		t.Errorf("%+v, %v, %t", info, err, known)
	}
	if source := w.Source(visits); source != "sfo/visits (endpoint)" {
		t.Errorf("source %q", source)
	}
}

func TestPagesAndAddresses(t *testing.T) {
	w := newWorld(t)
	if _, known := w.Page(visits, "desk"); known || w.URL(visits, "desk") != "" {
		t.Error("a page is known of a program that is not")
	}
	w.endpoint(visits, openSQLite(t))
	w.Follow(of(visits, "A"))
	w.start()
	w.eventually("the endpoint is read", func() bool { ok, _ := w.Readable(visits); return ok })
	if questions, known := w.Page(visits, "desk"); !known || !cmp.Equal(questions, []string{"ease"}) {
		t.Errorf("%q, %t", questions, known)
	}
	if questions, known := w.Page(visits, "exit"); !known || questions != nil {
		t.Errorf("%q, %t where there is no such page", questions, known)
	}
	for touchpoint, want := range map[string]string{"": "https://survey.test/s/sfo/visits", "desk": "https://survey.test/s/sfo/visits/desk"} {
		if got := w.URL(visits, touchpoint); got != want {
			t.Errorf("%q: %q, want %q", touchpoint, got, want)
		}
	}
	w.quiet()
	w.Follow(of(visits, "A"))
	select {
	case e := <-w.heard:
		t.Errorf("told of %s without a change", e.Object)
	default:
	}
	next := of(visits, "B")
	next.Survey.Touchpoints = nil
	w.Follow(next)
	w.tell(visits)
	if questions, known := w.Page(visits, "desk"); !known || questions != nil {
		t.Errorf("%q, %t after the page went", questions, known)
	}
	next.URL = "https://other.test:8443/"
	w.Follow(next)
	w.tell(visits)
	if got := w.URL(visits, ""); got != "https://other.test:8443/s/sfo/visits" {
		t.Errorf("%q", got)
	}
}

// A store that is away is told of in its own words, and told of again when it is back. What was read stays.
func TestStoreGoesAndComes(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	e := w.endpoint(visits, s)
	answer(t, s, visits, 1)
	w.Follow(of(visits, "A"))
	w.start()
	w.eventually("the counts are read", func() bool { return w.count(visits) == 1 })
	w.quiet()
	e.set(func() { e.store = nil })
	answer(t, s, visits, 1) // ends the wait, after which the endpoint looks for its store
	w.eventually("it cannot be read", func() bool { readable, known := w.Readable(visits); return known && !readable })
	w.tell(visits)
	_, err, known := w.Store(visits)
	if !known || err == nil || !strings.Contains(err.Error(), "the server cannot be reached") {
		t.Errorf("%v, %t", err, known)
	}
	if w.count(visits) != 1 {
		t.Error("what was read is gone")
	}
	w.quiet()
	e.set(func() { e.store = s })
	w.eventually("it is read again", func() bool { return w.count(visits) == 2 })
	w.tell(visits)
	if info, err, known := w.Store(visits); err != nil || !known || info.Engine != "SQLite" {
		t.Errorf("%+v, %v, %t", info, err, known)
	}
}

// failing is a store that is open, but cannot be read.
type failing struct{ store.Store }

func (failing) Changes(context.Context, store.Cursor, int) (store.Changes, error) {
	return store.Changes{}, errors.New("no route to host")
}

// A trouble that lasts is told of once.
func TestTroubleIsToldOnce(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	e := w.endpoint(visits, failing{s})
	w.Follow(of(visits, "A"))
	w.start()
	w.eventually("it cannot be read", func() bool { readable, known := w.Readable(visits); return known && !readable })
	w.tell(visits)
	w.quiet()
	for range 20 { // as often as the follower could, without waiting for its turns
		m, _ := w.member(visits)
		if _, err := m.Changes(t.Context(), store.Cursor{}, 1); err == nil {
			t.Fatal("it can be read")
		}
		if _, err, known := w.Store(visits); err == nil || !known {
			t.Fatalf("%v, %t", err, known)
		}
	}
	select {
	case <-w.heard:
		t.Error("told again")
	default:
	}
	e.set(func() { e.store = s })
	w.eventually("it can be read", func() bool { ok, _ := w.Readable(visits); return ok })
}

// A new token takes effect without losing the place or the counts.
func TestTokenRotation(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	e := w.endpoint(visits, s)
	w.Follow(of(visits, "A"))
	w.start()
	w.eventually("the endpoint is read", func() bool { ok, _ := w.Readable(visits); return ok })
	w.eventually("the wait for a change is let in, after the store and the counts", func() (waits bool) {
		e.set(func() { waits = e.admitted >= 3 })
		return waits
	})
	e.set(func() { e.token = "another" })
	answer(t, s, visits, 1) // the wait that goes on was let in with the old token
	w.eventually("the answer is counted", func() bool { return w.count(visits) == 1 })
	w.eventually("the old token is refused", func() bool { ok, _ := w.Readable(visits); return !ok })
	if _, err, _ := w.Store(visits); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("%v", err)
	}
	next := of(visits, "A")
	next.Token = "another"
	w.Follow(next)
	answer(t, s, visits, 1)
	w.eventually("the new token is let in", func() bool { return w.count(visits) == 2 })
}

// Who is forgotten is followed no longer, and what was read is gone. It can be followed again.
func TestForget(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	w.endpoint(visits, s)
	answer(t, s, visits, 1)
	w.Forget(visits) // nobody yet
	w.Follow(of(visits, "A"))
	w.Forget(visits) // before the start
	w.Follow(of(visits, "A"))
	w.start()
	for range 3 {
		w.eventually("the counts are read", func() bool { return w.count(visits) == 1 })
		w.Forget(visits)
		if _, read := w.book.ReadAt(w.Source(visits)); read || w.count(visits) != 0 {
			t.Error("the book still knows of it")
		}
		if _, known := w.Readable(visits); known {
			t.Error("it is still known")
		}
		w.Follow(of(visits, "A"))
	}
	w.stop()
	w.Follow(of(arrivals, "A"))
	w.Forget(arrivals) // after the end
	w.Forget(visits)
}

// An endpoint that accepts calls and never answers holds up nobody else, nor the end.
func TestHangingEndpoint(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for i := range 50 {
		key := store.Key{Namespace: "sfo", Name: fmt.Sprintf("hangs-%d", i)}
		w.mu.Lock()
		w.addresses[key] = w.addresses[store.Key{Namespace: "sfo", Name: "hangs-0"}]
		w.mu.Unlock()
		if i == 0 {
			w.listen(key, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}))
		}
		w.Follow(of(key, "A"))
	}
	w.endpoint(visits, s)
	w.Follow(of(visits, "A"))
	w.start()
	for n := range 5 {
		answer(t, s, visits, 1)
		w.eventually("counts of the one that answers are read", func() bool { return w.count(visits) == int64(n+1) })
	}
	if _, known := w.Readable(store.Key{Namespace: "sfo", Name: "hangs-7"}); known {
		t.Error("something is known of one that never answered")
	}
	w.Forget(store.Key{Namespace: "sfo", Name: "hangs-3"})
	w.stop()
}

// An idle program's counts must be read before they are stale, however soon that is.
func TestTickOf(t *testing.T) {
	for staleAfter, want := range map[time.Duration]time.Duration{
		time.Hour: tick, time.Minute: tick, 15 * time.Second: 10 * time.Second, time.Second: time.Second,
	} {
		if got := tickOf(staleAfter); got != want {
			t.Errorf("stale after %s: every %s, want %s", staleAfter, got, want)
		}
	}
}

// Counts that are unread for too long are told of, once.
func TestStaleness(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	e := w.endpoint(visits, s)
	w.Follow(of(visits, "A"))
	w.start()
	w.eventually("the endpoint is read", func() bool { ok, _ := w.Readable(visits); return ok })
	e.stop()
	w.eventually("it cannot be read", func() bool { ok, _ := w.Readable(visits); return !ok })
	w.quiet()
	w.mu.Lock()
	w.now = 2 * time.Minute
	w.mu.Unlock()
	w.tell(visits)
}

// Many programs take two goroutines and one connection each, and no call but their waits.
func TestManyPrograms(t *testing.T) {
	w, s := newWorld(t), openSQLite(t)
	const many = 100
	before := runtime.NumGoroutine()
	var keys []store.Key
	for i := range many {
		key := store.Key{Namespace: "sfo", Name: fmt.Sprintf("program-%d", i)}
		keys = append(keys, key)
		w.endpoint(key, s)
		w.Follow(of(key, "A"))
	}
	listening := runtime.NumGoroutine() - before
	w.start()
	for _, key := range keys {
		w.eventually("all are read", func() bool { ok, _ := w.Readable(key); return ok })
	}
	// On both sides: the follower, its wait, two of the connection's here; two of the connection there. TLS and slack.
	if n := (runtime.NumGoroutine() - before - listening) / many; n > 7 {
		t.Errorf("%d goroutines for each program", n)
	}
	for _, key := range keys {
		answer(t, s, key, 1)
	}
	for _, key := range keys {
		w.eventually("all are counted", func() bool { return w.count(key) == 1 })
	}
}
