package sqlite

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// TestCountsAreInTheOrderOfTheTable inserts counts that differ in each column, and reads them by the primary key.
func TestCountsAreInTheOrderOfTheTable(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{})
	defer s.Close()
	c := counts{}
	for _, text := range []string{"", "10", "9", "A", "a", "ä", "東京", "🛫"} {
		for _, number := range []int32{-10, -9, 0, 9, 10} {
			for program := int64(1); program <= 2; program++ {
				c[countKey{program, text, "u", "q", number, 0, "v"}] = 1
				c[countKey{program, "t", text, "q", 1, store.Hour(number), "v"}] = 2
				c[countKey{program, "t", "u", "q", 1, 0, text}] = 3
				c[countKey{program, "t", "u", "q" + text, number, 5, "v"}] = 4
			}
		}
	}
	err := s.writer.do(context.Background(), func(t *tx) error {
		for _, name := range []string{"one", "two"} {
			if _, err := t.program(store.Key{Namespace: "ns", Name: name}); err != nil {
				return err
			}
		}
		t.counts = c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.bulk.Query(`SELECT program, touchpoint, unit, question, revision, hour, value FROM rollup
		ORDER BY program, touchpoint, unit, question, revision, hour, value`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []countKey
	for rows.Next() {
		var k countKey
		if err := rows.Scan(&k.program, &k.touchpoint, &k.unit, &k.question, &k.revision, &k.hour, &k.value); err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := slices.SortedFunc(maps.Keys(c), compareKeys)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(countKey{})); diff != "" {
		t.Errorf("order (-compareKeys +table):\n%s", diff)
	}
}

func TestCountsAdd(t *testing.T) {
	c := counts{}
	a := answer{question: "q", revision: 2, counted: []string{"", "x"}}
	c.add(7, &row{touchpoint: "t", unit: "u", hour: 3, answers: []answer{a, {question: "r", revision: 1, counted: []string{"x"}}}})
	c.add(7, &row{touchpoint: "t", unit: "u", hour: 3, answers: []answer{a}})
	want := counts{
		{7, "t", "u", "q", 2, 3, ""}: 2, {7, "t", "u", "q", 2, 3, "x"}: 2, {7, "t", "u", "r", 1, 3, "x"}: 1,
	}
	if !maps.Equal(want, c) {
		t.Errorf("counts %v, want %v", c, want)
	}
}
