package operations

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
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "the program's own"
	scrape = "the fleet's"
)

// patience is longer than anything takes that works.
const patience = 30 * time.Second

// port is an operations port by TLS, over a real store.
type port struct {
	t         *testing.T
	authority pki.Pair
	address   string
	client    *Client

	mu       sync.Mutex
	token    string // that the port takes
	shown    string // that the client shows
	opened   Opened
	replaced chan struct{}
	draining chan struct{}
}

func newAuthority(t *testing.T) pki.Pair {
	t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func serve(t *testing.T, s store.Store) *port {
	t.Helper()
	p := &port{t: t, authority: newAuthority(t), token: token, shown: token, draining: make(chan struct{})}
	p.install(s, "")
	hash := sha256.Sum256([]byte(scrape))
	p.address = listen(t, p.authority, NewHandler(Config{
		Program: visits, Survey: commented, ScrapeTokenHash: hash[:], Ready: func() bool { return true }, Draining: p.draining, Log: logr.Discard(),
		Token: func() string { p.mu.Lock(); defer p.mu.Unlock(); return p.token },
		Store: func() Opened { p.mu.Lock(); defer p.mu.Unlock(); return p.opened },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "cx_metrics 1\n")
		}),
	}))
	p.client = p.newClient(p.address)
	return p
}

// listen serves a handler by TLS as localhost.
func listen(t *testing.T, authority pki.Pair, h http.Handler) string {
	t.Helper()
	leaf, err := authority.Issue(rand.Reader, time.Now(), []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(leaf.Certificate, leaf.Key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: h, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: patience,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-ended); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	_, number, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://localhost:" + number
}

func (p *port) newClient(address string) *Client {
	transport := NewTransport(func() []byte { p.mu.Lock(); defer p.mu.Unlock(); return p.authority.Certificate })
	p.t.Cleanup(transport.CloseIdleConnections)
	return NewClient(ClientOptions{
		Program: visits, Address: address, Transport: transport,
		Token: func() string { p.mu.Lock(); defer p.mu.Unlock(); return p.shown },
	})
}

func (p *port) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// install puts a store in the place of the one before.
func (p *port) install(s store.Store, why string) {
	p.set(func() {
		if p.replaced != nil {
			close(p.replaced)
		}
		p.replaced = make(chan struct{})
		p.opened = Opened{Store: s, Why: why, Replaced: p.replaced}
	})
}

// said is an answer.
type said struct {
	status int
	header http.Header
	closed bool
	body   string
}

// get asks as somebody with a token, empty for none.
func (p *port) get(method, path, bearer string) said {
	p.t.Helper()
	request, err := http.NewRequest(method, p.address+path, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", bearer)
	}
	answer, err := p.client.options.Transport.RoundTrip(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return said{answer.StatusCode, answer.Header, answer.Close, string(body)}
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

// answer stores n answers to a program's question.
func answer(t *testing.T, s store.Store, program store.Key, n int) {
	t.Helper()
	for range n {
		id := uuid.NewString()
		_, err := s.Append(t.Context(), []store.Response{{
			Program: program, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id, SubmittedAt: answered, Touchpoint: "desk",
			Language: "en",
			Answers:  []store.Answer{{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"5"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// total is how many answers a reader knows of after it has read a page.
func total(known map[store.Count]int64, c store.Changes) int64 {
	if c.Reset {
		clear(known)
	}
	var sum int64
	for _, n := range c.Counts {
		key := n
		key.N = 0
		known[key] = n.N
	}
	for _, n := range known {
		sum += n
	}
	return sum
}

func must(t *testing.T, c store.Changes, err error) store.Changes {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// within fails a test that waits for too long.
func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not in %s", what, patience)
	}
}

func run(t *testing.T, c *Client) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		within(t, "Run returns", done)
	})
	t.Cleanup(stop)
	return stop
}

// silent accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections = append(connections, c)
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-done
		for _, c := range connections {
			_ = c.Close() // the other side may have gone first
		}
	})
	return fmt.Sprintf("https://%s", listener.Addr())
}
