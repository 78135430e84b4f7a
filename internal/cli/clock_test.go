package cli

import (
	"strings"
	"testing"
	"time"
)

func TestClockMoved(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value   string
		at      time.Time // the true time
		want    time.Time
		problem string
	}{
		{value: "", at: start, want: start},
		{value: "1h", at: start, want: start.Add(time.Hour)},
		{value: "-90m", at: start, want: start.Add(-90 * time.Minute)},
		{value: "1h@2026-03-01T12:00:10Z", at: start, want: start},
		{value: "1h@2026-03-01T12:00:10Z", at: start.Add(10 * time.Second), want: start.Add(time.Hour + 10*time.Second)},
		{value: "-1h@2026-03-01T12:00:10Z", at: start.Add(time.Minute), want: start.Add(time.Minute - time.Hour)},
		{value: "an hour", problem: `"an hour" is no duration`},
		{value: "1h@noon", problem: `"noon" is no time`},
		{value: "@2026-03-01T12:00:10Z", problem: `"" is no duration`},
	}
	for _, tt := range tests {
		clock, err := clockMoved(tt.value, func() time.Time { return tt.at })
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), envClock) {
				t.Errorf("%q: error = %v, want %q and the variable's name", tt.value, err, tt.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.value, err)
		} else if got := clock(); !got.Equal(tt.want) {
			t.Errorf("%q at %s: %s, want %s", tt.value, tt.at, got, tt.want)
		}
	}
}
