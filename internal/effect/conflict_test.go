package effect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func planOf(name string, state v1alpha1.WorkState, change ...func(*v1alpha1.ActionPlan)) v1alpha1.ActionPlan {
	p := v1alpha1.ActionPlan{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec = v1alpha1.ActionPlanSpec{TouchpointRef: &v1alpha1.NameRef{Name: "desk"}, Objective: "easy", State: state}
	p.Status.State = state
	for _, c := range change {
		c(&p)
	}
	return p
}

func started(at time.Time) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) { p.Status.StartedTime = &metav1.Time{Time: at} }
}

// windows gives a plan a baseline and an outcome.
func windows(from, to time.Time) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Status.Effect = &v1alpha1.Effect{
			Baseline: &v1alpha1.EffectWindow{From: metav1.NewTime(from)}, Outcome: &v1alpha1.EffectWindow{To: metav1.NewTime(to)},
		}
	}
}

func TestConflicts(t *testing.T) {
	judged := func(p *v1alpha1.ActionPlan) { p.Status.Effect.JudgedTime = &metav1.Time{Time: begin} }
	for name, c := range map[string]struct {
		a, b v1alpha1.ActionPlan
		want bool
	}{
		"two open plans": {planOf("a", v1alpha1.WorkInProgress), planOf("b", v1alpha1.WorkNotStarted), true},
		"for a program":  {program(planOf("a", v1alpha1.WorkInProgress)), program(planOf("b", v1alpha1.WorkOnHold)), true},
		"for a program and its touchpoint": {
			planOf("a", v1alpha1.WorkInProgress), program(planOf("b", v1alpha1.WorkInProgress)), false},
		"for two objectives": {planOf("a", v1alpha1.WorkInProgress), planOf("b", v1alpha1.WorkInProgress, func(p *v1alpha1.ActionPlan) {
			p.Spec.Objective = "other"
		}), false},
		"a cancelled plan": {planOf("a", v1alpha1.WorkInProgress), planOf("b", v1alpha1.WorkCancelled), false},
		"a plan that is judged": {planOf("a", v1alpha1.WorkInProgress, started(begin)),
			planOf("b", v1alpha1.WorkComplete, started(begin), windows(begin, begin.Add(9*day)), judged), false},
		"a plan that is being deleted": {planOf("a", v1alpha1.WorkInProgress), planOf("b", v1alpha1.WorkInProgress, func(p *v1alpha1.ActionPlan) {
			p.DeletionTimestamp = &metav1.Time{Time: begin}
		}), false},
		"complete, with one that has not begun": {planOf("a", v1alpha1.WorkNotStarted),
			planOf("b", v1alpha1.WorkComplete, started(begin), windows(begin, begin.Add(9*day))), false},
		"complete, with one that began in its outcome": {planOf("a", v1alpha1.WorkInProgress, started(begin.Add(8*day))),
			planOf("b", v1alpha1.WorkComplete, started(begin), windows(begin, begin.Add(9*day))), true},
		"complete, with one whose baseline begins after its outcome": {
			planOf("a", v1alpha1.WorkInProgress, started(begin.Add(20*day)), windows(begin.Add(9*day), time.Time{})),
			planOf("b", v1alpha1.WorkComplete, started(begin), windows(begin, begin.Add(9*day))), false},
		"itself": {planOf("a", v1alpha1.WorkInProgress), planOf("a", v1alpha1.WorkInProgress), false},
	} {
		t.Run(name, func(t *testing.T) {
			all := []v1alpha1.ActionPlan{c.a, c.b}
			forth, back := Conflicts(&c.a, all), Conflicts(&c.b, all)
			if deleted := !c.b.DeletionTimestamp.IsZero(); (len(forth) > 0) != c.want || !deleted && (len(back) > 0) != c.want {
				t.Errorf("%v and %v, want a conflict: %v", forth, back, c.want)
			}
		})
	}
}

func program(p v1alpha1.ActionPlan) v1alpha1.ActionPlan {
	p.Spec.TouchpointRef, p.Spec.ProgramRef = nil, &v1alpha1.NameRef{Name: "desk"}
	return p
}

func TestConflictsAreBounded(t *testing.T) {
	var all []v1alpha1.ActionPlan
	for i := range 40 {
		all = append(all, planOf(fmt.Sprintf("p%02d", 39-i), v1alpha1.WorkNotStarted))
	}
	names := Conflicts(&all[39], all)
	if len(names) != 20 || !slices.IsSorted(names) || slices.Contains(names, "p00") {
		t.Errorf("%v", names)
	}
}

func TestActivity(t *testing.T) {
	if _, ok := Activity(&v1alpha1.ActionPlan{}); ok {
		t.Error("a plan that has not begun ran")
	}
	p := planOf("a", v1alpha1.WorkInProgress, started(begin))
	if s, ok := Activity(&p); !ok || s != (Span{From: begin}) {
		t.Errorf("%+v", s)
	}
	p.Spec.State = v1alpha1.WorkComplete
	p.Status.StateSince = &metav1.Time{Time: begin}
	if s, _ := Activity(&p); !s.To.IsZero() {
		t.Errorf("%+v though the completion is not on record", s)
	}
	p.Status.State, p.Status.StateSince = v1alpha1.WorkComplete, &metav1.Time{Time: begin.Add(day)}
	if s, _ := Activity(&p); s != (Span{begin, begin.Add(day)}) {
		t.Errorf("%+v", s)
	}
}
