package review

import (
	"cmp"
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// asked is a question whose answers several objectives may count.
type asked struct {
	name     string
	revision int32
}

// page is the answers to one question at one touchpoint; of objectives that count the same answers, one stands for all.
type page struct {
	touchpoint string
	n          int64
}

// hidden says of each objective whether its figures stay hidden: those of fewer than cell answers, and as many more as it takes
// that subtraction reveals none. Where the program's own figure of a question is shown, whoever takes the touchpoints that are
// shown away from it is left with the answers of all others together: touchpoints that are hidden, touchpoints without an
// objective on the question, and the program's own page. If these are fewer than cell, though not none, the smallest
// touchpoint that is shown is hidden too, until they are enough.
func hidden(objectives []Objective, cell int64, counts func(*Objective) score.Counts) []bool {
	hide := make([]bool, len(objectives))
	totals := map[asked]int64{}
	pages := map[asked][]page{}
	for i := range objectives {
		o := &objectives[i]
		q, n := asked{o.Question, o.Revision}, total(counts(o))
		hide[i] = n < cell
		switch {
		case hide[i]:
		case o.Touchpoint == "":
			totals[q] = n
		case !slices.Contains(pages[q], page{o.Touchpoint, n}):
			pages[q] = append(pages[q], page{o.Touchpoint, n})
		}
	}
	for q, n := range totals {
		for _, p := range sacrificed(pages[q], n, cell) {
			for i := range objectives {
				o := &objectives[i]
				hide[i] = hide[i] || o.Touchpoint == p.touchpoint && q == asked{o.Question, o.Revision}
			}
		}
	}
	return hide
}

// sacrificed returns the pages to hide, although each has enough answers, so that what is left of the whole is none or at least
// cell.
func sacrificed(shown []page, whole, cell int64) []page {
	slices.SortFunc(shown, func(a, b page) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.touchpoint, b.touchpoint))
	})
	rest := whole
	for _, p := range shown {
		rest -= p.n
	}
	for i := range shown {
		if rest <= 0 || rest >= cell {
			return shown[:i]
		}
		rest += shown[i].n
	}
	return shown
}

// fitsEarlier says whether the change against the period before may be shown beside what was frozen of that period. Where answers
// were erased since, or came late, the two would differ by fewer than cell answers and so reveal them.
func fitsEarlier(o *Objective, earlier *v1alpha1.ReviewFigures, cell int64) bool {
	if earlier == nil {
		return true
	}
	for i := range earlier.Objectives {
		e := &earlier.Objectives[i]
		if e.Touchpoint != o.Touchpoint || e.Objective != o.Name || e.Metric != v1alpha1.Metric(o.Definition.Metric) {
			continue
		}
		apart := total(o.Previous) - e.Responses
		return e.Score == "" || apart == 0 || apart >= cell || apart <= -cell
	}
	return true
}
