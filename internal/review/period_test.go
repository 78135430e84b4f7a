package review

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func date(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestSpanOf(t *testing.T) {
	for _, c := range []struct {
		cadence        v1alpha1.Cadence
		day            string
		from, to, name string
	}{
		{v1alpha1.CadenceWeekly, "2026-11-18", "2026-11-16", "2026-11-22", "visits-2026-w47"},
		{v1alpha1.CadenceWeekly, "2026-11-16", "2026-11-16", "2026-11-22", "visits-2026-w47"},
		{v1alpha1.CadenceWeekly, "2026-11-22", "2026-11-16", "2026-11-22", "visits-2026-w47"},
		// The ISO year begins with the week of its first Thursday.
		{v1alpha1.CadenceWeekly, "2027-01-01", "2026-12-28", "2027-01-03", "visits-2026-w53"},
		{v1alpha1.CadenceWeekly, "2024-12-31", "2024-12-30", "2025-01-05", "visits-2025-w01"},
		{v1alpha1.CadenceBiWeekly, "2026-11-18", "2026-11-16", "2026-11-29", "visits-2026-w47-w48"},
		{v1alpha1.CadenceBiWeekly, "2026-11-29", "2026-11-16", "2026-11-29", "visits-2026-w47-w48"},
		// 2026 has 53 weeks: its last period has three, and 2027 begins with week 1.
		{v1alpha1.CadenceBiWeekly, "2026-12-13", "2026-11-30", "2026-12-13", "visits-2026-w49-w50"},
		{v1alpha1.CadenceBiWeekly, "2026-12-14", "2026-12-14", "2027-01-03", "visits-2026-w51-w53"},
		{v1alpha1.CadenceBiWeekly, "2026-12-24", "2026-12-14", "2027-01-03", "visits-2026-w51-w53"},
		{v1alpha1.CadenceBiWeekly, "2027-01-03", "2026-12-14", "2027-01-03", "visits-2026-w51-w53"},
		{v1alpha1.CadenceBiWeekly, "2027-01-04", "2027-01-04", "2027-01-17", "visits-2027-w01-w02"},
		// 2027 has 52.
		{v1alpha1.CadenceBiWeekly, "2027-12-31", "2027-12-20", "2028-01-02", "visits-2027-w51-w52"},
		{v1alpha1.CadenceMonthly, "2026-11-18", "2026-11-01", "2026-11-30", "visits-2026-11"},
		{v1alpha1.CadenceMonthly, "2028-02-29", "2028-02-01", "2028-02-29", "visits-2028-02"},
		{v1alpha1.CadenceMonthly, "2026-12-31", "2026-12-01", "2026-12-31", "visits-2026-12"},
	} {
		s, err := SpanOf(c.cadence, date(t, c.day))
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Period(); p.From != c.from || p.To != c.to || s.Name("visits") != c.name {
			t.Errorf("%s of %s: %s to %s, %s; want %s to %s, %s", c.cadence, c.day, p.From, p.To, s.Name("visits"), c.from, c.to, c.name)
		}
	}
	for _, none := range []v1alpha1.Cadence{v1alpha1.CadenceAuto, "", "Yearly"} {
		if _, err := SpanOf(none, date(t, "2026-11-18")); err == nil {
			t.Errorf("cadence %q has periods", none)
		}
	}
}

var cadences = []v1alpha1.Cadence{v1alpha1.CadenceWeekly, v1alpha1.CadenceBiWeekly, v1alpha1.CadenceMonthly}

// FuzzPeriodsTileTime: the periods of a cadence follow each other without gap or overlap, each day lies in exactly the one that
// is found for it, and their names differ and are as Kubernetes wants them.
func FuzzPeriodsTileTime(f *testing.F) {
	f.Add(uint8(0), int32(20000))
	f.Add(uint8(1), int32(20800)) // the end of 2026
	f.Add(uint8(2), int32(20800))
	zones := []*time.Location{time.UTC}
	for _, name := range []string{"America/Los_Angeles", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			f.Fatal(err)
		}
		zones = append(zones, loc)
	}
	f.Fuzz(func(t *testing.T, kind uint8, since1970 int32) {
		cadence := cadences[int(kind)%len(cadences)]
		since1970 %= 365 * 400 // four hundred years either way
		day := time.Unix(int64(since1970)*86400, 0).UTC()
		s, err := SpanOf(cadence, day)
		if err != nil {
			t.Fatal(err)
		}
		if day.Before(s.First) || day.After(s.Last) {
			t.Fatalf("%s lies not in %+v", day, s)
		}
		for d := s.First; !d.After(s.Last); d = d.AddDate(0, 0, 1) {
			if same, err := SpanOf(cadence, d); err != nil || same != s {
				t.Fatalf("%s lies in %+v, %s in %+v (%v)", day, s, d, same, err)
			}
		}
		next, err := SpanOf(cadence, s.Last.AddDate(0, 0, 1))
		if err != nil || !next.First.Equal(s.Last.AddDate(0, 0, 1)) {
			t.Fatalf("%+v is followed by %+v (%v)", s, next, err)
		}
		if s.Name("p") == next.Name("p") || len(s.Name("p")) > 20 {
			t.Fatalf("%q is followed by %q", s.Name("p"), next.Name("p"))
		}
		for _, loc := range zones {
			_, end, err := Bounds(s.Period(), loc)
			if err != nil {
				t.Fatal(err)
			}
			from, _, err := Bounds(next.Period(), loc)
			if err != nil || !from.Equal(end) {
				t.Fatalf("in %s, %+v ends at %s and the next begins at %s (%v)", loc, s, end, from, err)
			}
			last, ends, err := LastEnded(cadence, end, loc)
			if err != nil || last != s || !ends.After(end) {
				t.Fatalf("in %s, at the end of %+v the last that ended is %+v, and the next ends at %s (%v)", loc, s, last, ends, err)
			}
			if last, ends, err = LastEnded(cadence, end.Add(-time.Nanosecond), loc); err != nil || last == s || !ends.Equal(end) {
				t.Fatalf("in %s, just before the end of %+v the last that ended is %+v, and the next ends at %s (%v)", loc, s, last, ends, err)
			}
		}
	})
}

