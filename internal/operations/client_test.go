package operations

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// trustAll makes connections without looking at certificates, for tests of what is said over them: here the port is called by its address, and a transport of the fleet checks the authority.
func trustAll(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	return (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext
}

func (p *port) changes(since store.Cursor) store.Changes {
	p.t.Helper()
	c, err := p.client.Changes(p.t.Context(), since, maxPage)
	return must(p.t, c, err)
}

func TestInfo(t *testing.T) {
	s := openSQLite(t)
	p := serve(t, s)
	want, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.client.Info(t.Context()); err != nil || got != want || got.Engine != "SQLite" || got.SchemaVersion < 1 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// A wait ends with what has changed of the program, and not with what has of another.
func TestUpdated(t *testing.T) {
	s := openSQLite(t)
	p := serve(t, s)
	run(t, p.client)
	c := p.changes(store.Cursor{})
	known := map[store.Count]int64{}
	for round := range 3 {
		updated := p.client.Updated()
		answer(t, s, others, 1)
		select {
		case <-updated:
			t.Fatal("woken by another program")
		case <-time.After(2 * minInterval):
		}
		answer(t, s, visits, 1)
		within(t, "the commit is heard of", updated)
		c = p.changes(c.Next)
		if got := total(known, c); got != int64(round+1) || c.Reset {
			t.Fatalf("round %d: %d answers, %+v", round, got, c)
		}
	}
	if c := p.changes(c.Next); len(c.Counts) > 0 || c.More || c.Reset {
		t.Errorf("%+v after the end", c)
	}
}

// What a wait has brought is not asked for twice.
func TestWaitsAreEnough(t *testing.T) {
	s := openSQLite(t)
	p := serve(t, s)
	calls := &counting{next: p.client.options.Transport}
	p.client.http.Transport = calls
	c := p.changes(store.Cursor{})
	run(t, p.client)
	for range 3 {
		updated := p.client.Updated()
		answer(t, s, visits, 1)
		within(t, "the commit is heard of", updated)
		if c = p.changes(c.Next); len(c.Counts) != 1 {
			t.Fatalf("%+v", c)
		}
	}
	// The first read, and for each answer a wait; and perhaps one more wait under way.
	if n := calls.n.Load(); n > 5 {
		t.Errorf("%d calls", n)
	}
}

type counting struct {
	next http.RoundTripper
	n    atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.RoundTrip(r)
}

// The longest wait that was asked for ends without news, and says where the feed is.
func TestWaitIsOver(t *testing.T) {
	s := openSQLite(t)
	p := serve(t, s)
	start := p.changes(store.Cursor{})
	answer(t, s, others, 1)
	c, err := p.client.fetch(t.Context(), start.Next, maxPage, time.Second)
	if err != nil || isNews(c) || c.Next.Seq <= start.Next.Seq {
		t.Errorf("%+v, %v", c, err)
	}
}

// Calls that wait are answered when the endpoint drains, or its store is replaced.
func TestWaitsEndEarly(t *testing.T) {
	p := serve(t, openSQLite(t))
	at := p.changes(store.Cursor{}).Next
	type result struct {
		store.Changes
		error
	}
	results := make(chan result, 1)
	wait := func() {
		c, err := p.client.fetch(context.Background(), at, maxPage, MaxWait)
		results <- result{c, err}
	}
	get := func() result {
		t.Helper()
		select {
		case r := <-results:
			return r
		case <-time.After(patience / 2):
			t.Fatal("the wait goes on")
			return result{}
		}
	}
	go wait()
	next := openSQLite(t)
	answer(t, next, visits, 2)
	p.install(next, "")
	if r := get(); r.error != nil || !r.Reset || total(map[store.Count]int64{}, r.Changes) != 2 {
		t.Errorf("after the store was replaced: %+v", r)
	} else {
		at = r.Next
	}
	go wait()
	close(p.draining)
	if r := get(); r.error != nil || isNews(r.Changes) || r.Next != at {
		t.Errorf("when it drains: %+v", r)
	}
}

// A store that was opened anew is read from its beginning.
func TestEpochChange(t *testing.T) {
	first := openSQLite(t)
	p := serve(t, first)
	answer(t, first, visits, 3)
	run(t, p.client)
	known := map[store.Count]int64{}
	c := p.changes(store.Cursor{})
	if total(known, c) != 3 {
		t.Fatalf("%+v", c)
	}
	updated := p.client.Updated()
	second := openSQLite(t)
	answer(t, second, visits, 1)
	p.install(second, "")
	within(t, "the new store is heard of", updated)
	c = p.changes(c.Next)
	if !c.Reset || total(known, c) != 1 {
		t.Errorf("%+v", c)
	}
}

// Tokens and authorities count as they are at each call, or connection.
func TestRotation(t *testing.T) {
	p := serve(t, openSQLite(t))
	at := p.changes(store.Cursor{}).Next
	p.set(func() { p.token = "new" })
	var problem *Problem
	if _, err := p.client.Changes(t.Context(), at, 1); !errors.As(err, &problem) || problem.Status != 401 {
		t.Errorf("with the old token: %v", err)
	}
	p.set(func() { p.shown = "new" })
	p.changes(at)
	p.set(func() { p.shown = "" })
	if _, err := p.client.Changes(t.Context(), at, 1); !errors.Is(err, errNoToken) {
		t.Errorf("without a token: %v", err)
	}
	p.set(func() { p.shown = "new" })

	good := p.authority
	transport := p.client.options.Transport.(*http.Transport)
	p.set(func() { p.authority = newAuthority(t) })
	transport.CloseIdleConnections()
	_, err := p.client.Changes(t.Context(), at, 1)
	if err == nil || err.Error() != "the endpoint cannot be reached: its certificate is not trusted, has expired, or is another's" {
		t.Errorf("with another authority: %v", err)
	}
	p.set(func() { p.authority.Certificate = nil })
	if _, err = p.client.Changes(t.Context(), at, 1); !errors.Is(err, errNoAuthority) {
		t.Errorf("with no authority: %v", err)
	}
	p.set(func() { p.authority = good })
	p.changes(at)
}

// An endpoint can say what it likes: it costs no more than what one is worth, and no secret.
func TestBadEndpoints(t *testing.T) {
	p := serve(t, openSQLite(t))
	elsewhere := make(chan string, 10)
	thief := listen(t, p.authority, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere <- r.Header.Get("Authorization")
	}))
	var say http.HandlerFunc
	address := listen(t, p.authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { say(w, r) }))
	client := p.newClient(address)
	for name, c := range map[string]struct {
		say  http.HandlerFunc
		want string
	}{
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief, http.StatusFound) }, "answers 302"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for block := make([]byte, 1<<20); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "too large"},
		"endless trouble": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(make([]byte, maxAnything+1))
		}, "too large"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"program":`)
		}, "the connection was cut"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "not written as they should be"},
		"another program": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"program":"sfo/departures","next":{"epoch":"e","seq":1}}`)
		}, "serves another program"},
		"a long story": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, `{"title":"T\u0007`+strings.Repeat("é", 300)+`"}`)
		}, "the endpoint answers 418: T" + strings.Repeat("é", 127)},
	} {
		say = c.say
		_, err := client.Changes(t.Context(), store.Cursor{}, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case got := <-elsewhere:
		t.Errorf("the token %q went elsewhere", got)
	default:
	}
}

