package effect

import (
	"fmt"
	"math"
	"strconv"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// words say what was compared, with the figures of both windows.
func (in Input) words(e *v1alpha1.Effect) string {
	verdict := map[v1alpha1.EffectVerdict]string{
		v1alpha1.EffectImproved:   "The score rose after the plan",
		v1alpha1.EffectWorsened:   "The score fell after the plan",
		v1alpha1.EffectNoEvidence: "The answers do not show that the score changed",
	}[e.Verdict]
	return fmt.Sprintf("%s: from %s of %d answers to %s of %d, a change of %s (%g %% interval %s to %s). It says what changed, not why.",
		verdict, e.Baseline.Score, e.Baseline.Responses, e.Outcome.Score, e.Outcome.Responses,
		e.Change, math.Round(100*in.Measure.Definition.Confidence), e.ChangeLower, e.ChangeUpper)
}

// tooSmall says so where no number of answers would do.
func (in Input) tooSmall(reachable bool) string {
	if reachable {
		return ""
	}
	return " The answers before the plan are too few to show such a change, however many come after it."
}

// concurrent says so where another plan ran between the beginning of the baseline and the end of the outcome.
func (in Input) concurrent(b, o *v1alpha1.EffectWindow) string {
	for _, s := range in.Others {
		if s.From.Before(o.To.Time) && (s.To.IsZero() || s.To.After(b.From.Time)) {
			return " Another plan for the objective ran meanwhile: whose effect it is cannot be told."
		}
	}
	return ""
}

// formatP writes a p-value with four decimals.
func formatP(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return strconv.FormatFloat(math.Min(p, 1), 'f', 4, 64)
}
