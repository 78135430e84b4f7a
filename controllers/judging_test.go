package controllers_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// Without an import, a missed objective is judged when the program's day ends, to the second.
func TestDayIsJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(noon(t))
	w.startManual()
	w.applyYAML(missedVisits())
	w.settleManually()
	for range 40 {
		w.post("visits", answer("desk", "ease", 2))
	}
	w.at(noon(t).Add(time.Minute))
	w.settleManually()
	desk := get[*v1alpha1.Touchpoint](w, "desk")
	if desk.Status.Objectives[0].State != v1alpha1.StateMissed || len(desk.Status.Breaches) > 0 {
		t.Errorf("%s with breaches %q, want Missed without a breach before it is judged", figures(desk.Status.Objectives[0]), breachesOf(desk))
	}
	midnight, err := plan.DayEnd(noon(t).In(losAngeles(t)).Format(time.DateOnly), losAngeles(t))
	if err != nil {
		t.Fatal(err)
	}
	w.wait(w.reconcileUntilStill("Touchpoint", "desk"), midnight)
	w.at(midnight.Add(-time.Second))
	w.wait(w.reconcileUntilStill("Touchpoint", "desk"), midnight)
	if got := breachesOf(get[*v1alpha1.Touchpoint](w, "desk")); got != nil {
		t.Errorf("breaches %q a second before the day ends", got)
	}
	w.at(midnight)
	w.settleManually()
	desk = get[*v1alpha1.Touchpoint](w, "desk")
	w.expectBreach(desk, v1alpha1.BreachObjectiveMissed, "", midnight)
	if n := len(w.plans()); n != 1 {
		t.Errorf("%d plans", n)
	}
}

// A breach closes for its reason: the promise changed, or it was taken back.
func TestBreachClosesForItsReason(t *testing.T) {
	t.Parallel()
	for reason, edit := range map[string]func(*v1alpha1.Touchpoint){
		v1alpha1.ReasonObjectiveChanged: func(tp *v1alpha1.Touchpoint) { tp.Spec.Objectives[0].Target = intstr.FromInt32(1) },
		v1alpha1.ReasonRemoved:          func(tp *v1alpha1.Touchpoint) { tp.Spec.Objectives[0].Name = "another" },
	} {
		t.Run(reason, func(t *testing.T) {
			w := startMissed(t)
			change(w, "desk", edit)
			w.eventually("the breach closes", func() error {
				if got := breachesOf(get[*v1alpha1.Touchpoint](w, "desk")); len(got) > 0 {
					return fmt.Errorf("%q", got)
				}
				return nil
			})
			w.expectEvent("Touchpoint/desk " + reason + ": closed: ObjectiveMissed of objective easy")
			w.settle()
			if n := len(w.plans()); n != 1 {
				t.Errorf("%d plans, want the one that people may still need", n)
			}
			if open := w.series("cx_accountability_breach", "type")["type=ObjectiveMissed"]; open != 0 {
				t.Errorf("%v series of the closed breach", open)
			}
		})
	}
}

// Answers that come back above the target close the breach.
func TestRecovery(t *testing.T) {
	t.Parallel()
	w := startMissed(t)
	w.importAnswers("visits", repeated(2000, "desk", "ease", 7))
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "ObjectivesMet", "True/AllMet")
	if got := breachesOf(desk); got != nil {
		t.Errorf("breaches %q", got)
	}
	w.expectEvent("Touchpoint/desk Recovered: closed: ObjectiveMissed of objective easy")
}

// A plan that the API server refuses is missing, until it takes it.
func TestPlanThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/actionplans.cx-operator.io": resource.MustParse("0")}},
	}
	if err := w.c.Create(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	none.Status = corev1.ResourceQuotaStatus{ // as the controller of quotas does, which does not run here
		Hard: none.Spec.Hard, Used: corev1.ResourceList{"count/actionplans.cx-operator.io": resource.MustParse("0")},
	}
	if err := w.c.Status().Update(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	w.eventually("plans are refused", func() error {
		p := &v1alpha1.ActionPlan{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "try"},
			Spec:       v1alpha1.ActionPlanSpec{ProgramRef: &v1alpha1.NameRef{Name: "visits"}, Objective: "o", Problem: "p", DueDate: "2099-01-01"},
		}
		if err := w.c.Create(t.Context(), p, client.DryRunAll); apierrors.IsForbidden(err) {
			return nil
		}
		return errors.New("not yet")
	})
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(40, "desk", "ease", 2))
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "Accountable", "False/PlanMissing", "ObjectivesMet", "False/ObjectiveMissed")
	w.expectBreach(desk, v1alpha1.BreachPlanMissing, "", w.breachSince())
	if err := w.c.Delete(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	becomes[*v1alpha1.Touchpoint](w, "desk", "Accountable", "True/NothingDue")
	w.missed()
}

// A survey that cannot be kept is not served, and the conditions say that it is tried again.
func TestSurveyThatCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blocked := filepath.Join(w.dir, w.ns, "surveys")
	if err := errors.Join(os.MkdirAll(filepath.Dir(blocked), 0o700), os.WriteFile(blocked, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/Retrying", "Reconciling", "True/Waiting", "Stalled", "False/AsExpected")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/Waiting")
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
}