// Errors say the same as long as the cause is the same, whatever ports and times were in play.
func TestUnreachable(t *testing.T) {
	p := serve(t, openSQLite(t))
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"https://" + gone.Addr().String():  "the connection is refused",
		"https://no-such-host.invalid:443": "its name cannot be resolved",
		silent(t):                          "no answer in time",
	} {
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := p.newClient(address).Info(ctx)
			cancel()
			if err == nil || err.Error() != "the endpoint cannot be reached: "+want {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
}

// A wait that fails wakes the reader, who sees for itself; nothing more is waited for until it could read.
func TestWaitThatFails(t *testing.T) {
	p := serve(t, openSQLite(t))
	calls := &counting{next: p.client.options.Transport}
	p.client.http.Transport = calls
	at := p.changes(store.Cursor{}).Next
	p.set(func() { p.token = "new" })
	updated := p.client.Updated()
	run(t, p.client)
	within(t, "the failure is heard of", updated)
	if _, err := p.client.Changes(t.Context(), at, 1); err == nil {
		t.Error("read with a wrong token")
	}
	if n := calls.n.Load(); n != 3 {
		t.Errorf("%d calls, want 3: a read, a wait, a read", n)
	}
	p.set(func() { p.shown = "new" })
	at = p.changes(at).Next
	updated = p.client.Updated()
	answer(t, p.opened.Store, visits, 1)
	within(t, "waiting again", updated)
	if c := p.changes(at); len(c.Counts) != 1 {
		t.Errorf("%+v", c)
	}
}
