package evaluate

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// verdict compares a value and its interval with the target.
func verdict(target, value, lower, upper float64) v1alpha1.ObjectiveState {
	switch {
	case lower >= target:
		return v1alpha1.StateMet
	case upper < target:
		return v1alpha1.StateMissed
	case value < target:
		return v1alpha1.StateAtRisk
	}
	return v1alpha1.StateOnTrack
}

// exactVerdict is the verdict on a reading that has an interval.
func exactVerdict(o Objective, r reading) v1alpha1.ObjectiveState {
	return verdict(o.Target, r.result.Value, r.result.Lower, r.result.Upper)
}

// stateOf is the verdict on the published figures, never on those that were not released: the state would reveal them.
// At a release it is made on the exact values; later it stands, and where it has to be made anew (the target changed,
// or it was not a verdict) the published decimals are all there is.
func stateOf(r Rules, o Objective, s v1alpha1.ObjectiveStatus, j judgement, released bool, previous *v1alpha1.ObjectiveStatus) v1alpha1.ObjectiveState {
	value, lower, upper, ok := ParseFigures(s)
	switch {
	case s.Responses < r.MinimumResponses || !ok:
		return v1alpha1.StateInsufficientData
	case released:
		return exactVerdict(o, j.live)
	case !j.changed && isVerdict(previous.State):
		return previous.State
	}
	return verdict(o.Target, value, lower, upper)
}

func isVerdict(s v1alpha1.ObjectiveState) bool {
	switch s {
	case v1alpha1.StateMet, v1alpha1.StateMissed, v1alpha1.StateAtRisk, v1alpha1.StateOnTrack:
		return true
	}
	return false
}

// since returns when the state was entered: it moves only when the state does.
func since(now time.Time, state v1alpha1.ObjectiveState, previous *v1alpha1.ObjectiveStatus) *metav1.Time {
	if previous != nil && previous.State == state && previous.StateSince != nil {
		return previous.StateSince.DeepCopy()
	}
	t := breach.Since(now)
	return &t
}
