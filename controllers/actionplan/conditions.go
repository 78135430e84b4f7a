package actionplan

import (
	"strings"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/effect"
)

func (s scope) setConditions(set conditions.Set, p *v1alpha1.ActionPlan) {
	set.Resolve(s.problems, "the plan's clocks run")
	if s.owned {
		set.True(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonOwned, "an existing team owns the plan")
	} else {
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonNoOwner, "no existing team owns the plan or what it is for")
	}
	open := map[v1alpha1.BreachType]bool{}
	for _, b := range p.Status.Breaches {
		open[b.Type] = true
	}
	switch {
	case open[v1alpha1.BreachPlanUnacknowledged]:
		set.False(v1alpha1.ConditionAccountable, string(v1alpha1.BreachPlanUnacknowledged), "the plan was not acknowledged in time")
	case open[v1alpha1.BreachPlanOverdue]:
		set.False(v1alpha1.ConditionAccountable, string(v1alpha1.BreachPlanOverdue), "the plan is past its due date")
	default:
		set.True(v1alpha1.ConditionAccountable, v1alpha1.ReasonNothingDue, "the plan is acknowledged, or still has time, and is not overdue")
	}
	switch {
	case open[v1alpha1.BreachPlanOverdue]:
		set.False(v1alpha1.ConditionOnTime, string(v1alpha1.BreachPlanOverdue), "the plan is past its due date")
	case open[v1alpha1.BreachActionOverdue]:
		set.False(v1alpha1.ConditionOnTime, string(v1alpha1.BreachActionOverdue), "an action is past its due date")
	default:
		set.True(v1alpha1.ConditionOnTime, v1alpha1.ReasonNothingDue, "nothing of the plan is past its due date")
	}
	status, reason, message := effect.Condition(p.Spec.State, p.Status.Effect)
	set.Is(v1alpha1.ConditionEffective, status, reason, message)
	if len(p.Status.Conflicts) > 0 {
		set.False(v1alpha1.ConditionUnconflicted, v1alpha1.ReasonPlansOverlap,
			"whatever becomes of the score, it cannot be told which plan did it: "+shortened(p.Status.Conflicts))
	} else {
		set.True(v1alpha1.ConditionUnconflicted, v1alpha1.ReasonNoOtherPlan, "no other plan is for the same objective at the same time")
	}
}

// shortened lists names, of many the first five.
func shortened(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and more"
	}
	return strings.Join(names, ", ")
}