func TestPrevious(t *testing.T) {
	for _, c := range []struct{ from, to, wantFrom, wantTo string }{
		{"2026-11-16", "2026-11-22", "2026-11-09", "2026-11-15"},
		{"2026-11-01", "2026-11-30", "2026-10-02", "2026-10-31"},
		{"2026-12-14", "2027-01-03", "2026-11-23", "2026-12-13"},
		{"2026-11-16", "2026-11-16", "2026-11-15", "2026-11-15"},
	} {
		p, err := Previous(v1alpha1.Period{From: c.from, To: c.to})
		if err != nil || p.From != c.wantFrom || p.To != c.wantTo {
			t.Errorf("before %s to %s: %+v, %v", c.from, c.to, p, err)
		}
	}
	for _, p := range []v1alpha1.Period{
		{From: "2026-11-22", To: "2026-11-16"}, {From: "soon", To: "2026-11-16"}, {From: "2026-11-16", To: "2026-13-01"},
		{From: "2020-01-01", To: "2026-01-01"}, {},
	} {
		if _, err := Previous(p); err == nil {
			t.Errorf("%+v is a period", p)
		}
	}
}

func TestBoundsFollowTheZone(t *testing.T) {
	from, to, err := Bounds(v1alpha1.Period{From: "2026-10-26", To: "2026-11-01"}, zone(t, "America/Los_Angeles"))
	if err != nil {
		t.Fatal(err)
	}
	// The clocks go back on the last day: the week has an hour more.
	if want := time.Date(2026, 10, 26, 7, 0, 0, 0, time.UTC); !from.Equal(want) || to.Sub(from) != 7*24*time.Hour+time.Hour {
		t.Errorf("from %s to %s", from, to)
	}
}
