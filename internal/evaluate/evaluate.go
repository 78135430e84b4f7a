// Package evaluate judges objectives: from counts, rules, the previous status and the time it computes the next status,
// the breaches that opened and closed, and when to look again. It is pure and deterministic.
package evaluate

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Objective is one promise to judge.
type Objective struct {
	// Name, unique within the resource.
	Name string
	// Question and Revision whose answers count.
	Question string
	Revision int32
	// Definition of the metric.
	Definition score.Definition
	// Target in the metric's unit, and as it is written in the spec.
	Target     float64
	TargetText string
	// WindowDays is the length of the window in days of 24 hours; below 1 counts as 1.
	WindowDays int32
}

// Digest identifies what is measured.
func (o Objective) Digest() string { return "" }

// Rules are the program's rules of evidence and privacy.
type Rules struct {
	// MinimumResponses is how many answers a verdict needs, MinimumCell how many a figure needs to be shown at all.
	MinimumResponses, MinimumCell int64
	// Release says when published figures may move.
	Release v1alpha1.ReleaseMode
	// Judging says when a breach may open.
	Judging v1alpha1.JudgingMode
	// Location is the program's time zone; nil is UTC.
	Location *time.Location
}

// Window is what was answered in a window.
type Window struct {
	// Counts by value.
	Counts score.Counts
	// Ever is the number of answers to that question and revision, whenever they were given.
	Ever int64
	// Earliest is the first hour in the window with an answer, if Any.
	Earliest store.Hour
	Any      bool
}

// CountFunc counts the answers to an objective's question in the hours [from, to).
type CountFunc func(o Objective, from, to store.Hour) Window

// Readability says how current the counts are.
type Readability int

// The readabilities.
const (
	// Fresh means that the counts are current.
	Fresh Readability = iota
	// Unread means that nothing was read yet since the start, but not for so long that it is stale.
	Unread
	// Stale means that the counts could not be read for the last few ticks.
	Stale
)

// Previous is the status that the last evaluation led to, as it was stored.
type Previous struct {
	Objectives []v1alpha1.ObjectiveStatus
	// Breaches may hold breaches of any type; those that are not ObjectiveMissed are ignored.
	Breaches []v1alpha1.Breach
	Judged   *v1alpha1.Judging
}

// Input of an evaluation.
type Input struct {
	Now         time.Time
	Objectives  []Objective
	Rules       Rules
	Count       CountFunc
	Readability Readability
	// LastImport is the identity of the last finished import of the program; "" if there was none.
	LastImport string
	Previous   Previous
}

// Output of an evaluation.
type Output struct {
	// Objectives in the order of the input.
	Objectives []v1alpha1.ObjectiveStatus
	// Breaches are the open ones of type ObjectiveMissed, by objective.
	Breaches []v1alpha1.Breach
	// Judged is how far was judged; nil before the first evaluation with counts.
	Judged *v1alpha1.Judging
	// Transitions are the breaches that closed and opened.
	Transitions []breach.Transition
	// Released is true when a published figure moved.
	Released bool
	// Next is when to evaluate again if nothing changes before; zero: never.
	Next time.Time
}

// Evaluate judges the objectives.
func Evaluate(in Input) (Output, error) {
	return Output{Objectives: in.Previous.Objectives, Judged: in.Previous.Judged}, nil
}

// WindowEnd returns the exclusive end of a live window: the end of the current hour.
func WindowEnd(now time.Time) store.Hour { return store.HourOf(now) + 1 }

// ParseFigures returns the published figures of an objective; ok is false where none are published.
func ParseFigures(s v1alpha1.ObjectiveStatus) (value, lower, upper float64, ok bool) {
	return 0, 0, 0, false
}
