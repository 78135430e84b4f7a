// Package followup says how the promise to contact customers is kept: from counts of cases and the time it computes the
// figures, the breach FollowUpOverdue, and when to look again. It is pure, and knows of no case and no person.
package followup

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// WindowDays is how long ago promises ended that the share kept is of.
	WindowDays = 90
	// aheadHours is further than any promise lies ahead.
	aheadHours = 31 * 24
	// windowHours is the length of the window.
	windowHours = WindowDays * 24
)

// The items of the breach FollowUpOverdue.
const (
	// ItemCases is open while a customer waits longer than promised.
	ItemCases = "cases"
	// ItemShare is open while the share of promises kept is surely below the policy's.
	ItemShare = "share"
)

// Tally is how many cases were counted in some hours.
type Tally struct {
	// N is their number.
	N int64
	// Earliest is the first of the hours with any, where N is not 0.
	Earliest store.Hour
}

// Input of an evaluation.
type Input struct {
	Now time.Time
	// Promise of the policy; nil where none is made any more. Promises that were made stand.
	Promise *v1alpha1.FollowUp
	// Confidence of the interval, above 0.5 and below 1: 0.95 is 95 %.
	Confidence float64
	// Count counts a pseudo-question (store.QuestionCase*) in the hours [from, to).
	Count func(question string, from, to store.Hour) Tally
}

// Output of an evaluation.
type Output struct {
	// Figures are nil where there were no cases.
	Figures *v1alpha1.CaseFigures
	// Breaches of type FollowUpOverdue that stand. That of ItemCases is open since the promise passed that did so first.
	Breaches []v1alpha1.Breach
	// Next is when the time alone changes something; zero: never.
	Next time.Time
}

// counted is what the counts say.
type counted struct {
	open, overdue, ahead   Tally
	kept, late, unanswered Tally // of the window
}

// Evaluate computes how the promise is kept. A promise has passed when its hour has ended.
func Evaluate(in Input) Output {
	hour := store.HourOf(in.Now) // the first that has not ended
	from := hour - windowHours
	c := counted{
		open:       in.Count(store.QuestionCaseOpen, 0, hour+aheadHours),
		overdue:    in.Count(store.QuestionCaseDue, 0, hour),
		ahead:      in.Count(store.QuestionCaseDue, hour, hour+aheadHours),
		kept:       in.Count(store.QuestionCaseKept, from, hour+aheadHours),
		late:       in.Count(store.QuestionCaseLate, from, hour+aheadHours),
		unanswered: in.Count(store.QuestionCaseDue, from, hour),
	}
	out := Output{Next: c.next(in.Now)}
	if c.open.N+c.overdue.N+c.ahead.N+c.due() == 0 {
		return out
	}
	share := c.share(in.Confidence)
	out.Figures = c.figures(share)
	if c.overdue.N > 0 {
		out.Breaches = append(out.Breaches, v1alpha1.Breach{
			Type: v1alpha1.BreachFollowUpOverdue, Item: ItemCases, Since: breach.Since((c.overdue.Earliest + 1).Time()),
		})
	}
	if in.Promise != nil && c.due() > 0 && share.upper < float64(in.Promise.SharePercent) {
		out.Breaches = append(out.Breaches, v1alpha1.Breach{Type: v1alpha1.BreachFollowUpOverdue, Item: ItemShare})
	}
	return out
}

// due is how many promises of the window were kept or have passed. A customer who waits still counts once the promise has
// passed: the share of closed cases alone would be better the longer the others wait.
func (c counted) due() int64 { return c.kept.N + c.late.N + c.unanswered.N }

type share struct{ percent, lower, upper float64 }

func (c counted) share(confidence float64) share {
	lower, upper := score.Wilson(c.kept.N, c.due(), confidence)
	return share{100 * float64(c.kept.N) / float64(max(c.due(), 1)), 100 * lower, 100 * upper}
}

func (c counted) figures(s share) *v1alpha1.CaseFigures {
	f := &v1alpha1.CaseFigures{Open: c.open.N, Overdue: c.overdue.N, Kept: c.kept.N, Due: c.due()}
	if f.Due > 0 {
		f.SharePercent, f.ShareLower, f.ShareUpper = score.FormatDecimal(s.percent), score.FormatDecimal(s.lower), score.FormatDecimal(s.upper)
	}
	if c.open.N > 0 {
		oldest := metav1.NewTime(c.open.Earliest.Time())
		f.OldestOpenTime = &oldest
	}
	return f
}

// next is when a promise passes, or one leaves the window.
func (c counted) next(now time.Time) time.Time {
	var soonest time.Time
	consider := func(t Tally, after store.Hour) {
		if t.N == 0 {
			return
		}
		at := (t.Earliest + 1 + after).Time()
		if at.After(now) && (soonest.IsZero() || at.Before(soonest)) {
			soonest = at
		}
	}
	consider(c.ahead, 0)
	for _, t := range []Tally{c.kept, c.late, c.unanswered} {
		consider(t, windowHours)
	}
	return soonest
}
