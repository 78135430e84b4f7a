package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func partitions(t *testing.T, dsn string) string {
	t.Helper()
	return ask(t, dsn, `SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent IN ('response'::regclass, 'answer'::regclass) AND relname ~ '_\d{4}_\d\d$'`)
}

func at(n int, when time.Time) store.Response {
	r := answered(n, "1")
	r.SubmittedAt = when
	return r
}

func TestPartitions(t *testing.T) {
	dsn := newSchema(t, server)
	s, other := mustOpen(t, dsn, Options{}), mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	defer mustClose(t, other)
	utc := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	west := time.FixedZone("west", -8*3600)
	mustAppend(t, s,
		at(1, utc(1999, 12, 31)), at(2, utc(1, 1, 1)), at(3, utc(2100, 1, 1)), at(4, utc(9999, 12, 31)), // none of their own
		at(5, utc(2000, 1, 1)), at(6, utc(2099, 12, 31)), at(7, utc(2020, 3, 1).Add(-1)),
		at(8, time.Date(2020, 2, 29, 23, 0, 0, 0, west)), at(9, utc(2020, 4, 30)))
	mustAppend(t, other, at(10, utc(2020, 2, 1)), at(11, utc(2020, 3, 31)))
	const want = "answer_2000_01 answer_2020_02 answer_2020_03 answer_2020_04 answer_2099_12 " +
		"response_2000_01 response_2020_02 response_2020_03 response_2020_04 response_2099_12"
	if got := partitions(t, dsn); got != want {
		t.Errorf("partitions %s, want %s", got, want)
	}
	if n := len(exportAll(t, s)); n != 11 {
		t.Errorf("Export has %d responses, want 11", n)
	}

	// While an export is under way, nothing is dropped, and nothing waits.
	err := s.Export(context.Background(), program, func(r store.Response) error {
		if r.ID == at(2, noon).ID {
			retireBefore(t, s, utc(2020, 4, 1), 7)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := partitions(t, dsn); got != want {
		t.Errorf("partitions after retention beside an export: %s, want %s", got, want)
	}
	mustAppend(t, s, at(12, utc(2020, 3, 30)))
	retireBefore(t, s, utc(2020, 4, 1), 1)
	const left = "answer_2020_04 answer_2099_12 response_2020_04 response_2099_12"
	if got := partitions(t, dsn); got != left {
		t.Errorf("partitions after retention: %s, want %s", got, left)
	}
	// Neither store knows of the other's dropping: what comes late makes them again.
	mustAppend(t, other, at(13, utc(2020, 3, 30)), at(14, utc(2000, 1, 2)))
	mustAppend(t, s, at(15, utc(2020, 3, 29)))
	wantKept(t, s, 7)
	if n := len(exportAll(t, s)); n != 7 {
		t.Errorf("Export has %d responses, want 7", n)
	}
	retireBefore(t, s, utc(2200, 1, 1), 6)
	if got := partitions(t, dsn); got != "" {
		t.Errorf("partitions after everything was retired: %s", got)
	}
	wantKept(t, s, 1)
}

func retireBefore(t *testing.T, s *Store, before time.Time, want int64) {
	t.Helper()
	if n, err := s.Retire(context.Background(), program, before); err != nil || n != want {
		t.Errorf("Retire before %s: %d, %v; want %d", before, n, err, want)
	}
}

func TestMonths(t *testing.T) {
	for _, c := range []struct {
		at    time.Time
		month string
		ok    bool
	}{
		{time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), "1999_12", false},
		{time.Date(1999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3600)), "2000_01", true},
		{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), "2026_05", true},
		{time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC), "2099_12", true},
		{time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), "2100_01", false},
	} {
		if month, ok := monthOf(c.at); month != c.month || ok != c.ok {
			t.Errorf("month of %s: %s, %t; want %s, %t", c.at, month, ok, c.month, c.ok)
		}
	}
	if from, to, err := bounds("2026_12"); from != "2026-12-01 00:00+00" || to != "2027-01-01 00:00+00" || err != nil {
		t.Errorf("bounds of December: %s, %s, %v", from, to, err)
	}
	for _, month := range []string{"", "2026_13", "2026_1", "2026-01", "2026_01; DROP TABLE answer"} {
		if from, to, err := bounds(month); err == nil {
			t.Errorf("bounds of %q: %s, %s", month, from, to)
		}
	}
}
