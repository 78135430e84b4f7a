// Package governance says how a program is run: what of its purpose and its four pillars is lacking, how far it has come,
// and whether it acts on what it finds. It is pure: everything is derived anew, each time, from resources as they stand.
//
// # NoActionTaken
//
// A finding is an open ObjectiveMissed breach of the program or of one of its touchpoints. A plan of either acts while its
// state is InProgress. The clock runs while there is a finding and no plan acts. It starts at the latest of
//
//   - the time since when the oldest finding is open,
//   - the last time at which a plan that had been started left InProgress: what was completed counts as action up to then, and
//   - the creation of the policy, since nobody can keep a rule before it is made.
//
// The breach is open from the policy's actWithinDays, each of 24 hours, after that start. It closes when a plan is put in
// progress or no finding is left, and so does not ask for success, only for action. Which objective the plan is for does
// not matter: a plan for each missed objective is what PlanMissing asks for.
package governance

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Situation is all that governance is derived from. Nothing of it is changed.
type Situation struct {
	// Now is the time of the pass.
	Now time.Time
	// Program with its objectives and its ObjectiveMissed and PlanMissing breaches as judged in this pass.
	Program *v1alpha1.SurveyProgram
	// Touchpoints of the program that are not being deleted, with their status, in any order.
	Touchpoints []v1alpha1.Touchpoint
	// Teams of the namespace.
	Teams team.Lookup
	// Plans of the program and of its touchpoints, in any order.
	Plans []v1alpha1.ActionPlan
	// Reviews of the program, in any order.
	Reviews []v1alpha1.Review
	// MinimumResponses that a verdict needs, as in effect.
	MinimumResponses int64
	// Governed is the condition of that type: whether a policy applies.
	Governed Condition
	// ActWithinDays is the policy's, which exists since GovernedSince; 0 is no limit.
	ActWithinDays int32
	GovernedSince time.Time
	// ReviewsAsked says that the policy asks for reviews.
	ReviewsAsked bool
	// SponsorSilent says that the breach of that name is open.
	SponsorSilent bool
	// Answered says whether an answer ever came; nil while that is not known, since the counts were not read.
	Answered *bool
}

// Condition is one condition without its times.
type Condition struct {
	// Type of the condition.
	Type string
	// Status, stable Reason, and Message in plain words: what is lacking.
	Status          metav1.ConditionStatus
	Reason, Message string
}

// Output is how a program is run.
type Output struct {
	// Conditions PurposeStated, CrossFunctional, Measurement, Integration, Accountability, Awareness and ActsOnFindings, in
	// this order.
	Conditions []Condition
	// Stage of the program; empty where it is not known whether an answer ever came.
	Stage v1alpha1.LifecycleStage
	// Breaches that stand: NoActionTaken or none.
	Breaches []v1alpha1.Breach
	// Next is when to look again if nothing changes before: the clock of NoActionTaken runs out, or a review that is dated
	// ahead has been held. Zero is never.
	Next time.Time
}

// Derive says how a program is run. The order of lists does not matter.
func Derive(s Situation) Output {
	action := act(s)
	out := Output{Stage: stage(s), Next: earlier(action.next, nextHeld(s)), Breaches: action.breaches()}
	functions := crossFunctional(s)
	out.Conditions = []Condition{
		purposeStated(s), functions, measurement(s), integration(s, functions), accountability(s, action), awareness(s),
		action.condition(s),
	}
	return out
}

func stands(kind, reason, message string) Condition {
	return Condition{kind, metav1.ConditionTrue, reason, message}
}

func lacking(kind, reason, message string) Condition {
	return Condition{kind, metav1.ConditionFalse, reason, message}
}

func unknown(kind, reason, message string) Condition {
	return Condition{kind, metav1.ConditionUnknown, reason, message}
}

// earlier returns the earlier of two times; zero does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
