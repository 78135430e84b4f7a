package escalation

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

var opened = time.Date(2026, time.November, 2, 8, 0, 0, 0, time.UTC)

// protocol is stated out of order: steps run in the order of their hours.
var protocol = []v1alpha1.EscalationStep{
	{AfterHours: 336, To: v1alpha1.EscalateSponsor},
	{AfterHours: 48, To: v1alpha1.EscalateLead},
	{AfterHours: 168, To: v1alpha1.EscalateParentTeam},
}

func missed(objective string, since time.Time, escalated int32) v1alpha1.Breach {
	return v1alpha1.Breach{
		Type: v1alpha1.BreachObjectiveMissed, Objective: objective, Since: metav1.NewTime(since), Escalated: escalated,
	}
}

func TestAdvance(t *testing.T) {
	type step struct {
		Objective string
		To        v1alpha1.EscalationTarget
		Step      int32
	}
	at := func(hours int) time.Time { return opened.Add(time.Duration(hours) * time.Hour) }
	tests := map[string]struct {
		open      []v1alpha1.Breach
		steps     []v1alpha1.EscalationStep
		now       time.Time
		escalated []int32
		taken     []step
		next      time.Time
	}{
		"nothing is open":         {steps: protocol, now: at(500)},
		"there is no escalation":  {open: []v1alpha1.Breach{missed("a", opened, 0)}, now: at(500), escalated: []int32{0}},
		"a second too early":      {open: []v1alpha1.Breach{missed("a", opened, 0)}, steps: protocol, now: at(48).Add(-time.Second), escalated: []int32{0}, next: at(48)},
		"to the second":           {open: []v1alpha1.Breach{missed("a", opened, 0)}, steps: protocol, now: at(48), escalated: []int32{1}, taken: []step{{"a", "Lead", 1}}, next: at(168)},
		"not again":               {open: []v1alpha1.Breach{missed("a", opened, 1)}, steps: protocol, now: at(167), escalated: []int32{1}, next: at(168)},
		"the last":                {open: []v1alpha1.Breach{missed("a", opened, 2)}, steps: protocol, now: at(336), escalated: []int32{3}, taken: []step{{"a", "Sponsor", 3}}},
		"weeks after the last":    {open: []v1alpha1.Breach{missed("a", opened, 3)}, steps: protocol, now: at(5000), escalated: []int32{3}},
		"after an outage of days": {open: []v1alpha1.Breach{missed("a", opened, 0)}, steps: protocol, now: at(200), escalated: []int32{2}, taken: []step{{"a", "Lead", 1}, {"a", "ParentTeam", 2}}, next: at(336)},
		"fewer steps than taken":  {open: []v1alpha1.Breach{missed("a", opened, 3)}, steps: protocol[:1], now: at(5000), escalated: []int32{3}},
		"a count that is none":    {open: []v1alpha1.Breach{missed("a", opened, -4)}, steps: protocol, now: at(48), escalated: []int32{1}, taken: []step{{"a", "Lead", 1}}, next: at(168)},
		"each breach for itself": {
			open:  []v1alpha1.Breach{missed("a", opened, 1), missed("b", at(100), 0)},
			steps: protocol, now: at(168), escalated: []int32{2, 1}, taken: []step{{"a", "ParentTeam", 2}, {"b", "Lead", 1}}, next: at(268),
		},
		"two steps at one hour keep their order": {
			open:  []v1alpha1.Breach{missed("a", opened, 0)},
			steps: []v1alpha1.EscalationStep{{AfterHours: 24, To: "Sponsor"}, {AfterHours: 24, To: "Lead"}},
			now:   at(24), escalated: []int32{2}, taken: []step{{"a", "Sponsor", 1}, {"a", "Lead", 2}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			breaches, taken, next := Advance(tt.open, tt.steps, tt.now)
			var escalated []int32
			for _, b := range breaches {
				escalated = append(escalated, b.Escalated)
			}
			var got []step
			for _, s := range taken {
				got = append(got, step{s.Breach.Objective, s.To, s.Step})
			}
			if diff := cmp.Diff(tt.escalated, escalated); diff != "" {
				t.Errorf("escalated:\n%s", diff)
			}
			if diff := cmp.Diff(tt.taken, got); diff != "" {
				t.Errorf("taken:\n%s", diff)
			}
			if !next.Equal(tt.next) {
				t.Errorf("next %v, want %v", next, tt.next)
			}
		})
	}
}

// Six weeks pass hour by hour, with a restart at each: what is kept is the status alone. A breach that closes and opens again
// begins anew.
func TestWeeks(t *testing.T) {
	var told []string
	var status []v1alpha1.Breach
	closes, reopens := opened.Add(20*24*time.Hour), opened.Add(22*24*time.Hour)
	for now := opened; now.Before(opened.Add(6 * 7 * 24 * time.Hour)); now = now.Add(time.Hour) {
		var wanted []v1alpha1.Breach
		if now.Before(closes) || !now.Before(reopens) {
			wanted = []v1alpha1.Breach{missed("a", time.Time{}, 0)}
		}
		status, _ = breach.Merge(status, wanted, now)
		var taken []Taken
		status, taken, _ = Advance(status, protocol, now)
		for _, s := range taken {
			told = append(told, fmt.Sprintf("%s %d %s", now.Format("01-02 15h"), s.Step, s.To))
		}
	}
	want := []string{
		"11-04 08h 1 Lead", "11-09 08h 2 ParentTeam", "11-16 08h 3 Sponsor",
		"11-26 08h 1 Lead", "12-01 08h 2 ParentTeam", "12-08 08h 3 Sponsor",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// Whoever only comes back at the next time misses no step and takes none twice.
func FuzzAdvance(f *testing.F) {
	f.Add(uint16(48), uint16(168), uint16(336), uint16(0), int8(0))
	f.Add(uint16(1), uint16(1), uint16(8784), uint16(300), int8(2))
	f.Fuzz(func(t *testing.T, a, b, c, first uint16, taken int8) {
		steps := []v1alpha1.EscalationStep{
			{AfterHours: int32(a), To: v1alpha1.EscalateLead}, {AfterHours: int32(b), To: v1alpha1.EscalateParentTeam},
			{AfterHours: int32(c), To: v1alpha1.EscalateSponsor},
		}
		open := []v1alpha1.Breach{missed("a", opened, int32(taken))}
		now := opened.Add(time.Duration(first) * time.Minute)
		want := max(int32(taken), 0) + 1
		for range 6 {
			after, got, next := Advance(open, steps, now)
			if again, none, _ := Advance(after, steps, now); len(none) > 0 || !cmp.Equal(again, after) {
				t.Fatalf("%v are taken twice", none)
			}
			for _, s := range got {
				if s.Step != want || s.Breach.Escalated != want {
					t.Fatalf("step %d comes where %d was due", s.Step, want)
				}
				want++
			}
			if open = after; next.IsZero() {
				break
			}
			if !next.After(now) {
				t.Fatalf("at %v the next time is %v", now, next)
			}
			now = next
		}
		if open[0].Escalated < 3 {
			t.Fatalf("%d steps were taken", open[0].Escalated)
		}
	})
}
