package store_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestHourOf(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want store.Hour
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(3599, 999_999_999), 0},
		{time.Unix(3600, 0), 1},
		{time.Unix(0, -1), -1},
		{time.Unix(-3600, 0), -1},
		{time.Unix(-3600, -1), -2},
		{time.Unix(-7200, 0), -2},
		{time.Date(2026, 5, 4, 18, 29, 59, 0, time.FixedZone("UTC+5:30", 19_800)), 493_860},
		{time.Date(2026, 5, 4, 18, 30, 0, 0, time.FixedZone("UTC+5:30", 19_800)), 493_861},
	} {
		got := store.HourOf(c.at)
		if got != c.want {
			t.Errorf("HourOf(%s) = %d, want %d", c.at, got, c.want)
		}
		if start := got.Time(); start.Location() != time.UTC || c.at.Before(start) || !c.at.Before(start.Add(time.Hour)) {
			t.Errorf("hour %d begins %s, and %s is not in it", got, start, c.at)
		}
	}
}

func TestCounted(t *testing.T) {
	for _, c := range []struct {
		answer store.Answer
		want   []string
	}{
		{store.Answer{Kind: store.KindScale, Values: []string{"-3"}}, []string{"-3"}},
		{store.Answer{Kind: store.KindSingle, Values: []string{"train"}}, []string{"train"}},
		{store.Answer{Kind: store.KindMultiple, Values: []string{"b", "a"}}, []string{"", "a", "b"}},
		{store.Answer{Kind: store.KindMultiple, Values: []string{"a", "b", "a", ""}}, []string{"", "a", "b"}},
		{store.Answer{Kind: store.KindText, Values: []string{"secret"}}, []string{""}},
	} {
		before := slices.Clone(c.answer.Values)
		if got := c.answer.Counted(); !slices.Equal(got, c.want) {
			t.Errorf("%+v counts under %q, want %q", c.answer, got, c.want)
		}
		if !slices.Equal(before, c.answer.Values) {
			t.Errorf("Counted changed the answer from %q to %q", before, c.answer.Values)
		}
	}
}

func TestSecondsBucket(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{-1, ""}, {0, "1"}, {1, "1"}, {time.Second, "1"}, {time.Second + 1, "2"}, {59*time.Second + 1, "60"}, {time.Minute, "60"},
		{time.Minute + 1, "65"}, {65 * time.Second, "65"}, {10*time.Minute - 1, "600"}, {10 * time.Minute, "600"},
		{10*time.Minute + 1, "660"}, {time.Hour, "3600"}, {time.Hour + 1, "4200"}, {day - 1, "86400"}, {day, "86400"}, {day + 1, ""},
	} {
		if got, ok := store.SecondsBucket(c.d); got != c.want || ok != (c.want != "") {
			t.Errorf("%s is in bucket %q, %t; want %q", c.d, got, ok, c.want)
		}
	}
	// Every bucket holds what its own upper end says, and they are few.
	buckets := map[string]bool{}
	for s := 0; s <= 24*3600; s++ {
		b, ok := store.SecondsBucket(time.Duration(s) * time.Second)
		end, err := strconv.Atoi(b)
		if again, _ := store.SecondsBucket(time.Duration(end) * time.Second); !ok || err != nil || end < s || again != b {
			t.Fatalf("%d s are in bucket %q, %t, whose end is in bucket %q", s, b, ok, again)
		}
		buckets[b] = true
	}
	if len(buckets) != 60+108+50+138 {
		t.Errorf("%d buckets", len(buckets))
	}
}

func TestSkipString(t *testing.T) {
	if got := (store.Skip{}).String(); got != "" {
		t.Errorf("no skip is %q", got)
	}
	if got := (store.Skip{Scope: "namespace", Reason: "answered"}).String(); got != "namespace/answered" {
		t.Errorf("a skip is %q", got)
	}
}
