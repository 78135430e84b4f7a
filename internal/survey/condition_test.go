package survey

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// everything is an answer to each question of newProgram.
func everything() map[string]any {
	return map[string]any{
		"recommend": int64(9), "food": int64(4), "ease": int64(7), "stars": int64(0), "reason": "leisure",
		"services": []string{"wifi", "gate"}, "comment": "refund",
	}
}

func TestConditionHolds(t *testing.T) {
	for _, c := range []struct {
		condition string
		without   string
		want      bool
	}{
		{"answers.recommend >= 9", "", true},
		{"answers.recommend < 9", "", false},
		{"answers['recommend'] == 9", "", true},
		{"answers.recommend >= 9", "recommend", false},
		{"!(answers.recommend >= 9)", "recommend", false},
		{"has(answers.recommend)", "", true},
		{"has(answers.recommend)", "recommend", false},
		{"!has(answers.recommend)", "recommend", true},
		{"'recommend' in answers", "recommend", false},
		{"!has(answers.recommend) || answers.recommend <= 6", "recommend", true},
		{"has(answers.recommend) && answers.recommend <= 6", "recommend", false},
		{"answers.recommend >= 0 || answers.food == 4", "recommend", true},
		{"'wifi' in answers.services", "", true},
		{"'lounge' in answers.services", "", false},
		{"answers.services.exists(s, s != 'wifi' && s in ['gate'])", "", true},
		{"size(answers.services) == 2", "", true},
		{"answers.reason in ['business', 'leisure']", "", true},
		{"answers.reason == 'business'", "", false},
		{"answers.comment.contains('refund') && answers.comment.matches('^ref')", "", true},
		{"answers.stars + answers.food > 3", "", true},
		{"1 / answers.stars == 1", "", false},
		{"true", "", true},
	} {
		condition, err := ParseCondition(c.condition)
		if err != nil {
			t.Errorf("%s: %v", c.condition, err)
			continue
		}
		answers := everything()
		delete(answers, c.without)
		if got := condition.Holds(answers); got != c.want {
			t.Errorf("%s without %q: %v", c.condition, c.without, got)
		}
		if err := checkCondition(c.condition, newProgram().Spec.Survey.Questions, 7); err != nil {
			t.Errorf("%s is refused: %v", c.condition, err)
		}
	}
}

func TestConditionRefused(t *testing.T) {
	for condition, want := range map[string]string{
		"answers.recommend <=":                 "is no CEL expression",
		"answers.recommend":                    "must be true or false, not int",
		"answers.recommend <= '6'":             "does not fit the questions: found no matching overload",
		"answers.services == 'wifi'":           "does not fit the questions: found no matching overload",
		"'wifi' in answers.reason":             "does not fit the questions: found no matching overload",
		"answers['comment'] > 3":               "does not fit the questions: found no matching overload",
		"answers.parking > 3":                  `there is no question "parking", allowed are recommend, food, ease`,
		"has(answers.parking)":                 `there is no question "parking"`,
		"'parking' in answers":                 `there is no question "parking"`,
		"answers.reason == 'busines'":          `question "reason" has no choice "busines", allowed are business, leisure`,
		"answers.reason in ['leisure', 'fun']": `question "reason" has no choice "fun"`,
		"'pool' in answers.services":           `question "services" has no choice "pool", allowed are wifi, lounge, gate`,
		"answers.size() > 3":                   "answers must name a question",
		"answers == {}":                        "answers must name a question",
		"answers[answers.reason] == 3":         "answers must name a question",
		"answers.exists(a, true)":              "answers must name a question",
		"answers.reason in answers":            "answers must name a question",
		"[1].exists(answers, true)":            "a macro's variable must not be named answers",
		"now > 3":                              "does not fit the questions: undeclared reference to 'now'",
		"answers.later == 3":                   `question "later" is not asked before this one, allowed are recommend, food`,
		"answers.self == 3":                    `question "self" is not asked before this one`,
		strings.Repeat("(", 60) + "true":       "is no CEL expression",
		"true " + strings.Repeat(" ", 2000):    "must have at most 2000 bytes",
		"[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, [1,2,3,4,5,6,7,8,9,0].all(d, [1,2,3,4,5,6,7,8,9,0].all(e, a + b + c + d + e > 0)))))": "allowed is 100000",
	} {
		p := newProgram()
		text := v1alpha1.LocalizedText{"en": "x"}
		p.Spec.Survey.Questions = append(p.Spec.Survey.Questions,
			v1alpha1.Question{Name: "self", Type: v1alpha1.QuestionCSAT, Text: text, ShowWhen: condition},
			v1alpha1.Question{Name: "later", Type: v1alpha1.QuestionCSAT, Text: text})
		problems := CheckProgram(p)
		if len(problems) != 1 || problems[0].Field != "spec.survey.questions[7].showWhen" || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s: %v, want %s", condition, shown(problems), want)
		}
		if s, _ := Compile(p, nil, nil); s != nil {
			t.Errorf("%s is compiled", condition)
		}
	}
	p := newProgram()
	p.Spec.Survey.Questions[0].ShowWhen = "answers.food > 3"
	wantProblems(t, CheckProgram(p), []string{
		`InvalidSpec spec.survey.questions[0].showWhen: question "food" is not asked before this one, there is none: the first question is always asked`,
	})
}

