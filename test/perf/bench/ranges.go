package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Range is what a figure may be. It comes from runs of the bench, and is checked in.
type Range struct {
	Bench string `json:"bench"`
	Case  string `json:"case"`
	// Of is what is checked: "ratio", or "value" of a count and of what has no limit.
	Of string `json:"of"`
	// Runs is how many runs Mean and Spread come from; Spread is their range as a share of the mean.
	Runs   int     `json:"runs"`
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
	// Low and High are the bounds, both inclusive; nil is none. Of a count they are equal.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

// ReadFigures reads the JSON lines of reports, and passes over all other lines. A line that begins like a figure and is none
// is an error.
func ReadFigures(in io.Reader) ([]Figure, error) {
	var figures []Figure
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if !bytes.HasPrefix(line, []byte(`{"bench"`)) {
			continue
		}
		var f Figure
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, fmt.Errorf("figure %q: %w", line, err)
		}
		figures = append(figures, f)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading figures: %w", err)
	}
	return figures, nil
}

func (r Range) of(f Figure) float64 {
	if r.Of == "value" {
		return f.Value
	}
	return f.Ratio
}

// Check holds figures to ranges and says, a line each, what is out of its range or has none. Empty is good.
func Check(ranges []Range, figures []Figure) []string {
	var wrong []string
	for _, f := range figures {
		i := slices.IndexFunc(ranges, func(r Range) bool { return r.Bench == f.Bench && r.Case == f.Case })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %s: has no range: calibrate it", f.Bench, f.Case))
			continue
		}
		r := ranges[i]
		switch x := r.of(f); {
		case x < 0:
			wrong = append(wrong, fmt.Sprintf("%s: %s: could not be measured", f.Bench, f.Case))
		case r.Low != nil && x < *r.Low:
			wrong = append(wrong, fmt.Sprintf("%s: %s: %s %v, at least %v is in range", f.Bench, f.Case, r.Of, x, *r.Low))
		case r.High != nil && x > *r.High:
			wrong = append(wrong, fmt.Sprintf("%s: %s: %s %v, at most %v is in range", f.Bench, f.Case, r.Of, x, *r.High))
		}
	}
	return wrong
}

// slack is by which factor a figure may be worse than in the worst of its runs: machines differ, and what else runs on them.
const slack = 2

// Calibrate makes ranges of the figures of several runs, in the order of their names. A figure whose unit says that it is
// counted ("requests", "allocations", "bytes", ...) and that was the same in every run is exact. Others have a bound on the
// side that is worse: of a rate that is the lower one, of a time, a size and a share of them the upper one.
func Calibrate(figures []Figure) []Range {
	runs := map[[2]string][]Figure{}
	for _, f := range figures {
		key := [2]string{f.Bench, f.Case}
		runs[key] = append(runs[key], f)
	}
	var ranges []Range
	for key, all := range runs {
		r := Range{Bench: key[0], Case: key[1], Of: "ratio", Runs: len(all)}
		if all[0].Limit == 0 {
			r.Of = "value"
		}
		var values Sample
		for _, f := range all {
			values = append(values, r.of(f))
		}
		r.Mean = round(mean(values))
		r.Spread = round((slices.Max(values) - slices.Min(values)) / math.Max(math.Abs(r.Mean), math.SmallestNonzeroFloat64))
		low, high := round(slices.Min(values)/slack), round(slices.Max(values)*slack)
		switch {
		case counted[all[0].Unit] && slices.Max(values) == slices.Min(values):
			r.Low, r.High = &values[0], &values[0]
		case strings.HasSuffix(all[0].Unit, "/s"):
			r.Low = &low
		default:
			r.High = &high
		}
		ranges = append(ranges, r)
	}
	slices.SortFunc(ranges, compareRanges)
	return ranges
}

func compareRanges(a, b Range) int {
	return cmp.Or(cmp.Compare(a.Bench, b.Bench), cmp.Compare(a.Case, b.Case))
}

// Merge returns the new ranges, and the old ones of benches that have no new one, in the order of their names.
func Merge(old, renewed []Range) []Range {
	kept := slices.DeleteFunc(slices.Clone(old), func(o Range) bool {
		return slices.ContainsFunc(renewed, func(r Range) bool { return r.Bench == o.Bench })
	})
	merged := append(kept, renewed...)
	slices.SortFunc(merged, compareRanges)
	return merged
}

// counted are the units of counts, which are exact.
var counted = map[string]bool{"allocations": true, "requests": true, "bytes": true, "writes": true, "errors": true, "reconciles": true}

func mean(s Sample) float64 {
	sum := 0.0
	for _, x := range s {
		sum += x
	}
	return sum / float64(len(s))
}
