package controllers_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const crashProgram = `
  ownerRef: {name: company}
  privacy: {release: Guarded}
`

const crashTouchpoint = `
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: desk}
spec:
  displayName: Desk
  programRef: {name: visits}
  stage: During
  importance: Critical
  ownerRef: {name: company}
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80}]
  onMissed: {actionPlan: {mode: Create}}
`

// missedVisits is a small program whose one touchpoint will miss its objective.
func missedVisits() string {
	return teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" + visits(crashProgram) + "---" + crashTouchpoint
}

// missed waits until the missed objective has been followed up to the end.
func (w *world) missed() {
	w.t.Helper()
	w.eventually("the missed objective has its plan", func() error {
		desk := get[*v1alpha1.Touchpoint](w, "desk")
		if len(desk.Status.Breaches) != 1 || desk.Status.Breaches[0].PlanRef == nil {
			return fmt.Errorf("breaches %+v", desk.Status.Breaches)
		}
		plans := w.plans()
		if len(plans) != 1 || plans[0].Status.Baseline == nil {
			return fmt.Errorf("plans %+v", plans)
		}
		if n := w.op.endpoint.Addr(); n == nil {
			return fmt.Errorf("the endpoint does not listen")
		}
		return is(desk, "Ready", "True/Reconciled")
	})
	w.settle()
}

// The operator is cut off after each of its writes in turn, and started again. Wherever that was, it ends in the state of
// an operator that was left alone: one plan, the same breaches, nothing twice.
func TestCrashAfterEveryWrite(t *testing.T) {
	t.Parallel()
	calm := newWorld(t)
	calm.start()
	calm.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](calm, "desk", "Ready", "True/Reconciled")
	calm.importAnswers("visits", repeated(40, "desk", "ease", 2))
	calm.missed()
	want, writes := calm.summary(), calm.api.writes()
	calm.stop()
	if writes < 8 || writes > 40 {
		t.Fatalf("%d writes without a crash: the test would prove too little, or last too long", writes)
	}

	for k := 1; k <= writes; k++ {
		t.Run(fmt.Sprintf("after write %d", k), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start()
			killed := w.api.killAfter(k)
			w.applyYAML(missedVisits())
			imported := false
			var opened time.Time
			w.eventually("the crash, or the end", func() error {
				select {
				case <-killed:
					opened = w.breachSince()
					return nil
				default:
				}
				if imported = imported || w.importOnce(); imported && w.finished() {
					return nil
				}
				return errors.New("neither yet")
			})
			w.restart()
			w.eventually("the import", func() error {
				if imported = imported || w.importOnce(); !imported {
					return errors.New("the page is not served")
				}
				return nil
			})
			w.missed()
			if diff := cmp.Diff(want, w.summary()); diff != "" {
				t.Errorf("the state differs (-calm +this):\n%s", diff)
			}
			if since := w.breachSince(); !opened.IsZero() && !since.Equal(opened) {
				t.Errorf("the breach was open since %s, and after the crash since %s", opened, since)
			}
			for event, n := range w.events() {
				if n > 1 {
					t.Errorf("%q %d times", event, n)
				}
			}
		})
	}
}

// importOnce tries to import the answers, and says whether they are in.
func (w *world) importOnce() bool {
	w.t.Helper()
	desk := &v1alpha1.Touchpoint{}
	if w.c.Get(w.t.Context(), w.key("desk"), desk) != nil || is(desk, "Ready", "True/Reconciled") != nil {
		return false
	}
	return w.tryImport("visits", repeated(40, "desk", "ease", 2)) == nil
}

// finished says whether there was nothing left to cut off.
func (w *world) finished() bool {
	plans := w.plans()
	breaches := get[*v1alpha1.Touchpoint](w, "desk").Status.Breaches
	return len(plans) == 1 && plans[0].Status.Baseline != nil && len(breaches) == 1 && breaches[0].PlanRef != nil
}

// breachSince is since when the objective stands missed; zero where it does not.
func (w *world) breachSince() time.Time {
	w.t.Helper()
	desk := &v1alpha1.Touchpoint{}
	if w.c.Get(w.t.Context(), w.key("desk"), desk) != nil {
		return time.Time{}
	}
	for _, b := range desk.Status.Breaches {
		if b.Type == v1alpha1.BreachObjectiveMissed {
			return b.Since.Time
		}
	}
	return time.Time{}
}
