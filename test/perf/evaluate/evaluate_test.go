package main

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Only a touchpoint that was answered is judged again: neither its neighbours nor anybody else, and nobody where nothing came.
func TestOnlyWhatChangedIsJudged(t *testing.T) {
	const touchpoints = 300
	w := newWorld()
	w.fillBook(densities[0], touchpoints)
	subjects, err := w.subjects(densities[0], touchpoints)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range subjects {
		if err := w.pass(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, judged, err := w.judgeChanged(subjects, 0); err != nil || judged != touchpoints/oneOf {
		t.Errorf("%d of %d touchpoints were answered, %d judged: %v", touchpoints/oneOf, touchpoints, judged, err)
	}
	// The feed tells the same again, as after a read that failed: nothing is news.
	if _, judged, err := w.judgeChanged(subjects, 0); err != nil || judged != 0 {
		t.Errorf("without a new answer %d were judged: %v", judged, err)
	}
	w.now = w.now.Add(time.Hour)
	if places := w.env.Book.Apply(source, store.Changes{}, w.now); len(places) != 0 {
		t.Errorf("an hour without an answer has %d touchpoints judged", len(places))
	}
}

// What nobody answers is judged when its oldest answer leaves the window, and at the day's end, and not before.
func TestUnchangedIsJudgedAtItsWindowsEdge(t *testing.T) {
	w := newWorld()
	subjects, err := w.subjects(densities[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, time.November, 10, 23, 0, 0, 0, time.UTC) // its end in Berlin
	oldest := w.first() + 3
	for name, c := range map[string]struct {
		first store.Hour
		want  time.Time
	}{
		"an answer that leaves today": {oldest, (oldest + windowHours).Time()},
		"none that leaves today":      {w.first() + 100, day},
	} {
		t.Run(name, func(t *testing.T) {
			w.env.Book.Apply(source, store.Changes{Reset: true, Counts: []store.Count{count(0, cell{satisfied, "5", c.first}, 100)}}, w.now)
			out, err := w.judge(subjects[0])
			if err != nil {
				t.Fatal(err)
			}
			if !out.Next.Equal(c.want) {
				t.Errorf("judged again at %s, want %s", out.Next, c.want)
			}
		})
	}
}
