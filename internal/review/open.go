package review

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// Opening says which review is to be opened.
type Opening struct {
	// Name of the review; "" where there is nothing to open.
	Name string
	// Period of the review.
	Period v1alpha1.Period
	// Ended is when that period ended.
	Ended time.Time
	// Next is when the next period ends.
	Next time.Time
}

// Open finds the review that is to be opened for a program now. It is that of the last period that ended, if it ended after
// since, when reviews began to be asked of the program, and no review of the program reaches as far yet. Of several periods
// that ended while nobody looked, only the last is reviewed: a pile of old reviews would be held by nobody. The program of
// each review must be the one that is named.
func Open(program string, cadence v1alpha1.Cadence, loc *time.Location, since time.Time, reviews []v1alpha1.Review, now time.Time) (Opening, error) {
	last, next, err := LastEnded(cadence, now, loc)
	if err != nil {
		return Opening{}, err
	}
	o := Opening{Next: next}
	end, err := last.End(loc)
	if err != nil {
		return Opening{}, err
	}
	period := last.Period()
	if !end.After(since) {
		return o, nil
	}
	for i := range reviews {
		if reviews[i].Spec.Period.To >= period.To { // dates sort as texts
			return o, nil
		}
	}
	o.Name, o.Period, o.Ended = last.Name(program), period, end
	return o, nil
}

// DueTime is by when a review must be held: heldWithinDays after the last day of its period, at the end of that day in a place
// (nil is UTC). Where the review was first seen later than on the day after its period, the days run from then: nobody is held
// to days that passed before there was a review. A heldWithinDays below 1 counts as 1.
func DueTime(p v1alpha1.Period, heldWithinDays int32, seen time.Time, loc *time.Location) (time.Time, error) {
	_, last, err := days(p)
	if err != nil {
		return time.Time{}, err
	}
	if loc == nil {
		loc = time.UTC
	}
	y, m, d := seen.In(loc).Date()
	if before := time.Date(y, m, d-1, 0, 0, 0, 0, time.UTC); before.After(last) {
		last = before
	}
	return plan.DayEnd(last.AddDate(0, 0, int(max(heldWithinDays, 1))).Format(time.DateOnly), loc)
}

// Standing says whether a review was held.
type Standing string

// The standings of a review.
const (
	// Awaited is not held yet, and still has time.
	Awaited Standing = "Awaited"
	// Held was held.
	Held Standing = "Held"
	// Missed was not held by its due time.
	Missed Standing = "Missed"
)

// StandingOf says whether a review was held. A heldTime that is still to come is a date in the calendar, and one before the
// period's end a slip: neither counts. A review whose due time is not known yet is not missed.
func StandingOf(r *v1alpha1.Review, loc *time.Location, now time.Time) Standing {
	switch {
	case isHeld(r, loc, now):
		return Held
	case r.Status.DueTime != nil && !now.Before(r.Status.DueTime.Time):
		return Missed
	}
	return Awaited
}

func isHeld(r *v1alpha1.Review, loc *time.Location, now time.Time) bool {
	held := r.Spec.HeldTime
	if held == nil || held.After(now) {
		return false
	}
	_, end, err := Bounds(r.Spec.Period, loc)
	return err == nil && !held.Time.Before(end)
}

// IsMissed says whether the breach ReviewMissed is open on a review: it was missed, and no later review of the program was held
// since. Once the group has met over later figures, nothing is gained by meeting over these; that they were missed stays on
// record.
func IsMissed(r *v1alpha1.Review, reviews []v1alpha1.Review, loc *time.Location, now time.Time) bool {
	if StandingOf(r, loc, now) != Missed {
		return false
	}
	for i := range reviews {
		if later := &reviews[i]; later.Spec.Period.To > r.Spec.Period.To && isHeld(later, loc, now) {
			return false
		}
	}
	return true
}