func TestConditionIsWrittenAsItsText(t *testing.T) {
	p := newProgram()
	p.Spec.Survey.Questions[6].ShowWhen = "answers.recommend <= 6 && 'wifi' in answers.services && has(answers.food)"
	s, problems := Compile(p, nil, nil)
	if s == nil {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]string{"food", "recommend", "services"}, s.Questions[6].ShowWhen.Refers()); diff != "" {
		t.Errorf("Refers (-want +got):\n%s", diff)
	}
	written, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read Survey
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*s, read); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	answers := everything()
	answers["recommend"] = int64(3)
	if !read.Questions[6].ShowWhen.Holds(answers) {
		t.Error("a condition that was read does not hold")
	}
	var broken Survey
	if err := json.Unmarshal([]byte(`{"questions":[{"showWhen":"answers."}]}`), &broken); err == nil || !strings.Contains(err.Error(), "showWhen: is no CEL expression") {
		t.Errorf("a broken condition was read: %v", err)
	}
	other, err := ParseCondition("true")
	if err != nil || other.Equal(s.Questions[6].ShowWhen) || other.Equal(nil) || !other.Equal(other) {
		t.Errorf("Equal does not tell conditions apart: %v", err)
	}
}

// FuzzCondition: no panic; what the check takes can be compiled and judged, on any answers.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"answers.recommend <= 6", "'wifi' in answers.services", "has(answers.comment) || answers['food'] == 3", "answers.services.map(s, s + 'x').exists(s, s == '')",
		"answers.comment.matches('a*b')", "[answers.stars].all(x, x > 0)", "{1: answers.food}[1] == 2", "answers",
	} {
		f.Add(seed)
	}
	questions := newProgram().Spec.Survey.Questions
	f.Fuzz(func(t *testing.T, text string) {
		checked := checkCondition(text, questions, len(questions))
		condition, err := ParseCondition(text)
		if checked == nil && err != nil {
			t.Fatalf("%q is taken, but cannot be compiled: %v", text, err)
		}
		if err != nil {
			return
		}
		for _, answers := range []map[string]any{nil, {}, everything()} {
			first, second := condition.Holds(answers), condition.Holds(answers)
			if first != second {
				t.Fatalf("%q is judged in two ways", text)
			}
		}
		if !slices.IsSorted(condition.Refers()) {
			t.Fatalf("%q refers to %v", text, condition.Refers())
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	condition, err := ParseCondition("answers.recommend <= 6 || 'app' in answers.services")
	if err != nil {
		b.Fatal(err)
	}
	answers := everything()
	for b.Loop() {
		condition.Holds(answers)
	}
}
