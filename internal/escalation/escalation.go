// Package escalation says when a breach that stays open is told to the next. It is pure.
package escalation

import (
	"cmp"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// maxSteps is how many steps the status can count.
const maxSteps = 10

// Taken is one step that was taken now.
type Taken struct {
	// Breach as it stands with the step counted.
	Breach v1alpha1.Breach
	// To is who is told.
	To v1alpha1.EscalationTarget
	// Step is its number, from 1.
	Step int32
}

// Advance takes the steps that are due at now. It returns the breaches with the steps counted in Escalated, the steps that
// were taken, by breach and then in their order, and when the next one is due; zero for never. The arguments are not changed.
//
// Steps run in the order of their hours, whatever the order in which they are stated. Each is taken once in the life of a
// breach: the count is kept with the breach, so a restart repeats none, and one that closed and opens again begins anew. Time
// that nobody looked at is caught up with: of a week's outage every step that fell due comes, one after the other. Where the
// policy gets fewer steps nothing is taken back; where it gets more, the next one is the one behind those that were taken.
func Advance(open []v1alpha1.Breach, steps []v1alpha1.EscalationStep, now time.Time) (breaches []v1alpha1.Breach, taken []Taken, next time.Time) {
	order := slices.Clone(steps)
	slices.SortStableFunc(order, func(a, b v1alpha1.EscalationStep) int { return cmp.Compare(a.AfterHours, b.AfterHours) })
	order = order[:min(len(order), maxSteps)]
	for i := range open {
		b := *open[i].DeepCopy()
		for int(b.Escalated) < len(order) {
			step := order[max(b.Escalated, 0)]
			due := b.Since.Add(time.Duration(step.AfterHours) * time.Hour)
			if now.Before(due) {
				next = earlier(next, due)
				break
			}
			b.Escalated = max(b.Escalated, 0) + 1
			taken = append(taken, Taken{Breach: *b.DeepCopy(), To: step.To, Step: b.Escalated})
		}
		breaches = append(breaches, b)
	}
	return breaches, taken, next
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
