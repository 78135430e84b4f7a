package convert

import (
	"strings"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		format, zone, cell, want string // want is empty where the cell is refused
	}{
		{"", "", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"},
		{"", "", "2026-03-01t10:00:00.5+02:00", "2026-03-01T08:00:00.5Z"},
		{"", "", "2026-03-01 10:00:00Z", "2026-03-01T10:00:00Z"},
		{"", "Europe/Berlin", "2026-07-01 10:00:00", "2026-07-01T08:00:00Z"},
		{"", "Europe/Berlin", "2026-07-01 10:00", "2026-07-01T08:00:00Z"},
		{"", "Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00Z"},
		{"", "", "01/07/2026", ""},
		{"", "", "2026-02-30", ""},
		{"", "", "45123", ""},
		{"dd/MM/yyyy", "", "01/07/2026", "2026-07-01T00:00:00Z"},
		{"M/d/yyyy h:mm a", "America/New_York", "7/1/2026 1:05 PM", "2026-07-01T17:05:00Z"},
		{"M/d/yyyy h:mm a", "America/New_York", "7/1/2026 1:05\u202fpm", ""}, // Go knows PM in capitals only; see below
		{"d MMMM yyyy", "", "1 July 2026", "2026-07-01T00:00:00Z"},
		{"EEE MMM dd yyyy", "", "Wed Jul 01 2026", "2026-07-01T00:00:00Z"},
		{"yyyy-MM-dd'T'HH:mm:ssXXX", "", "2026-07-01T10:00:00+02:00", "2026-07-01T08:00:00Z"},
		{"yyyyMMdd", "", "20260701", "2026-07-01T00:00:00Z"},
		{"dd.MM.yy", "", "01.07.26", "2026-07-01T00:00:00Z"},
		{"unix", "", "1782864000", "2026-07-01T00:00:00Z"},
		{"unixMillis", "", "1782864000123", "2026-07-01T00:00:00.123Z"},
		{"unix", "", "-1", ""},
		{"unix", "", "99999999999999999999", ""},
		{"serial", "", "46204", "2026-07-01T00:00:00Z"},
		{"serial", "Europe/Berlin", "46204.75", "2026-07-01T16:00:00Z"},
		{"serial", "", "46204,999999", "2026-07-02T00:00:00Z"},
		{"serial", "", "0", ""}, {"serial", "", "NaN", ""}, {"serial", "", "1e300", ""}, {"serial", "", "-5", ""},
		// Some browsers write the hour after midnight as 24, on the new day.
		{"yyyy-MM-dd HH:mm:ss", "", "2026-07-01 24:05:00", "2026-07-01T00:05:00Z"},
		{"yyyy-MM-dd HH:mm:ss", "", "2026-07-01 25:05:00", ""},
		// The clocks go forward at 02:00, and back at 03:00.
		{"", "Europe/Berlin", "2026-03-29 02:30:00", ""},
		{"", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"},
		{"", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z"},
		// A day that begins at 01:00, because the clocks skip midnight.
		{"", "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"},
	} {
		w := When{TimeZone: c.zone}
		if c.format != "" {
			w.Formats = []string{c.format}
		}
		k, err := newClock(w)
		if err != nil {
			t.Fatal(err)
		}
		at, err := k.read(c.cell)
		got := at.Format(time.RFC3339Nano)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got != c.want) {
			t.Errorf("%q by %q in %q is %s, %v; want %q", c.cell, c.format, c.zone, got, err, c.want)
		}
	}
	k, _ := newClock(When{})
	if _, err := k.read("46204"); err == nil || !strings.Contains(err.Error(), "looks like a spreadsheet's day number for 2026-07-01: add the format serial") {
		t.Errorf("%v", err)
	}
}

func TestLayouts(t *testing.T) {
	for format, says := range map[string]string{
		"":                     "needs a year",
		"yyyy-MM":              "needs a year (yyyy), a month (MM) and a day",
		"YYYY-MM-DD":           `the letter 'Y' stands for nothing`,
		"2006-01-02":           "is not allowed in a format",
		"yyyyy-MM-dd":          "is repeated too often",
		"yyyy-MM-dd'T":         "has no end",
		"yyyy-MM-dd '15'":      "digits in quotes",
		"yyyy-MM-dd _":         "is not allowed",
		"yyyy\u5e74MM dd":      "only ASCII",
		"%Y-%m-%d":             `the letter 'Y'`,
		"yyyy-MM-dd HH:mm:ssZ": `the letter 'Z'`,
	} {
		if _, err := parseLayout(format); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", format, err, says)
		}
	}
}
