// Package policy says which AccountabilityPolicy governs an object, and which rules apply to it then: what a program or
// touchpoint states inline may only be stricter. It is pure.
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Effective is the rules that apply to a program or touchpoint. Without a policy they are what it states inline and the
// built-in defaults: nothing is ever consistently low, no program must act within a time, no answer opens a case, nothing
// is reviewed, escalated or recognised.
type Effective struct {
	// Name of the policy; "" for none.
	Name string
	// Evidence that a verdict needs.
	Evidence v1alpha1.Evidence
	// ConfirmDays is for how many days an objective must stand Missed before its breach opens; 0 is none.
	ConfirmDays int32
	// ConsecutiveWindows is after how many disjoint missed windows an objective is consistently low; 0 is never.
	ConsecutiveWindows int32
	// Plan says how plans are opened, and which clocks run.
	Plan v1alpha1.ActionPlanRule
	// ActionDueWithinDays is when an action without a date is due, from the opening of its plan; nil is with the plan.
	ActionDueWithinDays *int32
	// ActWithinDays is how long a program may listen and understand before it acts; 0 is for ever.
	ActWithinDays int32
	// FollowUp is the promise to customers; nil where there is none.
	FollowUp *v1alpha1.FollowUp
	// Review says how often figures are reviewed; nil for never.
	Review *v1alpha1.ReviewRule
	// Escalation of breaches that stay open, by AfterHours.
	Escalation []v1alpha1.EscalationStep
	// Recognition of what is Met; mode None without a policy.
	Recognition v1alpha1.Recognition
	// Governed is what the condition of that name says.
	Governed Verdict
}

// Verdict is what a condition says.
type Verdict struct {
	Status          metav1.ConditionStatus
	Reason, Message string
}

// Select returns the policy that governs an object with the labels: of those that select it the one of the highest
// priority, of equals the oldest, then the first by name. It is nil where none does. The equals are the names of the
// others of the same priority, in order. A policy that is being deleted, or whose selector is not valid, selects nothing.
func Select(policies []v1alpha1.AccountabilityPolicy, of map[string]string) (winner *v1alpha1.AccountabilityPolicy, equals []string) {
	var selecting []*v1alpha1.AccountabilityPolicy
	for i := range policies {
		if Selects(&policies[i], of) {
			selecting = append(selecting, &policies[i])
		}
	}
	if len(selecting) == 0 {
		return nil, nil
	}
	slices.SortFunc(selecting, func(a, b *v1alpha1.AccountabilityPolicy) int {
		return cmp.Or(cmp.Compare(b.Spec.Priority, a.Spec.Priority),
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range selecting[1:] {
		if p.Spec.Priority == selecting[0].Spec.Priority {
			equals = append(equals, p.Name)
		}
	}
	slices.Sort(equals)
	return selecting[0], equals
}

// Selects says whether a policy picks an object with the labels. One that is being deleted, or whose selector is not
// valid, picks nothing.
func Selects(p *v1alpha1.AccountabilityPolicy, of map[string]string) bool {
	if !p.DeletionTimestamp.IsZero() {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.Selector)
	return err == nil && selector.Matches(labels.Set(of))
}

// Check returns what is wrong with a policy that admission could not see: a selector that is not valid.
func Check(p *v1alpha1.AccountabilityPolicy) []survey.Problem {
	if _, err := metav1.LabelSelectorAsSelector(&p.Spec.Selector); err != nil {
		return []survey.Problem{{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.selector", Message: err.Error()}}
	}
	return nil
}

// ForProgram returns the rules that apply to a program, of all the policies of its namespace.
func ForProgram(policies []v1alpha1.AccountabilityPolicy, p *v1alpha1.SurveyProgram) Effective {
	winner, equals := Select(policies, p.Labels)
	if winner == nil {
		e := builtIn(p, p.Spec.OnMissed)
		e.Governed = Verdict{metav1.ConditionFalse, v1alpha1.ReasonNoPolicy, "no AccountabilityPolicy selects the program: the built-in defaults apply"}
		return e
	}
	governed := Verdict{metav1.ConditionTrue, v1alpha1.ReasonSelected, fmt.Sprintf("AccountabilityPolicy %q selects the program", winner.Name)}
	return govern(winner, equals, p, p.Spec.OnMissed, "spec.evidence", governed)
}

// ForTouchpoint returns the rules that apply to a touchpoint of a program: those of the policy that selects it, else of
// the one that selects its program.
func ForTouchpoint(policies []v1alpha1.AccountabilityPolicy, p *v1alpha1.SurveyProgram, t *v1alpha1.Touchpoint) Effective {
	winner, equals := Select(policies, t.Labels)
	governed := Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSelected}
	if winner == nil {
		winner, equals = Select(policies, p.Labels)
		governed.Reason = v1alpha1.ReasonInherited
	}
	if winner == nil {
		e := builtIn(p, t.Spec.OnMissed)
		e.Governed = Verdict{metav1.ConditionFalse, v1alpha1.ReasonNoPolicy,
			"no AccountabilityPolicy selects the touchpoint or its program: the built-in defaults apply"}
		return e
	}
	governed.Message = fmt.Sprintf("AccountabilityPolicy %q selects the touchpoint", winner.Name)
	if governed.Reason == v1alpha1.ReasonInherited {
		governed.Message = fmt.Sprintf("AccountabilityPolicy %q selects the touchpoint's program", winner.Name)
	}
	return govern(winner, equals, p, t.Spec.OnMissed, "the program's spec.evidence", governed)
}

// builtIn are the rules without a policy.
func builtIn(p *v1alpha1.SurveyProgram, onMissed *v1alpha1.OnMissed) Effective {
	return Effective{
		Evidence: p.Spec.Evidence, Plan: statedRule(p, onMissed),
		Recognition: v1alpha1.Recognition{Mode: v1alpha1.RecognitionNone},
	}
}

// govern puts a policy over what is stated inline.
func govern(w *v1alpha1.AccountabilityPolicy, equals []string, p *v1alpha1.SurveyProgram, onMissed *v1alpha1.OnMissed, evidenceField string, governed Verdict) Effective {
	var laxer laxities
	spec := w.Spec.DeepCopy()
	e := Effective{
		Name: w.Name, Governed: governed,
		ConfirmDays: ptr.Deref(spec.Evidence.ConfirmDays, 0), ConsecutiveWindows: spec.Evidence.ConsecutiveWindows, ActWithinDays: spec.Deadlines.ActWithinDays,
		ActionDueWithinDays: spec.Deadlines.ActionDueWithinDays,
		FollowUp:            spec.FollowUp, Review: spec.Review, Recognition: spec.Recognition, Escalation: spec.Escalation,
	}
	e.Evidence = laxer.evidence(evidenceField, p.Spec.Evidence, spec.Evidence)
	e.Plan = laxer.rule(p, onMissed, spec.Deadlines)
	slices.SortStableFunc(e.Escalation, func(a, b v1alpha1.EscalationStep) int { return cmp.Compare(a.AfterHours, b.AfterHours) })
	switch {
	case len(equals) > 0:
		e.Governed.Reason = v1alpha1.ReasonPolicyOverlap
		e.Governed.Message += ", and so do of the same priority " + shortened(equals) + ": the oldest applies"
	case len(laxer) > 0:
		e.Governed.Reason = v1alpha1.ReasonPolicyStricter
	}
	if len(laxer) > 0 {
		e.Governed.Message += "; it is stricter than " + strings.Join(laxer, ", ")
	}
	return e
}

// shortened lists names, of many the first ten.
func shortened(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and more"
	}
	return strings.Join(names, ", ")
}
