package evaluate

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// next returns when something can change although no answer comes and no spec changes: the program's day ends, the oldest
// answer leaves a window, answers dated ahead of the clock enter it, or the evidence under an open breach expires.
func next(in Input, judged []judgement, open []v1alpha1.Breach) time.Time {
	if len(in.Objectives) == 0 {
		return time.Time{}
	}
	loc := in.Rules.Location
	soonest := dayStart(dateOf(in.Now, loc).AddDate(0, 0, 1), loc)
	consider := func(t time.Time) {
		if t.After(in.Now) && t.Before(soonest) {
			soonest = t
		}
	}
	for _, j := range judged {
		if j.failed {
			continue
		}
		if j.live.any {
			consider((j.live.earliest + j.objective.window()).Time())
		}
		if entersNext(in, j.objective) {
			consider(WindowEnd(in.Now).Time())
		}
		if isOpen(open, j.objective.Name) && j.status.State == v1alpha1.StateInsufficientData {
			consider(expiry(j))
		}
	}
	return soonest
}

// entersNext says whether the next hour has answers already: clocks differ, and imports may be dated a few minutes ahead.
func entersNext(in Input, o Objective) bool {
	end := WindowEnd(in.Now)
	return in.Count(o, end, end+1).Any
}

func isOpen(open []v1alpha1.Breach, objective string) bool {
	for _, b := range open {
		if b.Objective == objective {
			return true
		}
	}
	return false
}
