package score

import (
	"fmt"
	"math"
)

// Change is how a metric moved between two disjoint windows, newer minus older, in the metric's own unit.
type Change struct {
	// Delta is the estimated change. For NPS and CESNet it is the difference of the adjusted scores, which is a little
	// smaller than that of the shown ones; for the others it is the difference of the shown ones.
	Delta float64
	// StandardError is that of the test: of the adjusted difference, of the pooled share, or Welch's.
	StandardError float64
	// Z is the test statistic, Delta over StandardError: z, or t for means. It is 0 where StandardError is.
	Z float64
	// P is the two-sided p-value of no change.
	P float64
	// Lower and Upper are the ends of the confidence interval of the change.
	Lower, Upper float64
	// HasValue is false, and all else 0, where a window has too few answers: none, or a single one for means.
	HasValue bool
}

// Compare returns the change from the older to the newer window.
//
//   - NPS and CESNet: z test of the two adjusted scores (see adjust), and its interval;
//   - CSAT and CESTopBox: two-proportion z test with the pooled share, and Newcombe's hybrid score interval (method 10,
//     Statistics in Medicine 17:873, 1998). The two may disagree at the very edge of significance;
//   - CESMean and Mean: Welch's t test and interval, with Welch and Satterthwaite's degrees of freedom. A window whose
//     answers are all equal gets a standard error of one scale step over n, because 0 would claim certainty.
//
// Intervals are clamped to the changes that the metric's range allows. The windows must not share answers. An error names
// the window and what is wrong with its counts, or what is wrong with the definition.
func Compare(d Definition, older, newer Counts) (Change, error) {
	if err := d.Validate(); err != nil {
		return Change{}, err
	}
	a, err := d.summarise(older)
	if err != nil {
		return Change{}, fmt.Errorf("older window: %w", err)
	}
	b, err := d.summarise(newer)
	if err != nil {
		return Change{}, fmt.Errorf("newer window: %w", err)
	}
	if n := min(a.n, b.n); n == 0 || n == 1 && d.isMean() {
		return Change{}, nil
	}
	c := d.change(a, b)
	c.HasValue = true
	low, high := TargetRange(d.Metric, d.Scale)
	c.Lower, c.Upper = clamp(c.Lower, low-high, high-low), clamp(c.Upper, low-high, high-low)
	return c, nil
}

func (d Definition) change(a, b summary) Change {
	switch {
	case d.isNet():
		return changeOfNet(a, b, normalQuantile(d.Confidence))
	case d.isMean():
		return changeOfMean(a, b, d.Confidence)
	}
	return changeOfShare(a, b, normalQuantile(d.Confidence))
}

func changeOfNet(a, b summary, z float64) Change {
	ma, va, na := adjust(a)
	mb, vb, nb := adjust(b)
	c := Change{Delta: 100 * (mb - ma), StandardError: 100 * math.Sqrt(va/na+vb/nb)}
	c.Z = c.Delta / c.StandardError // the pseudo-answers keep the variance above 0
	c.P = normalTails(c.Z)
	c.Lower, c.Upper = c.Delta-z*c.StandardError, c.Delta+z*c.StandardError
	return c
}

func changeOfShare(a, b summary, z float64) Change {
	xa, na, xb, nb := float64(a.top), float64(a.n), float64(b.top), float64(b.n)
	pa, pb := xa/na, xb/nb
	pooled := (xa + xb) / (na + nb)
	rest := (na - xa + nb - xb) / (na + nb)
	c := Change{Delta: 100 * (pb - pa), StandardError: 100 * math.Sqrt(pooled*rest*(1/na+1/nb))}
	if c.StandardError > 0 { // 0 where all answers of both windows agree: no change at all
		c.Z = c.Delta / c.StandardError
	}
	c.P = normalTails(c.Z)
	la, ua := wilson(xa, na, z)
	lb, ub := wilson(xb, nb, z)
	c.Lower = c.Delta - 100*math.Hypot(pb-lb, ua-pa)
	c.Upper = c.Delta + 100*math.Hypot(ub-pb, pa-la)
	return c
}

func changeOfMean(a, b summary, confidence float64) Change {
	va, vb := squaredError(a), squaredError(b)
	c := Change{Delta: b.mean - a.mean, StandardError: math.Sqrt(va + vb)}
	freedom := (va + vb) * (va + vb) / (va*va/float64(a.n-1) + vb*vb/float64(b.n-1))
	c.Z = c.Delta / c.StandardError
	c.P = studentTails(c.Z, freedom)
	h := studentQuantile(confidence, freedom) * c.StandardError
	c.Lower, c.Upper = c.Delta-h, c.Delta+h
	return c
}

// squaredError of the mean of at least two answers, never 0.
func squaredError(s summary) float64 {
	n := float64(s.n)
	if s.spread == 1 {
		return 1 / (n * n)
	}
	return s.variance / n
}
