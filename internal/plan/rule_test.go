package plan

import (
	"testing"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestRuleOf(t *testing.T) {
	none := v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeNone, AcknowledgeWithinHours: 48, DueWithinDays: 30}
	stated := v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeNone, AcknowledgeWithinHours: 1, DueWithinDays: 2, MissingAfterHours: 3}
	for _, c := range []struct {
		name string
		in   *v1alpha1.OnMissed
		want v1alpha1.ActionPlanRule
	}{
		{"nothing stated", nil, none},
		{"no actionPlan", &v1alpha1.OnMissed{}, none},
		{"an empty rule", &v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{}},
			v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeCreate, AcknowledgeWithinHours: 48, DueWithinDays: 30}},
		{"everything stated", &v1alpha1.OnMissed{ActionPlan: &stated}, stated},
		{"a part stated", &v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{DueWithinDays: 7, MissingAfterHours: 12}},
			v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeCreate, AcknowledgeWithinHours: 48, DueWithinDays: 7, MissingAfterHours: 12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := RuleOf(c.in); got != c.want {
				t.Errorf("RuleOf = %+v, want %+v", got, c.want)
			}
		})
	}
}
