package governance

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return noon.Add(time.Duration(n) * 24 * time.Hour) }

func at(t time.Time) *metav1.Time { return ptr.To(metav1.NewTime(t)) }

func ref(name string) *v1alpha1.NameRef { return &v1alpha1.NameRef{Name: name} }

// sound is a program that lacks nothing: two touchpoints of two functions, a policy, a review that was held and told of.
func sound() Situation {
	program := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Name: "visits"}}
	program.Spec.Purpose, program.Spec.Strategy = "Know whether a visit is worth the way.", "Be the town's living room."
	program.Spec.OwnerRef, program.Spec.ExecutiveSponsor = ref("library"), &v1alpha1.Sponsor{DisplayName: "Director"}
	program.Spec.Communication = []string{"the staff board"}
	program.Spec.Survey.Questions = []v1alpha1.Question{{Name: "desk"}, {Name: "rooms"}}
	program.Spec.Objectives = []v1alpha1.Objective{{Name: "nps", Question: "desk"}}
	program.Status.Objectives = []v1alpha1.ObjectiveStatus{{Name: "nps", State: v1alpha1.StateMet}}
	s := Situation{
		Now: noon, Program: program,
		Touchpoints: []v1alpha1.Touchpoint{touchpoint("desk", "front-desk"), touchpoint("rooms", "house")},
		Teams: teams(
			teamOf("library", v1alpha1.TeamCompany, "Management", ""), teamOf("front-desk", v1alpha1.TeamDepartment, "CustomerCare", "library"),
			teamOf("house", v1alpha1.TeamDepartment, "Facilities", "library"), teamOf("clerk", v1alpha1.TeamPerson, "Other", "front-desk"),
			teamOf("odd", v1alpha1.TeamDepartment, "Other", ""), teamOf("a", v1alpha1.TeamDepartment, "Other", "b"), teamOf("b", v1alpha1.TeamDepartment, "", "a"),
		),
		Reviews:          []v1alpha1.Review{review("visits-2026-w46", "2026-11-15", at(days(-3)))},
		MinimumResponses: 30,
		Governed:         Condition{v1alpha1.ConditionGoverned, metav1.ConditionTrue, "Selected", "it is"},
		ActWithinDays:    60, ReviewsAsked: true, Answered: ptr.To(true),
	}
	return s
}

func touchpoint(name, owner string) v1alpha1.Touchpoint {
	tp := v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: name}}
	tp.Spec.Importance, tp.Spec.OwnerRef = v1alpha1.ImportanceCritical, ref(owner)
	tp.Spec.Objectives = []v1alpha1.Objective{{Name: "easy", Question: name}}
	return tp
}

func review(name, to string, held *metav1.Time) v1alpha1.Review {
	r := v1alpha1.Review{ObjectMeta: metav1.ObjectMeta{Name: name}}
	r.Spec.Period.To, r.Spec.HeldTime, r.Spec.Insight = to, held, "People wait at the desk."
	return r
}

func teamOf(name string, level v1alpha1.TeamLevel, function v1alpha1.TeamFunction, parent string) *v1alpha1.Team {
	t := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: name}}
	t.Spec.Level, t.Spec.Function = level, function
	if parent != "" {
		t.Spec.ParentRef = ref(parent)
	}
	return t
}

func teams(all ...*v1alpha1.Team) func(string) (*v1alpha1.Team, bool) {
	return func(name string) (*v1alpha1.Team, bool) {
		for _, t := range all {
			if t.Name == name {
				return t, true
			}
		}
		return nil, false
	}
}

// missed opens ObjectiveMissed on the first touchpoint since a time.
func missed(s *Situation, since time.Time) {
	s.Touchpoints[0].Status.Breaches = append(s.Touchpoints[0].Status.Breaches,
		v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: "easy", Since: metav1.NewTime(since)})
}

// plan is in a state since a time, and was started if it says so.
func plan(state v1alpha1.WorkState, since time.Time, started bool) v1alpha1.ActionPlan {
	p := v1alpha1.ActionPlan{ObjectMeta: metav1.ObjectMeta{Name: "better"}}
	p.Spec.State, p.Status.State, p.Status.StateSince = state, state, at(since)
	if started {
		p.Status.StartedTime = at(since.Add(-24 * time.Hour))
	}
	return p
}

// condition writes one as "False/NoStrategy".
func condition(t *testing.T, out Output, kind string) (text, message string) {
	t.Helper()
	for _, c := range out.Conditions {
		if c.Type == kind {
			return fmt.Sprintf("%s/%s", c.Status, c.Reason), c.Message
		}
	}
	t.Fatalf("no condition %s in %+v", kind, out.Conditions)
	return "", ""
}
