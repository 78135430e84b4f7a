package rollup

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

const testColumns = 11

// recount is total, from all cells one by one.
func recount(model map[cell]int64, from, to store.Hour) (sums []int64, first store.Hour, any bool) {
	sums = make([]int64, testColumns)
	for c, n := range model {
		if n == 0 || c.hour < from || c.hour >= to {
			continue
		}
		sums[c.column] += n
		if !any || c.hour < first {
			first, any = c.hour, true
		}
	}
	return sums, first, any
}

// What a window finds is what a recount of its cells finds, however busy the series is, whatever was set, taken back and
// forgotten.
func FuzzTotalEqualsRecount(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		days := rapid.SampledFrom([]int64{1, 3, 40, 120}).Draw(t, "days")
		base := rapid.SampledFrom([]int64{0, -300, 494_000}).Draw(t, "base")
		s, model := &series{}, map[cell]int64{}
		change := func(n int64) {
			c := cell{store.Hour(base + random.Int64N(days*24)), random.IntN(testColumns)}
			s.set(c.hour, c.column, n, false)
			model[c] = n
		}
		for range rapid.SampledFrom([]int{10, 900, 5000}).Draw(t, "cells") {
			change(1 + random.Int64N(300)*random.Int64N(3))
		}
		for range rapid.IntRange(0, 300).Draw(t, "taken back") {
			change(0)
		}
		if rapid.Bool().Draw(t, "forget") {
			before := store.Hour(base + random.Int64N(days*24))
			s.forget(before)
			number, _ := place(before)
			for c := range model {
				if c.hour < store.Hour(number)*hoursPerDay {
					delete(model, c)
				}
			}
			change(7)
		}
		for _, s := range []*series{s, s.clone()} {
			for range 20 {
				from := store.Hour(base - 30 + random.Int64N(days*24+60))
				to := from + store.Hour(random.Int64N(days*24+60)) - 5
				sums := make([]int64, testColumns)
				first, any := s.total(from, to, sums)
				want, wantFirst, wantAny := recount(model, from, to)
				if !slices.Equal(sums, want) || any != wantAny || any && first != wantFirst {
					t.Fatalf("hours %d to %d: %v from %d %t, want %v from %d %t", from, to, sums, first, any, want, wantFirst, wantAny)
				}
			}
		}
	}))
}

// Sums are kept where they save reading, and not where they would be as many as the cells.
func TestSumsOfBusySeriesAlone(t *testing.T) {
	fill := func(perDay int) *series {
		s := &series{}
		for i := range 90 * perDay {
			s.set(store.Hour(494_000+i/perDay*24+i%perDay%24), i%perDay/24, 3, false)
		}
		return s
	}
	if s := fill(5); s.sums != nil {
		t.Errorf("%d bytes of 90 quiet days are summed up", len(s.cells))
	}
	s := fill(120)
	if s.sums == nil || len(s.sums.cells) > len(s.cells)/8 {
		t.Fatalf("%d bytes of 90 busy days have sums %+v", len(s.cells), s.sums)
	}
	if got, want := s.sums.ever(), s.ever(); got != want {
		t.Errorf("the sums hold %d, want %d", got, want)
	}
	s.forget(494_000 + 88*24)
	if s.sums != nil {
		t.Error("two days have sums")
	}
}
