package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Clock is what a plan's deadlines depend on besides the plan.
type Clock struct {
	// Now is the present; Location the program's time zone (nil is UTC).
	Now      time.Time
	Location *time.Location
	// AcknowledgeWithin is how long a plan may stay unacknowledged after it was created.
	AcknowledgeWithin time.Duration
	// ActionDueWithinDays is when an action without a date is due, in calendar days from the day the plan was created; nil
	// leaves it to the due date of the plan.
	ActionDueWithinDays *int32
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
func Time(p *v1alpha1.ActionPlan, c Clock) Timed {
	t := timer{now: c.Now, objective: p.Spec.Objective}
	open := p.Spec.State.Open()
	if !p.CreationTimestamp.IsZero() {
		by := p.CreationTimestamp.Add(c.AcknowledgeWithin).Truncate(time.Second).UTC()
		t.AcknowledgeBy = &by
		t.run(open && p.Spec.Acknowledgement == nil, v1alpha1.BreachPlanUnacknowledged, "", by)
	}
	if due, ok := t.due("spec.dueDate", p.Spec.DueDate, c.Location); ok {
		t.DueTime = &due
		t.run(open, v1alpha1.BreachPlanOverdue, "", due)
	}
	for i, a := range p.Spec.Actions {
		if a.DueDate == "" {
			if due, ok := c.undated(p); ok {
				t.run(open && a.State.Open(), v1alpha1.BreachActionOverdue, a.Name, due)
			}
			continue
		}
		if due, ok := t.due(fmt.Sprintf("spec.actions[%d].dueDate", i), a.DueDate, c.Location); ok {
			t.run(open && a.State.Open(), v1alpha1.BreachActionOverdue, a.Name, due)
		}
	}
	slices.SortStableFunc(t.Breaches, breach.Compare)
	return t.Timed
}

// undated is when the actions of a plan are due that state no date; false where they have no clock of their own.
func (c Clock) undated(p *v1alpha1.ActionPlan) (time.Time, bool) {
	if c.ActionDueWithinDays == nil || p.CreationTimestamp.IsZero() {
		return time.Time{}, false
	}
	day := dayOf(p.CreationTimestamp.Time, c.Location).AddDate(0, 0, int(*c.ActionDueWithinDays))
	return endOfDay(day, place(c.Location)).Truncate(time.Second), true
}

// timer collects what the deadlines of one plan come to.
type timer struct {
	Timed
	now       time.Time
	objective string
}

// due reads a due date, and notes one that is no date.
func (t *timer) due(field, date string, loc *time.Location) (time.Time, bool) {
	end, err := DayEnd(date, loc)
	if err != nil {
		t.Problems = append(t.Problems, survey.Problem{
			Reason: v1alpha1.ReasonInvalidSpec, Field: field, Message: err.Error(),
		})
		return time.Time{}, false
	}
	return end.Truncate(time.Second), true
}

// run notes the breach of a deadline that has passed, or the deadline if it is the next one.
func (t *timer) run(running bool, kind v1alpha1.BreachType, item string, deadline time.Time) {
	switch {
	case !running:
	case !t.now.Before(deadline):
		t.Breaches = append(t.Breaches, v1alpha1.Breach{
			Type: kind, Objective: t.objective, Item: item, Since: breach.Since(deadline),
		})
	case t.Next.IsZero() || deadline.Before(t.Next):
		t.Next = deadline
	}
}
