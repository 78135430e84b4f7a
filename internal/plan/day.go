package plan

import (
	"fmt"
	"time"
)

// DayEnd returns the instant at which a calendar day (2026-12-31) ends in a place: the first instant from which the date
// there is later, and stays later. That is 24:00, also where the clocks change at midnight: it is the change itself where
// 00:00 is skipped, and the first 00:00 where it comes twice. A nil location is UTC. The error says how a date is written.
func DayEnd(date string, loc *time.Location) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date: write it as 2026-12-31", date)
	}
	return endOfDay(day, place(loc)), nil
}

// farFromUTC is more than any place's clock differs from UTC.
const farFromUTC = 36 * time.Hour

// endOfDay walks the stretches of constant UTC offset around the day's end, since time.Date does not say which instant it
// takes for a time of day that is skipped or comes twice. The argument is the day as a date in UTC.
func endOfDay(day time.Time, loc *time.Location) time.Time {
	midnight := day.AddDate(0, 0, 1)
	last := midnight.Add(farFromUTC)
	var ends time.Time
	for at := midnight.Add(-farFromUTC).In(loc); ; {
		starts, until := at.ZoneBounds()
		_, offset := at.Zone()
		// Within this stretch the day is over from here on.
		over := midnight.Add(-time.Duration(offset) * time.Second)
		if !until.IsZero() && over.After(until) {
			over = until
		}
		if starts.IsZero() || over.After(starts) {
			ends = over
		}
		if until.IsZero() || until.After(last) {
			return ends.UTC()
		}
		at = until
	}
}

// FirstDayEnd is the first end of a day in a place at or after an instant, in UTC. A nil location is UTC.
func FirstDayEnd(t time.Time, loc *time.Location) time.Time {
	day := dayOf(t, loc).AddDate(0, 0, -1)
	for end := endOfDay(day, place(loc)); ; end = endOfDay(day, place(loc)) {
		if !end.Before(t) {
			return end
		}
		day = day.AddDate(0, 0, 1)
	}
}

// dayOf is the calendar day of an instant in a place, as a date in UTC.
func dayOf(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(place(loc)).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func place(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}
