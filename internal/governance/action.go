package governance

import (
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// action is whether a program acts on what it finds.
type action struct {
	// acting says that a plan is in progress, missed that an objective is missed.
	acting, missed bool
	// since when the breach is open; zero where it is not.
	since time.Time
	// next is when it opens; zero where it does not by itself.
	next time.Time
}

// act runs the clock of NoActionTaken.
func act(s Situation) action {
	start, missed := oldestFinding(s)
	a := action{missed: missed}
	if s.GovernedSince.After(start) {
		start = s.GovernedSince
	}
	for i := range s.Plans {
		acting, ended := work(&s.Plans[i])
		a.acting = a.acting || acting
		if ended.After(start) {
			start = ended
		}
	}
	if a.acting || !a.missed || s.ActWithinDays <= 0 {
		return a
	}
	deadline := start.Add(time.Duration(s.ActWithinDays) * 24 * time.Hour)
	if s.Now.Before(deadline) {
		a.next = deadline
	} else {
		a.since = deadline
	}
	return a
}

// oldestFinding returns since when the oldest finding is open; false where there is none.
func oldestFinding(s Situation) (oldest time.Time, found bool) {
	look := func(breaches []v1alpha1.Breach) {
		for _, b := range breaches {
			if b.Type != v1alpha1.BreachObjectiveMissed {
				continue
			}
			since := b.Since.Time
			if since.IsZero() { // it opens in this pass
				since = s.Now
			}
			if !found || since.Before(oldest) {
				oldest, found = since, true
			}
		}
	}
	look(s.Program.Status.Breaches)
	for i := range s.Touchpoints {
		look(s.Touchpoints[i].Status.Breaches)
	}
	return oldest, found
}

// work says whether a plan is acted on, or since when it no longer is; zero where it never was. A change of state that the
// plan's status does not show yet ends nothing: its time is not known before.
func work(p *v1alpha1.ActionPlan) (acting bool, ended time.Time) {
	wanted, seen := p.Spec.State, p.Status.State
	if wanted == v1alpha1.WorkInProgress || wanted != seen && (seen == v1alpha1.WorkInProgress || wanted == v1alpha1.WorkComplete) {
		return true, time.Time{}
	}
	started := p.Status.StartedTime != nil || wanted == v1alpha1.WorkComplete
	if !started || wanted != seen || p.Status.StateSince == nil {
		return false, time.Time{}
	}
	return false, p.Status.StateSince.Time
}

func (a action) breaches() []v1alpha1.Breach {
	if a.since.IsZero() {
		return nil
	}
	return []v1alpha1.Breach{{Type: v1alpha1.BreachNoActionTaken, Since: breach.Since(a.since)}}
}

func (a action) condition(s Situation) Condition {
	const kind = v1alpha1.ConditionActsOnFindings
	switch {
	case !a.since.IsZero():
		return lacking(kind, string(v1alpha1.BreachNoActionTaken), fmt.Sprintf(
			"for more than %d days an objective has been missed and no plan in progress: put one in progress", s.ActWithinDays))
	case a.acting:
		return stands(kind, v1alpha1.ReasonActing, "a plan is in progress")
	case !a.missed && !judged(s):
		return unknown(kind, v1alpha1.ReasonNoFindings, "there is no verdict to act on yet")
	case !a.missed:
		return stands(kind, v1alpha1.ReasonNothingMissed, "no objective is missed")
	case s.ActWithinDays <= 0:
		return stands(kind, v1alpha1.ReasonWithinTime, "an objective is missed and no plan is in progress; nothing limits the time")
	}
	return stands(kind, v1alpha1.ReasonWithinTime, fmt.Sprintf(
		"an objective is missed and no plan is in progress; there are %d days to put one in progress", s.ActWithinDays))
}
