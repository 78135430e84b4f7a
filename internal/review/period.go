// Package review knows the periods of reviews: which there are, which review is to be opened, by when it must be held, whether
// it was missed, whether the sponsor takes part; and it freezes a period's figures with a digest. It is pure and deterministic.
//
// A day is a date at midnight UTC: only its year, month and day mean anything. Where a period begins and ends as an instant
// depends on the program's time zone.
package review

import (
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
)

const (
	daysPerWeek = 7
	// longYear is the number of the week that most years do not have.
	longYear = 53
)

// Span is one period of a cadence, by its first and last day.
type Span struct {
	// Cadence of the period: Weekly, BiWeekly or Monthly.
	Cadence v1alpha1.Cadence
	// First and Last day.
	First, Last time.Time
}

// SpanOf returns the period of a cadence that a day lies in. The periods of one cadence follow each other without a gap and
// never overlap:
//
//   - Weekly is an ISO week, from Monday to Sunday.
//   - BiWeekly begins with the odd ISO weeks 1, 3, ... 51 and is two weeks long. Of a year with 53 weeks the last period is
//     weeks 51 to 53, three weeks, so that each year begins with week 1 again.
//   - Monthly is a calendar month.
//
// Auto is no cadence by itself: it is decided before, and an error here, as is anything else.
func SpanOf(cadence v1alpha1.Cadence, day time.Time) (Span, error) {
	y, m, d := day.Date()
	day = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	s := Span{Cadence: cadence}
	switch cadence {
	case v1alpha1.CadenceWeekly:
		s.First = monday(day)
		s.Last = s.First.AddDate(0, 0, daysPerWeek-1)
	case v1alpha1.CadenceBiWeekly:
		s.First, s.Last = fortnight(day)
	case v1alpha1.CadenceMonthly:
		s.First = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		s.Last = s.First.AddDate(0, 1, -1)
	default:
		return Span{}, fmt.Errorf("cadence: %q has no periods, it must be Weekly, BiWeekly or Monthly", cadence)
	}
	return s, nil
}

func monday(day time.Time) time.Time {
	return day.AddDate(0, 0, -(int(day.Weekday())+daysPerWeek-1)%daysPerWeek)
}

func fortnight(day time.Time) (first, last time.Time) {
	first = monday(day)
	year, week := day.ISOWeek()
	switch {
	case week == longYear:
		first = first.AddDate(0, 0, -2*daysPerWeek)
	case week%2 == 0:
		first = first.AddDate(0, 0, -daysPerWeek)
	}
	weeks := 2
	if _, begins := first.ISOWeek(); begins == longYear-2 && weeksOf(year) == longYear {
		weeks = 3
	}
	return first, first.AddDate(0, 0, weeks*daysPerWeek-1)
}

// weeksOf is how many ISO weeks a year has: the 28th of December is always in the last.
func weeksOf(year int) int {
	_, week := time.Date(year, time.December, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
	return week
}

// LastEnded returns the last period that is over at an instant, in a place (nil is UTC), and when the one after it ends.
func LastEnded(cadence v1alpha1.Cadence, now time.Time, loc *time.Location) (last Span, next time.Time, err error) {
	if loc == nil {
		loc = time.UTC
	}
	current, err := SpanOf(cadence, now.In(loc))
	if err != nil {
		return Span{}, time.Time{}, err
	}
	if next, err = current.End(loc); err != nil {
		return Span{}, time.Time{}, err
	}
	last, err = SpanOf(cadence, current.First.AddDate(0, 0, -1))
	return last, next, err
}

// Name of the review of a period, always the same for the same program and period: visits-2026-w47, visits-2026-w47-w48 and
// visits-2026-11. Weeks are named by their ISO year.
func (s Span) Name(program string) string {
	if s.Cadence == v1alpha1.CadenceMonthly {
		return program + s.First.Format("-2006-01")
	}
	year, week := s.First.ISOWeek()
	name := fmt.Sprintf("%s-%04d-w%02d", program, year, week)
	if s.Cadence == v1alpha1.CadenceBiWeekly {
		_, last := s.Last.ISOWeek()
		name += fmt.Sprintf("-w%02d", last)
	}
	return name
}

// Period is the span as the API has it.
func (s Span) Period() v1alpha1.Period {
	return v1alpha1.Period{From: s.First.Format(time.DateOnly), To: s.Last.Format(time.DateOnly)}
}

// End is the instant at which the period is over in a place; nil is UTC.
func (s Span) End(loc *time.Location) (time.Time, error) {
	return plan.DayEnd(s.Last.Format(time.DateOnly), loc)
}

// Bounds returns the instants between which a period lies in a place: from its first moment up to, but not with, its end. The
// error says what is wrong with its days.
func Bounds(p v1alpha1.Period, loc *time.Location) (from, to time.Time, err error) {
	first, last, err := days(p)
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	if from, err = plan.DayEnd(first.AddDate(0, 0, -1).Format(time.DateOnly), loc); err != nil {
		return time.Time{}, time.Time{}, err
	}
	to, err = plan.DayEnd(last.Format(time.DateOnly), loc)
	return from, to, err
}

// maxDays bounds a period, and with it what freezing reads.
const maxDays = 400

func days(p v1alpha1.Period) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, p.From); err != nil {
		return first, last, fmt.Errorf("period.from: %q is not a date: write it as 2026-11-16", p.From)
	}
	if last, err = time.Parse(time.DateOnly, p.To); err != nil {
		return first, last, fmt.Errorf("period.to: %q is not a date: write it as 2026-11-22", p.To)
	}
	if n := length(first, last); n < 1 || n > maxDays {
		return first, last, fmt.Errorf("from %s to %s is %d days, it must be 1 to %d", p.From, p.To, n, maxDays)
	}
	return first, last, nil
}

func length(first, last time.Time) int { return int(last.Sub(first)/(24*time.Hour)) + 1 }

// Previous returns the period right before another that is as long in days.
func Previous(p v1alpha1.Period) (v1alpha1.Period, error) {
	first, last, err := days(p)
	if err != nil {
		return v1alpha1.Period{}, err
	}
	n := length(first, last)
	return Span{First: first.AddDate(0, 0, -n), Last: first.AddDate(0, 0, -1)}.Period(), nil
}
