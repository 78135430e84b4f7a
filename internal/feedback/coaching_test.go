package feedback

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

func coached() subject {
	objectives := []v1alpha1.Objective{{Name: "nps", Question: "recommend", Metric: v1alpha1.MetricNPS, Target: intstr.FromInt32(35), WindowDays: 30}}
	return subject{
		program: &v1alpha1.SurveyProgram{
			ObjectMeta: metav1.ObjectMeta{Name: "stay"},
			Spec: v1alpha1.SurveyProgramSpec{
				TimeZone: "America/Los_Angeles", Privacy: v1alpha1.Privacy{MinimumCell: 5}, Objectives: objectives,
				Survey: v1alpha1.Survey{Questions: []v1alpha1.Question{
					{Name: "recommend", Type: v1alpha1.QuestionNPS, Revision: 1}, {Name: "food", Type: v1alpha1.QuestionCSAT, Revision: 3},
					{Name: "why", Type: v1alpha1.QuestionText, Revision: 1},
				}},
			},
		},
		objectives: objectives, evidence: v1alpha1.Evidence{MinimumResponses: 10, ConfidencePercent: 95},
	}
}

// given counts answers of one value, whatever is asked for.
func given(question string, unit, others int64) counter {
	window := func(n int64) rollup.Window { return rollup.Window{Values: map[string]int64{"5": n}, Ever: n} }
	return func(q string, _ int32, _, _ store.Hour) (rollup.Window, rollup.Window) {
		if q != question {
			return rollup.Window{}, rollup.Window{}
		}
		return window(unit), window(unit + others)
	}
}

func TestCoachShowsWhatMayBeShown(t *testing.T) {
	for _, c := range []struct {
		name         string
		unit, others int64
		want         string
	}{
		{"enough answers of both", 10, 5, feedbackv1alpha1.CoachingShown},
		{"enough answers, and none of others", 10, 0, feedbackv1alpha1.CoachingShown},
		{"too little evidence", 9, 100, feedbackv1alpha1.CoachingInsufficientData},
		{"below the floor", 4, 100, feedbackv1alpha1.CoachingInsufficientData},
		{"others who could be told from it", 100, 4, feedbackv1alpha1.CoachingInsufficientData},
		{"a single other", 100, 1, feedbackv1alpha1.CoachingInsufficientData},
	} {
		got := coach(coached(), noon, given("recommend", c.unit, c.others))
		if len(got) != 1 || got[0].State != c.want || (got[0].Score != "") != (c.want == feedbackv1alpha1.CoachingShown) || (got[0].Responses > 0) != (got[0].Score != "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	// A question that no objective is about has its plain metric, and a question that nobody was asked is absent.
	want := []feedbackv1alpha1.CoachingScore{{
		Program: "stay", Question: "food", Metric: "Mean", WindowDays: 90, State: feedbackv1alpha1.CoachingShown, Score: "5.00", Lower: "4.95", Upper: "5.00", Responses: 20,
	}}
	if diff := cmp.Diff(want, coach(coached(), noon, given("food", 20, 50))); diff != "" {
		t.Error(diff)
	}
	if got := coach(coached(), noon, given("recommend", 0, 50)); len(got) != 0 {
		t.Errorf("a team that no answer speaks of: %+v", got)
	}
	gate := coached()
	gate.touchpoint = "gate"
	if got := coach(gate, noon, given("food", 20, 50)); len(got) != 0 {
		t.Errorf("a touchpoint's questions without an objective: %+v", got)
	}
}

// Figures move at the end of the program's day, unless it releases them at once.
func TestCoachWindow(t *testing.T) {
	s := coached()
	var from, to store.Hour
	look := func(_ string, _ int32, f, t store.Hour) (rollup.Window, rollup.Window) {
		from, to = f, t
		return rollup.Window{}, rollup.Window{}
	}
	s.program.Spec.Survey.Questions = s.program.Spec.Survey.Questions[:1]
	coach(s, noon, look)
	midnight := store.HourOf(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)) // in Los Angeles
	if to != midnight || from != midnight-30*24 {
		t.Errorf("the window is %d to %d, want 30 days to %d", from, to, midnight)
	}
	s.program.Spec.Privacy.Release = v1alpha1.ReleaseImmediate
	coach(s, noon.Add(time.Minute), look)
	if want := store.HourOf(noon) + 1; to != want {
		t.Errorf("the window ends at %d, want %d", to, want)
	}
}

// No figure of fewer answers than the floor, and none that leaves fewer of others, ever shows.
func TestCoachKeepsTheFloor(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := coached()
		s.program.Spec.Privacy.MinimumCell = rapid.Int32Range(5, 30).Draw(r, "floor")
		s.evidence.MinimumResponses = rapid.Int32Range(5, 50).Draw(r, "evidence")
		unit, others := rapid.Int64Range(0, 60).Draw(r, "unit"), rapid.Int64Range(0, 60).Draw(r, "others")
		for _, one := range coach(s, noon, given("recommend", unit, others)) {
			floor := int64(s.program.Spec.Privacy.MinimumCell)
			if shown := one.Score != "" || one.Lower != "" || one.Responses != 0; shown && (unit < floor || unit < int64(s.evidence.MinimumResponses) || others > 0 && others < floor) {
				r.Errorf("%d answers and %d others, with a floor of %d: %+v", unit, others, floor, one)
			}
		}
	})
}
