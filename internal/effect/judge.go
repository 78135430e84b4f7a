package effect

import (
	"fmt"
	"math"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Comparison is what two disjoint windows say of a change.
type Comparison struct {
	// Verdict is Improved where the interval of the change lies above zero, Worsened where it lies below, else
	// NoEvidenceOfChange.
	Verdict v1alpha1.EffectVerdict
	// Change is that of score.Compare.
	Change score.Change
}

// Compare says how a metric changed from the older to the newer window, by the tests of the score package. Swapped
// windows give the opposite verdict and the same p-value. An error names what is wrong with a window or the definition.
func Compare(d score.Definition, older, newer score.Counts) (Comparison, error) {
	change, err := score.Compare(d, older, newer)
	if err != nil {
		return Comparison{}, fmt.Errorf("compare windows: %w", err)
	}
	c := Comparison{Verdict: v1alpha1.EffectNoEvidence, Change: change}
	switch {
	case !change.HasValue:
	case change.Lower > 0:
		c.Verdict = v1alpha1.EffectImproved
	case change.Upper < 0:
		c.Verdict = v1alpha1.EffectWorsened
	}
	return c, nil
}

// underWay says of a plan that is not complete what its outcome will need.
func (in Input) underWay(e *v1alpha1.Effect) {
	if text, hopeless := in.hopeless(e.Baseline); hopeless {
		e.Explanation = text
		return
	}
	need, ok := in.needs(e.Baseline)
	e.ResponsesNeeded = need
	e.Explanation = "The plan is under way; its outcome is compared after it is complete and the washout is over." + in.tooSmall(ok)
}

// hopeless says why a baseline can be compared with nothing.
func (in Input) hopeless(b *v1alpha1.EffectWindow) (string, bool) {
	switch {
	case b.Definition != in.Measure.Digest():
		return "What is measured is no longer what it was before the plan, so the windows cannot be compared.", true
	case b.Responses < in.Rules.MinimumResponses || len(b.Counts) == 0:
		return fmt.Sprintf("Before the plan there were %d of the %d answers that a comparison needs, so there will be none.",
			b.Responses, in.Rules.MinimumResponses), true
	}
	return "", false
}

// outcome brings the window after the plan up to date, and judges it once it is over.
func (in Input) outcome(e *v1alpha1.Effect) (next time.Time, waiting bool) {
	w := in.outcomeWindow(windowOf(e.Baseline))
	if in.Now.Before(w.to.Time()) {
		return in.progress(e, w)
	}
	if in.ReadThrough.Before(w.to.Time()) {
		in.sofar(e, w, w.to)
		e.Explanation = "The outcome window is over; its last answers are still to be counted."
		return time.Time{}, true
	}
	counts := in.Count(*in.Measure, w.from, w.to)
	outcome, err := in.frozen(w, counts)
	if err != nil {
		in.keepOutcome(e)
		e.Explanation = offScale
		return time.Time{}, false
	}
	e.Outcome = outcome
	in.judge(e, counts)
	judged := stamp(in.Now)
	e.JudgedTime = &judged
	e.Return = returnOf(in.Business, e)
	return time.Time{}, false
}

// progress counts the answers of the outcome window so far, by whole days: a number that moved with every answer would be
// written with every answer.
func (in Input) progress(e *v1alpha1.Effect, w window) (next time.Time, waiting bool) {
	days := max(0, store.HourOf(in.Now)-w.from) / hoursPerDay
	next = (w.from + (days+1)*hoursPerDay).Time()
	if in.Now.Before(w.from.Time()) {
		next = (w.from + hoursPerDay).Time()
	}
	waiting = in.sofar(e, w, w.from+days*hoursPerDay)
	if text, hopeless := in.hopeless(e.Baseline); hopeless {
		e.Explanation = text
		return next, waiting
	}
	need, ok := in.needs(e.Baseline)
	e.ResponsesNeeded = max(0, need-e.Outcome.Responses)
	e.Explanation = fmt.Sprintf("The outcome window ends on %s (UTC).", w.to.Time().Format("2006-01-02 15:04")) + in.tooSmall(ok)
	return next, waiting
}

// sofar fills in the outcome window with its answers until an hour, and says whether these are still to be read: then it
// holds those that were counted last.
func (in Input) sofar(e *v1alpha1.Effect, w window, until store.Hour) (waiting bool) {
	e.Outcome = w.status()
	if !in.ReadThrough.Before(until.Time()) {
		e.Outcome.Responses = total(in.Count(*in.Measure, w.from, until))
		return false
	}
	if p := in.Previous; p != nil && p.Outcome != nil && windowOf(p.Outcome) == w {
		e.Outcome.Responses = p.Outcome.Responses
	}
	return until > w.from
}

// judge compares the windows and words the verdict.
func (in Input) judge(e *v1alpha1.Effect, counts score.Counts) {
	e.Verdict = v1alpha1.EffectNoEvidence
	b, o := e.Baseline, e.Outcome
	if text, hopeless := in.hopeless(b); hopeless {
		e.Explanation = text
		return
	}
	if o.Responses < in.Rules.MinimumResponses {
		need, _ := in.needs(b)
		e.ResponsesNeeded = need - o.Responses
		e.Explanation = fmt.Sprintf("After the plan there were %d of the %d answers that a comparison needs. That says nothing about the plan.",
			o.Responses, in.Rules.MinimumResponses)
		return
	}
	d := in.Measure.Definition
	before := restore(d, b.Counts)
	c, err := Compare(d, before, counts)
	if err != nil || !c.Change.HasValue {
		e.Explanation = offScale
		return
	}
	e.Verdict = c.Verdict
	e.Change = score.FormatDecimal(c.Change.Delta)
	e.ChangeLower, e.ChangeUpper = score.FormatDecimal(c.Change.Lower), score.FormatDecimal(c.Change.Upper)
	e.PValue = formatP(c.Change.P)
	reachable := true
	if c.Verdict == v1alpha1.EffectNoEvidence {
		e.ResponsesNeeded, reachable = in.short(b, o, before, counts, c.Change.Delta)
	}
	e.Explanation = in.words(e) + in.tooSmall(reachable) + in.concurrent(b, o)
}

// needs returns how many answers the outcome window needs in all: for a verdict at all, and to show the change that is
// expected. It is false where no number shows that change.
func (in Input) needs(b *v1alpha1.EffectWindow) (int64, bool) {
	change, ok := in.expected(b)
	if !ok {
		return in.Rules.MinimumResponses, true
	}
	d := in.Measure.Definition
	n, ok := neededFor(d, spreadOf(d, restore(d, b.Counts)), in.value(b), change)
	return max(n, in.Rules.MinimumResponses), ok
}

// short returns how many more answers would have shown the change that was expected, else the one that is seen.
func (in Input) short(b, o *v1alpha1.EffectWindow, before, after score.Counts, seen float64) (int64, bool) {
	if _, ok := in.expected(b); ok {
		n, ok := in.needs(b)
		return max(0, n-o.Responses), ok
	}
	if seen == 0 {
		return 0, true
	}
	d := in.Measure.Definition
	n, ok := needed(spreadOf(d, before), spreadOf(d, after).variance, seen, d.Confidence)
	return max(0, n-o.Responses), ok
}

// expected is the change that the plan states, if that is one for the better.
func (in Input) expected(b *v1alpha1.EffectWindow) (float64, bool) {
	if in.Expected == nil {
		return 0, false
	}
	target, err := v1alpha1.ParseDecimal(in.Expected.Target)
	if err != nil {
		return 0, false
	}
	if value := in.value(b); target > value {
		return target - value, true
	}
	return 0, false
}

// value is the score of a frozen window, not rounded.
func (in Input) value(b *v1alpha1.EffectWindow) float64 {
	d := in.Measure.Definition
	r, err := score.Compute(d, restore(d, b.Counts))
	if err != nil { // the definition is the one that the counts were classified by
		return math.NaN()
	}
	return r.Value
}
