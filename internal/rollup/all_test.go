package rollup

import (
	"fmt"
	"maps"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

// What a whole program was answered is the same from its touchpoints one by one and from their sum, which is begun when there are
// many, and kept up to date.
func TestProgramWideOfFewAndMany(t *testing.T) {
	b, now := NewBook(), store.Hour(494_100)
	b.Apply("ns/store", full(), now.Time())
	want := map[string]int64{}
	for i := range int64(3 * fewTouchpoints) {
		place := fmt.Sprint("touchpoint-", i)
		for _, c := range []store.Count{of(place, "", now-store.Hour(i), "1", 2), of(place, "it", now-50, "5", i+1), of(place, "", now-100, "5", 1)} {
			b.Apply("ns/store", more(c), now.Time())
		}
		want["1"], want["5"] = want["1"]+2, want["5"]+i+2
		w := b.Window(Query{Program: alpha, ProgramWide: true, Question: "q", Revision: 1, From: now - 1000, To: now + 1})
		if !maps.Equal(w.Values, want) || w.Ever != want["1"]+want["5"] || w.Earliest != now-100 {
			t.Fatalf("of %d touchpoints: %+v, want %v", i+1, w, want)
		}
		if summed := b.holders[alpha][0].program.questions[questionKey{"q", 1}].all != nil; summed != (i >= fewTouchpoints) {
			t.Fatalf("of %d touchpoints a sum is held: %v", i+1, summed)
		}
	}
}
