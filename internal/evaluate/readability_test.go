package evaluate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// wantSame compares the stored status.
func (w *world) wantSame(want Previous) {
	w.t.Helper()
	got := persisted(w.t, Output{Objectives: w.status.Objectives, Breaches: w.status.Breaches, Judged: w.status.Judged})
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Fatalf("the status changed:\n%s", diff)
	}
}

// Before the first read nothing is known, and so nothing changes: not even what the spec changed.
func TestUnread(t *testing.T) {
	w := missedEpisode(t)
	before := w.status
	w.in.Readability = Unread
	w.answers = nil
	w.in.LastImport = "import"
	other := csat(1)
	other.Name = "other"
	w.in.Objectives = []Objective{csat(66), other}
	w.stepAt(at(t, "2026-12-24T00:00:00Z"))
	w.wantEvents("")
	w.wantSameBut(before)
	if !w.last.Next.IsZero() {
		t.Errorf("next %s, want never: only a read can help", w.last.Next)
	}

	w = newWorld(t, csat(65))
	w.in.Readability = Unread
	if out := w.step(); len(out.Objectives) != 0 || out.Judged != nil {
		t.Fatalf("a new resource has %+v", out)
	}
}

// wantSameBut compares but for the breach of another type, which the harness dates anew.
func (w *world) wantSameBut(want Previous) {
	w.t.Helper()
	want.Breaches = missedBreaches(want.Breaches)
	got := w.status
	got.Breaches = missedBreaches(got.Breaches)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Fatalf("the status changed:\n%s", diff)
	}
}

// Stale freezes everything but the state; back again, what was missed is judged, and what changed is seen.
func TestStale(t *testing.T) {
	w := missedEpisode(t)
	before := w.status
	w.in.Readability = Stale
	w.answer(5, 1000)
	w.in.LastImport = "import"
	w.stepAt(at(t, "2026-11-12T12:00:00Z"))
	w.wantState(v1alpha1.StateStale)
	w.wantEvents("")
	w.wantFigures(figures(before.Objectives[0]))
	if got := w.last.Objectives[0]; !got.StateSince.Time.Equal(w.now) || got.Responses != 40 {
		t.Fatalf("objective %+v", got)
	}
	if diff := cmp.Diff(before.Judged, w.last.Judged); diff != "" {
		t.Fatalf("judged while stale:\n%s", diff)
	}
	since := w.now
	w.stepAt(at(t, "2026-11-13T12:00:00Z"))
	if got := w.last.Objectives[0].StateSince; !got.Time.Equal(since) {
		t.Fatalf("since %s, want %s", got, since)
	}
	w.in.Readability = Fresh
	w.step()
	w.wantState(v1alpha1.StateMet)
	w.wantEvents("-satisfaction Recovered")
	if got := *w.last.Judged; got != (v1alpha1.Judging{Through: "2026-11-12", Import: "import"}) {
		t.Fatalf("judged %+v", got)
	}
}

// Coming back without a release, the verdict is that of the published figures.
func TestBackFromStaleWithoutRelease(t *testing.T) {
	w := missedEpisode(t)
	w.in.Readability = Stale
	w.step()
	w.in.Readability = Fresh
	w.answer(5, 4) // not enough to move the figures
	w.step()
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("")
}

func TestChangeWhileStale(t *testing.T) {
	tests := map[string]struct {
		objectives []Objective
		want       string
	}{
		"target":  {[]Objective{csat(66)}, "-satisfaction ObjectiveChanged"},
		"removed": {nil, "-satisfaction Removed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := missedEpisode(t)
			answers := w.answers
			w.in.Objectives = tt.objectives
			w.in.Readability = Stale
			w.stepAt(w.now.Add(time.Hour))
			w.wantEvents("")
			if len(w.last.Breaches) != 1 || len(w.last.Objectives) != len(tt.objectives) {
				t.Fatalf("output %+v", w.last)
			}
			w.in.Readability, w.answers = Fresh, answers
			w.stepAt(w.now.Add(time.Hour))
			w.wantEvents(tt.want)
		})
	}
}

// An objective that was never judged is Stale too, without figures.
func TestNewObjectiveWhileStale(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Readability = Stale
	w.unsatisfied()
	w.step()
	w.wantState(v1alpha1.StateStale)
	w.wantFigures("-")
	if got := w.last.Objectives[0]; got.Responses != 0 || got.Target != "65.00" || w.last.Judged != nil {
		t.Fatalf("objective %+v", got)
	}
	w.in.Readability = Fresh
	w.in.LastImport = "import"
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed")
}
