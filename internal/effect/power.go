package effect

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cx-operator/cx-operator/internal/score"
)

const (
	// power is how often the test shall find a change that is there.
	power = 0.80
	// mostNeeded is from where on a number of answers is of no use to anybody.
	mostNeeded = 1e9
)

// spread is how much the answers of one window say about its score: the variance of one answer in the metric's unit,
// squared, and the number of answers.
type spread struct{ variance, n float64 }

// spreadOf takes a window with answers. Nets are adjusted as their test is; shares are kept off 0 and 1, and means off
// answers that are all equal, where the variance would claim that a handful suffices.
func spreadOf(d score.Definition, counts score.Counts) spread {
	var n, sum, squares float64
	for v := d.Scale.Min; v <= d.Scale.Max; v++ {
		k, x := float64(max(counts[v], 0)), valueOf(d, v)
		n, sum, squares = n+k, sum+k*x, squares+k*x*x
	}
	switch d.Metric {
	case score.NPS, score.CESNet:
		// 3 answers more, of which 0.75 on top and 0.75 at the bottom.
		m, q := sum/(n+3), (squares+1.5*100*100)/(n+3)
		return spread{math.Max(q-m*m, 0), n + 3}
	case score.CSAT, score.CESTopBox:
		p := (sum/100 + 1) / (n + 2)
		return spread{100 * 100 * p * (1 - p), n}
	}
	if n < 2 {
		return spread{0, n}
	}
	variance := (squares - sum*sum/n) / (n - 1)
	return spread{math.Max(variance, 1/n), n}
}

// valueOf is what an answer adds to the sum that the metric is the mean of.
func valueOf(d score.Definition, v int) float64 {
	for _, c := range classesOf(d) {
		if !c.holds(v) {
			continue
		}
		switch c.name {
		case classPromoters, classEasy, classSatisfied:
			return 100
		case classDetractors, classHard:
			return -100
		case classPassives, classNeutral, classOthers:
			return 0
		}
	}
	return float64(v)
}

// needed returns how many answers a window needs to show a change against a window that has its answers already, at the
// two-sided confidence and with a power of 80 percent; false where no number suffices, since the other window alone is too
// uncertain, or where there is no change to show.
//
// A test finds a change of d with that power where the standard error is d / (z(1-a/2) + z(power)):
//
//	v1/n1 + v2/n2 = d^2 / (z(1-a/2) + z(power))^2
//
// which is solved for n2. It is the formula for two samples of different size of Chow, Shao and Wang, "Sample Size
// Calculations in Clinical Research", sections 3.2.1 (means) and 4.2.1 (proportions), with n1 given.
func needed(before spread, variance, change, confidence float64) (int64, bool) {
	z := distuv.UnitNormal.Quantile((1+confidence)/2) + distuv.UnitNormal.Quantile(power)
	room := change*change/(z*z) - before.variance/before.n
	if !(room > 0) { // written so that NaN is refused
		return 0, false
	}
	n := math.Ceil(variance / room)
	if !(n < mostNeeded) {
		return 0, false
	}
	return max(int64(n), 1), true
}

// neededFor is needed for a change that is expected of a metric from its value before. Shares vary as those of the value
// to come; the others are taken to vary as they did.
func neededFor(d score.Definition, before spread, value, change float64) (int64, bool) {
	variance := before.variance
	if d.Metric == score.CSAT || d.Metric == score.CESTopBox {
		least := 1 / (before.n + 2)
		p := math.Min(math.Max((value+change)/100, least), 1-least)
		variance = 100 * 100 * p * (1 - p)
	}
	return needed(before, variance, change, d.Confidence)
}
