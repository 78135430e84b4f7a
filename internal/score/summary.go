package score

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// summary is all that the formulas need to know of the counts.
type summary struct {
	// n is the number of answers; top and bottom of them are in the metric's top box (promoters, satisfied, easy) and
	// bottom box (detractors, hard). Means use neither box.
	n, top, bottom int64
	// mean is the arithmetic mean and variance the sample variance (divisor n-1); both are filled for means only.
	mean, variance float64
	// spread is how many different values were given.
	spread int
}

// summarise counts the answers of a valid definition.
func (d Definition) summarise(c Counts) (summary, error) {
	var s summary
	var found int
	var sum float64
	for v := d.Scale.Min; v <= d.Scale.Max; v++ {
		k, ok := c[v]
		if !ok {
			continue
		}
		found++
		if k < 0 {
			return summary{}, fmt.Errorf("counts: value %d has the count %d, counts must not be negative", v, k)
		}
		if k > math.MaxInt64-s.n {
			return summary{}, errors.New("counts: more than 9223372036854775807 answers in all")
		}
		if k == 0 {
			continue
		}
		s.n += k
		s.spread++
		// In floating point, because value times count can leave 64 bits.
		sum += float64(v) * float64(k)
		switch d.box(v) {
		case topBox:
			s.top += k
		case bottomBox:
			s.bottom += k
		}
	}
	if found != len(c) {
		return summary{}, d.offScale(c)
	}
	if d.isMean() && s.n > 0 {
		s.mean = clamp(sum/float64(s.n), float64(d.Scale.Min), float64(d.Scale.Max))
		s.variance = d.variance(c, s)
	}
	return s, nil
}

// variance is the sample variance, in a second pass because the difference of two large sums would lose it.
func (d Definition) variance(c Counts, s summary) float64 {
	if s.n < 2 || s.spread < 2 {
		return 0
	}
	var squares float64
	for v := d.Scale.Min; v <= d.Scale.Max; v++ {
		e := float64(v) - s.mean
		squares += float64(c[v]) * e * e
	}
	return squares / float64(s.n-1)
}

// offScale names the lowest value off the scale, so that the text does not depend on the order of the map.
func (d Definition) offScale(c Counts) error {
	var off []int
	for v := range c {
		if v < d.Scale.Min || v > d.Scale.Max {
			off = append(off, v)
		}
	}
	return fmt.Errorf("counts: value %d is off the scale %d to %d", slices.Min(off), d.Scale.Min, d.Scale.Max)
}

// box is the part of the scale that a value counts for.
type box int

const (
	middleBox box = iota
	topBox
	bottomBox
)

func (d Definition) box(v int) box {
	switch d.Metric {
	case NPS:
		return trinomialBox(v, 6, 9)
	case CESNet:
		return trinomialBox(v, 3, 6)
	case CESTopBox:
		return trinomialBox(v, cesScale.Min-1, 5)
	case CSAT:
		if slices.Contains(d.satisfied(), v) {
			return topBox
		}
	}
	return middleBox
}

// trinomialBox puts values up to bottom below and values from top above.
func trinomialBox(v, bottom, top int) box {
	switch {
	case v >= top:
		return topBox
	case v <= bottom:
		return bottomBox
	}
	return middleBox
}

func (d Definition) isMean() bool { return d.Metric == Mean || d.Metric == CESMean }

func (d Definition) isNet() bool { return d.Metric == NPS || d.Metric == CESNet }

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }
