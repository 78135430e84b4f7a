package portfolio

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func ref(name string) *v1alpha1.NameRef {
	if name == "" {
		return nil
	}
	return &v1alpha1.NameRef{Name: name}
}

// teams: company > front > lee (a Person) > sam (a Person); stray is a Person of nobody.
func teams(name string) (*v1alpha1.Team, bool) {
	parents := map[string]string{"company": "", "front": "company", "back": "company", "lee": "front", "sam": "lee", "stray": ""}
	parent, ok := parents[name]
	if !ok {
		return nil, false
	}
	level := v1alpha1.TeamDepartment
	if name == "lee" || name == "sam" || name == "stray" {
		level = v1alpha1.TeamPerson
	}
	return &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TeamSpec{Level: level, ParentRef: ref(parent)}}, true
}

func program(name, owner string, breaches ...v1alpha1.Breach) v1alpha1.SurveyProgram {
	p := v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.OwnerRef, p.Status.Breaches = ref(owner), breaches
	return p
}

func touchpoint(name, program, owner string, breaches ...v1alpha1.Breach) v1alpha1.Touchpoint {
	t := v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: name}}
	t.Spec.ProgramRef, t.Spec.OwnerRef, t.Status.Breaches = v1alpha1.NameRef{Name: program}, ref(owner), breaches
	return t
}

func plan(name, touchpoint, owner string, state v1alpha1.WorkState, change ...func(*v1alpha1.ActionPlan)) v1alpha1.ActionPlan {
	p := v1alpha1.ActionPlan{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec = v1alpha1.ActionPlanSpec{TouchpointRef: ref(touchpoint), OwnerRef: ref(owner), Objective: "easy", State: state, DueDate: "2026-12-31"}
	for _, c := range change {
		c(&p)
	}
	return p
}

func action(name, owner string, category v1alpha1.ActionCategory, state v1alpha1.WorkState) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Spec.Actions = append(p.Spec.Actions, v1alpha1.Action{Name: name, OwnerRef: ref(owner), Category: category, State: state})
	}
}

func late(kind v1alpha1.BreachType, item string) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Status.Breaches = append(p.Status.Breaches, v1alpha1.Breach{Type: kind, Item: item})
	}
}

func business(cost, currency string, effort int32) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Spec.Business = &v1alpha1.Business{EffortDays: effort, Goal: "Grow."}
		if cost != "" {
			p.Spec.Business.Cost = &v1alpha1.Money{Amount: cost, Currency: currency}
		}
	}
}

func verdict(v v1alpha1.EffectVerdict, value string) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Status.Effect = &v1alpha1.Effect{Verdict: v}
		if v == v1alpha1.EffectTooEarly {
			return
		}
		p.Status.Effect.JudgedTime, p.Status.Effect.Change = &metav1.Time{Time: time.Unix(0, 0)}, "1.00"
		if value != "" {
			p.Status.Effect.Return = &v1alpha1.Return{Value: value, Currency: "EUR"}
		}
	}
}

func objects() Objects {
	return Objects{
		Teams:    teams,
		Programs: []v1alpha1.SurveyProgram{program("visits", "company", v1alpha1.Breach{Type: v1alpha1.BreachSponsorMissing}), program("shop", "")},
		Touchpoints: []v1alpha1.Touchpoint{
			touchpoint("desk", "visits", "front", v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed}),
			touchpoint("door", "visits", ""), touchpoint("till", "shop", "stray", v1alpha1.Breach{Type: v1alpha1.BreachUnmeasured}),
		},
		Reviews: []v1alpha1.Review{{
			Spec:   v1alpha1.ReviewSpec{ProgramRef: v1alpha1.NameRef{Name: "visits"}},
			Status: v1alpha1.ReviewStatus{Breaches: []v1alpha1.Breach{{Type: v1alpha1.BreachReviewMissed}}},
		}},
		Plans: []v1alpha1.ActionPlan{
			plan("queues", "desk", "sam", v1alpha1.WorkInProgress, action("train", "", "Training", v1alpha1.WorkNotStarted),
				action("buy", "back", "Tool", v1alpha1.WorkInProgress), action("done", "back", "Tool", v1alpha1.WorkComplete),
				late(v1alpha1.BreachPlanOverdue, ""), late(v1alpha1.BreachActionOverdue, "buy"), business("100.10", "EUR", 20),
				verdict(v1alpha1.EffectTooEarly, "")),
			plan("rival", "desk", "", v1alpha1.WorkNotStarted, business("0.20", "EUR", 5)),
			plan("signs", "door", "", v1alpha1.WorkComplete, action("put-up", "", "", v1alpha1.WorkComplete),
				action("test", "", "Tool", v1alpha1.WorkOnHold), business("1000", "EUR", 3), verdict(v1alpha1.EffectImproved, "1500.55")),
			plan("dropped", "door", "back", v1alpha1.WorkCancelled, action("never", "", "Skill", v1alpha1.WorkNotStarted), business("9", "USD", 9)),
			plan("gone", "desk", "back", v1alpha1.WorkInProgress, func(p *v1alpha1.ActionPlan) {
				p.DeletionTimestamp = &metav1.Time{Time: time.Unix(0, 0)}
			}),
			plan("prices", "till", "ghost", v1alpha1.WorkOnHold, business("7", "USD", 0)),
			plan("lost", "nowhere", "", v1alpha1.WorkInProgress),
		},
	}
}

