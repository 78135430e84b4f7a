// Package participation computes how many people began a survey, finished it, and answered their invitation, from the
// hourly counts that stores keep beside those of answers. It is pure and deterministic: all it remembers is in the status.
//
// An evaluation counts the window (counts.go), computes what may be shown (figures.go), and says which figures stand from
// now on and when to look again (here).
package participation

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// WindowDays is the length of the window in days of 24 hours.
	WindowDays  = 30
	windowHours = WindowDays * 24
)

// Window is what was counted under one pseudo-question of the store in some hours.
type Window struct {
	// Values is how often each value was counted.
	Values map[string]int64
	// Earliest is the first hour with a count, if Any.
	Earliest store.Hour
	Any      bool
}

// CountFunc counts a pseudo-question of the store in the hours [from, to), of one program or touchpoint.
type CountFunc func(question string, from, to store.Hour) Window

// Input of an evaluation.
type Input struct {
	Now   time.Time
	Count CountFunc
	// Questions of the survey by name, in their order.
	Questions []string
	// MinimumCell is how many people a group of figures needs to be shown; below 1 counts as 1.
	MinimumCell int64
	// Confidence of the two-sided intervals, above 0.5 and below 1.
	Confidence float64
	// Previous is what the status holds.
	Previous *v1alpha1.Participation
}

// Output of an evaluation.
type Output struct {
	// Figures that stand from now on; nil where none may be shown.
	Figures *v1alpha1.Participation
	// Next is when they can move although nothing is counted before; zero: never.
	Next time.Time
}

// Evaluate computes the figures of the last WindowDays x 24 full hours. They move at most once in an hour, and then say at
// which window's end: a figure that moved with every answer would tell who answers when. Only what may no longer be shown
// goes at once. With its own output as the previous figures at the same time it changes nothing more.
func Evaluate(in Input) Output {
	to := store.HourOf(in.Now)
	counts, next := read(in.Count, to)
	fresh := compute(in, counts, to)
	switch {
	case same(in.Previous, fresh):
		return Output{Figures: in.Previous, Next: next}
	case in.Previous != nil && in.Previous.WindowEnd.Time.Equal(to.Time()) && !withheld(in.Previous, fresh):
		return Output{Figures: in.Previous, Next: (to + 1).Time()}
	}
	return Output{Figures: fresh, Next: next}
}

// same says whether the figures are equal; at which window's end they last moved is none.
func same(previous, fresh *v1alpha1.Participation) bool {
	if previous == nil || fresh == nil {
		return previous == fresh
	}
	moved := *fresh
	moved.WindowEnd = previous.WindowEnd
	return equality.Semantic.DeepEqual(*previous, moved)
}

// withheld says whether the status shows a group of figures that may no longer be shown.
func withheld(previous, fresh *v1alpha1.Participation) bool {
	if fresh == nil {
		return true
	}
	return previous.Started != nil && fresh.Started == nil ||
		previous.MedianSeconds != nil && fresh.MedianSeconds == nil ||
		previous.Invited != nil && fresh.Invited == nil ||
		len(previous.Skipped) > 0 && len(fresh.Skipped) == 0
}

func timeOf(h store.Hour) metav1.Time { return metav1.NewTime(h.Time()) }
