package rollup

import (
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestHolds(t *testing.T) {
	visit := store.Count{Program: alpha, Question: store.QuestionUnfinished, Revision: 1, Hour: store.HourOf(noon), Value: "q", N: 1}
	answer := of("desk", "", store.HourOf(noon), "3", 1)
	for name, c := range map[string]struct {
		pages []store.Changes
		want  bool
	}{
		"nothing was read":       {nil, false},
		"nothing is there":       {[]store.Changes{full()}, false},
		"an answer":              {[]store.Changes{full(answer)}, true},
		"another program's":      {[]store.Changes{full(store.Count{Program: beta, Question: "q", Revision: 1, N: 1})}, false},
		"a visit without answer": {[]store.Changes{full(visit)}, false},
		"a visit and an answer":  {[]store.Changes{full(visit), more(answer)}, true},
		"an import of nothing":   {[]store.Changes{{Reset: true, Imports: map[store.Key]string{alpha: "i"}}}, true},
		"half of a full read":    {[]store.Changes{{Reset: true, Counts: []store.Count{answer}, More: true}}, false},
		"gone after a restore":   {[]store.Changes{full(answer), full()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBook()
			for _, page := range c.pages {
				b.Apply("ns/store", page, noon)
			}
			if got := b.Holds("ns/store", alpha); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if b.Holds("ns/other", alpha) {
				t.Error("another source holds it, too")
			}
		})
	}
}
