package plan

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDayEnd(t *testing.T) {
	for _, c := range []struct{ why, zone, date, want string }{
		{"UTC", "UTC", "2026-12-31", "2027-01-01T00:00:00Z"},
		{"west of UTC", "America/Los_Angeles", "2026-12-31", "2027-01-01T08:00:00Z"},
		{"a day of 23 hours", "America/Los_Angeles", "2026-03-08", "2026-03-09T07:00:00Z"},
		{"a day of 25 hours", "America/Los_Angeles", "2026-11-01", "2026-11-02T08:00:00Z"},
		{"a quarter of an hour", "Asia/Kathmandu", "2026-06-01", "2026-06-01T18:15:00Z"},
		{"half an hour of summer time", "Australia/Lord_Howe", "2026-04-05", "2026-04-05T13:30:00Z"},
		{"the farthest east", "Pacific/Kiritimati", "2026-06-01", "2026-06-01T10:00:00Z"},
		{"the farthest west", "Etc/GMT+12", "2026-06-01", "2026-06-02T12:00:00Z"},
		{"midnight skipped", "America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"},
		{"the day that starts at one", "America/Santiago", "2026-09-06", "2026-09-07T03:00:00Z"},
		{"set back at midnight to the same day", "America/Santiago", "2026-04-04", "2026-04-05T04:00:00Z"},
		{"midnight skipped, east", "Asia/Beirut", "2026-03-28", "2026-03-28T22:00:00Z"},
		{"set back at midnight, east", "Asia/Beirut", "2026-10-24", "2026-10-24T22:00:00Z"},
		{"midnight twice", "America/Havana", "2026-10-31", "2026-11-01T04:00:00Z"},
		{"one minute of the next day, then back", "America/St_Johns", "2010-11-06", "2010-11-07T03:30:00Z"},
		{"before a day that never was", "Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z"},
		{"a day that never was", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"leap day", "Europe/Berlin", "2028-02-29", "2028-02-29T23:00:00Z"},
	} {
		t.Run(c.zone+" "+c.why, func(t *testing.T) {
			got, err := DayEnd(c.date, zone(t, c.zone))
			if err != nil || !got.Equal(instant(t, c.want)) || got.Location() != time.UTC {
				t.Errorf("DayEnd(%s) = %v, %v; want %s", c.date, got, err, c.want)
			}
		})
	}
}

// The definition itself, on every day of years in which the places did unusual things.
func TestDayEndIsTheFirstInstantOfLaterDates(t *testing.T) {
	places := []string{
		"UTC", "America/Los_Angeles", "America/Santiago", "America/Havana", "America/St_Johns", "America/Asuncion",
		"Asia/Beirut", "Asia/Tehran", "Asia/Amman", "Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe",
		"Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll", "Europe/London",
	}
	for _, name := range places {
		loc := zone(t, name)
		for _, year := range []int{1993, 2010, 2011, 2026, 2100} {
			for day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
				end, err := DayEnd(day.Format(time.DateOnly), loc)
				if err != nil {
					t.Fatal(err)
				}
				if last := dayOf(end.Add(-time.Nanosecond), loc); last.After(day) {
					t.Fatalf("%s %s: already %s before %s", name, day, last, end)
				}
				for _, later := range []time.Duration{0, time.Second, time.Minute, time.Hour, 3 * time.Hour} {
					if at := dayOf(end.Add(later), loc); !at.After(day) {
						t.Fatalf("%s %s: still %s at %s after %s", name, day, at, later, end)
					}
				}
			}
		}
	}
}

func TestDayEndRefusesWhatIsNoDate(t *testing.T) {
	for _, date := range []string{"", "2026-02-29", "2026-13-01", "2026-1-1", "31.12.2026", "2026-12-31T00:00:00Z", "tomorrow"} {
		got, err := DayEnd(date, time.UTC)
		if err == nil || !got.IsZero() || !strings.Contains(err.Error(), "2026-12-31") {
			t.Errorf("DayEnd(%q) = %v, %v", date, got, err)
		}
	}
}

func TestDayEndWithoutPlaceIsUTC(t *testing.T) {
	got, err := DayEnd("2026-12-31", nil)
	if err != nil || !got.Equal(instant(t, "2027-01-01T00:00:00Z")) {
		t.Errorf("DayEnd = %v, %v", got, err)
	}
}

func TestFirstDayEnd(t *testing.T) {
	santiago := zone(t, "America/Santiago")
	for _, c := range []struct{ at, want string }{
		{"2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z"},
		{"2026-09-06T04:00:00Z", "2026-09-06T04:00:00Z"},
		{"2026-09-06T04:00:01Z", "2026-09-07T03:00:00Z"},
		{"2026-04-05T03:30:00Z", "2026-04-05T04:00:00Z"},
	} {
		if got := FirstDayEnd(instant(t, c.at), santiago); !got.Equal(instant(t, c.want)) {
			t.Errorf("FirstDayEnd(%s) = %s, want %s", c.at, got, c.want)
		}
	}
}
