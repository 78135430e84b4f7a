package rollup

import (
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestAnswered(t *testing.T) {
	b := NewBook()
	if b.Answered("", alpha) {
		t.Error("answered before anything was read")
	}
	visit := store.Count{Program: alpha, Question: store.QuestionUnfinished, Revision: 1, Hour: store.HourOf(noon), N: 7}
	b.Apply("ns/one", full(visit), noon)
	b.Apply("ns/two", full(), noon)
	if b.Answered("", alpha) {
		t.Error("a visit without an answer counts as one")
	}
	old := of("food", "", 5, "4", 1)
	old.Revision = 3
	b.Apply("ns/one", more(old), noon)
	for _, c := range []struct {
		source  string
		program store.Key
		want    bool
	}{{"", alpha, true}, {"ns/one", alpha, true}, {"ns/two", alpha, false}, {"", beta, false}} {
		if got := b.Answered(c.source, c.program); got != c.want {
			t.Errorf("source %q, program %s: %v, want %v", c.source, c.program, got, c.want)
		}
	}
	old.N = 0 // it was annulled
	b.Apply("ns/one", more(old), noon)
	if b.Answered("", alpha) {
		t.Error("answered, though the one answer was taken out of the counts")
	}
}
