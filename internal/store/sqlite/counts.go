package sqlite

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cx-operator/cx-operator/internal/store"
)

// countKey is the primary key of a count.
type countKey struct {
	program    int64
	touchpoint string
	unit       string
	question   string
	revision   int32
	hour       store.Hour
	value      string
}

func compareKeys(a, b countKey) int {
	return cmp.Or(
		cmp.Compare(a.program, b.program),
		cmp.Compare(a.touchpoint, b.touchpoint),
		cmp.Compare(a.unit, b.unit),
		cmp.Compare(a.question, b.question),
		cmp.Compare(a.revision, b.revision),
		cmp.Compare(a.hour, b.hour),
		cmp.Compare(a.value, b.value),
	)
}

// counts is what a transaction adds to the counts.
type counts map[countKey]int64

func (c counts) add(program int64, r *row) {
	key := countKey{program: program, touchpoint: r.touchpoint, unit: r.unit, hour: r.hour}
	for _, a := range r.answers {
		key.question, key.revision = a.question, a.revision
		for _, v := range a.counted {
			key.value = v
			c[key]++
		}
	}
}

// writeCounts changes each count once, in the order of the table.
func (t *tx) writeCounts() error {
	for _, k := range slices.SortedFunc(maps.Keys(t.counts), compareKeys) {
		_, err := t.stmts.addCount.Exec(k.program, k.touchpoint, k.unit, k.question, k.revision, int64(k.hour), k.value,
			t.counts[k], t.seq)
		if err != nil {
			return err
		}
	}
	return nil
}
