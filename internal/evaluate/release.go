package evaluate

import (
	"strconv"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// carry begins the next status of an objective: with the published figures of the previous one if it measures the same,
// else without any. It returns whether it does.
func carry(o Objective, previous *v1alpha1.ObjectiveStatus) (v1alpha1.ObjectiveStatus, bool) {
	s := v1alpha1.ObjectiveStatus{Name: o.Name, Target: o.targetText(), Definition: o.Digest()}
	if previous == nil || previous.Definition != s.Definition {
		return s, false
	}
	s.Score, s.Lower, s.Upper = previous.Score, previous.Lower, previous.Upper
	s.ReleasedAnswers, s.ReleasedResponses = previous.ReleasedAnswers, previous.ReleasedResponses
	s.RecognizedTime = previous.RecognizedTime.DeepCopy()
	return s, true
}

// mayRelease says whether the published figures may move. Two readings that are fewer than MinimumCell answers apart
// would reveal single answers; so under Guarded they move only for the first time, after that many answers more (or
// fewer: a store that was restored from a backup), or at a judging point.
func mayRelease(r Rules, p point, s v1alpha1.ObjectiveStatus, live reading) bool {
	if live.result.N < r.MinimumCell {
		return false
	}
	if r.Release == v1alpha1.ReleaseImmediate || p.reached() || s.ReleasedAnswers == 0 {
		return true
	}
	apart := live.ever - s.ReleasedAnswers
	return apart >= r.MinimumCell || apart <= -r.MinimumCell
}

// publish moves the figures to what was read.
func publish(s *v1alpha1.ObjectiveStatus, live reading) {
	s.Score, s.Lower, s.Upper = score.FormatDecimal(live.result.Value), "", ""
	if live.result.HasInterval {
		s.Lower, s.Upper = score.FormatDecimal(live.result.Lower), score.FormatDecimal(live.result.Upper)
	}
	s.ReleasedAnswers, s.ReleasedResponses = live.ever, live.result.N
}

// withhold removes the figures below the privacy floor, at once. What was released is remembered, so that coming back
// above the floor is no way around the rule of release.
func withhold(r Rules, s *v1alpha1.ObjectiveStatus) {
	if s.Responses < r.MinimumCell {
		s.Score, s.Lower, s.Upper = "", "", ""
	}
}

func figuresMoved(s v1alpha1.ObjectiveStatus, previous *v1alpha1.ObjectiveStatus) bool {
	var p v1alpha1.ObjectiveStatus
	if previous != nil {
		p = *previous
	}
	return s.Score != p.Score || s.Lower != p.Lower || s.Upper != p.Upper ||
		s.ReleasedAnswers != p.ReleasedAnswers || s.ReleasedResponses != p.ReleasedResponses
}

// ParseFigures returns the published figures of an objective; ok is false where none are published.
func ParseFigures(s v1alpha1.ObjectiveStatus) (value, lower, upper float64, ok bool) {
	value, errValue := strconv.ParseFloat(s.Score, 64)
	lower, errLower := strconv.ParseFloat(s.Lower, 64)
	upper, errUpper := strconv.ParseFloat(s.Upper, 64)
	if errValue != nil || errLower != nil || errUpper != nil {
		return 0, 0, 0, false
	}
	return value, lower, upper, true
}
