package embedded

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

func TestCloseStore(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.open()
	s.submit(http.StatusCreated)
	s.eventually("the answer is counted", func() bool { return s.count() == 1 })
	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseStore(answers); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	s.submit(http.StatusServiceUnavailable)
	s.expect(http.StatusOK, http.MethodGet, "/s/sfo/visits/desk", "", "", "")
	if s.count() != 1 {
		t.Error("counts that a program needs are gone, before they are stale")
	}
	s.open()
	s.submit(http.StatusCreated)
	s.eventually("both answers are counted", func() bool { return s.count() == 2 })

	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(visits); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.options.Book.ReadAt(answers.String()); ok {
		t.Error("counts that nobody needs are kept")
	}
}

func TestStoreOfAnotherProcess(t *testing.T) {
	s := start(t, t.TempDir())
	path := s.options.Dir + "/sfo/stores/answers.sqlite"
	other, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenStore(t.Context(), answers); !errors.Is(err, store.ErrLocked) {
		t.Errorf("error %v, want ErrLocked", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.open() // again is harmless
}

// After the end nothing is opened any more, and the stores are free for the next process.
func TestEnd(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.serve(form("A"))
	s.open()
	s.submit(http.StatusCreated)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenStore(t.Context(), answers); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	s.notify([]store.Key{visits}) // ends at once though nobody listens
	next := start(t, dir)
	next.serve(form("A"))
	next.open()
	next.eventually("the answer is still there", func() bool { return next.count() == 1 })
}

func TestAddressInUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e, err := New(Options{Dir: t.TempDir(), Address: taken.Addr().String(), PublicURL: "http://survey.test", Book: rollup.NewBook(), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listen for answers") {
		t.Errorf("error %v, want that of the address", err)
	}
}

// A store that cannot be read for too long is told of once when it becomes stale, and once when it is fresh again.
func TestStaleStoreIsToldOf(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.open()
	s.submit(http.StatusCreated)
	s.eventually("the answer is counted", func() bool { return s.count() == 1 })
	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	s.silent()
	s.advance(2 * time.Minute)
	s.tell()
	s.hear(answers)
	if _, err := s.OpenStore(s.t.Context(), answers); err != nil {
		t.Fatal(err)
	}
	s.tell()
	s.hear(answers)
	s.open()
}

// hear waits until subscribers of stores hear of one.
func (s *served) hear(key store.Key) {
	s.t.Helper()
	select {
	case e := <-s.stores:
		if e.Object != key {
			s.t.Errorf("heard of store %s", e.Object)
		}
	case <-time.After(30 * time.Second):
		s.t.Fatal("nobody was told of the store")
	}
}

// Answers past their retention go soon after a start, and then once an hour; their counts stay.
func TestRetention(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.keepUp(s.clock()) // the store is away: still due
	s.open()
	dated := func() string {
		at := s.clock().Add(-31 * 24 * time.Hour).Format(time.RFC3339)
		return fmt.Sprintf(`{"id":%q,"touchpoint":"desk","answers":{"ease":7},"submittedAt":%q}`+"\n", uuid.NewString(), at)
	}
	old := dated()
	s.expect(http.StatusOK, http.MethodPost, responses+":import", tokens.Import, "application/x-ndjson", old)
	s.submit(http.StatusCreated)
	if n := s.stored(); n != 2 {
		t.Fatalf("%d answers before", n)
	}
	s.keepUp(s.clock())
	if n := s.stored(); n != 1 {
		t.Errorf("%d answers after retention, want 1", n)
	}
	again := s.expect(http.StatusOK, http.MethodPost, responses+":import", tokens.Import, "application/x-ndjson", old)
	if n := s.stored(); n != 1 || !strings.Contains(again, `"repeated":1`) {
		t.Errorf("%d answers after the same was sent again, want 1: %s", n, again)
	}

	s.expect(http.StatusOK, http.MethodPost, responses+":import", tokens.Import, "application/x-ndjson", dated())
	s.keepUp(s.clock().Add(59 * time.Minute))
	if n := s.stored(); n != 2 {
		t.Errorf("%d answers within the hour, want 2", n)
	}
	s.keepUp(s.clock().Add(time.Hour))
	if n := s.stored(); n != 1 {
		t.Errorf("%d answers after the hour, want 1", n)
	}
	opened, _ := s.storeOf(answers.String())
	if check, err := opened.Recount(t.Context(), visits); err != nil || len(check.Differences) > 0 {
		t.Errorf("recount %+v, %v", check, err)
	}
}

func (s *served) stored() int {
	s.t.Helper()
	text := s.expect(http.StatusOK, http.MethodGet, responses, tokens.Read, "", "")
	return strings.Count(text, "\n")
}
