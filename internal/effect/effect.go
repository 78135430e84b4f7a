// Package effect says whether a plan worked: it freezes the window before the plan began, and after completion and a
// washout compares a disjoint window of the same length with it. It is pure: no clock, no client, no I/O; time is a
// parameter, and all it remembers is in the status of the plan.
//
// What it tells is what changed, never why. A plan is often begun because the score was low, and low scores rise by
// themselves on the average (regression to the mean).
package effect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Measure is what is measured before and after a plan.
type Measure struct {
	// Question and Revision whose answers count.
	Question string
	Revision int32
	// Definition of the metric.
	Definition score.Definition
	// WindowDays of the objective, for plans that state none of their own; below 1 counts as 1.
	WindowDays int32
}

// Digest identifies what is measured: question, revision, metric, scale and satisfied values. Neither the length of the
// window, which the baseline fixes, nor the confidence is part of it: a rule that became stricter meanwhile applies.
func (m Measure) Digest() string {
	satisfied := slices.Clone(m.Definition.Satisfied)
	if m.Definition.Metric == score.CSAT && len(satisfied) == 0 {
		satisfied = []int{4, 5} // the only scale that may leave them out has this default
	}
	slices.Sort(satisfied)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %s %d %d %v", m.Question, m.Revision, m.Definition.Metric,
		m.Definition.Scale.Min, m.Definition.Scale.Max, satisfied))
	return hex.EncodeToString(sum[:16])
}

// Rules are the rules of evidence and privacy that apply.
type Rules struct {
	// MinimumResponses is how many answers each window needs, MinimumCell how many a figure needs to be shown at all.
	MinimumResponses, MinimumCell int64
	// Release says when figures may move.
	Release v1alpha1.ReleaseMode
	// Location is the program's time zone; nil is UTC.
	Location *time.Location
}

// CountFunc counts the answers to a measure's question in the hours [from, to).
type CountFunc func(m Measure, from, to store.Hour) score.Counts

// Input is all that a plan's effect depends on.
type Input struct {
	Now time.Time
	// State of the plan.
	State v1alpha1.WorkState
	// Started is when the plan was first seen in progress or complete; zero before.
	Started time.Time
	// Completed is since when the plan is complete; it counts only in that state.
	Completed time.Time
	// Rule of the plan.
	Rule v1alpha1.EffectRule
	// Expected effect and Business of the plan; nil where none is stated.
	Expected *v1alpha1.Expected
	Business *v1alpha1.Business
	// Measure is nil where the objective is not known now.
	Measure *Measure
	Rules   Rules
	Count   CountFunc
	// ReadThrough is until when all answers were read; zero where none were since the start.
	ReadThrough time.Time
	// Others are when other plans for the same objective ran.
	Others []Span
	// Ends of other plans' baselines for the same objective. Two windows that end a few answers apart would reveal these.
	Ends []time.Time
	// Previous is the effect as status holds it; nil for none.
	Previous *v1alpha1.Effect
}

// Span is a stretch of time; a zero To has no end yet.
type Span struct{ From, To time.Time }

// Output is what follows.
type Output struct {
	// Effect of the plan; nil before it started.
	Effect *v1alpha1.Effect
	// Next is when to look again if nothing changes; zero for never.
	Next time.Time
	// Waiting means that answers are still to be read. It ends by itself.
	Waiting bool
}

// Evaluate brings the effect of a plan up to date. With its own output as the previous effect, at the same time and with
// the same counts, it changes nothing more.
//
// A baseline, once frozen, never changes, and neither does a verdict with a JudgedTime, whatever is answered or erased
// later. Only the return follows what is declared. Of a window that is not over no figure is told but the number of its
// answers, by whole days.
func Evaluate(in Input) Output {
	if in.Started.IsZero() {
		return Output{}
	}
	in.Rules = in.Rules.normal()
	if p := in.Previous; p != nil && p.JudgedTime != nil {
		e := p.DeepCopy()
		e.Return = returnOf(in.Business, e)
		return Output{Effect: e}
	}
	out := Output{Effect: &v1alpha1.Effect{Verdict: v1alpha1.EffectTooEarly}}
	if in.Previous != nil {
		out.Effect.Baseline = in.Previous.Baseline.DeepCopy()
	}
	e := out.Effect
	switch {
	case in.State == v1alpha1.WorkCancelled:
		e.Explanation = "The plan was cancelled, so it is not judged."
	case in.Measure == nil:
		in.keepOutcome(e)
		e.Explanation = "The objective is not known now, so nothing can be counted."
	case e.Baseline == nil && !in.freeze(e):
		out.Waiting = in.unread()
	case in.State != v1alpha1.WorkComplete:
		in.underWay(e)
	default:
		out.Next, out.Waiting = in.outcome(e)
	}
	return out
}

// keepOutcome keeps the outcome window as it was last seen.
func (in Input) keepOutcome(e *v1alpha1.Effect) {
	if in.Previous != nil {
		e.Outcome = in.Previous.Outcome.DeepCopy()
	}
}

// unread says whether answers from before the plan are still to be read.
func (in Input) unread() bool { return in.ReadThrough.Before(store.HourOf(in.Started).Time()) }

// freeze fills in the baseline, and says whether it did.
func (in Input) freeze(e *v1alpha1.Effect) bool {
	if in.unread() {
		e.Explanation = "The answers before the plan began are still to be counted."
		return false
	}
	w := in.baselineWindow()
	counts := in.Count(*in.Measure, w.from, w.to)
	frozen, err := in.frozen(w, counts)
	if err != nil {
		e.Explanation = offScale
		return false
	}
	if frozen.Score != "" {
		frozen.Counts = classify(in.Measure.Definition, counts)
	}
	e.Baseline = frozen
	return true
}

// offScale explains answers that the scale does not have.
const offScale = "The question has answers that are off its scale under the same revision; raise the question's revision."

// frozen is a window with its figures, those above the privacy floor.
func (in Input) frozen(w window, counts score.Counts) (*v1alpha1.EffectWindow, error) {
	r, err := score.Compute(in.Measure.Definition, counts)
	if err != nil {
		return nil, fmt.Errorf("compute score: %w", err)
	}
	e := w.status()
	e.Responses, e.Definition = r.N, in.Measure.Digest()
	if r.N < in.Rules.MinimumCell || !r.HasInterval {
		return e, nil
	}
	e.Score, e.Lower, e.Upper = score.FormatDecimal(r.Value), score.FormatDecimal(r.Lower), score.FormatDecimal(r.Upper)
	return e, nil
}

// normal fills in what the API's defaults and bounds guarantee, with the stricter choice where something is unknown.
func (r Rules) normal() Rules {
	r.MinimumCell = max(r.MinimumCell, 5)
	r.MinimumResponses = max(r.MinimumResponses, r.MinimumCell)
	if r.Location == nil {
		r.Location = time.UTC
	}
	return r
}

// stamp is an instant as the API stores it.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }
