package evaluate

import (
	"time"

	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// reading is what the counts say of one window. It never leaves the package except through the rules of release.
type reading struct {
	result   score.Result
	ever     int64
	earliest store.Hour
	any      bool
}

// WindowEnd returns the exclusive end of a live window: the end of the current hour.
func WindowEnd(now time.Time) store.Hour { return store.HourOf(now) + 1 }

// read counts the objective's window that ends at to.
func read(in Input, o Objective, to store.Hour) (reading, error) {
	if err := o.validate(); err != nil {
		return reading{}, err
	}
	w := in.Count(o, to-o.window(), to)
	r, err := score.Compute(o.Definition, w.Counts)
	if err != nil {
		return reading{}, &ObjectiveError{o.Name, err}
	}
	return reading{result: r, ever: max(w.Ever, r.N), earliest: w.Earliest, any: w.Any}, nil
}
