package actionplan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var noon = metav1.NewTime(time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC))

// Other plans look again where a plan's course changes, not where its clocks or its outbox do.
func TestCourseChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.ActionPlan)
		want   bool
	}{
		"nothing":       {func(*v1alpha1.ActionPlan) {}, false},
		"the spec":      {func(p *v1alpha1.ActionPlan) { p.Generation++ }, true},
		"its start":     {func(p *v1alpha1.ActionPlan) { p.Status.StartedTime = &noon }, true},
		"its baseline":  {func(p *v1alpha1.ActionPlan) { p.Status.Effect.Baseline = &v1alpha1.EffectWindow{From: noon} }, true},
		"its outcome":   {func(p *v1alpha1.ActionPlan) { p.Status.Effect.Outcome = &v1alpha1.EffectWindow{To: noon} }, true},
		"its verdict":   {func(p *v1alpha1.ActionPlan) { p.Status.Effect.JudgedTime = &noon }, true},
		"its deletion":  {func(p *v1alpha1.ActionPlan) { p.DeletionTimestamp = &noon }, true},
		"its conflicts": {func(p *v1alpha1.ActionPlan) { p.Status.Conflicts = []string{"other"} }, false},
		"a breach":      {func(p *v1alpha1.ActionPlan) { p.Status.Breaches = []v1alpha1.Breach{{}} }, false},
		"its outbox":    {func(p *v1alpha1.ActionPlan) { p.Status.Outbox = []v1alpha1.Notice{{}} }, false},
	} {
		last := &v1alpha1.ActionPlan{Status: v1alpha1.ActionPlanStatus{Effect: &v1alpha1.Effect{}}}
		next := last.DeepCopy()
		c.change(next)
		if got := courseChanged.Update(event.UpdateEvent{ObjectOld: last, ObjectNew: next}); got != c.want {
			t.Errorf("%s passes: %v, want %v", name, got, c.want)
		}
	}
}

// Steps of the escalation stay counted while the deadline is the same, and begin anew with another.
func TestCounted(t *testing.T) {
	later := metav1.NewTime(noon.Add(time.Hour))
	open := func(kind v1alpha1.BreachType, item string, since metav1.Time, steps int32) v1alpha1.Breach {
		return v1alpha1.Breach{Type: kind, Item: item, Since: since, Escalated: steps}
	}
	before := []v1alpha1.Breach{open("PlanOverdue", "", noon, 2), open("ActionOverdue", "a", noon, 1), open("ActionOverdue", "gone", noon, 1)}
	now := []v1alpha1.Breach{open("PlanOverdue", "", noon, 0), open("ActionOverdue", "a", later, 0), open("ActionOverdue", "b", noon, 0)}
	want := []v1alpha1.Breach{open("PlanOverdue", "", noon, 2), open("ActionOverdue", "a", later, 0), open("ActionOverdue", "b", noon, 0)}
	if diff := cmp.Diff(want, counted(before, now)); diff != "" {
		t.Error(diff)
	}
	if now[0].Escalated != 0 {
		t.Error("the argument was changed")
	}
}

// A plan that was in progress before the operator knew of starts began when it was first seen so.
func TestNoteStart(t *testing.T) {
	for state, want := range map[v1alpha1.WorkState]bool{
		v1alpha1.WorkNotStarted: false, v1alpha1.WorkOnHold: false, v1alpha1.WorkCancelled: false,
		v1alpha1.WorkInProgress: true, v1alpha1.WorkComplete: true,
	} {
		p := &v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{State: state}, Status: v1alpha1.ActionPlanStatus{State: state, StateSince: &noon}}
		noteStart(p)
		if began := p.Status.StartedTime != nil; began != want || began && !p.Status.StartedTime.Equal(&noon) {
			t.Errorf("%s: started %v", state, p.Status.StartedTime)
		}
	}
	p := &v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{State: v1alpha1.WorkComplete}}
	earlier := metav1.NewTime(noon.Add(-time.Hour))
	p.Status.StartedTime, p.Status.StateSince = &earlier, &noon
	noteStart(p)
	if !p.Status.StartedTime.Equal(&earlier) {
		t.Errorf("started %s, want the first start", p.Status.StartedTime)
	}
}
