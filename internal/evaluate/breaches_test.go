package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// AtRisk keeps a breach open, OnTrack and Met close it, at once.
func TestHysteresis(t *testing.T) {
	w := missedEpisode(t) // 8 of 40
	opened := w.last.Breaches[0]
	w.now = w.now.Add(time.Hour)
	w.answer(5, 40) // 48 of 80
	w.step()
	w.wantState(v1alpha1.StateAtRisk)
	w.wantEvents("")
	if len(w.last.Breaches) != 1 || !w.last.Breaches[0].Since.Equal(&opened.Since) {
		t.Fatalf("breaches %+v, want the one since %s", w.last.Breaches, opened.Since)
	}
	w.answer(5, 20) // 68 of 100
	w.step()
	w.wantState(v1alpha1.StateOnTrack)
	w.wantEvents("-satisfaction Recovered")
	w.answer(1, 10) // 68 of 110: AtRisk again opens nothing, not even where the day ends
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	w.wantState(v1alpha1.StateAtRisk)
	w.wantEvents("")

	w = missedEpisode(t)
	w.answer(5, 1000)
	w.step()
	w.wantState(v1alpha1.StateMet)
	w.wantEvents("-satisfaction Recovered")
}

// A breach that stands is not opened again at later judging points, and keeps its plan.
func TestEpisodeGoesOn(t *testing.T) {
	w := missedEpisode(t)
	since := w.last.Breaches[0].Since
	w.status.Breaches[0].PlanRef = &v1alpha1.PlanRef{Name: "food-satisfaction-20261111"}
	w.in.LastImport = "import"
	w.stepAt(at(t, "2026-11-15T12:00:00Z"))
	w.wantEvents("")
	b := w.last.Breaches
	if len(b) != 1 || b[0].PlanRef == nil || b[0].PlanRef.Name != "food-satisfaction-20261111" || !b[0].Since.Equal(&since) {
		t.Fatalf("breaches %+v", b)
	}
}

func TestObjectiveChanged(t *testing.T) {
	changes := map[string]func(*Objective){
		"target":     func(o *Objective) { *o = csat(66) },
		"definition": func(o *Objective) { o.WindowDays = 89 },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := missedEpisode(t)
			w.in.LastImport = "import"
			w.step()
			w.wantEvents("")
			change(&w.in.Objectives[0])
			w.stepAt(w.now.Add(time.Hour))
			w.wantState(v1alpha1.StateMissed)
			w.wantEvents("-satisfaction ObjectiveChanged")
			w.stepAt(w.now.Add(time.Hour)) // the import was judged before
			w.wantEvents("")
			w.stepAt(at(t, "2026-11-12T00:00:00Z"))
			w.wantEvents("+satisfaction ObjectiveMissed")
		})
	}
}

func TestTargetsAreComparedAsNumbers(t *testing.T) {
	w := missedEpisode(t)
	w.in.Objectives[0].TargetText = "65"
	w.step()
	w.wantEvents("")
	w.in.Objectives[0].TargetText = "not what the target is"
	w.step()
	w.wantEvents("")
	if got := w.last.Objectives[0].Target; got != "65" {
		t.Fatalf("target %q, want 65", got)
	}
}

// Where an objective changes and is judged Missed in the same pass, one episode ends and another begins.
func TestChangedAndMissedAtOnce(t *testing.T) {
	setups := map[string]func(*world){
		"day":        func(w *world) { w.now = at(t, "2026-11-12T00:00:00Z") },
		"import":     func(w *world) { w.in.LastImport = "import" },
		"continuous": func(w *world) { w.in.Rules.Judging = v1alpha1.JudgingContinuous },
	}
	for name, set := range setups {
		t.Run(name, func(t *testing.T) {
			w := missedEpisode(t)
			w.status.Breaches[0].PlanRef = &v1alpha1.PlanRef{Name: "old"}
			w.now = w.now.Add(time.Hour)
			w.in.Objectives[0] = csat(66)
			set(w)
			w.step()
			w.wantEvents("-satisfaction ObjectiveChanged; +satisfaction ObjectiveMissed")
			if b := w.last.Breaches; len(b) != 1 || b[0].PlanRef != nil || !b[0].Since.Time.Equal(w.now) {
				t.Fatalf("breaches %+v, want a new episode", b)
			}
		})
	}
}

