package evaluate

import (
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// missedBreaches returns the breaches of type ObjectiveMissed, in order and one per objective.
func missedBreaches(all []v1alpha1.Breach) []v1alpha1.Breach {
	open, _ := breach.Merge(nil, ofType(all, v1alpha1.BreachObjectiveMissed), time.Time{})
	return open
}

// settle closes and opens breaches. An objective that was defined anew in the same pass in which it is judged Missed
// closes one episode and opens another.
func settle(in Input, p point, judged []judgement) ([]v1alpha1.Breach, []breach.Transition) {
	var kept []v1alpha1.Breach
	var transitions []breach.Transition
	for _, b := range missedBreaches(in.Previous.Breaches) {
		if reason := closing(in.Now, judged, b.Objective); reason != "" {
			transitions = append(transitions, breach.Closed(b, reason))
		} else {
			kept = append(kept, b)
		}
	}
	wanted := slices.Clone(kept)
	for _, j := range judged {
		if opens(in.Rules, p, j) {
			wanted = append(wanted, v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: j.objective.Name})
		}
	}
	open, opened := breach.Merge(kept, wanted, in.Now)
	return open, append(transitions, opened...)
}

// closing returns the reason for which an open breach closes, "" if it stays.
func closing(now time.Time, judged []judgement, objective string) string {
	for _, j := range judged {
		if j.objective.Name != objective {
			continue
		}
		switch {
		case j.failed:
			return ""
		case j.changed:
			return v1alpha1.ReasonObjectiveChanged
		case j.status.State == v1alpha1.StateMet, j.status.State == v1alpha1.StateOnTrack:
			return v1alpha1.ReasonRecovered
		case j.status.State == v1alpha1.StateInsufficientData && !now.Before(expiry(j)):
			return v1alpha1.ReasonEvidenceExpired
		}
		return ""
	}
	return v1alpha1.ReasonRemoved
}

// expiry is when a whole window will have been without enough answers.
func expiry(j judgement) time.Time {
	return j.status.StateSince.Add(time.Duration(j.objective.window()) * time.Hour)
}

// opens says whether the objective is in breach now, if it was not before.
func opens(r Rules, p point, j judgement) bool {
	if j.failed {
		return false
	}
	if r.Judging == v1alpha1.JudgingContinuous {
		return j.confirmed
	}
	low := j.status.State == v1alpha1.StateMissed || j.status.State == v1alpha1.StateAtRisk
	return p.reached() && j.missed && low
}
