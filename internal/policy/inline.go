package policy

import (
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// laxities are what is stated inline and laxer than the policy, each as "field: what is stated, the policy says what".
type laxities []string

func (l *laxities) note(field string, inline, policy int32) {
	*l = append(*l, fmt.Sprintf("%s %d with %d", field, inline, policy))
}

// atLeast returns the higher of both values. Zero is not stated.
func (l *laxities) atLeast(field string, inline, policy int32) int32 {
	if inline != 0 && inline < policy {
		l.note(field, inline, policy)
	}
	return max(inline, policy)
}

// atMost returns the lower of both values. Zero is not stated.
func (l *laxities) atMost(field string, inline, policy int32) int32 {
	switch {
	case policy == 0:
		return inline
	case inline == 0:
		return policy
	case inline > policy:
		l.note(field, inline, policy)
	}
	return min(inline, policy)
}

func (l *laxities) evidence(field string, inline v1alpha1.Evidence, policy v1alpha1.PolicyEvidence) v1alpha1.Evidence {
	inline.MinimumResponses = l.atLeast(field+".minimumResponses", inline.MinimumResponses, policy.MinimumResponses)
	inline.ConfidencePercent = l.atLeast(field+".confidencePercent", inline.ConfidencePercent, policy.ConfidencePercent)
	return inline
}

// rule returns how plans are opened and by when. Where nothing is stated inline the policy's deadlines apply as they are,
// and the operator opens the plans.
func (l *laxities) rule(p *v1alpha1.SurveyProgram, onMissed *v1alpha1.OnMissed, policy v1alpha1.PolicyDeadlines) v1alpha1.ActionPlanRule {
	if onMissed == nil || onMissed.ActionPlan == nil {
		stated := v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{
			AcknowledgeWithinHours: policy.AcknowledgeWithinHours, DueWithinDays: policy.PlanDueWithinDays, MissingAfterHours: policy.MissingAfterHours,
		}}
		return plan.RuleOf(&stated)
	}
	const field = "spec.onMissed.actionPlan"
	rule := statedRule(p, onMissed)
	rule.AcknowledgeWithinHours = l.atMost(field+".acknowledgeWithinHours", rule.AcknowledgeWithinHours, policy.AcknowledgeWithinHours)
	rule.DueWithinDays = l.atMost(field+".dueWithinDays", rule.DueWithinDays, policy.PlanDueWithinDays)
	if rule.MissingAfterHours > policy.MissingAfterHours { // here 0 is a value: at once
		l.note(field+".missingAfterHours", rule.MissingAfterHours, policy.MissingAfterHours)
		rule.MissingAfterHours = policy.MissingAfterHours
	}
	return rule
}

// statedRule is the rule that is stated inline. Of a touchpoint that states none, plans that people write are to be
// acknowledged as its program says.
func statedRule(p *v1alpha1.SurveyProgram, onMissed *v1alpha1.OnMissed) v1alpha1.ActionPlanRule {
	rule := plan.RuleOf(onMissed)
	if onMissed == nil {
		rule.AcknowledgeWithinHours = plan.RuleOf(p.Spec.OnMissed).AcknowledgeWithinHours
	}
	return rule
}
