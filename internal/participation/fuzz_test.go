package participation

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// drawn are counts of any kind, in and around the window: up to an hour after that of the earliest time of evaluation, which
// is how far another machine may be ahead.
func drawn(t *rapid.T) counted {
	values := map[string][]string{
		store.QuestionCompleted:  {""},
		store.QuestionUnfinished: {"recommend", "why", "comment", "gone", ""},
		store.QuestionSeconds:    {"1", "59", "65", "600", "86400", "no number"},
		store.QuestionInvited:    {""},
		store.QuestionAnswered:   {""},
		store.QuestionSkipped:    {"program/invited", "namespace/answered", "else/where"},
		store.QuestionSuspect:    {"honeypot", "time", "proof", "page", "else"},
	}
	c := counted{}
	for question, some := range values {
		for range rapid.IntRange(0, 4).Draw(t, question) {
			h := ago(rapid.IntRange(0, 725).Draw(t, "hours ago"))
			c.add(question, h, rapid.SampledFrom(some).Draw(t, "value"), rapid.Int64Range(0, 12).Draw(t, "n"))
		}
	}
	return c
}

// What holds of all figures, whatever was counted.
func FuzzEvaluate(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		c := drawn(t)
		now := noon.Add(time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "seconds")) * time.Second)
		first := c.at(now, nil)
		if !first.Next.IsZero() && !first.Next.After(now) {
			t.Errorf("looks again at %s, which is not after %s", first.Next, now)
		}
		if second := c.at(now, first.Figures); second.Figures != first.Figures || !second.Next.Equal(first.Next) {
			t.Errorf("not settled: %s", cmp.Diff(first, second))
		}
		check(t, first.Figures)
		if first.Next.IsZero() {
			return
		}
		// Until then nothing moves by itself.
		if early := c.at(first.Next.Add(-time.Second), first.Figures); early.Figures != first.Figures {
			t.Errorf("moved before %s: %s", first.Next, cmp.Diff(first.Figures, early.Figures))
		}
	}))
}

func check(t *rapid.T, p *v1alpha1.Participation) {
	if p == nil {
		return
	}
	if p.Started != nil {
		var left int64
		for _, d := range p.DropOff {
			left += d.Unfinished
		}
		if *p.Started < 5 || *p.Completed < 0 || *p.Completed+left != *p.Started {
			t.Errorf("%d began, %d finished, %d stopped", *p.Started, *p.Completed, left)
		}
		checkShare(t, p.Completion)
	}
	if p.Invited != nil {
		if *p.Invited < 5 || *p.Answered < 0 || *p.Answered > *p.Invited {
			t.Errorf("%d invited, %d answered", *p.Invited, *p.Answered)
		}
		checkShare(t, p.ResponseRate)
	}
	if p.MedianSeconds != nil && (*p.MedianSeconds < 1 || *p.MedianSeconds > *p.P90Seconds || *p.P90Seconds > 86400) {
		t.Errorf("median %d, p90 %d", *p.MedianSeconds, *p.P90Seconds)
	}
	if len(p.DropOff) > 51 || len(p.Skipped) > 4 || len(p.Suspect) > 5 {
		t.Errorf("lists longer than the status takes: %+v", p)
	}
}

func checkShare(t *rapid.T, s *v1alpha1.Share) {
	value, lower, upper, ok := Ratio(s)
	if !ok || lower < 0 || lower > value || value > upper || upper > 1 {
		t.Errorf("%+v", s)
	}
	if _, err := strconv.ParseFloat(s.Percent, 64); err != nil {
		t.Error(err)
	}
}
