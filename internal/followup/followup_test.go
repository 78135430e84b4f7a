package followup

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

var noon = time.Date(2026, time.November, 10, 12, 0, 0, 0, time.UTC)

// book is counts by question and hour.
type book map[string]map[store.Hour]int64

func (b book) add(question string, h store.Hour, n int64) {
	if b[question] == nil {
		b[question] = map[store.Hour]int64{}
	}
	b[question][h] += n
}

func (b book) count(question string, from, to store.Hour) Tally {
	t := Tally{}
	for h, n := range b[question] {
		if h < from || h >= to || n == 0 {
			continue
		}
		if t.N == 0 || h < t.Earliest {
			t.Earliest = h
		}
		t.N += n
	}
	return t
}

// input looks at a promise to contact nine of ten in time.
func input(b book, now time.Time) Input {
	return Input{Now: now, Promise: &v1alpha1.FollowUp{SharePercent: 90}, Confidence: 0.95, Count: b.count}
}

// A promise passes with the end of its hour, not before, and time alone shows it.
func TestPromisePasses(t *testing.T) {
	b := book{}
	opened := store.HourOf(noon) - 48
	b.add(store.QuestionCaseOpen, opened, 2)
	b.add(store.QuestionCaseDue, store.HourOf(noon)-1, 2) // its hour ends at noon
	before := Evaluate(input(b, noon.Add(-time.Second)))
	if before.Figures.Overdue != 0 || before.Figures.Due != 0 || before.Figures.SharePercent != "" || len(before.Breaches) > 0 || !before.Next.Equal(noon) {
		t.Fatalf("a second before: %+v %+v, next %s", before.Figures, before.Breaches, before.Next)
	}
	after := Evaluate(input(b, noon))
	if after.Figures.Open != 2 || after.Figures.Overdue != 2 || after.Figures.Due != 2 || after.Figures.Kept != 0 || !after.Figures.OldestOpenTime.Time.Equal(opened.Time()) {
		t.Errorf("%+v", after.Figures)
	}
	// Two of two are late: the interval of 0 of 2 reaches up to 65.76 %.
	if f := after.Figures; f.SharePercent != "0.00" || f.ShareLower != "0.00" || f.ShareUpper != "65.76" {
		t.Errorf("%s [%s, %s]", f.SharePercent, f.ShareLower, f.ShareUpper)
	}
	want := []v1alpha1.Breach{{Type: v1alpha1.BreachFollowUpOverdue, Item: "cases"}, {Type: v1alpha1.BreachFollowUpOverdue, Item: "share"}}
	if len(after.Breaches) != 2 || !after.Breaches[0].Since.Time.Equal(noon) || !after.Breaches[1].Since.IsZero() {
		t.Fatalf("%+v", after.Breaches)
	}
	for i, w := range want {
		if got := after.Breaches[i]; got.Type != w.Type || got.Item != w.Item {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
}

// Golden values: 8 of 10 in time is 80 % [49.02, 94.33], which may still be the promised 90; 80 of 100 is [71.12, 86.66], which
// is not.
func TestShare(t *testing.T) {
	hour := store.HourOf(noon)
	for name, c := range map[string]struct {
		kept, late, unanswered int64
		promise                *v1alpha1.FollowUp
		share                  string
		items                  []string
	}{
		"few":                      {8, 2, 0, &v1alpha1.FollowUp{SharePercent: 90}, "80.00 [49.02, 94.33]", nil},
		"many":                     {80, 20, 0, &v1alpha1.FollowUp{SharePercent: 90}, "80.00 [71.12, 86.66]", []string{"share"}},
		"many, of a lower promise": {80, 20, 0, &v1alpha1.FollowUp{SharePercent: 80}, "80.00 [71.12, 86.66]", nil},
		"those who wait count":     {80, 0, 20, &v1alpha1.FollowUp{SharePercent: 90}, "80.00 [71.12, 86.66]", []string{"cases", "share"}},
		"no promise any more":      {80, 0, 20, nil, "80.00 [71.12, 86.66]", []string{"cases"}},
		"all":                      {24, 0, 0, &v1alpha1.FollowUp{SharePercent: 100}, "100.00 [86.20, 100.00]", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := book{}
			b.add(store.QuestionCaseKept, hour-50, c.kept)
			b.add(store.QuestionCaseLate, hour-60, c.late)
			b.add(store.QuestionCaseDue, hour-70, c.unanswered)
			in := input(b, noon)
			in.Promise = c.promise
			out := Evaluate(in)
			if got := out.Figures.SharePercent + " [" + out.Figures.ShareLower + ", " + out.Figures.ShareUpper + "]"; got != c.share {
				t.Errorf("%s, want %s", got, c.share)
			}
			var items []string
			for _, b := range out.Breaches {
				items = append(items, b.Item)
			}
			if diff := cmp.Diff(c.items, items); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What was promised longer than 90 days ago leaves the share, to the hour; a customer who waits is overdue for ever.
func TestWindow(t *testing.T) {
	b := book{}
	hour := store.HourOf(noon)
	b.add(store.QuestionCaseKept, hour, 3)
	b.add(store.QuestionCaseKept, hour+300, 4) // contacted long before the promise passes
	b.add(store.QuestionCaseDue, hour, 1)
	end := (hour + 1).Time()
	last := end.Add(WindowDays * 24 * time.Hour)
	for at, want := range map[time.Time]v1alpha1.CaseFigures{
		end.Add(-time.Second):  {Kept: 7, Due: 7},
		end:                    {Kept: 7, Due: 8, Overdue: 1},
		last.Add(-time.Second): {Kept: 7, Due: 8, Overdue: 1},
		last:                   {Kept: 4, Due: 4, Overdue: 1},
		last.AddDate(3, 0, 0):  {Overdue: 1},
	} {
		f := Evaluate(input(b, at)).Figures
		if got := (v1alpha1.CaseFigures{Kept: f.Kept, Due: f.Due, Overdue: f.Overdue}); got != want {
			t.Errorf("at %s: %+v, want %+v", at, got, want)
		}
	}
}

func TestNoCases(t *testing.T) {
	if out := Evaluate(input(book{}, noon)); out.Figures != nil || out.Breaches != nil || !out.Next.IsZero() {
		t.Errorf("%+v", out)
	}
	b := book{}
	b.add(store.QuestionCaseKept, store.HourOf(noon)-WindowDays*24-1, 5)
	if out := Evaluate(input(b, noon)); out.Figures != nil {
		t.Errorf("of cases long past: %+v", out.Figures)
	}
}

// Until Next nothing changes, and at Next something does.
func TestNextIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := book{}
		hour := store.HourOf(noon)
		for _, question := range []string{store.QuestionCaseDue, store.QuestionCaseKept, store.QuestionCaseLate, store.QuestionCaseOpen} {
			for range rapid.IntRange(0, 4).Draw(rt, question) {
				ahead := rapid.Int64Range(-windowHours-48, 30*24).Draw(rt, "hour")
				if question == store.QuestionCaseLate || question == store.QuestionCaseOpen {
					ahead = min(ahead, 0) // nobody is late for what is still ahead, nor opened there
				}
				b.add(question, hour+store.Hour(ahead), rapid.Int64Range(1, 30).Draw(rt, "n"))
			}
		}
		now := noon.Add(time.Duration(rapid.Int64Range(0, 3599).Draw(rt, "seconds")) * time.Second)
		out := Evaluate(input(b, now))
		if diff := cmp.Diff(out, Evaluate(input(b, now))); diff != "" {
			rt.Fatalf("said otherwise the second time:\n%s", diff)
		}
		if out.Next.IsZero() {
			if later := Evaluate(input(b, now.Add(time.Duration(rand.Int64N(400*24))*time.Hour))); !cmp.Equal(out, later) {
				rt.Fatalf("it never changes, but did: %+v, %+v", out, later)
			}
			return
		}
		if !out.Next.After(now) {
			rt.Fatalf("next %s is not after %s", out.Next, now)
		}
		just, at := Evaluate(input(b, out.Next.Add(-time.Nanosecond))), Evaluate(input(b, out.Next))
		if !cmp.Equal(out, just) {
			rt.Fatalf("changed before %s (-now +then):\n%s", out.Next, cmp.Diff(out, just))
		}
		if cmp.Equal(just.Figures, at.Figures) {
			rt.Fatalf("nothing changed at %s", out.Next)
		}
	})
}
