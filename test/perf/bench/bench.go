// Package bench is what the benches of test/perf have in common: rounds in which what is measured and its limit take turns,
// figures that are ratios of the two, a table for people and one JSON line per figure for machines.
//
// Times mean nothing on a machine that others use as well. So each figure is held against a limit that was measured beside
// it, in the same rounds, and what is kept of it is the median of the rounds' own ratios.
package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Rounds is how many rounds a figure has at least.
const Rounds = 5

// Sample is what one subject gave in each round, in one unit.
type Sample []float64

// Subject is something that is measured: each call gives one round's value.
type Subject func(context.Context) (float64, error)

// Interleave has the subjects take turns for so many rounds, every other round in reverse, so that none always follows the
// same one. It returns a sample for each subject, and the first error, with the number of its round.
func Interleave(ctx context.Context, rounds int, subjects ...Subject) ([]Sample, error) {
	samples := make([]Sample, len(subjects))
	for i := range samples {
		samples[i] = make(Sample, rounds)
	}
	for round := range rounds {
		for n := range subjects {
			i := n
			if round%2 == 1 {
				i = len(subjects) - 1 - n
			}
			value, err := subjects[i](ctx)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
			samples[i][round] = value
		}
	}
	return samples, nil
}

// Median returns the middle value, the mean of the middle two where their number is even, NaN of none.
func (s Sample) Median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Spread returns the range of the values as a share of their median: 0 where all are equal, NaN of none or of median 0.
func (s Sample) Spread() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	if slices.Max(s) == slices.Min(s) {
		return 0
	}
	return (slices.Max(s) - slices.Min(s)) / math.Abs(s.Median())
}

// over divides round by round.
func (s Sample) over(limit Sample) Sample {
	ratios := make(Sample, len(s))
	for i := range s {
		ratios[i] = s[i] / limit[i]
	}
	return ratios
}

// Figure is one result.
type Figure struct {
	// Bench and Case name it, together uniquely: "intake", "SQLite, 64 clients, JSON: of a bare handler".
	Bench string `json:"bench"`
	Case  string `json:"case"`
	// Value is the median of the rounds, in Unit.
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Limit is what it is held against, in the same unit: the median of what was measured beside it, or a number that the
	// project has set itself. 0 where there is none.
	Limit float64 `json:"limit"`
	// Ratio is the median of each round's value by its limit; 0 where there is no limit.
	Ratio float64 `json:"ratio"`
	// Spread is the range of the ratios over the rounds as a share of their median, of the values where there is no limit; 0
	// of a count.
	Spread float64 `json:"spread"`

	wanted Wanted
}

// Wanted is what is asked of a figure's ratio: at least or at most a number. The zero value asks nothing.
type Wanted struct {
	least, most float64
}

// AtLeast asks for a ratio of x or more.
func AtLeast(x float64) Wanted { return Wanted{least: x} }

// AtMost asks for a ratio of x or less.
func AtMost(x float64) Wanted { return Wanted{most: x} }

// Beside returns the figure of something that was measured in the same rounds as its limit.
func Beside(name, unit string, value, limit Sample, wanted Wanted) Figure {
	ratios := value.over(limit)
	return Figure{
		Case: name, Unit: unit, Value: value.Median(), Limit: limit.Median(), Ratio: ratios.Median(), Spread: ratios.Spread(), wanted: wanted,
	}
}

// Within returns the figure of something that is held against a number.
func Within(name, unit string, value Sample, limit float64, wanted Wanted) Figure {
	fixed := make(Sample, len(value))
	for i := range fixed {
		fixed[i] = limit
	}
	f := Beside(name, unit, value, fixed, wanted)
	f.Limit = limit
	return f
}

// Alone returns a figure without a limit.
func Alone(name, unit string, value Sample) Figure {
	return Figure{Case: name, Unit: unit, Value: value.Median(), Spread: value.Spread()}
}

// Met tells whether the figure is what is asked of it. A figure that is no number is not.
func (f Figure) Met() bool {
	switch {
	case math.IsNaN(f.Value) || math.IsNaN(f.Ratio) || math.IsInf(f.Ratio, 0):
		return false
	case f.wanted.least > 0:
		return f.Ratio >= f.wanted.least
	case f.wanted.most > 0:
		return f.Ratio <= f.wanted.most
	}
	return true
}
