package survey

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// shown writes problems as "reason field: message".
func shown(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s %s: %s", p.Reason, p.Field, p.Message))
	}
	return out
}

func TestCheckProgram(t *testing.T) {
	type program = v1alpha1.SurveyProgram
	for name, c := range map[string]struct {
		change func(*program)
		want   []string // the beginnings of the problems
	}{
		"as it should be": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{
				objective("recommend", v1alpha1.MetricNPS, "-100"), objective("food", v1alpha1.MetricMean, "4.5"),
				objective("stars", v1alpha1.MetricCSAT, "80", 9, 10), objective("ease", v1alpha1.MetricCESNet, "-100"),
			}
		}, nil},
		"time zone":       {func(p *program) { p.Spec.TimeZone = "Mars/Olympus" }, []string{`InvalidSpec spec.timeZone: "Mars/Olympus" is not a time zone`}},
		"local time zone": {func(p *program) { p.Spec.TimeZone = "Local" }, []string{`InvalidSpec spec.timeZone: "Local" is not a time zone`}},
		"default language": {func(p *program) { p.Spec.Survey.DefaultLanguage = "qq-qq" },
			[]string{`InvalidSpec spec.survey.defaultLanguage: "qq-qq" is not a language tag`}},
		"title": {func(p *program) { p.Spec.Survey.Title["english"] = "x" }, []string{`InvalidSpec spec.survey.title: "english" is not a language tag, write a BCP 47 tag such as en, es or pt-BR`}},
		"one language twice": {func(p *program) { p.Spec.Survey.Title["pt-BR"] = "x" },
			[]string{`InvalidSpec spec.survey.title: "pt-BR" and "pt-br" are the same language, keep one`}},
		"a long tag": {func(p *program) { p.Spec.Survey.Title[strings.Repeat("e", 1000)] = "x" },
			[]string{`InvalidSpec spec.survey.title: "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee..." is not a language tag`}},
		"label": {func(p *program) { p.Spec.Survey.Questions[4].Choices[1].Label = v1alpha1.LocalizedText{"es": "x"} },
			[]string{`InvalidSpec spec.survey.questions[4].choices[1].label: a text in the default language "en" is required`}},
		"unknown question": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("parking", v1alpha1.MetricCSAT, "3")}
		}, []string{`QuestionNotFound spec.objectives[0].question: SurveyProgram "passengers" has no question "parking", it has recommend, food, ease, stars, reason, services, comment`}},
		"metric": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("food", v1alpha1.MetricCSAT, "3"), objective("food", v1alpha1.MetricNPS, "3")}
		}, []string{`ObjectiveInvalid spec.objectives[1].metric: NPS does not fit the CSAT question "food", allowed is CSAT, Mean`}},
		"metric of a text": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("comment", v1alpha1.MetricMean, "3")}
		}, []string{`ObjectiveInvalid spec.objectives[0].metric: a Text question carries no metric`}},
		"mean above the scale": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("food", v1alpha1.MetricMean, "5.01")}
		}, []string{`ObjectiveInvalid spec.objectives[0].target: 5.01 is not allowed, the target of metric Mean on question "food" is from 1 to 5`}},
		"mean below the scale": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("food", v1alpha1.MetricMean, "0")}
		},
			[]string{`ObjectiveInvalid spec.objectives[0].target: 0 is not allowed`}},
		"target is no number": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("food", v1alpha1.MetricMean, "NaN")}
		},
			[]string{`ObjectiveInvalid spec.objectives[0].target: `}},
		"satisfied values off the scale": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("food", v1alpha1.MetricCSAT, "60", 5, 6)}
		}, []string{`ObjectiveInvalid spec.objectives[0].satisfiedValues: 6 is off the scale 1 to 5`}},
		"no satisfied values on a long scale": {func(p *program) {
			p.Spec.Objectives = []v1alpha1.Objective{objective("stars", v1alpha1.MetricCSAT, "60")}
		}, []string{`ObjectiveInvalid spec.objectives[0].satisfiedValues: required on the scale 0 to 10`}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram()
			c.change(p)
			wantProblems(t, CheckProgram(p), c.want)
		})
	}
}

