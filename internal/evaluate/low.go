package evaluate

import (
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/store"
)

// lowBreaches returns the breaches of type ConsistentlyLow, in order and one per objective.
func lowBreaches(all []v1alpha1.Breach) []v1alpha1.Breach {
	open, _ := breach.Merge(nil, ofType(all, v1alpha1.BreachConsistentlyLow), time.Time{})
	return open
}

func ofType(all []v1alpha1.Breach, t v1alpha1.BreachType) []v1alpha1.Breach {
	var found []v1alpha1.Breach
	for _, b := range all {
		if b.Type == t {
			found = append(found, b)
		}
	}
	return found
}

// settleLow closes and opens breaches of type ConsistentlyLow. One is never open without the objective's own: it closes
// with that, for its reason, and when the rule is taken back. It opens at a judging point at which the objective stands
// Missed for as many disjoint windows in a row as the rule says.
func settleLow(in Input, p point, judged []judgement, missed []v1alpha1.Breach, transitions []breach.Transition) ([]v1alpha1.Breach, []breach.Transition) {
	var kept []v1alpha1.Breach
	var told []breach.Transition
	for _, b := range lowBreaches(in.Previous.Breaches) {
		if reason := closingLow(in.Rules, b.Objective, missed, transitions); reason != "" {
			told = append(told, breach.Closed(b, reason))
		} else {
			kept = append(kept, b)
		}
	}
	wanted := slices.Clone(kept)
	for _, j := range judged {
		if isOpen(missed, j.objective.Name) && consistentlyLow(in, p, j) {
			wanted = append(wanted, v1alpha1.Breach{Type: v1alpha1.BreachConsistentlyLow, Objective: j.objective.Name})
		}
	}
	open, opened := breach.Merge(kept, wanted, in.Now)
	return open, append(told, opened...)
}

// closingLow returns the reason for which an open breach closes, "" if it stays.
func closingLow(r Rules, objective string, missed []v1alpha1.Breach, transitions []breach.Transition) string {
	for _, t := range transitions {
		if !t.Opened && t.Breach.Objective == objective {
			return t.Reason
		}
	}
	if r.ConsecutiveWindows < 1 || !isOpen(missed, objective) {
		return v1alpha1.ReasonRemoved
	}
	return ""
}

// consistentlyLow says whether the objective is Missed at this judging point, and was in the windows before: each as long
// as the objective's, the one ending where the next begins, and each with enough answers.
func consistentlyLow(in Input, p point, j judgement) bool {
	if in.Rules.ConsecutiveWindows < 1 || j.failed || !p.reached() || !j.missed {
		return false
	}
	ends := []store.Hour{}
	if p.imported {
		ends = append(ends, WindowEnd(in.Now))
	}
	if p.day {
		ends = append(ends, p.dayEnd)
	}
	return slices.ContainsFunc(ends, func(end store.Hour) bool { return lowUntil(in, j.objective, end) })
}

// lowUntil says whether every one of the consecutive windows of which the last ends there is Missed.
func lowUntil(in Input, o Objective, end store.Hour) bool {
	for k := range store.Hour(in.Rules.ConsecutiveWindows) {
		r, err := read(in, o, end-k*o.window())
		if err != nil || !missed(in.Rules, o, r) {
			return false
		}
	}
	return true
}
