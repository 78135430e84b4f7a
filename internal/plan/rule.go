// Package plan decides which plan answers a missed objective, writes the plan that the operator opens, and keeps the
// clocks of plans. It is pure: no clock, no client, no I/O; time is a parameter.
package plan

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// The clocks that run where a resource states none.
const (
	defaultAcknowledgeWithinHours = 48
	defaultDueWithinDays          = 30
)

// RuleOf returns the rule that onMissed states, with the defaults for what it leaves out: Create, 48 hours to acknowledge,
// 30 days until due, 0 hours until a missing plan is a breach. Without onMissed, or without actionPlan in it, the operator
// opens no plan (mode None), and the default clocks run for the plans that people write.
func RuleOf(m *v1alpha1.OnMissed) v1alpha1.ActionPlanRule {
	rule := v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeNone}
	if m != nil && m.ActionPlan != nil {
		rule = *m.ActionPlan
	}
	if rule.Mode == "" {
		rule.Mode = v1alpha1.PlanModeCreate
	}
	if rule.AcknowledgeWithinHours == 0 {
		rule.AcknowledgeWithinHours = defaultAcknowledgeWithinHours
	}
	if rule.DueWithinDays == 0 {
		rule.DueWithinDays = defaultDueWithinDays
	}
	return rule
}

// hours is a duration that a field states in whole hours.
func hours(n int32) time.Duration { return time.Duration(n) * time.Hour }
