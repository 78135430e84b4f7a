package objectives

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Each episode of Met is told once, at its time; that counts could not be read ends none, another verdict does.
func TestRecognize(t *testing.T) {
	since := metav1.NewTime(teatime.AddDate(0, 0, -10))
	told := metav1.NewTime(teatime.AddDate(0, 0, -1))
	rule := func(days int32) v1alpha1.Recognition {
		return v1alpha1.Recognition{Mode: v1alpha1.RecognitionNotify, AfterDays: &days}
	}
	notice := []notify.Transition{{
		Class: v1alpha1.NoticeRecognition, Transition: v1alpha1.NoticeMet, Objective: "easy", Reason: v1alpha1.ReasonRecognized, Time: since.Time,
	}}
	now := metav1.NewTime(teatime)
	for name, c := range map[string]struct {
		state v1alpha1.ObjectiveState
		told  *metav1.Time
		rule  v1alpha1.Recognition
		want  []notify.Transition
		kept  *metav1.Time
		next  time.Time
	}{
		"at once":                       {"Met", nil, rule(0), notice, &now, time.Time{}},
		"to the second":                 {"Met", nil, rule(10), notice, &now, time.Time{}},
		"not yet":                       {"Met", nil, rule(11), nil, nil, teatime.AddDate(0, 0, 1)},
		"told already":                  {"Met", &told, rule(0), nil, &told, time.Time{}},
		"nobody is told":                {"Met", nil, v1alpha1.Recognition{Mode: v1alpha1.RecognitionNone}, nil, nil, time.Time{}},
		"no longer met":                 {"OnTrack", &told, rule(0), nil, nil, time.Time{}},
		"missed":                        {"Missed", &told, rule(0), nil, nil, time.Time{}},
		"too few answers":               {"InsufficientData", &told, rule(0), nil, nil, time.Time{}},
		"unread for a while":            {"Stale", &told, rule(0), nil, &told, time.Time{}},
		"no rule, but met and told yet": {"Met", &told, v1alpha1.Recognition{Mode: v1alpha1.RecognitionNone}, nil, &told, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts := []v1alpha1.ObjectiveStatus{{Name: "easy", State: c.state, StateSince: &since, RecognizedTime: c.told}}
			got, next := recognize(verdicts, c.rule, teatime)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.kept, verdicts[0].RecognizedTime); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
			if !next.Equal(c.next) {
				t.Errorf("next %s, want %s", next, c.next)
			}
			if again, _ := recognize(verdicts, c.rule, teatime); again != nil {
				t.Errorf("told twice: %+v", again)
			}
		})
	}
}

// The rules are those of the policy, and without one those that are stated inline.
func TestRules(t *testing.T) {
	s := subject("desk")
	s.OnMissed = &v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{DueWithinDays: 7}}
	if r := s.rules(); r.Evidence != s.Program.Spec.Evidence || r.Plan.DueWithinDays != 7 || r.Plan.Mode != v1alpha1.PlanModeCreate {
		t.Errorf("without a policy: %+v", r)
	}
	s.Effective = policy.Effective{Name: "house", Evidence: v1alpha1.Evidence{MinimumResponses: 60}, Governed: policy.Verdict{Status: "True", Reason: "Selected"}}
	if r := s.rules(); r.Evidence.MinimumResponses != 60 || r.Plan.DueWithinDays != 0 {
		t.Errorf("with a policy: %+v", r)
	}
	var all []metav1.Condition
	if ref := SetGoverned(conditions.Set{Conditions: &all}, s.Effective); ref == nil || ref.Name != "house" || all[0].Reason != "Selected" {
		t.Errorf("%v, %+v", ref, all)
	}
	if ref := SetGoverned(conditions.Set{Conditions: &all}, policy.ForProgram(nil, s.Program)); ref != nil || all[0].Reason != "NoPolicy" {
		t.Errorf("%v, %+v", ref, all)
	}
}

// Cases are those of the touchpoint, or of the program's own page, and stay as they are while nothing can be read.
func TestCases(t *testing.T) {
	e := reader(hourly("desk", store.QuestionCaseOpen, "", 2), hourly("desk", store.QuestionCaseDue, "", 1), hourly("", store.QuestionCaseKept, "", 3))
	overdue := []v1alpha1.Breach{{Type: v1alpha1.BreachFollowUpOverdue, Item: "cases", Since: metav1.NewTime(teatime.Truncate(time.Hour))}}
	desk := Cases(e, subject("desk"), nil, teatime)
	if f := desk.Figures; f.Open != 2 || f.Overdue != 1 || f.Due != 1 || f.Kept != 0 {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff(overdue, desk.Breaches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if own := Cases(e, subject(""), nil, teatime); own.Figures.Kept != 3 || own.Figures.Open != 0 || len(own.Breaches) > 0 {
		t.Errorf("the program's own page: %+v", own)
	}
	if none := Cases(e, subject("gate"), nil, teatime); none.Figures != nil {
		t.Errorf("a touchpoint without any: %+v", none.Figures)
	}
	s, later := subject("desk"), teatime.Add(time.Hour)
	s.Previous.Breaches = append([]v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing}}, overdue...)
	unread := Cases(e, s, desk.Figures, later)
	if unread.Figures != desk.Figures || !cmp.Equal(unread.Breaches, overdue) || !unread.Next.IsZero() {
		t.Errorf("unread: %+v", unread)
	}
	series := CaseSeries(Label{Namespace: "sfo", Program: "visits", Touchpoint: "desk", Team: "company"}, desk.Figures)
	if len(series) != 1 || series[0].Open != 2 || series[0].Lower != 0 || series[0].Upper != 0.7935 || series[0].Team != "company" || series[0].OldestOpen.IsZero() {
		t.Errorf("%+v", series)
	}
	if CaseSeries(Label{}, nil) != nil {
		t.Error("series of no cases")
	}
}

// The cadence counts every answer to the question of the program's first objective, over its touchpoints.
func TestCadenceOfAProgram(t *testing.T) {
	old := hourly("desk", "ease", "7", 5000)
	old.Hour -= 91 * 24
	e := reader(hourly("desk", "ease", "7", 3000), hourly("gate", "ease", "1", 2052), hourly("gate", "other", "1", 9999), old)
	p := subject("").Program
	rules := policy.ForProgram([]v1alpha1.AccountabilityPolicy{{Spec: v1alpha1.AccountabilityPolicySpec{
		Review: &v1alpha1.ReviewRule{Cadence: v1alpha1.CadenceAuto},
	}}}, p)
	if got := Cadence(e, p, rules, teatime); got.Cadence != v1alpha1.CadenceMonthly || got.Objective != "" {
		t.Errorf("without an objective: %+v", got)
	}
	p.Spec.Objectives = []v1alpha1.Objective{{Name: "easy", Question: "ease", Metric: v1alpha1.MetricCESTopBox}}
	if got := Cadence(e, p, rules, teatime); got.Cadence != v1alpha1.CadenceMonthly || got.ExpectedPerWeek != "392.9" || got.NeededPerPeriod != 393 || got.Objective != "easy" {
		t.Errorf("%+v", got)
	}
	rules.Review = nil
	if got := Cadence(e, p, rules, teatime); got.Cadence != "" {
		t.Errorf("without a rule: %+v", got)
	}
	if !Readable(e, p, teatime) || Readable(e, p, teatime.Add(time.Hour)) {
		t.Error("counts are readable for a minute")
	}
}
