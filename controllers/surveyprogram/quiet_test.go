package surveyprogram

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestQuietFor(t *testing.T) {
	for write, want := range map[time.Duration]time.Duration{
		0: quietLeast, 10 * time.Millisecond: quietLeast, 200 * time.Millisecond: time.Second, time.Minute: quietMost,
	} {
		if got := quietFor(write); got != want {
			t.Errorf("where a write takes %v: %v, want %v", write, got, want)
		}
	}
}

// The status of a program waits until its touchpoints have not changed for a while, but not for ever.
func TestQuiet(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		name  string
		fresh bool
		long  time.Duration
		// changes are when the touchpoints change, after what is there at 0; the status is told of them at want.
		changes []time.Duration
		want    time.Duration
	}{
		{name: "an old program", long: quietLeast},
		{name: "a new one", fresh: true, long: quietLeast, want: quietLeast},
		{name: "a change", fresh: true, long: quietLeast, changes: []time.Duration{50 * time.Millisecond}, want: 150 * time.Millisecond},
		{name: "a change that a busy server brings late", fresh: true, long: time.Second, changes: []time.Duration{900 * time.Millisecond}, want: 1900 * time.Millisecond},
		{name: "changes without an end", fresh: true, long: quietLeast, changes: every(90*time.Millisecond, 100), want: quietTimes * quietLeast},
		{name: "slow changes without an end", fresh: true, long: quietMost, changes: every(2*time.Second, 100), want: quietEnd},
	} {
		var q quiet
		key, of := client.ObjectKey{Name: "visits"}, [32]byte{}
		told := time.Duration(-1)
		for at := time.Duration(0); told < 0; at += 10 * time.Millisecond {
			for len(c.changes) > 0 && c.changes[0] <= at {
				of[0]++
				c.changes = c.changes[1:]
			}
			if q.wait(key, of, c.fresh, c.long, start.Add(at)) == 0 {
				told = at
			}
		}
		if told != c.want {
			t.Errorf("%s: told after %v, want %v", c.name, told, c.want)
		}
	}
}

func every(d time.Duration, times int) []time.Duration {
	var all []time.Duration
	for i := range times {
		all = append(all, d*time.Duration(i+1))
	}
	return all
}
