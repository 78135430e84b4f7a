package controllers_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// While another process has the store open, nothing can be saved, and the conditions say so.
func TestStoreInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := sqlite.Open(t.Context(), w.storePath("answers"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.applyYAML(missedVisits())
	rs := becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "False/StoreUnavailable", "Reconciling", "True/Waiting")
	if rs.Status.Engine != "" {
		t.Errorf("engine %q of a store that was never opened", rs.Status.Engine)
	}
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotReady", "SurveyCompiled", "True/Compiled")
	w.settle()
	w.expectPage("desk", http.StatusOK)
	if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusServiceUnavailable {
		t.Errorf("an answer that cannot be saved got %d, want 503", status)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	rs = becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
	if rs.Status.Engine != "SQLite" || rs.Status.SchemaVersion < 1 {
		t.Errorf("status %+v", rs.Status)
	}
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.eventually("answers are taken", func() error {
		if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusCreated {
			return fmt.Errorf("%d", status)
		}
		return nil
	})
}

// A deleted store takes no answers; verdicts become history, breaches stand, and all of it recovers with the store.
func TestStoreDeleted(t *testing.T) {
	t.Parallel()
	w := startMissed(t)
	before := get[*v1alpha1.Touchpoint](w, "desk").Status
	events := len(w.events())
	remove[*v1alpha1.ResponseStore](w, "answers")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotFound")
	w.settle()
	if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusServiceUnavailable {
		t.Errorf("an answer got %d, want 503", status)
	}
	if diff := cmp.Diff(before.Objectives, get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives); diff != "" {
		t.Errorf("within the time allowed the verdict moved (-before +now):\n%s", diff)
	}

	w.clock.Advance(staleAfter + time.Second)
	w.eventually("the verdict is history", func() error {
		if o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]; o.State != v1alpha1.StateStale {
			return fmt.Errorf("state %s", o.State)
		}
		return nil
	})
	w.settle()
	desk := get[*v1alpha1.Touchpoint](w, "desk")
	stale := before.Objectives[0]
	stale.State, stale.StateSince = v1alpha1.StateStale, desk.Status.Objectives[0].StateSince
	if diff := cmp.Diff(stale, desk.Status.Objectives[0]); diff != "" {
		t.Errorf("figures moved (-before +now):\n%s", diff)
	}
	if diff := cmp.Diff(before.Breaches, desk.Status.Breaches); diff != "" {
		t.Errorf("breaches moved (-before +now):\n%s", diff)
	}
	if state := w.series("cx_objective_state", "touchpoint", "state"); state["state=Stale,touchpoint=desk"] != 1 {
		t.Errorf("states %v", state)
	}

	w.applyYAML(sqliteStore("answers"))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.eventually("the verdict is back", func() error {
		o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]
		if figures(o) != figures(before.Objectives[0]) {
			return fmt.Errorf("%s", figures(o))
		}
		return nil
	})
	w.settle()
	if diff := cmp.Diff(before.Breaches, get[*v1alpha1.Touchpoint](w, "desk").Status.Breaches); diff != "" {
		t.Errorf("breaches (-before +now):\n%s", diff)
	}
	w.eventually("one event tells where the answers are", func() error {
		seen := w.events()
		kept := "ResponseStore/answers DataRetained: the file " + w.storePath("answers") + " of the operator keeps the answers"
		if len(seen) != events+1 || seen[kept] != 1 {
			return fmt.Errorf("events %v, want %q alone to be new", seen, kept)
		}
		return nil
	})
}
