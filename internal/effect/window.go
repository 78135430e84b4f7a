package effect

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
	"github.com/cx-operator/cx-operator/internal/store"
)

const hoursPerDay = 24

// window is the hours [from, to).
type window struct{ from, to store.Hour }

func (w window) status() *v1alpha1.EffectWindow {
	return &v1alpha1.EffectWindow{From: stamp(w.from.Time()), To: stamp(w.to.Time())}
}

// windowOf reads a window off the status.
func windowOf(e *v1alpha1.EffectWindow) window {
	return window{store.HourOf(e.From.Time), store.HourOf(e.To.Time)}
}

// baselineWindow is the days before the hour in which the plan began. Where figures are guarded and fewer answers than
// minimumCell came since the program's day began, or since another plan's baseline ended, it ends there instead: the
// difference to what was told of that instant would tell of these few.
func (in Input) baselineWindow() window {
	days := in.Measure.WindowDays
	if in.Rule.WindowDays != nil {
		days = *in.Rule.WindowDays
	}
	length := store.Hour(max(days, 1)) * hoursPerDay
	end := store.HourOf(in.Started)
	if in.Rules.Release != v1alpha1.ReleaseImmediate {
		told := in.lastTold(end)
		if n := total(in.Count(*in.Measure, told, end)); n > 0 && n < in.Rules.MinimumCell {
			end = told
		}
	}
	return window{end - length, end}
}

// lastTold is the latest hour up to end at which figures were told: the begin of the day, or another baseline's end.
func (in Input) lastTold(end store.Hour) store.Hour {
	last := hourAfter(dayBegin(end.Time(), in.Rules.Location))
	for _, t := range in.Ends {
		if h := store.HourOf(t); h > last && h <= end {
			last = h
		}
	}
	return last
}

// outcomeWindow is as long as the baseline, from the first day of the program that begins after completion and washout.
func (in Input) outcomeWindow(baseline window) window {
	days := int32(7)
	if in.Rule.WashoutDays != nil {
		days = *in.Rule.WashoutDays
	}
	over := in.Completed.Add(time.Duration(max(days, 0)) * hoursPerDay * time.Hour)
	from := max(hourAfter(plan.FirstDayEnd(over, in.Rules.Location)), baseline.to)
	return window{from, from + baseline.to - baseline.from}
}

// dayBegin is the instant at which the day of t began.
func dayBegin(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	yesterday := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -1).Format(time.DateOnly)
	begin, err := plan.DayEnd(yesterday, loc)
	if err != nil || begin.After(t) { // years that the calendar does not write; never before the clock is mended
		return t
	}
	return begin
}

// hourAfter is the first hour that begins at or after t.
func hourAfter(t time.Time) store.Hour {
	h := store.HourOf(t)
	if h.Time().Before(t) {
		h++
	}
	return h
}