func TestLoads(t *testing.T) {
	want := map[string]v1alpha1.TeamLoad{
		// sam's plan, and rival's by the touchpoint. The breaches are those of the touchpoint and of its plan.
		"front": {OpenPlans: 2, OverduePlans: 1, OpenActions: 1, EffortDays: 25, Breaches: 3},
		"back":  {OpenActions: 1, OverdueActions: 1},
		// The breaches of the program and of its review. Nobody carries stray's.
		"company": {Breaches: 2},
	}
	if diff := cmp.Diff(want, Loads(objects())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Loads(Objects{Plans: objects().Plans}); len(got) != 0 {
		t.Errorf("without teams: %v", got)
	}
}

func TestPortfolio(t *testing.T) {
	f := Of(objects(), "")
	var lines []string
	for _, p := range f.Plans {
		lines = append(lines, fmt.Sprintf("%s %s/%s %s %s overdue %v, actions %d/%d, %s %v", p.Name, p.Program, p.Touchpoint, p.Team, p.State,
			p.Overdue, p.OpenActions, p.OverdueActions, p.Verdict, p.Conflicts))
	}
	want := []string{
		"dropped visits/door back Cancelled overdue false, actions 0/0,  []",
		"lost /nowhere  InProgress overdue false, actions 0/0,  []",
		"prices shop/till  OnHold overdue false, actions 0/0,  []",
		"queues visits/desk front InProgress overdue true, actions 2/1, TooEarly [rival]",
		"rival visits/desk front NotStarted overdue false, actions 0/0,  [queues]",
		"signs visits/door company Complete overdue false, actions 0/0, Improved []",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Category{
		{Category: "", Actions: 1, Complete: 1, Plans: 1, Improved: 1},
		{Category: "Tool", Actions: 3, Open: 1, Overdue: 1, Complete: 1, Plans: 2, Improved: 1},
		{Category: "Training", Actions: 1, Open: 1, Plans: 1},
	}, f.Categories); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Sum{
		{Currency: "EUR", Cost: "1100.30", OpenCost: "100.30", Value: "1500.55", JudgedCost: "1000.00"},
		{Currency: "USD", Cost: "7.00", OpenCost: "7.00"},
	}, f.Sums); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Conflict{{"visits", "desk", "easy", []string{"queues", "rival"}}}, f.Conflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[v1alpha1.WorkState]int{"InProgress": 2, "NotStarted": 1, "Complete": 1, "Cancelled": 1, "OnHold": 1}, f.States); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if f.OverduePlans != 1 || f.OverdueActions != 1 || f.EffortDays != 25 || f.Effects[v1alpha1.EffectImproved] != 1 || f.Effects[v1alpha1.EffectTooEarly] != 1 {
		t.Errorf("%+v", f)
	}
	if len(f.Loads) != 3 || f.Loads[0].Team != "back" || f.Loads[0].OverdueActions != 1 {
		t.Errorf("loads %+v", f.Loads)
	}
}

func TestPortfolioOfAProgram(t *testing.T) {
	f := Of(objects(), "shop")
	if len(f.Plans) != 1 || f.Plans[0].Name != "prices" || len(f.Sums) != 1 || f.Sums[0].Currency != "USD" {
		t.Errorf("%+v", f)
	}
	if len(f.Loads) != 3 {
		t.Errorf("loads %+v: a team's time is not divided by programs", f.Loads)
	}
	if f := Of(objects(), "nothing"); len(f.Plans) != 0 {
		t.Errorf("%+v", f)
	}
}

// What a program prints for others to read has lists where there is nothing, and loads that are flat.
func TestPortfolioAsJSON(t *testing.T) {
	empty, err := json.Marshal(Of(Objects{}, ""))
	if err != nil || string(empty) != `{"plans":[],"states":{},"effects":{},"categories":[],"overduePlans":0,"overdueActions":0,"effortDays":0}` {
		t.Errorf("%s, %v", empty, err)
	}
	full, err := json.Marshal(Of(objects(), ""))
	if err != nil || !strings.Contains(string(full), `{"team":"back","openPlans":0,"overduePlans":0,"openActions":1,`) {
		t.Errorf("%s, %v", full, err)
	}
}

// The objects are the cache's own, which nobody may change.
func TestPortfolioChangesNothing(t *testing.T) {
	o, same := objects(), objects()
	Of(o, "visits")
	Loads(o)
	o.Teams, same.Teams = nil, nil
	if diff := cmp.Diff(same, o); diff != "" {
		t.Error(diff)
	}
}
