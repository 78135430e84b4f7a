package survey

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// branching is the program with conditions: why is asked and required of detractors, services of those who say why, comment
// of those with WiFi.
func branching(t testing.TB, change ...func(*v1alpha1.SurveyProgram)) *Survey {
	t.Helper()
	p := newProgram()
	q := p.Spec.Survey.Questions
	q[4].ShowWhen, q[4].Requirement = "answers.recommend <= 6", v1alpha1.RequirementRequired
	q[5].ShowWhen = "has(answers.reason)"
	q[6].ShowWhen = "'wifi' in answers.services"
	for _, c := range change {
		c(p)
	}
	s, problems := Compile(p, []v1alpha1.Touchpoint{newTouchpoint("food", []string{"food", "comment", "reason"})}, nil)
	if s == nil {
		t.Fatal(problems)
	}
	return s
}

func TestAcceptHidden(t *testing.T) {
	s := branching(t)
	type answers = map[string]any
	for name, c := range map[string]struct {
		answers  answers
		imported bool
		want     []string
	}{
		"promoter":        {answers{"recommend": 9}, false, nil},
		"detractor":       {answers{"recommend": 3, "reason": "leisure", "services": []any{"wifi"}, "comment": "x"}, false, nil},
		"hidden required": {answers{"recommend": 7}, false, nil},
		"shown required":  {answers{"recommend": 6}, false, []string{"/answers/reason required"}},
		"hidden":          {answers{"recommend": 9, "reason": "leisure"}, false, []string{"/answers/reason hidden"}},
		"hidden by what is hidden": {answers{"recommend": 9, "reason": "leisure", "services": []any{"wifi"}, "comment": "x"}, false,
			[]string{"/answers/reason hidden", "/answers/services hidden", "/answers/comment hidden"}},
		"hidden and wrong":             {answers{"recommend": 9, "reason": 3}, false, []string{"/answers/reason hidden"}},
		"depends on what is wrong":     {answers{"recommend": 11, "reason": "leisure"}, false, []string{"/answers/recommend range"}},
		"depends on what is not there": {answers{"food": 3, "reason": "leisure"}, false, []string{"/answers/recommend required", "/answers/reason hidden"}},
		"import":                       {answers{"recommend": 9, "reason": "leisure", "comment": "x"}, true, nil},
		"import still checks":          {answers{"recommend": 9, "reason": "fun"}, true, []string{"/answers/reason choice"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, errs := s.Accept(Submission{ID: id, Answers: c.answers}, Rules{Now: now, Import: c.imported})
			var got []string
			for _, e := range errs {
				got = append(got, e.Pointer+" "+e.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if c.want == nil && len(r.Answers) != len(c.answers) {
				t.Errorf("%d answers of %d are taken", len(r.Answers), len(c.answers))
			}
		})
	}
	_, errs := s.Accept(Submission{ID: id, Answers: answers{"recommend": 9, "reason": "leisure"}}, Rules{Now: now})
	if want := "showWhen is answers.recommend <= 6"; len(errs) != 1 || !strings.Contains(errs[0].Detail, want) {
		t.Errorf("%v, want %s", errs, want)
	}
}

func TestProgress(t *testing.T) {
	s := branching(t)
	p := s.Progress("", map[string]any{"recommend": int64(3), "services": []string{"wifi"}, "food": int64(9)})
	want := map[string]bool{"recommend": true, "food": true, "ease": true, "stars": true, "reason": true, "services": false, "comment": false}
	if diff := cmp.Diff(want, p.Asked); diff != "" {
		t.Errorf("Asked (-want +got):\n%s", diff)
	}
	codes := map[string]string{}
	for name, errs := range p.Errors {
		codes[name] = errs[0].Code
	}
	if diff := cmp.Diff(map[string]string{"food": CodeRange, "reason": CodeRequired}, codes); diff != "" {
		t.Errorf("Errors (-want +got):\n%s", diff)
	}
	if got := s.Progress("", map[string]any{"recommend": "x"}); !got.Asked["reason"] {
		t.Error("a question whose condition depends on a wrong answer is not asked")
	}
	if got := s.Progress("nowhere", nil); len(got.Asked) > 0 {
		t.Errorf("a page that is not there asks %v", got.Asked)
	}
}

// names writes parts as "title: questions".
func names(parts []Part) []string {
	var out []string
	for _, p := range parts {
		line := p.Title["en"] + ":"
		for _, q := range p.Questions {
			line += " " + q.Name
		}
		out = append(out, line)
	}
	return out
}

func TestParts(t *testing.T) {
	title := v1alpha1.LocalizedText{"en": "You"}
	steps := []v1alpha1.Step{
		{Name: "airport", Questions: []string{"recommend", "food", "ease"}},
		{Name: "you", Title: title, Questions: []string{"stars", "reason", "services", "comment"}},
	}
	for name, c := range map[string]struct {
		survey     *Survey
		touchpoint string
		want       []string
	}{
		"all at once": {newSurvey(t), "", []string{": recommend food ease stars reason services comment"}},
		"conditions":  {branching(t), "", []string{": recommend food ease stars", ": reason", ": services", ": comment"}},
		"conditions and steps": {branching(t, func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Steps = steps }), "",
			[]string{": recommend food ease", "You: stars reason", "You: services", "You: comment"}},
		"touchpoint": {branching(t, func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Steps = steps }), "food", []string{": food", "You: reason comment"}},
		"nowhere":    {newSurvey(t), "nowhere", nil},
	} {
		if diff := cmp.Diff(c.want, names(c.survey.Parts(c.touchpoint))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCheckSteps(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Steps = []v1alpha1.Step{{Name: "a", Questions: []string{"food", "recommend", "ease", "stars", "reason", "services", "comment"}}}
	wantProblems(t, CheckProgram(p), []string{`InvalidSpec spec.survey.steps: steps must name the questions in the survey's order: "food" stands where "recommend" is due`})
	p.Spec.Survey.Steps = []v1alpha1.Step{{Name: "a", Title: v1alpha1.LocalizedText{"english": "x", "en": "x"},
		Questions: []string{"recommend", "food", "ease", "stars", "reason", "services", "comment"}}}
	wantProblems(t, CheckProgram(p), []string{`InvalidSpec spec.survey.steps[0].title: "english" is not a language tag`})
}

func TestCheckReachable(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Questions[6].ShowWhen = "answers.recommend <= 6"
	tp := newTouchpoint("food", []string{"food", "comment"})
	wantProblems(t, CheckTouchpoint(&tp, p), []string{
		`InvalidSpec spec.questions[1]: question "comment" is never asked here: its showWhen depends on recommend, which this touchpoint does not ask`,
	})
	p.Spec.Survey.Questions[6].ShowWhen = "!has(answers.recommend) || answers.recommend <= 6"
	wantProblems(t, CheckTouchpoint(&tp, p), nil)
	for _, name := range []string{ErasePage, VisitsPage} {
		reserved := newTouchpoint(name, []string{"food"})
		wantProblems(t, CheckTouchpoint(&reserved, p), []string{`InvalidSpec metadata.name: a touchpoint cannot be named "` + name + `": that address has another use`})
		if s, _ := Compile(p, []v1alpha1.Touchpoint{reserved}, nil); len(s.Touchpoints) > 0 {
			t.Errorf("a touchpoint is served at the address of %s", name)
		}
	}
}

func TestScores(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Feedback = []v1alpha1.Feedback{
		{Name: "mood", Metric: v1alpha1.FeedbackMean, Questions: []string{"food"}},
		{Name: "total", Metric: v1alpha1.FeedbackSum, Questions: []string{"recommend", "food", "ease"}, Title: v1alpha1.LocalizedText{"en": "Total"}},
		{Name: "ten", Metric: v1alpha1.FeedbackMean, Questions: []string{"recommend", "stars"}},
	}
	s, problems := Compile(p, nil, nil)
	if s == nil {
		t.Fatal(problems)
	}
	r, errs := s.Accept(Submission{ID: id, Answers: map[string]any{"recommend": 10, "food": 2, "ease": 7, "stars": 5}}, Rules{Now: now})
	if errs != nil {
		t.Fatal(errs)
	}
	want := []Score{
		{Name: "mood", Tenths: 20, Min: 1, Max: 5},
		{Name: "total", Title: Texts{"en": "Total"}, Tenths: 190, Min: 2, Max: 22},
		{Name: "ten", Tenths: 75, Min: 0, Max: 10},
	}
	if diff := cmp.Diff(want, s.Scores(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, ok := s.ScoreOf("total", 190); !ok || cmp.Diff(want[1], got) != "" {
		t.Errorf("ScoreOf: %+v, %v", got, ok)
	}
	for name, tenths := range map[string]int{"total": 221, "mood": 9, "nothing": 10, "ten": -1} {
		if got, ok := s.ScoreOf(name, tenths); ok {
			t.Errorf("%s of %d is taken: %+v", name, tenths, got)
		}
	}
	r, _ = s.Accept(Submission{ID: id, Answers: map[string]any{"recommend": 10, "food": 2}}, Rules{Now: now})
	if diff := cmp.Diff(want[:1], s.Scores(r)); diff != "" {
		t.Errorf("with answers missing (-want +got):\n%s", diff)
	}
	p.Spec.Survey.Feedback[2].Questions = []string{"recommend", "food"}
	wantProblems(t, CheckProgram(p), []string{"InvalidSpec spec.survey.feedback[2].questions: the questions of a Mean must have one scale"})
}

// TestMeanIsRounded checks the rounding to tenths against halves, thirds and sixths by hand.
func TestMeanIsRounded(t *testing.T) {
	for _, c := range []struct{ n, sum, want int }{{1, 3, 30}, {2, 7, 35}, {3, 10, 33}, {3, 11, 37}, {6, 13, 22}, {4, 9, 23}, {8, 10, 13}} {
		f := Feedback{Metric: string(v1alpha1.FeedbackMean), Questions: make([]string, c.n)}
		if got := f.tenths(c.sum); got != c.want {
			t.Errorf("%d / %d: %d tenths, want %d", c.sum, c.n, got, c.want)
		}
	}
}

// TestDigestIgnoresConditions: identities of stored answers do not change when a condition does.
func TestDigestIgnoresConditions(t *testing.T) {
	sub := Submission{ID: id, Answers: map[string]any{"recommend": 3, "reason": "leisure"}}
	var before, after store.Response
	before, _ = newSurvey(t).Accept(sub, Rules{Now: now})
	after, _ = branching(t).Accept(sub, Rules{Now: now})
	if before.Digest != after.Digest || before.Digest == [32]byte{} {
		t.Error("the digest is another one")
	}
}
