package notify

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestQuiet(t *testing.T) {
	night := func(days ...string) *v1alpha1.QuietHours {
		return &v1alpha1.QuietHours{From: "18:00", To: "08:00", TimeZone: "Europe/Madrid", Days: days}
	}
	siesta := &v1alpha1.QuietHours{From: "13:00", To: "15:30", TimeZone: "UTC"}
	weekend := []string{"Saturday", "Sunday"}
	tests := map[string]struct {
		q         *v1alpha1.QuietHours
		at, until string // until is empty where it is not quiet
	}{
		"none":                                {nil, "2026-11-11T03:00:00Z", ""},
		"by day":                              {night(), "2026-11-11T12:00:00+01:00", ""},
		"a second before":                     {night(), "2026-11-11T17:59:59+01:00", ""},
		"from its first second":               {night(), "2026-11-11T18:00:00+01:00", "2026-11-12T08:00:00+01:00"},
		"after midnight":                      {night(), "2026-11-11T03:00:00+01:00", "2026-11-11T08:00:00+01:00"},
		"no longer at its end":                {night(), "2026-11-11T08:00:00+01:00", ""},
		"by the team's clock":                 {night(), "2026-11-11T17:30:00Z", "2026-11-12T07:00:00Z"},
		"Friday evening runs to Monday":       {night(weekend...), "2026-11-13T18:00:00+01:00", "2026-11-16T08:00:00+01:00"},
		"Saturday noon":                       {night(weekend...), "2026-11-14T12:00:00+01:00", "2026-11-16T08:00:00+01:00"},
		"hours within a day":                  {siesta, "2026-11-11T13:00:00Z", "2026-11-11T15:30:00Z"},
		"before these":                        {siesta, "2026-11-11T12:59:59Z", ""},
		"after these":                         {siesta, "2026-11-11T15:30:00Z", ""},
		"the night in which clocks go back":   {night(), "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"},
		"the night in which they go forward":  {night(), "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00"},
		"hours of no length are none":         {&v1alpha1.QuietHours{From: "18:00", To: "18:00"}, "2026-11-11T18:00:00Z", ""},
		"whole days alone":                    {&v1alpha1.QuietHours{From: "18:00", To: "18:00", Days: weekend}, "2026-11-14T18:00:00Z", "2026-11-16T00:00:00Z"},
		"a zone that does not exist is UTC":   {&v1alpha1.QuietHours{From: "18:00", To: "08:00", TimeZone: "Mars/X"}, "2026-11-11T18:00:00Z", "2026-11-12T08:00:00Z"},
		"six days, and the evening before it": {&v1alpha1.QuietHours{From: "18:00", To: "08:00", Days: []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}}, "2026-11-08T18:00:00Z", "2026-11-15T08:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			quiet, until := Quiet(tt.q, instant(t, tt.at))
			if quiet != (tt.until != "") {
				t.Fatalf("quiet: %v", quiet)
			}
			if quiet && !until.Equal(instant(t, tt.until)) {
				t.Errorf("until %v, want %s", until, tt.until)
			}
		})
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// It is quiet up to the end that is told and not at it, whatever the hours, days and zone.
func FuzzQuiet(f *testing.F) {
	zones := []string{"UTC", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo"}
	f.Add(uint16(1080), uint16(480), uint8(3), uint32(900000), uint8(1))
	f.Fuzz(func(t *testing.T, from, to uint16, days uint8, minute uint32, zone uint8) {
		q := &v1alpha1.QuietHours{From: timeOfDay(from), To: timeOfDay(to), TimeZone: zones[int(zone)%len(zones)]}
		for d := range 6 {
			if days>>d&1 == 1 {
				q.Days = append(q.Days, time.Weekday(d).String())
			}
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minute%(2*525600)) * time.Minute)
		quiet, until := Quiet(q, at)
		if !quiet {
			return
		}
		if !until.After(at) || until.Sub(at) > 9*24*time.Hour {
			t.Fatalf("%+v at %v is quiet until %v", q, at, until)
		}
		if still, _ := Quiet(q, until); still {
			t.Fatalf("%+v at %v is said to end at %v, and does not", q, at, until)
		}
		if before, _ := Quiet(q, until.Add(-time.Minute)); !before {
			t.Fatalf("%+v at %v is said to end at %v, and ends before", q, at, until)
		}
	})
}

func timeOfDay(minutes uint16) string {
	return time.Date(2026, 1, 1, 0, int(minutes)%1440, 0, 0, time.UTC).Format("15:04")
}
