package main

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestReport(t *testing.T) {
	s, _ := asExpected(t)
	s.subjects[3].owner = ""
	t.Setenv("PATH", t.TempDir()) // no kubectl there
	d := &demo{dir: "/tmp/a b/.demo", kubectl: "/cache/kubectl", say: &console{now: func() time.Time { return time.Unix(1_800_000_000, 0) }}}
	report := d.report(s, addresses{survey: "http://127.0.0.1:1", metrics: "http://127.0.0.1:2/metrics"})
	for _, want := range []string{
		"STAGE   TOUCHPOINT   OBJECTIVE     METRIC  SCORE  INTERVAL        TARGET  ANSWERS  VERDICT  OWNER",
		"        (program)    nps           CSAT    39.84  37.18 to 42.41      60     2746  Met      airport",
		"During  food         satisfaction  CSAT    55.72  53.73 to 57.69      60     2421  Missed   concessions",
		"During  rental-cars  satisfaction  CSAT    67.59  64.64 to 70.41      60     1006  Met      nobody",
		"food-satisfaction-20270115\n  owner           concessions\n  due             2027-02-14\n  acknowledge by  2027-01-17 00:00:00 PST\n",
		"  problem         Restaurants: satisfaction is too low.",
		"ObjectiveMissed  Touchpoint  food         satisfaction  concessions  2027-01-15 00:00:00 PST",
		"OwnerMissing     Touchpoint  rental-cars",
		"http://127.0.0.1:1/s/sfo/passenger-experience\n",
		"export KUBECONFIG='/tmp/a b/.demo/kubeconfig'",
		"/cache/kubectl -n sfo get surveyprograms,touchpoints,actionplans",
		`/cache/kubectl -n sfo patch actionplan food-satisfaction-20270115 --type=merge -p '{"spec":{"state":"InProgress",`,
		`"time":"2027-01-15T08:00:00Z"`,
		"patch touchpoint rental-cars",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	d := &demo{dir: "/x", say: &console{now: time.Now}}
	report := d.report(snapshot{location: time.UTC}, addresses{})
	if strings.Count(report, "\nnone\n") != 2 || strings.Contains(report, "patch") {
		t.Error(report)
	}
}

func TestJourney(t *testing.T) {
	p := &v1alpha1.SurveyProgram{}
	p.Spec.Survey.Questions = []v1alpha1.Question{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	touchpoint := func(name string, stage v1alpha1.Stage, question string) v1alpha1.Touchpoint {
		return v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TouchpointSpec{Stage: stage, Questions: []string{question}}}
	}
	var names []string
	for _, about := range journey(p, []v1alpha1.Touchpoint{
		touchpoint("4", v1alpha1.StageAfter, "a"), touchpoint("3", v1alpha1.StageDuring, "c"),
		touchpoint("2", v1alpha1.StageDuring, "b"), touchpoint("1", v1alpha1.StageBefore, "c"),
	}) {
		names = append(names, about.name)
	}
	if got := strings.Join(names, ""); got != "1234" {
		t.Error(got)
	}
}

func TestParseMetrics(t *testing.T) {
	all, err := parseMetrics(strings.NewReader(`# TYPE cx_objective_score gauge
cx_objective_score{touchpoint="food",team="concessions"} 55.72
cx_objective_score{touchpoint="",team="airport"} 39.84
# TYPE cx_responses_accepted_total counter
cx_responses_accepted_total 3
# TYPE go_goroutines gauge
go_goroutines 12
`))
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	s := snapshot{series: all}
	if got := s.find(metricScore, map[string]string{"touchpoint": ""}); len(got) != 1 || got[0] != 39.84 {
		t.Errorf("%v", got)
	}
	if _, err := parseMetrics(strings.NewReader("{")); err == nil {
		t.Error("broken metrics were read")
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"/a/b-c_1.txt": "/a/b-c_1.txt", "a b": "'a b'", "it's": `'it'\''s'`, `{"a":1}`: `'{"a":1}'`, "$x": "'$x'",
	} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s", word, got)
		}
	}
}

func TestOpensPlans(t *testing.T) {
	rule := func(mode v1alpha1.PlanMode) *v1alpha1.OnMissed {
		return &v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{Mode: mode}}
	}
	for _, c := range []struct {
		rule *v1alpha1.OnMissed
		want bool
	}{
		{nil, false}, {&v1alpha1.OnMissed{}, false}, {rule(v1alpha1.PlanModeNone), false}, {rule(v1alpha1.PlanModeCreate), true},
	} {
		if got := opensPlans(c.rule); got != c.want {
			t.Errorf("%+v: %t", c.rule, got)
		}
	}
}
