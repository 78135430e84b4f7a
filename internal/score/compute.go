package score

import "math"

// Result is a metric of some counts, in the metric's own unit: NPS and CESNet -100 to 100, CSAT and CESTopBox 0 to 100
// percent, CESMean 1 to 7, Mean on the scale.
type Result struct {
	// N is the number of answers.
	N int64
	// Value is the metric. It is meaningless unless HasValue: no answers is no value, never 0.
	Value float64
	// Lower and Upper are the ends of the confidence interval. They are meaningless unless HasInterval.
	Lower, Upper float64
	// HasValue is false without answers.
	HasValue bool
	// HasInterval is false without answers, and for a mean of a single answer.
	HasInterval bool
}

// Compute returns the metric and its interval. The interval is
//
//   - NPS and CESNet: adjusted Wald (see adjust);
//   - CSAT and CESTopBox: Wilson's score interval;
//   - CESMean and Mean: Student's t with n-1 degrees of freedom; where all answers are equal, one scale step over n on
//     both sides, because their standard deviation of 0 would claim certainty. A single answer has no interval;
//
// clamped to the metric's range. From two answers on it contains the value. Moving an answer up never lowers the value;
// for CSAT, where the satisfied values are the upper end of the scale.
//
// An error names what is wrong with the definition, or the value whose count is negative or off the scale.
func Compute(d Definition, c Counts) (Result, error) {
	if err := d.Validate(); err != nil {
		return Result{}, err
	}
	s, err := d.summarise(c)
	if err != nil || s.n == 0 {
		return Result{}, err
	}
	low, high := TargetRange(d.Metric, d.Scale)
	r := Result{N: s.n, Value: clamp(d.value(s), low, high), HasValue: true}
	lower, upper, ok := d.interval(s)
	if !ok {
		return r, nil
	}
	r.HasInterval = true
	r.Lower, r.Upper = clamp(lower, low, high), clamp(upper, low, high)
	if s.n >= 2 {
		// Rounding, or for NPS a confidence below 84 %, may leave the value just outside, and a verdict from an interval
		// beside its own value would contradict itself.
		r.Lower, r.Upper = math.Min(r.Lower, r.Value), math.Max(r.Upper, r.Value)
	}
	return r, nil
}

// value is the metric of at least one answer. It divides last, so that a value with a short decimal form (57 %) is exactly
// the number that a target of the same form is parsed to.
func (d Definition) value(s summary) float64 {
	if d.isMean() {
		return s.mean
	}
	return 100 * float64(s.top-s.bottom) / float64(s.n)
}

// interval returns the unclamped ends in the metric's own unit, and whether there are any.
func (d Definition) interval(s summary) (lower, upper float64, ok bool) {
	switch {
	case d.isNet():
		m, v, n := adjust(s)
		h := normalQuantile(d.Confidence) * math.Sqrt(v/n)
		return 100 * (m - h), 100 * (m + h), true
	case d.isMean():
		h, ok := halfWidth(s, d.Confidence)
		return s.mean - h, s.mean + h, ok
	}
	lower, upper = wilson(float64(s.top), float64(s.n), normalQuantile(d.Confidence))
	return 100 * lower, 100 * upper, true
}

// halfWidth of a mean's t interval; false for a single answer.
func halfWidth(s summary, confidence float64) (float64, bool) {
	if s.n < 2 {
		return 0, false
	}
	if s.spread == 1 {
		return 1 / float64(s.n), true
	}
	return studentQuantile(confidence, float64(s.n-1)) * math.Sqrt(s.variance/float64(s.n)), true
}

// adjust returns the mean, variance and size of the trinomial sample (top +1, middle 0, bottom -1) after 3 pseudo-answers
// were added: 0.75 on top, 1.5 in the middle, 0.75 at the bottom.
//
// Rocks ("Interval Estimation for the Net Promoter Score", The American Statistician 70, 2016) compares intervals for the
// NPS on constructed and real samples and finds adjusted Wald intervals among the best; this addition is the default of
// his R package at every confidence. It is a constant, not a function of z as in Agresti and Coull's interval, and is kept
// so at confidences other than 95 %: the centre then says something about the answers only, and intervals of one sample
// at two confidences are nested.
func adjust(s summary) (m, v, n float64) {
	n = float64(s.n) + 3
	p := (float64(s.top) + 0.75) / n
	q := (float64(s.n-s.top-s.bottom) + 1.5) / n
	d := (float64(s.bottom) + 0.75) / n
	// Equal to p + d - (p - d)^2, without its cancellation, which leaves no digits where nearly all of very many answers are equal.
	return p - d, q*(p+d) + 4*p*d, n
}

// Wilson returns the ends of Wilson's score interval for x successes of n, as shares in [0, 1], at the two-sided
// confidence (above 0.5, below 1). x is taken as at least 0 and at most n. With n = 0, or a confidence outside those
// bounds, nothing is known: 0 and 1.
//
// Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927; method 3 of
// Newcombe, Statistics in Medicine 17:857, 1998.
func Wilson(x, n int64, confidence float64) (lower, upper float64) {
	if n <= 0 || !(confidence > 0.5 && confidence < 1) {
		return 0, 1
	}
	return wilson(float64(min(max(x, 0), n)), float64(n), normalQuantile(confidence))
}

// wilson takes 0 <= x <= n, n > 0. Both ends keep the share inside, so that they are exactly 0 for none and 1 for all.
func wilson(x, n, z float64) (lower, upper float64) {
	p, q, a := x/n, (n-x)/n, z*z/n
	centre := (p + a/2) / (1 + a)
	half := z * math.Sqrt(p*q/n+a/n/4) / (1 + a)
	return clamp(centre-half, 0, p), clamp(centre+half, p, 1)
}
