package embedded

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// databases counts those that were made, so that each has a name of its own.
var databases atomic.Int64

// database makes an empty database and returns where it is.
func database(t *testing.T, name string) string {
	t.Helper()
	name += fmt.Sprint(databases.Add(1))
	out, err := server.Command("createdb", "--host", server.Socket(), "--username", "postgres", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.Replace(server.DSN(nil), "/postgres?", "/"+name+"?", 1)
}

// openPostgres opens a store as a controller does, until it is open or cannot be.
func (s *served) openPostgres(key store.Key, uri string) (info store.Info, err error) {
	s.t.Helper()
	stores := s.stores
	for {
		if info, err = s.OpenPostgres(s.t.Context(), key, uri); !errors.Is(err, ErrOpening) {
			return info, err
		}
		select {
		case <-stores:
		case <-time.After(30 * time.Second):
			s.t.Fatal("nobody was told how the opening ended")
		}
	}
}

func (s *served) mustOpenPostgres(key store.Key, uri string) {
	s.t.Helper()
	info, err := s.openPostgres(key, uri)
	if err != nil || info.Engine != "PostgreSQL" || info.SchemaVersion < 1 {
		s.t.Fatalf("%+v, %v", info, err)
	}
}

// Answers are taken and counted, and there again after a restart. Stores of one name in one database know nothing of each
// other.
func TestOpenPostgres(t *testing.T) {
	dir, uri := t.TempDir(), database(t, "opened")
	s := start(t, dir)
	s.serve(form("A"))
	s.submit(http.StatusServiceUnavailable)
	s.mustOpenPostgres(answers, uri)
	s.mustOpenPostgres(answers, uri) // again is harmless
	s.submit(http.StatusCreated)
	s.eventually("the answer is counted", func() bool { return s.count() == 1 })
	other := store.Key{Namespace: "oak", Name: answers.Name}
	s.mustOpenPostgres(other, uri)
	next, _ := s.storeOf(other.String())
	if check, err := next.Recount(t.Context(), visits); err != nil || check.Responses != 0 {
		t.Errorf("the store of another namespace has %+v, %v", check, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenPostgres(t.Context(), answers, uri); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v after the end, want ErrClosed", err)
	}
	s = start(t, dir)
	s.serve(form("A"))
	s.mustOpenPostgres(answers, uri)
	s.eventually("the answer is still there", func() bool { return s.count() == 1 })
	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	s.submit(http.StatusServiceUnavailable)
}

// What cannot be opened is told of once for each attempt, and opened when it can be.
func TestOpenPostgresFails(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	bad := pgtest.DSN(t.TempDir(), nil)
	for range 2 {
		if info, err := s.openPostgres(answers, bad); err == nil || info != (store.Info{}) {
			t.Errorf("%+v, %v where there is no server", info, err)
		}
	}
	if s.Serving(answers) {
		t.Error("a store is open that cannot be")
	}
	s.mustOpenPostgres(answers, database(t, "good"))
	s.submit(http.StatusCreated)
}

// A store moves where its connection says, without a moment in which no answer is taken, and stays where it is until it can.
func TestPostgresMoves(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	first, second := database(t, "first"), database(t, "second")
	s.mustOpenPostgres(answers, first)
	s.submit(http.StatusCreated)
	s.eventually("the answer is counted", func() bool { return s.count() == 1 })
	if _, err := s.openPostgres(answers, pgtest.DSN(t.TempDir(), nil)); err == nil || !s.Serving(answers) {
		t.Errorf("moved nowhere: %v, still open: %t", err, s.Serving(answers))
	}
	s.submit(http.StatusCreated)
	s.eventually("both answers are counted", func() bool { return s.count() == 2 })

	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
				s.submit(http.StatusCreated)
			}
		}
	}()
	s.mustOpenPostgres(answers, second)
	close(done)
	<-ended
	s.submit(http.StatusCreated)
	kept := int64(s.stored())
	if kept == 0 {
		t.Error("nothing is kept in the second database")
	}
	s.eventually("answers are counted in the second database", func() bool { return s.count() == kept })
	s.mustOpenPostgres(answers, first)
	kept = int64(s.stored())
	s.eventually("the first answers are counted again", func() bool { return kept >= 2 && s.count() == kept })
}