func TestCheckTouchpoint(t *testing.T) {
	for name, c := range map[string]struct {
		questions  []string
		objectives []v1alpha1.Objective
		want       []string
	}{
		"as it should be":      {[]string{"food", "comment"}, []v1alpha1.Objective{objective("food", v1alpha1.MetricCSAT, "65")}, nil},
		"without questions":    {nil, []v1alpha1.Objective{objective("food", v1alpha1.MetricCSAT, "65")}, nil},
		"with neither":         {nil, nil, nil},
		"an unknown question":  {[]string{"food", "parking"}, nil, []string{`QuestionNotFound spec.questions[1]: SurveyProgram "passengers" has no question "parking"`}},
		"an unknown objective": {nil, []v1alpha1.Objective{objective("parking", v1alpha1.MetricCSAT, "65")}, []string{"QuestionNotFound spec.objectives[0].question: "}},
		"an objective on a question that is not asked": {[]string{"comment"}, []v1alpha1.Objective{objective("food", v1alpha1.MetricCSAT, "65")},
			[]string{`ObjectiveInvalid spec.objectives[0].question: question "food" is not asked at this touchpoint: add it to spec.questions`}},
		"a metric that does not fit": {nil, []v1alpha1.Objective{objective("ease", v1alpha1.MetricCSAT, "65")},
			[]string{`ObjectiveInvalid spec.objectives[0].metric: CSAT does not fit the CES question "ease", allowed is CESMean, CESTopBox, CESNet, Mean`}},
	} {
		t.Run(name, func(t *testing.T) {
			tp := newTouchpoint("food", c.questions, c.objectives...)
			wantProblems(t, CheckTouchpoint(&tp, newProgram()), c.want)
		})
	}
}

func wantProblems(t *testing.T, problems []Problem, want []string) {
	t.Helper()
	got := shown(problems)
	if len(got) != len(want) {
		t.Fatalf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("problem %d is %q, want %q...", i, got[i], want[i])
		}
	}
}

func TestServedQuestions(t *testing.T) {
	all := "recommend food ease stars reason services comment"
	for name, c := range map[string]struct {
		questions  []string
		objectives []v1alpha1.Objective
		want       string
	}{
		"named, in the survey's order": {[]string{"comment", "food"}, []v1alpha1.Objective{objective("ease", "CESNet", "0")}, "food comment"},
		"of the objectives":            {nil, []v1alpha1.Objective{objective("food", "CSAT", "1"), objective("food", "Mean", "2"), objective("ease", "CESNet", "0")}, "food ease"},
		"all":                          {nil, nil, all},
		"an empty list is no list":     {[]string{}, nil, all},
		"unknown ones are left out":    {[]string{"parking", "food"}, nil, "food"},
		"nothing is left":              {[]string{"parking"}, nil, ""},
		"no objective is left":         {nil, []v1alpha1.Objective{objective("parking", "CSAT", "1")}, ""},
	} {
		tp := newTouchpoint("x", c.questions, c.objectives...)
		if got := strings.Join(ServedQuestions(&tp, newProgram()), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestServedQuestionsKeepsTheTouchpoint(t *testing.T) {
	backing := make([]string, 8)
	tp := newTouchpoint("x", backing[:0], objective("food", "CSAT", "1"))
	ServedQuestions(&tp, newProgram())
	if backing[0] != "" {
		t.Error("an object of the cache was written to")
	}
}

func TestDefinition(t *testing.T) {
	p := newProgram()
	q := map[string]v1alpha1.Question{}
	for _, question := range p.Spec.Survey.Questions {
		q[question.Name] = question
	}
	got, err := Definition(objective("stars", v1alpha1.MetricCSAT, "80", 9, 10), q["stars"], v1alpha1.Evidence{ConfidencePercent: 90})
	want := score.Definition{Metric: score.CSAT, Scale: score.Scale{Min: 0, Max: 10}, Satisfied: []int{9, 10}, Confidence: 0.9}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("Definition = %v, %v\n%s", got, err, cmp.Diff(want, got))
	}

	// Every metric on every type of question: exactly the documented pairs are allowed.
	allowed := map[string][]v1alpha1.Metric{
		"recommend": {"NPS"}, "food": {"CSAT", "Mean"}, "stars": {"CSAT", "Mean"},
		"ease": {"CESMean", "CESTopBox", "CESNet", "Mean"}, "reason": {}, "services": {}, "comment": {},
	}
	for name, question := range q {
		for _, m := range []v1alpha1.Metric{"NPS", "CSAT", "CESMean", "CESTopBox", "CESNet", "Mean", ""} {
			o := v1alpha1.Objective{Metric: m, Target: intstr.FromInt32(1)}
			if m == "CSAT" {
				o.SatisfiedValues = []int32{4, 5}
			}
			fits := false
			for _, a := range allowed[name] {
				fits = fits || a == m
			}
			d, err := Definition(o, question, p.Spec.Evidence)
			if (err == nil) != fits {
				t.Errorf("%q on %s: %v", m, name, err)
			}
			if err == nil && d.Validate() != nil {
				t.Errorf("%q on %s: an invalid definition %v", m, name, d)
			}
			if err != nil && d.Metric != "" {
				t.Errorf("%q on %s: a definition beside an error", m, name)
			}
		}
	}
}
