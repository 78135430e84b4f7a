package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// TestCountsAreInTheOrderOfTheTable inserts counts that differ in each column, and reads them by the primary key.
func TestCountsAreInTheOrderOfTheTable(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{})
	defer s.Close()
	c := commit.Counts{}
	for _, text := range []string{"", "10", "9", "A", "a", "ä", "東京", "🛫"} {
		for _, number := range []int32{-10, -9, 0, 9, 10} {
			for program := int64(1); program <= 2; program++ {
				for n, k := range []commit.CountKey{
					{Program: program, Touchpoint: text, Unit: "u", Question: "q", Revision: number, Value: "v"},
					{Program: program, Touchpoint: "t", Unit: text, Question: "q", Revision: 1, Hour: store.Hour(number), Value: "v"},
					{Program: program, Touchpoint: "t", Unit: "u", Question: "q", Revision: 1, Value: text},
					{Program: program, Touchpoint: "t", Unit: "u", Question: "q" + text, Revision: number, Hour: 5, Value: "v"},
				} {
					c[k] = int64(n + 1)
				}
			}
		}
	}
	err := s.do(context.Background(), func(t *tx) error {
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
	var got []commit.CountKey
	for rows.Next() {
		var k commit.CountKey
		if err := rows.Scan(&k.Program, &k.Touchpoint, &k.Unit, &k.Question, &k.Revision, &k.Hour, &k.Value); err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Sorted(), got); diff != "" {
		t.Errorf("order (-CompareKeys +table):\n%s", diff)
	}
}
