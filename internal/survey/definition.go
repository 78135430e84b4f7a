package survey

import (
	"fmt"
	"slices"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// Defaults of a Rating question's bounds and of a Text question's length. The API server does not fill them in, so that
// a spec shows only what was written.
const (
	defaultRatingMin     = 1
	defaultRatingMax     = 5
	defaultTextMaxLength = 1000
)

// Defaults of an Access, as the API server fills them in.
const (
	defaultLinkDays       = 30
	defaultMinimumSeconds = 2
)

// ScaleOf returns the scale of a question: 0-10 for NPS, 1-5 for CSAT, 1-7 for CES, minimum to maximum for Rating. It
// is false for choices and text, which have none.
func ScaleOf(q v1alpha1.Question) (score.Scale, bool) {
	switch q.Type {
	case v1alpha1.QuestionNPS:
		return score.Scale{Min: 0, Max: 10}, true
	case v1alpha1.QuestionCSAT:
		return score.Scale{Min: 1, Max: 5}, true
	case v1alpha1.QuestionCES:
		return score.Scale{Min: 1, Max: 7}, true
	case v1alpha1.QuestionRating:
		return score.Scale{Min: or(q.Minimum, defaultRatingMin), Max: or(q.Maximum, defaultRatingMax)}, true
	}
	return score.Scale{}, false
}

// or returns the value that v points to, or the default.
func or(v *int32, otherwise int) int {
	if v == nil {
		return otherwise
	}
	return int(*v)
}

// metricsOf returns the metrics that a question of the type can carry.
func metricsOf(t v1alpha1.QuestionType) []v1alpha1.Metric {
	switch t {
	case v1alpha1.QuestionNPS:
		return []v1alpha1.Metric{v1alpha1.MetricNPS}
	case v1alpha1.QuestionCSAT, v1alpha1.QuestionRating:
		return []v1alpha1.Metric{v1alpha1.MetricCSAT, v1alpha1.MetricMean}
	case v1alpha1.QuestionCES:
		return []v1alpha1.Metric{v1alpha1.MetricCESMean, v1alpha1.MetricCESTopBox, v1alpha1.MetricCESNet, v1alpha1.MetricMean}
	}
	return nil
}

// Definition says how an objective's metric is computed from the counts of its question. The error names the field of
// the objective that does not fit and what is allowed.
func Definition(o v1alpha1.Objective, q v1alpha1.Question, evidence v1alpha1.Evidence) (score.Definition, error) {
	scale, ok := ScaleOf(q)
	if err := checkMetric(o.Metric, q); err != nil || !ok {
		return score.Definition{}, err
	}
	d := score.Definition{
		Metric:     score.Metric(o.Metric),
		Scale:      scale,
		Confidence: float64(evidence.ConfidencePercent) / 100,
	}
	for _, v := range o.SatisfiedValues {
		d.Satisfied = append(d.Satisfied, int(v))
	}
	if err := d.Validate(); err != nil {
		return score.Definition{}, err
	}
	return d, nil
}

func checkMetric(m v1alpha1.Metric, q v1alpha1.Question) error {
	allowed := metricsOf(q.Type)
	if slices.Contains(allowed, m) {
		return nil
	}
	if len(allowed) == 0 {
		return fmt.Errorf("metric: a %s question carries no metric, an objective needs an NPS, CSAT, CES or Rating question", q.Type)
	}
	return fmt.Errorf("metric: %s does not fit the %s question %q, allowed is %s", m, q.Type, q.Name, list(allowed))
}

// checkTarget says whether the objective's target is a value that its metric can have.
func checkTarget(o v1alpha1.Objective, scale score.Scale) error {
	target, err := v1alpha1.ParseDecimal(o.Target)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	low, high := score.TargetRange(score.Metric(o.Metric), scale)
	if !(target >= low && target <= high) { // written so that NaN is refused
		return fmt.Errorf("target: %s is not allowed, the target of metric %s on question %q is from %v to %v",
			o.Target.String(), o.Metric, o.Question, low, high)
	}
	return nil
}
