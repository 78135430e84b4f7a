package score

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// From these degrees of freedom on, the t distribution is taken from its expansion around the normal, which is then at
// least as good as the library's incomplete beta function and its inverse: those lose digits as the freedom grows, and
// have none left from about 1e15.
const (
	largeQuantileFreedom = 1e3
	largeTailFreedom     = 1e6
)

// normalQuantile returns z with P(|Z| <= z) = confidence: 1.959964 for 0.95. It asks for the lower tail, where confidences
// near 1 keep their digits.
func normalQuantile(confidence float64) float64 {
	return -distuv.UnitNormal.Quantile((1 - confidence) / 2)
}

// normalTails returns P(|Z| >= |z|).
func normalTails(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// studentQuantile returns t with P(|T| <= t) = confidence for the given degrees of freedom (at least 1, may be fractional).
// Large ones follow Abramowitz and Stegun 26.7.5.
func studentQuantile(confidence, freedom float64) float64 {
	if freedom < largeQuantileFreedom {
		return -distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile((1 - confidence) / 2)
	}
	z := normalQuantile(confidence)
	z2 := z * z
	first := (z2 + 1) / 4
	second := ((5*z2+16)*z2 + 3) / 96
	third := (((3*z2+19)*z2+17)*z2 - 15) / 384
	return z * (1 + (first+(second+third/freedom)/freedom)/freedom)
}

// studentTails returns P(|T| >= |t|) for the given degrees of freedom. Large ones follow Abramowitz and Stegun 26.7.8.
func studentTails(t, freedom float64) float64 {
	t = math.Abs(t)
	if freedom < largeTailFreedom {
		return 2 * distuv.StudentsT{Sigma: 1, Nu: freedom}.CDF(-t)
	}
	return normalTails(t * (1 - 1/(4*freedom)) / math.Sqrt(1+t*t/(2*freedom)))
}
