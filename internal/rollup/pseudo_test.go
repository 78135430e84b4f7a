package rollup

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// visit is a count beside the answers.
func visit(touchpoint, unit string, h store.Hour, value string, n int64) store.Count {
	c := of(touchpoint, unit, h, value, n)
	c.Question = store.QuestionSeconds
	return c
}

func visitsOf(touchpoint string, programWide bool, from, to store.Hour) Query {
	q := ask(touchpoint, from, to)
	q.Question, q.ProgramWide = store.QuestionSeconds, programWide
	return q
}

// Of what is counted beside the answers, the last days are kept, which time moves on; of answers, all.
func TestOldVisitsAreForgotten(t *testing.T) {
	b, now := NewBook(), store.HourOf(noon)
	old, kept := now-KeptDays*24-1, now-KeptDays*24
	b.Apply("ns/store", full(
		visit("food", "", old, "5", 1), visit("food", "", kept, "5", 2), visit("shops", "", kept, "5", 4), visit("food", "a", now, "5", 8),
		of("food", "", old, "5", 16), of("food", "", 0, "5", 32),
	), noon)
	sum := func(q Query) int64 { return b.Window(q).Values["5"] }
	if food, all := sum(visitsOf("food", false, 0, now+1)), sum(visitsOf("", true, 0, now+1)); food != 10 || all != 14 {
		t.Errorf("%d and %d visits, want 10 and 14", food, all)
	}
	if w := b.Window(ask("food", 0, now+1)); w.Values["5"] != 48 || w.Ever != 48 || w.Earliest != 0 {
		t.Errorf("answers: %+v", w)
	}
	// A day later the oldest go with the first count that comes; a late correction of what is gone is none.
	later := noon.Add(48 * time.Hour)
	if got := b.Apply("ns/store", more(visit("food", "", kept, "5", 99)), later); len(got) > 0 {
		t.Errorf("a count before all that is kept is news to %v", got)
	}
	b.Apply("ns/store", more(visit("food", "", now+48, "5", 64)), later)
	if food, all := sum(visitsOf("food", false, 0, now+50)), sum(visitsOf("", true, 0, now+50)); food != 72 || all != 72 {
		t.Errorf("%d and %d visits two days later, want 72: those of now and the new ones", food, all)
	}
	// A touchpoint that is quiet keeps what it had.
	if shops := sum(visitsOf("shops", false, 0, now+50)); shops != 4 {
		t.Errorf("%d visits of another touchpoint, want 4", shops)
	}
}

// Cases are kept however old they are: one that waits is overdue for ever.
func TestCasesAreNotForgotten(t *testing.T) {
	b, now := NewBook(), store.HourOf(noon)
	for _, question := range []string{store.QuestionCaseDue, store.QuestionCaseKept, store.QuestionCaseLate, store.QuestionCaseOpen} {
		old, late := of("food", "", now-1000*24, "", 2), of("food", "", now, "", 3)
		old.Question, late.Question = question, question
		b.Apply("ns/store", full(old), noon)
		b.Apply("ns/store", more(late), noon)
		q := ask("food", 0, now+1)
		q.Question = question
		if w := b.Window(q); w.Values[""] != 5 || w.Earliest != now-1000*24 {
			t.Errorf("%s: %+v", question, w)
		}
	}
}

// Forgetting drops whole days from the front, and leaves the rest a series.
func TestForget(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, model := &series{}, map[cell]int64{}
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			c := cell{store.Hour(rapid.Int64Range(-100, 500).Draw(rt, "hour")), rapid.IntRange(0, 400).Draw(rt, "column")}
			n := rapid.Int64Range(1, 40).Draw(rt, "n")
			s.set(c.hour, c.column, n, false)
			model[c] = n
			if rapid.IntRange(0, 9).Draw(rt, "forget") > 0 {
				continue
			}
			before := store.Hour(rapid.Int64Range(-150, 600).Draw(rt, "before"))
			s.forget(before)
			day, _ := place(before)
			maps.DeleteFunc(model, func(c cell, _ int64) bool { d, _ := place(c.hour); return d < day })
		}
		if got := cells(s, -1000, 1000); !maps.Equal(got, model) {
			rt.Fatalf("%v, want %v", got, model)
		}
	})
}

// A touchpoint with 1000 visits a day, each of another length, holds a known amount of memory however long it runs.
func TestMemoryOfVisits(t *testing.T) {
	b := NewBook()
	for day := range 100 {
		var counts []store.Count
		for i := range 1000 {
			counts = append(counts, visit("food", "", store.Hour(day*24+i%24), strconv.Itoa(1+i%350), int64(1+i/350)))
		}
		b.Apply("ns/store", more(counts...), store.Hour(day*24+24).Time())
	}
	q := b.feeds["ns/store"].current[alpha].questions[questionKey{store.QuestionSeconds, 1}]
	held := 0
	for _, s := range []*series{q.leaves[leafKey{"food", ""}], q.touchpoints["food"].series} {
		if len(s.days) > KeptDays+2 {
			t.Errorf("%d days are held", len(s.days))
		}
		held += cap(s.cells)
	}
	if each := held / 2; each > 80<<10 { // 56 KiB when this was written
		t.Errorf("%d KiB each", each>>10)
	}
}
