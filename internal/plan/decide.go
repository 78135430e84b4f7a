package plan

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Situation is what is known about one open breach ObjectiveMissed.
type Situation struct {
	// Now is the present; Location the program's time zone (nil is UTC).
	Now      time.Time
	Location *time.Location
	// Namespace, Program and Touchpoint of the objective; Touchpoint is "" for a program's own objective.
	Namespace, Program, Touchpoint string
	// DisplayName of the touchpoint, or of the program for its own objective.
	DisplayName string
	// ConfidencePercent of the objective's interval, for the text; 0 leaves it out.
	ConfidencePercent int32
	// Objective that is missed, and its Status as it was just evaluated.
	Objective v1alpha1.Objective
	Status    v1alpha1.ObjectiveStatus
	// Breach is the episode, as status has it.
	Breach v1alpha1.Breach
	// Rule as RuleOf returns it.
	Rule v1alpha1.ActionPlanRule
	// OwnerRef is the owner that a plan gets: that of the touchpoint, else of the program.
	OwnerRef *v1alpha1.NameRef
	// Judged says through which day the objectives were judged.
	Judged *v1alpha1.Judging
	// Plans are all the plans for this touchpoint (or program) and objective, in any order.
	Plans []v1alpha1.ActionPlan
	// Taken says whether a name belongs to a plan of the namespace that is for something else; nil where none does. Two
	// touchpoints and objectives can make the same name: a-b with c, and a with b-c.
	Taken func(name string) bool
}

// Decision is what follows from a Situation.
type Decision struct {
	// Create is the plan to open, nil where none is due. A name that exists already is no error: the plan will be among
	// the Plans next time. Where it cannot be created, Decide with mode None says whether a plan is missing.
	Create *v1alpha1.ActionPlan
	// PlanRef is the plan that answers the breach, or answered it last; it belongs into the breach. It is nil where there
	// is none, and where it is only about to be created: the reference is set once the plan is seen, so that a plan that
	// the cache does not show yet is not taken for a deleted one.
	PlanRef *v1alpha1.PlanRef
	// MissingSince is set while the breach PlanMissing is open: since when, to the second.
	MissingSince *time.Time
	// Next is when to decide again if nothing changes: the instant at which the missing plan becomes a breach. Zero means
	// never. A day or import that was judged is a change.
	Next time.Time
}

// Decide says which plan answers a missed objective, whether one is to be opened, and whether it is missing.
func Decide(s Situation) Decision { return Decision{} }
