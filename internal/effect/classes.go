package effect

import (
	"slices"
	"strconv"

	"github.com/cx-operator/cx-operator/internal/score"
)

// The classes of answers that a frozen window holds. Means have one class per value.
const (
	classPromoters  = "promoters"
	classPassives   = "passives"
	classDetractors = "detractors"
	classEasy       = "easy"
	classNeutral    = "neutral"
	classHard       = "hard"
	classSatisfied  = "satisfied"
	classOthers     = "others"
)

// class is a class of answers, with one value that stands for all of it.
type class struct {
	name  string
	value int
	holds func(v int) bool
}

// classesOf are the classes that the test of a metric needs: answers of one class are alike to it.
func classesOf(d score.Definition) []class {
	within := func(low, high int) func(int) bool { return func(v int) bool { return v >= low && v <= high } }
	switch d.Metric {
	case score.NPS:
		return []class{{classPromoters, 9, within(9, 10)}, {classPassives, 7, within(7, 8)}, {classDetractors, 0, within(0, 6)}}
	case score.CESNet:
		return []class{{classEasy, 6, within(6, 7)}, {classNeutral, 4, within(4, 5)}, {classHard, 1, within(1, 3)}}
	case score.CESTopBox:
		return []class{{classEasy, 5, within(5, 7)}, {classOthers, 1, within(1, 4)}}
	case score.CSAT:
		return satisfaction(d)
	}
	var all []class
	for v := d.Scale.Min; v <= d.Scale.Max; v++ {
		all = append(all, class{strconv.Itoa(v), v, within(v, v)})
	}
	return all
}

func satisfaction(d score.Definition) []class {
	values := d.Satisfied
	if len(values) == 0 {
		values = []int{4, 5}
	}
	satisfied := func(v int) bool { return slices.Contains(values, v) }
	classes := []class{{classSatisfied, values[0], satisfied}}
	for v := d.Scale.Min; v <= d.Scale.Max; v++ {
		if !satisfied(v) {
			return append(classes, class{classOthers, v, func(v int) bool { return !satisfied(v) }})
		}
	}
	return classes // every value satisfies
}

// classify counts answers by class. Classes without answers are left out.
func classify(d score.Definition, counts score.Counts) map[string]int64 {
	found := map[string]int64{}
	for _, c := range classesOf(d) {
		for v, n := range counts {
			if n > 0 && c.holds(v) {
				found[c.name] += n
			}
		}
	}
	return found
}

// restore returns counts that the metric and its test take for those that were classified.
func restore(d score.Definition, classes map[string]int64) score.Counts {
	counts := score.Counts{}
	for _, c := range classesOf(d) {
		if n := classes[c.name]; n > 0 {
			counts[c.value] += n
		}
	}
	return counts
}

func total(counts score.Counts) int64 {
	var n int64
	for _, k := range counts {
		n += max(k, 0)
	}
	return n
}