// An attempt that nobody waits for any more leaves nothing behind, and holds nobody up.
func TestPostgresAbandoned(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	hanging := (&url.URL{Scheme: "postgres", Host: silent.Addr().String(), Path: "/x", RawQuery: "sslmode=disable&connect_timeout=30"}).String()
	s := start(t, t.TempDir())
	s.serve(form("A"))
	uri := database(t, "abandoned")
	begin := func(want error) {
		t.Helper()
		if _, err := s.OpenPostgres(t.Context(), answers, hanging); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	begin(ErrOpening)
	begin(ErrOpening)
	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	begin(ErrOpening)
	s.mustOpenPostgres(answers, uri)
	s.submit(http.StatusCreated)
	begin(ErrOpening)
	s.mustOpenPostgres(answers, uri) // turned back
	s.submit(http.StatusCreated)
	s.eventually("both are counted", func() bool { return s.count() == 2 })
	begin(ErrOpening)
	// The end does not wait for the server that says nothing.
	began := time.Now()
	if err := s.stop(); err != nil || time.Since(began) > 20*time.Second {
		t.Errorf("the end took %s, %v", time.Since(began), err)
	}
}

// A server that goes away and comes back needs nobody's help. A store that could not be read for long says so meanwhile.
func TestPostgresServerAway(t *testing.T) {
	server, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.mustOpenPostgres(answers, server.DSN(nil))
	s.submit(http.StatusCreated)
	s.eventually("the answer is counted", func() bool { return s.count() == 1 })
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	s.submit(http.StatusServiceUnavailable)
	s.expect(http.StatusOK, http.MethodGet, "/s/sfo/visits/desk", "", "", "")
	s.mustOpenPostgres(answers, server.DSN(nil)) // for a while, nothing is said
	s.silent()
	s.advance(2 * time.Minute)
	s.eventually("the store says that it is not read", func() bool {
		info, err := s.OpenPostgres(t.Context(), answers, server.DSN(nil))
		return errors.Is(err, ErrUnread) && info.Engine == "PostgreSQL"
	})
	s.hear(answers)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	s.eventually("answers are taken", func() bool {
		status, _ := s.call(http.MethodPost, responses, "", "application/json", `{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","touchpoint":"desk","answers":{"ease":7}}`)
		return status == http.StatusCreated || status == http.StatusOK
	})
	s.eventually("they are counted", func() bool { return s.count() == 2 })
	s.mustOpenPostgres(answers, server.DSN(nil))
}

// A ResponseStore that was deleted and made anew with the other engine is another store.
func TestOtherEngine(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	uri := database(t, "engine")
	for i := range 2 {
		s.open()
		s.eventually("SQLite's answers are counted", func() bool { return s.count() == int64(i) })
		s.submit(http.StatusCreated)
		s.mustOpenPostgres(answers, uri)
		s.eventually("PostgreSQL's answers are counted", func() bool { return s.count() == int64(i) })
		s.submit(http.StatusCreated)
	}
}

func TestSchema(t *testing.T) {
	long := strings.Repeat("n", 52)
	seen := map[string]bool{}
	for _, c := range []struct{ namespace, name, want string }{
		{"sfo", "answers", "cx_sfo_answers"},
		{"s-f-o", "a-1", "cx_s-f-o_a-1"},
		{"sfo", long, "cx_sfo_" + long},
		{"sfo12345", long, ""},
		{"sfo12346", long, ""},
		{strings.Repeat("s", 63), long, ""},
	} {
		got := Schema(store.Key{Namespace: c.namespace, Name: c.name})
		if c.want != "" && got != c.want || len(got) > 63 || seen[got] || !strings.HasPrefix(got, "cx") {
			t.Errorf("schema of %s/%s: %q, want %q", c.namespace, c.name, got, c.want)
		}
		seen[got] = true
	}
}
