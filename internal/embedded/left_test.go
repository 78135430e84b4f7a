package embedded

import (
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

// What a store holds of a program is known whether it is open or not, and asking makes no file.
func TestHolds(t *testing.T) {
	s := start(t, t.TempDir())
	holds := func(want bool) {
		t.Helper()
		if got, err := s.Holds(t.Context(), answers, visits); err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	holds(false)
	if _, exists := s.StorePath(answers); exists {
		t.Error("asking made a file")
	}
	s.serve(form("A"))
	s.open()
	holds(false)
	if empty, err := s.Leave(t.Context(), answers, visits); err != nil || !empty {
		t.Errorf("leaving an empty place: %v, %v", empty, err)
	}
	s.expect(http.StatusNotFound, http.MethodGet, "/s/sfo/visits/desk", "", "", "")
	if s.Serving(answers) {
		t.Error("the store is open still")
	}
	s.serve(form("A"))
	s.open()
	s.submit(http.StatusCreated)
	holds(true)
	if empty, err := s.Leave(t.Context(), answers, visits); err != nil || empty {
		t.Errorf("leaving a place with an answer: %v, %v", empty, err)
	}
	s.submit(http.StatusCreated) // served on, without an interruption
	if other, err := s.Holds(t.Context(), answers, store.Key{Namespace: "sfo", Name: "other"}); err != nil || other {
		t.Errorf("another program: %v, %v", other, err)
	}
	if err := s.CloseStore(answers); err != nil {
		t.Fatal(err)
	}
	holds(true)
	if s.Serving(answers) {
		t.Error("asking left the store open")
	}
}

func TestDeleteStore(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.open()
	s.submit(http.StatusCreated)
	for _, uid := range []string{"u1", "u1", "", "", "u2"} {
		if err := s.Mark(answers, uid); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Marked(answers); err != nil || got != uid {
			t.Errorf("marked %q, %v; want %q", got, err, uid)
		}
	}
	if keys, err := s.AllMarked(); err != nil || !slices.Equal(keys, []store.Key{answers}) {
		t.Errorf("marked are %v, %v", keys, err)
	}
	for range 2 { // again after a crash in between
		if err := s.DeleteStore(answers); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(s.options.Dir + "/sfo/stores"); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	s.submit(http.StatusServiceUnavailable)
	if keys, err := s.AllMarked(); err != nil || len(keys) > 0 {
		t.Errorf("marked are %v, %v", keys, err)
	}
}
