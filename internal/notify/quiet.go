package notify

import (
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Quiet says whether nothing is sent at an instant, and until when. Quiet hours of a time zone that does not exist are read
// in UTC. Those whose from and to are the same are none; days without anything stay.
//
// An evening that runs past midnight belongs to the day on which it began and to the next: 18:00 to 08:00 is quiet on every
// day before 08:00 and from 18:00 on.
func Quiet(q *v1alpha1.QuietHours, at time.Time) (quiet bool, until time.Time) {
	if q == nil {
		return false, time.Time{}
	}
	location, err := zone(q)
	if err != nil {
		location = time.UTC
	}
	until = at
	// A stretch of quiet hours may touch the next, over a day without anything: at most six such days and two evenings.
	for range 20 {
		next, ok := quietEnd(q, until.In(location))
		if !ok {
			break
		}
		until, quiet = next, true
	}
	if !quiet {
		return false, time.Time{}
	}
	return true, until.UTC()
}

// quietEnd returns when the stretch ends that a local time is in: that of the day or of the hours.
func quietEnd(q *v1alpha1.QuietHours, local time.Time) (time.Time, bool) {
	if slices.Contains(q.Days, local.Weekday().String()) {
		return nextDay(local), true
	}
	from, to := clockTime(local, q.From), clockTime(local, q.To)
	if from.Before(to) {
		return to, !local.Before(from) && local.Before(to)
	}
	if q.From == q.To {
		return time.Time{}, false
	}
	if local.Before(to) {
		return to, true
	}
	if !local.Before(from) {
		// Only to the end of the day: whether the next begins quietly, its own look says.
		return nextDay(local), true
	}
	return time.Time{}, false
}

func nextDay(local time.Time) time.Time {
	return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location())
}

// clockTime returns the time of day, 18:00, on the day of a local time. Admission holds it to that form; anything else is
// midnight.
func clockTime(local time.Time, text string) time.Time {
	var hour, minute int
	if t, err := time.Parse("15:04", text); err == nil {
		hour, minute = t.Hour(), t.Minute()
	}
	return time.Date(local.Year(), local.Month(), local.Day(), hour, minute, 0, 0, local.Location())
}
