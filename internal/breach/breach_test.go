package breach

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var now = time.Date(2026, time.November, 11, 8, 0, 0, 700, time.UTC)

func at(hour int) metav1.Time {
	return Since(time.Date(2026, time.November, 1, hour, 0, 0, 0, time.UTC))
}

func entry(kind v1alpha1.BreachType, objective, item string, since metav1.Time, plan string) v1alpha1.Breach {
	b := v1alpha1.Breach{Type: kind, Objective: objective, Item: item, Since: since}
	if plan != "" {
		b.PlanRef = &v1alpha1.PlanRef{Name: plan}
	}
	return b
}

func TestMerge(t *testing.T) {
	const missed, overdue, owner = v1alpha1.BreachObjectiveMissed, v1alpha1.BreachActionOverdue, v1alpha1.BreachOwnerMissing
	var zero metav1.Time
	tests := map[string]struct {
		previous, wanted, open []v1alpha1.Breach
		transitions            []Transition
	}{
		"nothing": {},
		"opens with its own time": {
			wanted:      []v1alpha1.Breach{entry(missed, "a", "", at(3), "")},
			open:        []v1alpha1.Breach{entry(missed, "a", "", at(3), "")},
			transitions: []Transition{{Breach: entry(missed, "a", "", at(3), ""), Opened: true, Reason: "ObjectiveMissed"}},
		},
		"opens now, in whole seconds": {
			wanted:      []v1alpha1.Breach{entry(owner, "", "", zero, "")},
			open:        []v1alpha1.Breach{entry(owner, "", "", Since(now), "")},
			transitions: []Transition{{Breach: entry(owner, "", "", Since(now), ""), Opened: true, Reason: "OwnerMissing"}},
		},
		"goes on with its time and plan": {
			previous: []v1alpha1.Breach{entry(missed, "a", "", at(1), "plan")},
			wanted:   []v1alpha1.Breach{entry(missed, "a", "", at(2), "")},
			open:     []v1alpha1.Breach{entry(missed, "a", "", at(1), "plan")},
		},
		"takes the plan that is wanted": {
			previous: []v1alpha1.Breach{entry(missed, "a", "", at(1), "plan")},
			wanted:   []v1alpha1.Breach{entry(missed, "a", "", zero, "other")},
			open:     []v1alpha1.Breach{entry(missed, "a", "", at(1), "other")},
		},
		"closes": {
			previous:    []v1alpha1.Breach{entry(missed, "a", "", at(1), "plan")},
			transitions: []Transition{{Breach: entry(missed, "a", "", at(1), "plan"), Reason: "Recovered"}},
		},
		"type, objective and item are the identity": {
			previous: []v1alpha1.Breach{entry(overdue, "a", "x", at(1), "")},
			wanted:   []v1alpha1.Breach{entry(overdue, "a", "y", at(2), ""), entry(overdue, "b", "x", at(2), ""), entry(owner, "a", "x", at(2), "")},
			open:     []v1alpha1.Breach{entry(overdue, "a", "y", at(2), ""), entry(overdue, "b", "x", at(2), ""), entry(owner, "a", "x", at(2), "")},
			transitions: []Transition{
				{Breach: entry(overdue, "a", "x", at(1), ""), Reason: "Recovered"},
				{Breach: entry(overdue, "a", "y", at(2), ""), Opened: true, Reason: "ActionOverdue"},
				{Breach: entry(overdue, "b", "x", at(2), ""), Opened: true, Reason: "ActionOverdue"},
				{Breach: entry(owner, "a", "x", at(2), ""), Opened: true, Reason: "OwnerMissing"},
			},
		},
		"sorted, whatever the order": {
			previous: []v1alpha1.Breach{entry(owner, "", "", at(1), ""), entry(missed, "b", "", at(1), ""), entry(missed, "a", "", at(1), "")},
			wanted:   []v1alpha1.Breach{entry(owner, "", "", zero, ""), entry(missed, "b", "", zero, ""), entry(missed, "a", "", zero, "")},
			open:     []v1alpha1.Breach{entry(missed, "a", "", at(1), ""), entry(missed, "b", "", at(1), ""), entry(owner, "", "", at(1), "")},
		},
		"repeated ones count once, the first": {
			previous: []v1alpha1.Breach{entry(missed, "a", "", at(1), ""), entry(missed, "a", "", at(2), "")},
			wanted:   []v1alpha1.Breach{entry(missed, "a", "", zero, "one"), entry(missed, "a", "", zero, "two")},
			open:     []v1alpha1.Breach{entry(missed, "a", "", at(1), "one")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			open, transitions := Merge(tt.previous, tt.wanted, now)
			if diff := cmp.Diff(tt.open, open); diff != "" {
				t.Errorf("open:\n%s", diff)
			}
			if diff := cmp.Diff(tt.transitions, transitions); diff != "" {
				t.Errorf("transitions:\n%s", diff)
			}
			again, none := Merge(open, tt.wanted, now.Add(time.Hour))
			if diff := cmp.Diff(open, again); diff != "" || len(none) > 0 {
				t.Errorf("a second merge: transitions %v\n%s", none, diff)
			}
		})
	}
}

// A caller that changes what it got changes nothing of what it gave.
func TestMergeSharesNothing(t *testing.T) {
	previous := []v1alpha1.Breach{entry(v1alpha1.BreachObjectiveMissed, "a", "", at(1), "plan")}
	wanted := []v1alpha1.Breach{entry(v1alpha1.BreachObjectiveMissed, "a", "", at(1), "plan")}
	open, _ := Merge(previous, wanted, now)
	open[0].PlanRef.Name = "changed"
	if previous[0].PlanRef.Name != "plan" || wanted[0].PlanRef.Name != "plan" {
		t.Error("the plan reference is shared")
	}
}

func TestSince(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	got := Since(time.Date(2026, time.November, 11, 9, 0, 0, 999_999_999, berlin))
	if want := "2026-11-11T08:00:00Z"; got.Format(time.RFC3339Nano) != want {
		t.Errorf("got %s, want %s", got.Format(time.RFC3339Nano), want)
	}
}
