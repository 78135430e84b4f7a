package plan

import (
	"slices"
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
//
// An open plan answers it, whoever wrote it. So does a completed one until a window that lies wholly after its completion
// was judged and the objective is still Missed: only then another is due. A plan that was cancelled or deleted in this
// episode answers nothing, but the operator opens no other: people have decided, and the missing plan is on record.
func Decide(s Situation) Decision {
	if p := s.oldestOpen(); p != nil {
		return Decision{PlanRef: refTo(p)}
	}
	if p := s.latestHolding(); p != nil {
		return Decision{PlanRef: refTo(p)}
	}
	if s.Breach.PlanRef == nil {
		return s.open(s.Breach.Since.Time, s.Breach.Since.Time)
	}
	p := s.find(s.Breach.PlanRef.Name)
	if p != nil && !deleted(p) && p.Spec.State == v1alpha1.WorkComplete {
		return s.open(s.Now, s.heldUntil(p))
	}
	return s.lost(s.Breach.PlanRef, p)
}

// open decides where no plan answers the breach since an instant and another may be opened, named after a day.
func (s Situation) open(day, since time.Time) Decision {
	if s.Rule.Mode != v1alpha1.PlanModeCreate {
		return s.missing(s.Breach.PlanRef, since)
	}
	name := s.name(day)
	// It was opened before, and given up before the reference to it was written.
	if p := s.find(name); p != nil {
		return s.lost(refTo(p), p)
	}
	return Decision{Create: s.write(name), PlanRef: s.Breach.PlanRef}
}

// missing runs the clock of a plan that is missing since an instant.
func (s Situation) missing(ref *v1alpha1.PlanRef, since time.Time) Decision {
	deadline := since.Add(hours(s.Rule.MissingAfterHours)).Truncate(time.Second).UTC()
	if s.Now.Before(deadline) {
		return Decision{PlanRef: ref, Next: deadline}
	}
	return Decision{PlanRef: ref, MissingSince: &deadline}
}

// lost runs the clock of a plan that was cancelled or deleted (nil). When that happened may be unknown; then the time
// allowed counts from the breach, and the plan is missing since it is seen to be, lest the record say that there was none
// while there was. The caller keeps the first such time, since a breach that is open keeps its own.
func (s Situation) lost(ref *v1alpha1.PlanRef, p *v1alpha1.ActionPlan) Decision {
	if at, known := lostAt(p); known {
		return s.missing(ref, later(at, s.Breach.Since.Time))
	}
	d := s.missing(ref, s.Breach.Since.Time)
	if d.MissingSince != nil {
		seen := s.Now.Truncate(time.Second).UTC()
		d.MissingSince = &seen
	}
	return d
}

func lostAt(p *v1alpha1.ActionPlan) (at time.Time, known bool) {
	switch {
	case p == nil:
		return time.Time{}, false
	case deleted(p):
		return p.DeletionTimestamp.Time, true
	default:
		return stateSince(p)
	}
}

// oldestOpen is the open plan that was created first.
func (s Situation) oldestOpen() *v1alpha1.ActionPlan {
	var oldest *v1alpha1.ActionPlan
	for i := range s.Plans {
		p := &s.Plans[i]
		if !deleted(p) && p.Spec.State.Open() && (oldest == nil || older(p, oldest)) {
			oldest = p
		}
	}
	return oldest
}

// older orders plans by their creation, and those of the same second by name.
func older(a, b *v1alpha1.ActionPlan) bool {
	if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
		return c < 0
	}
	return a.Name < b.Name
}

// latestHolding is the plan that was completed last among those that hold another back.
func (s Situation) latestHolding() *v1alpha1.ActionPlan {
	var latest *v1alpha1.ActionPlan
	for i := range s.Plans {
		p := &s.Plans[i]
		if s.holds(p) && (latest == nil || s.completedLater(p, latest)) {
			latest = p
		}
	}
	return latest
}

func (s Situation) completedLater(a, b *v1alpha1.ActionPlan) bool {
	if c := s.completion(a).Compare(s.completion(b)); c != 0 {
		return c > 0
	}
	return a.Name < b.Name
}

// holds says whether a completed plan answers the breach. Where the breach has a plan already, an older completed one
// cannot take its place; one that was completed in this episode can. A completion that is not on record yet is new.
func (s Situation) holds(p *v1alpha1.ActionPlan) bool {
	if deleted(p) || p.Spec.State != v1alpha1.WorkComplete {
		return false
	}
	if _, known := stateSince(p); !known {
		return true
	}
	ref := s.Breach.PlanRef
	if ref != nil && ref.Name != p.Name && !s.completion(p).After(s.Breach.Since.Time) {
		return false
	}
	return !s.judgedAfter(p)
}

// judgedAfter says whether a window that lies wholly after a plan's completion was judged and the objective is missed: the
// window that opened the episode, or that of a day which was judged since.
func (s Situation) judgedAfter(p *v1alpha1.ActionPlan) bool {
	disjoint := s.disjointFrom(p)
	if !s.Breach.Since.Time.Before(disjoint) {
		return true
	}
	if s.Judged == nil || s.Status.State != v1alpha1.StateMissed {
		return false
	}
	judged, err := DayEnd(s.Judged.Through, s.Location)
	return err == nil && !judged.Before(disjoint)
}

// heldUntil is when a completed plan that no longer holds ceased to: when the episode opened, or at the end of the first
// day whose window lies wholly after the completion, but not before the objective was last seen to be missed.
func (s Situation) heldUntil(p *v1alpha1.ActionPlan) time.Time {
	disjoint := s.disjointFrom(p)
	if !s.Breach.Since.Time.Before(disjoint) {
		return s.Breach.Since.Time
	}
	until := FirstDayEnd(disjoint, s.Location)
	if missed := s.Status.StateSince; missed != nil {
		until = later(until, missed.Time)
	}
	return until
}

// disjointFrom is the first end of a window in which every answer was given after a plan's completion.
func (s Situation) disjointFrom(p *v1alpha1.ActionPlan) time.Time {
	return s.completion(p).Add(hours(s.Objective.WindowDays) * 24)
}

// completion is when a complete plan was first seen to be; now, if that is not on record yet.
func (s Situation) completion(p *v1alpha1.ActionPlan) time.Time {
	if at, known := stateSince(p); known {
		return at
	}
	return s.Now
}

// stateSince is when the operator first saw the state that the plan is in.
func stateSince(p *v1alpha1.ActionPlan) (at time.Time, known bool) {
	if p.Status.State != p.Spec.State || p.Status.StateSince == nil {
		return time.Time{}, false
	}
	return p.Status.StateSince.Time, true
}

func (s Situation) find(name string) *v1alpha1.ActionPlan {
	i := slices.IndexFunc(s.Plans, func(p v1alpha1.ActionPlan) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Plans[i]
}

func deleted(p *v1alpha1.ActionPlan) bool { return !p.DeletionTimestamp.IsZero() }

func refTo(p *v1alpha1.ActionPlan) *v1alpha1.PlanRef { return &v1alpha1.PlanRef{Name: p.Name} }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