// After a whole window of too few answers the breach has no evidence any more.
func TestEvidenceExpired(t *testing.T) {
	w := missedEpisode(t)                   // answers of 2026-11-10T12
	w.stepAt(at(t, "2027-02-08T11:59:59Z")) // 90 days later they are about to leave
	w.wantState(v1alpha1.StateMissed)
	entered := at(t, "2027-02-08T12:00:00Z")
	w.stepAt(entered)
	w.wantState(v1alpha1.StateInsufficientData)
	w.wantFigures("-")
	w.wantEvents("")
	expires := entered.Add(90 * 24 * time.Hour)
	w.stepAt(expires.Add(-time.Second))
	w.wantEvents("")
	if !w.last.Next.Equal(expires) {
		t.Fatalf("next %s, want the expiry %s", w.last.Next, expires)
	}
	w.stepAt(expires)
	w.wantEvents("-satisfaction EvidenceExpired")
	w.stepAt(expires.Add(24 * time.Hour))
	w.wantEvents("")
}

// Enough answers in between, and the clock of expiry begins anew.
func TestEvidenceComesBack(t *testing.T) {
	w := missedEpisode(t)
	w.stepAt(at(t, "2027-02-08T12:00:00Z"))
	w.stepAt(at(t, "2027-03-08T12:00:00Z"))
	w.unsatisfied()
	w.step()
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("")
	w.stepAt(at(t, "2027-06-06T12:00:00Z"))
	w.wantState(v1alpha1.StateInsufficientData)
	w.wantEvents("")
	if len(w.last.Breaches) != 1 {
		t.Fatal("the breach is gone")
	}
}

func TestRemoved(t *testing.T) {
	w := missedEpisode(t)
	other := csat(1)
	other.Name = "other"
	w.in.Objectives = []Objective{other}
	w.step()
	w.wantEvents("-satisfaction Removed")
	if len(w.last.Objectives) != 1 || w.last.Objectives[0].Name != "other" {
		t.Fatalf("objectives %+v", w.last.Objectives)
	}

	w = missedEpisode(t)
	w.in.Objectives = nil
	w.answers = nil
	w.step()
	w.wantEvents("-satisfaction Removed")
}

// A breach whose objective has no status entry cannot be told to be of the same definition.
func TestBreachWithoutStatus(t *testing.T) {
	w := missedEpisode(t)
	w.status.Objectives = nil
	w.step()
	w.wantEvents("-satisfaction ObjectiveChanged")
}

// Breaches of other types are not this package's, and repeated ones count once.
func TestOtherBreaches(t *testing.T) {
	w := missedEpisode(t)
	again := *w.status.Breaches[0].DeepCopy()
	again.PlanRef = &v1alpha1.PlanRef{Name: "second"}
	w.status.Breaches = append(w.status.Breaches, again,
		v1alpha1.Breach{Type: v1alpha1.BreachPlanMissing, Objective: "satisfaction"},
		v1alpha1.Breach{Type: v1alpha1.BreachPlanMissing, Objective: "gone"})
	w.step()
	w.wantEvents("")
	if b := w.last.Breaches; len(b) != 1 || b[0].Type != v1alpha1.BreachObjectiveMissed || b[0].PlanRef != nil {
		t.Fatalf("breaches %+v", b)
	}
}

// The output shares nothing with the input.
func TestInputIsNotChanged(t *testing.T) {
	w := missedEpisode(t)
	w.status.Breaches[0].PlanRef = &v1alpha1.PlanRef{Name: "plan"}
	for _, r := range []Readability{Fresh, Unread, Stale} {
		w.in.Readability = r
		before := persisted(t, Output{Objectives: w.status.Objectives, Breaches: w.status.Breaches, Judged: w.status.Judged})
		out, err := w.evaluate()
		if err != nil {
			t.Fatal(err)
		}
		out.Judged.Through = "changed"
		out.Breaches[0].PlanRef.Name = "changed"
		out.Objectives[0].StateSince.Time = time.Time{}
		w.wantSame(before)
	}
}
