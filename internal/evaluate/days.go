package evaluate

import (
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Dates are instants at midnight UTC: only their year, month and day mean anything.

// dateOf returns the calendar day that t lies in.
func dateOf(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func parseDate(s string) (time.Time, bool) {
	d, err := time.Parse(time.DateOnly, s)
	return d, err == nil
}

// dayStart returns the first instant of the date, which is where the day before ends. Where clocks skip midnight it is
// the instant at which they do, and where midnight comes twice the first.
func dayStart(date time.Time, loc *time.Location) time.Time {
	y, m, d := date.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	if dateOf(t, loc).Before(date) {
		_, t = t.ZoneBounds()
		return t
	}
	if began, _ := t.ZoneBounds(); !began.IsZero() {
		last := began.Add(-time.Nanosecond)
		if !dateOf(last, loc).Before(date) {
			_, now := t.Zone()
			_, then := last.Zone()
			return t.Add(time.Duration(now-then) * time.Second)
		}
	}
	return t
}

// hourAfter returns the first hour that begins at or after t.
func hourAfter(t time.Time) store.Hour {
	h := store.HourOf(t)
	if h.Time().Before(t) {
		h++
	}
	return h
}
