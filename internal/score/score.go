// Package score turns counts of answers into the metrics of an objective: the value, its confidence interval, and the
// change between two windows. It is the only definition of each metric; status, metrics, dashboards and exports all show
// what is computed here.
//
// It is pure and deterministic: no clock, no randomness, and sums in the order of the scale, so that equal counts give
// equal bits. The cost depends on the width of the scale, never on the number of answers.
package score

import (
	"fmt"
	"slices"
)

// Metric is one of the metrics an objective can have. All are higher-is-better.
type Metric string

// The metrics.
const (
	// NPS is the percentage of 9-10 minus the percentage of 0-6, on the scale 0-10; -100 to 100.
	NPS Metric = "NPS"
	// CSAT is the percentage of answers with a satisfied value, on any scale; 0 to 100.
	CSAT Metric = "CSAT"
	// CESMean is the mean on the scale 1-7, where 7 is easy; 1 to 7.
	CESMean Metric = "CESMean"
	// CESTopBox is the percentage of 5-7 on the scale 1-7; 0 to 100.
	CESTopBox Metric = "CESTopBox"
	// CESNet is the percentage of 6-7 minus the percentage of 1-3, on the scale 1-7; -100 to 100.
	CESNet Metric = "CESNet"
	// Mean is the mean on the question's own scale.
	Mean Metric = "Mean"
)

// Scale is the inclusive integer scale of a question: 0-10 for NPS, 1-5 for CSAT, 1-7 for CES, its own for a rating.
type Scale struct{ Min, Max int }

// Counts is how many answers each value got, keyed by the value on the scale. Counts are never negative. A key off the
// scale is an error even if its count is 0.
type Counts map[int]int64

// Definition says how a metric is computed from counts.
type Definition struct {
	// Metric to compute.
	Metric Metric
	// Scale of the question: 0-10 for NPS, 1-7 for the CES metrics, any within -1000 and 1000 for CSAT and Mean.
	Scale Scale
	// Satisfied are the values that count as satisfied, for CSAT only. Empty means 4 and 5 on the scale 1-5; other scales
	// have no default.
	Satisfied []int
	// Confidence of the two-sided interval, above 0.5 and below 1: 0.95 is 95 %. Above 0.999999 the t intervals of means
	// lose digits.
	Confidence float64
}

// maxScale bounds the values of a scale, and with them the cost of a computation.
const maxScale = 1000

var (
	npsScale  = Scale{Min: 0, Max: 10}
	cesScale  = Scale{Min: 1, Max: 7}
	csatScale = Scale{Min: 1, Max: 5}

	// csatSatisfied is the default of Definition.Satisfied on csatScale.
	csatSatisfied = []int{4, 5}
)

// Validate says whether the definition can be computed. Its errors name the field and what is allowed.
func (d Definition) Validate() error {
	if !(d.Confidence > 0.5 && d.Confidence < 1) { // written so that NaN is refused
		return fmt.Errorf("confidence: %v is not allowed, it must be above 0.5 and below 1", d.Confidence)
	}
	if err := d.validateScale(); err != nil {
		return err
	}
	return d.validateSatisfied()
}

func (d Definition) validateScale() error {
	s := d.Scale
	switch d.Metric {
	case NPS:
		if s != npsScale {
			return fmt.Errorf("scale: metric NPS needs the scale 0 to 10, not %d to %d", s.Min, s.Max)
		}
	case CESMean, CESTopBox, CESNet:
		if s != cesScale {
			return fmt.Errorf("scale: metric %s needs the scale 1 to 7, not %d to %d", d.Metric, s.Min, s.Max)
		}
	case CSAT, Mean:
		if s.Min >= s.Max || s.Min < -maxScale || s.Max > maxScale {
			return fmt.Errorf("scale: %d to %d is not allowed, it must rise and stay within %d and %d", s.Min, s.Max, -maxScale, maxScale)
		}
	default:
		return fmt.Errorf("metric: %q is unknown, it must be one of NPS, CSAT, CESMean, CESTopBox, CESNet, Mean", d.Metric)
	}
	return nil
}

func (d Definition) validateSatisfied() error {
	if d.Metric != CSAT {
		if len(d.Satisfied) > 0 {
			return fmt.Errorf("satisfiedValues: metric %s has none, they are for CSAT only", d.Metric)
		}
		return nil
	}
	if len(d.Satisfied) == 0 && d.Scale != csatScale {
		return fmt.Errorf("satisfiedValues: required on the scale %d to %d, only 1 to 5 has a default (4 and 5)", d.Scale.Min, d.Scale.Max)
	}
	for i, v := range d.Satisfied {
		if v < d.Scale.Min || v > d.Scale.Max {
			return fmt.Errorf("satisfiedValues: %d is off the scale %d to %d", v, d.Scale.Min, d.Scale.Max)
		}
		if slices.Contains(d.Satisfied[:i], v) {
			return fmt.Errorf("satisfiedValues: %d is listed twice", v)
		}
	}
	return nil
}

// satisfied returns the values that count as satisfied, with the default filled in.
func (d Definition) satisfied() []int {
	if len(d.Satisfied) == 0 {
		return csatSatisfied
	}
	return d.Satisfied
}

// TargetRange returns the lowest and highest value that the metric can have on the scale, in its own unit. These are also
// the bounds of a target. An unknown metric has none: 0 and 0.
func TargetRange(m Metric, s Scale) (min, max float64) {
	switch m {
	case NPS, CESNet:
		return -100, 100
	case CSAT, CESTopBox:
		return 0, 100
	case CESMean:
		return float64(cesScale.Min), float64(cesScale.Max)
	case Mean:
		return float64(s.Min), float64(s.Max)
	}
	return 0, 0
}
