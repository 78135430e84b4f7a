package effect

import (
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// mostConflicts is how many names a status holds.
const mostConflicts = 20

// Activity is when a plan ran: from its start until it was complete or cancelled; false where it did not begin.
func Activity(p *v1alpha1.ActionPlan) (Span, bool) {
	if p.Status.StartedTime == nil {
		return Span{}, false
	}
	s := Span{From: p.Status.StartedTime.Time}
	if !p.Spec.State.Open() && p.Status.State == p.Spec.State && p.Status.StateSince != nil {
		s.To = p.Status.StateSince.Time
	}
	return s, true
}

// Conflicts returns the names of the other plans for the same objective with which a plan shares its time, in order, at
// most 20. Two open plans always do: whatever comes of the score, nobody can tell which of them did it. A plan that is
// complete but not judged does with one that has begun, where the hours from baseline to outcome overlap.
func Conflicts(p *v1alpha1.ActionPlan, all []v1alpha1.ActionPlan) []string {
	if !live(p) {
		return nil
	}
	var names []string
	for i := range all {
		o := &all[i]
		if o.Name != p.Name && o.DeletionTimestamp.IsZero() && live(o) && SameObjective(p, o) && clash(p, o) {
			names = append(names, o.Name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), mostConflicts)]
}

// SameObjective says whether two plans are for one objective.
func SameObjective(a, b *v1alpha1.ActionPlan) bool {
	return a.Spec.Objective == b.Spec.Objective && sameRef(a.Spec.TouchpointRef, b.Spec.TouchpointRef) &&
		sameRef(a.Spec.ProgramRef, b.Spec.ProgramRef)
}

func sameRef(a, b *v1alpha1.NameRef) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name
}

// live says whether something is still to come of a plan.
func live(p *v1alpha1.ActionPlan) bool {
	if p.Spec.State == v1alpha1.WorkComplete {
		return p.Status.Effect == nil || p.Status.Effect.JudgedTime == nil
	}
	return p.Spec.State.Open()
}

func clash(a, b *v1alpha1.ActionPlan) bool {
	if a.Spec.State.Open() && b.Spec.State.Open() {
		return true
	}
	first, ok := reach(a)
	second, ok2 := reach(b)
	return ok && ok2 && before(first.From, second.To) && before(second.From, first.To)
}

// before says whether t is before an end, which may be open.
func before(t, end time.Time) bool { return end.IsZero() || t.Before(end) }

// reach is the time that a plan that has begun is judged by: from the baseline's beginning to the outcome's end.
func reach(p *v1alpha1.ActionPlan) (Span, bool) {
	s, ok := Activity(p)
	if !ok {
		return Span{}, false
	}
	s.To = time.Time{}
	if e := p.Status.Effect; e != nil && e.Baseline != nil {
		s.From = e.Baseline.From.Time
	}
	if e := p.Status.Effect; e != nil && e.Outcome != nil && p.Spec.State == v1alpha1.WorkComplete {
		s.To = e.Outcome.To.Time
	}
	return s, true
}
