package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func fullSpec() *v1alpha1.ActionPlanSpec {
	washout, window := int32(7), int32(30)
	return &v1alpha1.ActionPlanSpec{
		TouchpointRef: &v1alpha1.NameRef{Name: "desk"}, Objective: "easy", Problem: "Queues are long.",
		OwnerRef: &v1alpha1.NameRef{Name: "front"}, Assignee: &v1alpha1.Person{DisplayName: "Head of desk"},
		DueDate: "2026-12-01", State: v1alpha1.WorkInProgress,
		Acknowledgement: &v1alpha1.Acknowledgement{By: "Head of desk", Time: metav1.NewTime(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC))},
		Actions: []v1alpha1.Action{
			{Name: "train", Description: "Train everybody.", State: v1alpha1.WorkNotStarted, Category: "Training"},
			{Name: "hire", Description: "Hire two.", State: v1alpha1.WorkInProgress, DueDate: "2026-11-20", OwnerRef: &v1alpha1.NameRef{Name: "hr"}},
		},
		Expected: &v1alpha1.Expected{Target: intstr.FromInt32(80)}, Hypothesis: "Fewer wait.",
		Effect:   v1alpha1.EffectRule{WashoutDays: &washout, WindowDays: &window},
		Business: &v1alpha1.Business{Cost: &v1alpha1.Money{Amount: "100.00", Currency: "EUR"}, EffortDays: 20, Goal: "Grow."},
	}
}

func TestRevise(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.ActionPlanSpec)
		want   []string
	}{
		"nothing":      {func(*v1alpha1.ActionPlanSpec) {}, nil},
		"the due date": {func(s *v1alpha1.ActionPlanSpec) { s.DueDate = "2026-12-31" }, []string{"dueDate: 2026-12-01 -> 2026-12-31"}},
		"the state":    {func(s *v1alpha1.ActionPlanSpec) { s.State = v1alpha1.WorkComplete }, []string{"state: InProgress -> Complete"}},
		"the owner":    {func(s *v1alpha1.ActionPlanSpec) { s.OwnerRef = nil }, []string{"ownerRef: front -> none"}},
		"texts": {func(s *v1alpha1.ActionPlanSpec) {
			s.Problem, s.Hypothesis, s.Business.Goal, s.Assignee.DisplayName = "Other.", "", "Other.", "Ms. Smith"
		}, []string{"assignee", "business.goal", "hypothesis", "problem"}},
		"money and effort": {func(s *v1alpha1.ActionPlanSpec) {
			s.Business.Cost.Amount, s.Business.ValuePerPoint, s.Business.EffortDays = "250.00", &v1alpha1.Money{Amount: "5", Currency: "EUR"}, 30
		}, []string{"business.cost: 100.00 EUR -> 250.00 EUR", "business.effortDays: 20 -> 30", "business.valuePerPoint: none -> 5 EUR"}},
		"the effect that is expected": {func(s *v1alpha1.ActionPlanSpec) {
			s.Expected.Target, *s.Effect.WashoutDays = intstr.FromString("82.5"), 0
		}, []string{"effect.washoutDays: 7 -> 0", "expected.target: 80 -> 82.5"}},
		"actions": {func(s *v1alpha1.ActionPlanSpec) {
			s.Actions[0].State, s.Actions[0].DueDate = v1alpha1.WorkComplete, "2026-11-30"
			s.Actions[1] = v1alpha1.Action{Name: "buy", Description: "Buy a screen."}
		}, []string{
			"actions[buy]: added", "actions[hire]: removed",
			"actions[train].state: NotStarted -> Complete", "actions[train].dueDate: none -> 2026-11-30",
		}},
		"an action's words and owner": {func(s *v1alpha1.ActionPlanSpec) {
			s.Actions[1].Description, s.Actions[1].OwnerRef, s.Actions[1].Category = "Hire three.", nil, "Skill"
		}, []string{"actions[hire].ownerRef: hr -> none", "actions[hire].category: none -> Skill", "actions[hire].description"}},
		"the order of actions": {func(s *v1alpha1.ActionPlanSpec) { slices.Reverse(s.Actions) }, nil},
		"who acknowledged": {func(s *v1alpha1.ActionPlanSpec) {
			s.Acknowledgement.By = "Somebody else"
			s.Acknowledgement.Time = metav1.NewTime(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
		}, []string{"acknowledgement.by", "acknowledgement.time: 2026-11-01T09:00:00Z -> 2026-11-02T09:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := fullSpec()
			last := Observe(spec)
			c.change(spec)
			at := time.Date(2026, 11, 3, 10, 0, 0, 5, time.UTC)
			got := Revise(nil, last, Observe(spec), 7, at)
			if c.want == nil {
				if got != nil {
					t.Fatalf("%+v", got)
				}
				return
			}
			want := []v1alpha1.Revision{{Generation: 7, Time: metav1.NewTime(at.Truncate(time.Second)), Changes: c.want}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What people wrote in words, and names of persons, are not in what the operator keeps.
func TestTextsAreDigests(t *testing.T) {
	for field, value := range Observe(fullSpec()) {
		for _, text := range []string{"Queues", "Head", "Train everybody", "Hire two", "Fewer", "Grow"} {
			if strings.Contains(value, text) {
				t.Errorf("%s holds %q", field, value)
			}
		}
	}
}

func TestFirstSightIsNoRevision(t *testing.T) {
	if got := Revise(nil, nil, Observe(fullSpec()), 1, time.Now()); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestRevisionsAreBounded(t *testing.T) {
	spec := fullSpec()
	spec.Actions = nil
	for i := range 50 {
		spec.Actions = append(spec.Actions, v1alpha1.Action{Name: fmt.Sprintf("%s%02d", strings.Repeat("a", 61), i), Description: "d"})
	}
	observed := Observe(spec)
	if len(observed) > 256 {
		t.Errorf("%d fields", len(observed))
	}
	empty := fullSpec()
	empty.Actions = nil
	revisions := []v1alpha1.Revision{}
	for i := range 30 {
		last, next := Observe(empty), observed
		if i%2 == 1 {
			last, next = next, last
		}
		revisions = Revise(revisions, last, next, int64(i), time.Now())
	}
	if len(revisions) != 20 || revisions[0].Generation != 10 || revisions[19].Generation != 29 {
		t.Errorf("%d revisions, from %d", len(revisions), revisions[0].Generation)
	}
	for _, r := range revisions {
		if len(r.Changes) != 20 || r.Changes[19] != "and 31 more" {
			t.Errorf("%d changes, the last %q", len(r.Changes), r.Changes[len(r.Changes)-1])
		}
		for _, c := range r.Changes {
			if len(c) > 200 {
				t.Errorf("%q is too long", c)
			}
		}
	}
}
