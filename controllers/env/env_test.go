package env

import (
	"testing"
	"time"
)

// A standby's time does not count: it acts since its first pass.
func TestActingSince(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := &Env{Clock: func() time.Time { return now }}
	now = now.Add(time.Hour) // it stood by
	first := now
	if got := e.ActingSince(); !got.Equal(first) {
		t.Errorf("at the first pass: %s, want %s", got, first)
	}
	now = now.Add(time.Minute)
	if got := e.ActingSince(); !got.Equal(first) {
		t.Errorf("a minute later: %s, want still %s", got, first)
	}
	given := &Env{Clock: func() time.Time { return now }, Started: first.Add(-time.Hour)}
	if got := given.ActingSince(); !got.Equal(given.Started) {
		t.Errorf("where it was told: %s, want %s", got, given.Started)
	}
}
