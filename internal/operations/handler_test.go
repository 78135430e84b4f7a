package operations

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Who may read what: the scrape token reads metrics alone.
func TestWhoMayRead(t *testing.T) {
	p := serve(t, openSQLite(t))
	own, fleets := "Bearer "+token, "Bearer "+scrape
	for _, c := range []struct {
		path, bearer string
		status       int
	}{
		{"/healthz", "", 200},
		{"/readyz", "", 200},
		{"/metrics", "", 401},
		{"/metrics", own, 200},
		{"/metrics", "bearer " + token, 200},
		{"/metrics", fleets, 200},
		{"/metrics", "Bearer wrong", 401},
		{"/metrics", "Bearer ", 401},
		{"/metrics", "Basic " + token, 401},
		{"/metrics", token, 401},
		{"/internal/v1/changes", "", 401},
		{"/internal/v1/changes", own, 200},
		{"/internal/v1/changes", fleets, 401},
		{"/internal/v1/changes", own + "x", 401},
		{"/internal/v1/store", "", 401},
		{"/internal/v1/store", own, 200},
		{"/internal/v1/store", fleets, 401},
		{"/internal/v1/answers", own, 404},
		{"/", "", 404},
	} {
		answer := p.get(http.MethodGet, c.path, c.bearer)
		if answer.status != c.status {
			t.Errorf("%s with %q: %d, want %d", c.path, c.bearer, answer.status, c.status)
		}
		if mediaType := answer.header.Get("Content-Type"); c.status >= 400 && (mediaType != "application/problem+json" || !strings.Contains(answer.body, `"type":"https://cx-operator.io/problems/`)) {
			t.Errorf("%s with %q: %s: %s", c.path, c.bearer, mediaType, answer.body)
		}
		if challenged := answer.header.Get("WWW-Authenticate") != ""; challenged != (c.status == 401) {
			t.Errorf("%s with %q: challenged: %t", c.path, c.bearer, challenged)
		}
	}
	if answer := p.get(http.MethodPost, "/internal/v1/changes", own); answer.status != 405 || answer.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, allowed %q", answer.status, answer.header.Get("Allow"))
	}
}

// Without a token nobody is let in, also not with an empty one.
func TestNoToken(t *testing.T) {
	p := serve(t, openSQLite(t))
	p.set(func() { p.token = "" })
	for _, bearer := range []string{"Bearer", "Bearer ", "Bearer  ", "Bearer " + token} {
		for _, path := range []string{"/metrics", "/internal/v1/store"} {
			if answer := p.get(http.MethodGet, path, bearer); answer.status != 401 {
				t.Errorf("%s with %q: %d", path, bearer, answer.status)
			}
		}
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	p := serve(t, openSQLite(t))
	for _, query := range []string{
		"seq=-1", "seq=x", "seq=9223372036854775808", "limit=0", "limit=5001", "limit=1.5", "wait=31", "wait=-1", "wait=1s",
		"epoch=" + strings.Repeat("e", 257),
	} {
		answer := p.get(http.MethodGet, "/internal/v1/changes?"+query, "Bearer "+token)
		name, _, _ := strings.Cut(query, "=")
		if answer.status != 400 || !strings.Contains(answer.body, name+": ") {
			t.Errorf("%s: %d %s", query, answer.status, answer.body)
		}
	}
}

func TestReadyAndDraining(t *testing.T) {
	ready, draining := false, make(chan struct{})
	address := listen(t, newAuthority(t), NewHandler(Config{
		Program: visits, Token: func() string { return token }, Ready: func() bool { return ready }, Draining: draining, Log: logr.Discard(),
	}))
	p := serve(t, nil)
	p.address = address
	p.client.options.Transport.(*http.Transport).DialTLSContext = trustAll(t)
	expect := func(path string, status int, closed bool) {
		t.Helper()
		if answer := p.get(http.MethodGet, path, ""); answer.status != status || answer.closed != closed {
			t.Errorf("%s: %d, closed: %t; want %d, %t", path, answer.status, answer.closed, status, closed)
		}
	}
	expect("/readyz", 503, false)
	expect("/healthz", 200, false)
	ready = true
	expect("/readyz", 200, false)
	close(draining)
	expect("/readyz", 503, true)
	expect("/healthz", 200, true)
}

// Without a store, and with one that fails, the problem says so, and when to ask again.
func TestStoreThatIsAway(t *testing.T) {
	p := serve(t, nil)
	p.install(nil, "the server is starting")
	for _, path := range []string{"/internal/v1/changes", "/internal/v1/changes?wait=30", "/internal/v1/store"} {
		answer := p.get(http.MethodGet, path, "Bearer "+token)
		if answer.status != 503 || answer.header.Get("Retry-After") != "5" || !strings.Contains(answer.body, "the server is starting") {
			t.Errorf("%s: %d, retry %q: %s", path, answer.status, answer.header.Get("Retry-After"), answer.body)
		}
	}
	closed := openSQLite(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	p.install(closed, "")
	for _, path := range []string{"/internal/v1/changes", "/internal/v1/store"} {
		if answer := p.get(http.MethodGet, path, "Bearer "+token); answer.status != 503 || !strings.Contains(answer.body, "the store is closed") {
			t.Errorf("%s: %d: %s", path, answer.status, answer.body)
		}
	}
}

func TestExplain(t *testing.T) {
	h := &handler{Config: Config{Explain: func(error) string { return "the disk is full" }}}
	for err, want := range map[error]string{
		store.ErrClosed: "the store is closed", context.DeadlineExceeded: "the store does not answer in time",
		errors.New("errno 28"): "the disk is full",
	} {
		if got := h.explain(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	h.Explain = nil
	if got := h.explain(errors.New("errno 28")); got != "" {
		t.Errorf("%q", got)
	}
}

// Pages of other programs are passed over without losing a reset or the end; what is read in small steps is the same as what
// the store says.
func TestOnlyTheProgramsOwn(t *testing.T) {
	s := openSQLite(t)
	p := serve(t, s)
	for range 4 {
		answer(t, s, others, 2)
		answer(t, s, visits, 1)
	}
	if _, err := s.FinishImport(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	id, err := s.FinishImport(t.Context(), visits)
	if err != nil {
		t.Fatal(err)
	}
	answer(t, s, others, 3)
	known, imported := map[store.Count]int64{}, ""
	var at store.Cursor
	var sum int64
	for n := 0; ; n++ {
		c, err := p.client.Changes(t.Context(), at, 1)
		if err != nil {
			t.Fatal(err)
		}
		if c.Reset != (n == 0) || len(c.Imports) > 1 || n > 20 {
			t.Fatalf("page %d: %+v", n, c)
		}
		for _, n := range c.Counts {
			if n.Program != visits {
				t.Errorf("a count of %s", n.Program)
			}
		}
		if c.Imports[visits] != "" {
			imported = c.Imports[visits]
		}
		sum = total(known, c)
		if at = c.Next; !c.More {
			break
		}
	}
	if sum != 4 || imported != id {
		t.Errorf("%d answers, import %q; want 4, %q", sum, imported, id)
	}
	all := must2(t)(s.Changes(t.Context(), store.Cursor{}, maxPage))
	if at != all.Next {
		t.Errorf("ended at %+v, want %+v", at, all.Next)
	}
}

func must2(t *testing.T) func(store.Changes, error) store.Changes {
	return func(c store.Changes, err error) store.Changes { t.Helper(); return must(t, c, err) }
}
