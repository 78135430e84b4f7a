package rollup

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// cell is a cell of the model that series is compared with.
type cell struct {
	hour   store.Hour
	column int
}

func cells(s *series, from, to store.Hour) map[cell]int64 {
	m := map[cell]int64{}
	for i := range s.days {
		r := s.read(i)
		for r.next() {
			h := store.Hour(s.days[i].number)*hoursPerDay + store.Hour(r.key%hoursPerDay)
			if h >= from && h < to {
				m[cell{h, r.key / hoursPerDay}] += r.n
			}
		}
	}
	return m
}

// A series equals a plain map, whatever is set, added and removed in whatever order.
func TestSeriesEqualsMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, model := &series{}, map[cell]int64{}
		hours := rapid.OneOf(rapid.Int64Range(-60, 60), rapid.Int64Range(490_000, 490_100), rapid.Int64Range(0, 1_000_000))
		counts := rapid.OneOf(rapid.Int64Range(-2, 40), rapid.Int64Range(0, math.MaxInt64))
		steps := rapid.IntRange(1, 80).Draw(rt, "steps")
		for range steps {
			c := cell{store.Hour(hours.Draw(rt, "hour")), rapid.IntRange(0, 12).Draw(rt, "column")}
			n := counts.Draw(rt, "n")
			if rapid.Bool().Draw(rt, "set") {
				if got, want := s.set(c.hour, c.column, n, false), max(n, 0)-model[c]; got != want {
					rt.Fatalf("set says %d more, want %d", got, want)
				}
				model[c] = max(n, 0)
			} else if n < math.MaxInt32 {
				n = min(n, math.MaxInt64-model[c])
				s.add(c.hour, c.column, n, false)
				model[c] = max(model[c]+n, 0)
			}
			maps.DeleteFunc(model, func(_ cell, n int64) bool { return n == 0 })
		}
		from, to := store.Hour(hours.Draw(rt, "from")), store.Hour(hours.Draw(rt, "to"))
		want := maps.Clone(model)
		maps.DeleteFunc(want, func(c cell, _ int64) bool { return c.hour < from || c.hour >= to })
		if got := cells(s, from, to); !maps.Equal(got, want) {
			rt.Fatalf("hours %d to %d: %v, want %v", from, to, got, want)
		}
		if got := cells(s, math.MinInt32, math.MaxInt32); !maps.Equal(got, model) {
			rt.Fatalf("all hours: %v, want %v", got, model)
		}
		if got := cells(s.clone(), math.MinInt32, math.MaxInt32); !maps.Equal(got, model) {
			rt.Fatalf("the clone: %v, want %v", got, model)
		}
		if len(model) == 0 && len(s.days)+len(s.cells) > 0 {
			rt.Fatalf("%d days and %d bytes are left of nothing", len(s.days), len(s.cells))
		}
		if !slices.IsSortedFunc(s.days, func(a, b day) int { return int(a.number - b.number) }) {
			rt.Fatal("days are not in order")
		}
	})
}

// A clone is its own.
func TestCloneIsItsOwn(t *testing.T) {
	s := &series{}
	s.set(100, 0, 7, false)
	c := s.clone()
	c.set(100, 0, 9, false)
	c.set(50, 1, 1, true)
	if got := cells(s, 0, 200); len(got) != 1 || got[cell{100, 0}] != 7 || s.ever() != 7 {
		t.Errorf("the original holds %v, ever %d", got, s.ever())
	}
}

func TestEver(t *testing.T) {
	s := &series{}
	s.set(1, 0, 3, false)
	s.set(2, 1, 4, false)
	if got := s.ever(); got != 7 {
		t.Errorf("ever %d, want the 7 of all values", got)
	}
	s.set(1, 2, 5, true) // a question with several choices: 5 answered, with 7 choices
	if got := s.ever(); got != 5 {
		t.Errorf("ever %d, want the 5 who answered", got)
	}
	s.set(1, 2, 0, true)
	s.set(1, 0, 1, false)
	if got := s.ever(); got != 5 {
		t.Errorf("ever %d, want 1 + 4", got)
	}
}

func TestPlace(t *testing.T) {
	tests := []struct {
		hour   store.Hour
		number int32
		within int
	}{{0, 0, 0}, {23, 0, 23}, {24, 1, 0}, {-1, -1, 23}, {-24, -1, 0}, {-25, -2, 23}}
	for _, tt := range tests {
		if number, within := place(tt.hour); number != tt.number || within != tt.within {
			t.Errorf("hour %d is hour %d of day %d, want %d of %d", tt.hour, within, number, tt.within, tt.number)
		}
	}
}
