package rollup

import (
	"maps"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestUnitWindow(t *testing.T) {
	program := store.Key{Namespace: "a", Name: "p"}
	count := func(touchpoint, unit string, hour store.Hour, value string, n int64) store.Count {
		return store.Count{Program: program, Touchpoint: touchpoint, Unit: unit, Question: "q", Revision: 1, Hour: hour, Value: value, N: n}
	}
	b := NewBook()
	b.Apply("one", store.Changes{Reset: true, Counts: []store.Count{
		count("", "anna", 10, "5", 2), count("gate", "anna", 12, "4", 3), count("gate", "anna", 30, "4", 7), count("gate", "ben", 12, "4", 11), count("gate", "", 12, "1", 13),
	}}, time.Unix(0, 0))
	b.Apply("two", store.Changes{Reset: true, Counts: []store.Count{count("", "anna", 9, "5", 1)}}, time.Unix(0, 0))
	for name, c := range map[string]struct {
		q    Query
		unit string
		want map[string]int64
		ever int64
	}{
		"program-wide":         {Query{ProgramWide: true, To: 20}, "anna", map[string]int64{"5": 3, "4": 3}, 13},
		"of one source":        {Query{Source: "one", ProgramWide: true, To: 20}, "anna", map[string]int64{"5": 2, "4": 3}, 12},
		"at a touchpoint":      {Query{Touchpoint: "gate", To: 40}, "anna", map[string]int64{"4": 10}, 10},
		"without a touchpoint": {Query{To: 40}, "anna", map[string]int64{"5": 3}, 3},
		"of another unit":      {Query{ProgramWide: true, To: 40}, "ben", map[string]int64{"4": 11}, 11},
		"of none":              {Query{ProgramWide: true, To: 40}, "cleo", map[string]int64{}, 0},
		"later":                {Query{ProgramWide: true, From: 13, To: 40}, "anna", map[string]int64{"4": 7}, 13},
	} {
		c.q.Program, c.q.Question, c.q.Revision = program, "q", 1
		got := b.UnitWindow(c.q, c.unit)
		if !maps.Equal(got.Values, c.want) || got.Ever != c.ever || got.Any != (len(c.want) > 0) {
			t.Errorf("%s: %+v, want %v of %d", name, got, c.want, c.ever)
		}
	}
	if got := b.UnitWindow(Query{Program: program, ProgramWide: true, Question: "q", Revision: 1, To: 40}, "anna"); got.Earliest != 9 {
		t.Errorf("the earliest hour is %d, want 9", got.Earliest)
	}
}
