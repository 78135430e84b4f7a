package env

import (
	"testing"
	"time"
)

func TestRequeue(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for name, c := range map[string]struct {
		wait      time.Duration
		deadlines []time.Time
		want      time.Duration
	}{
		"never":                     {0, nil, 0},
		"only zero deadlines":       {0, []time.Time{{}, {}}, 0},
		"a wait alone":              {15 * time.Second, []time.Time{{}}, 15 * time.Second},
		"the first deadline":        {0, []time.Time{in(time.Hour), {}, in(time.Minute)}, time.Minute},
		"the wait is sooner":        {time.Second, []time.Time{in(time.Minute)}, time.Second},
		"the deadline is sooner":    {time.Hour, []time.Time{in(time.Minute)}, time.Minute},
		"a deadline that is now":    {0, []time.Time{now}, time.Millisecond},
		"a deadline that is passed": {time.Hour, []time.Time{in(-time.Hour), in(time.Minute)}, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Requeue(now, c.wait, c.deadlines...).RequeueAfter; got != c.want {
				t.Errorf("after %s, want %s", got, c.want)
			}
		})
	}
}
