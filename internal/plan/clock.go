package plan

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Clock is what a plan's deadlines depend on besides the plan.
type Clock struct {
	// Now is the present; Location the program's time zone (nil is UTC).
	Now      time.Time
	Location *time.Location
	// AcknowledgeWithin is how long a plan may stay unacknowledged after it was created.
	AcknowledgeWithin time.Duration
}

// Timed is a plan on its clocks.
type Timed struct {
	// AcknowledgeBy is when the plan must have been acknowledged, nil before it was created; DueTime when its due date
	// ends, nil if that is no date. Both have whole seconds.
	AcknowledgeBy, DueTime *time.Time
	// Breaches that are open now, sorted by type, objective and item: PlanUnacknowledged, PlanOverdue, ActionOverdue. Each
	// is open since its deadline.
	Breaches []v1alpha1.Breach
	// Next is the next deadline that passes if nothing changes. Zero means none.
	Next time.Time
	// Problems are due dates that are no dates.
	Problems []survey.Problem
}

// Time reads a plan's clocks.
func Time(p *v1alpha1.ActionPlan, c Clock) Timed { return Timed{} }
