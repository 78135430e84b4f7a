package survey

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

const namespace = "sfo"

// newProgram returns a program with every type of question, as the API server would default it.
func newProgram() *v1alpha1.SurveyProgram {
	en := func(s string) v1alpha1.LocalizedText { return v1alpha1.LocalizedText{"en": v1alpha1.Text(s)} }
	choice := func(name string) v1alpha1.Choice { return v1alpha1.Choice{Name: name, Label: en(name)} }
	question := func(name string, t v1alpha1.QuestionType) v1alpha1.Question {
		return v1alpha1.Question{Name: name, Type: t, Revision: 1, Text: en(name), Requirement: v1alpha1.RequirementOptional}
	}
	recommend := question("recommend", v1alpha1.QuestionNPS)
	recommend.Requirement = v1alpha1.RequirementRequired
	food := question("food", v1alpha1.QuestionCSAT)
	food.Revision = 3
	stars := question("stars", v1alpha1.QuestionRating)
	stars.Minimum, stars.Maximum = ptr(int32(0)), ptr(int32(10))
	reason := question("reason", v1alpha1.QuestionSingleChoice)
	reason.Choices = []v1alpha1.Choice{choice("business"), choice("leisure")}
	services := question("services", v1alpha1.QuestionMultipleChoice)
	services.Choices = []v1alpha1.Choice{choice("wifi"), choice("lounge"), choice("gate")}
	comment := question("comment", v1alpha1.QuestionText)
	comment.MaxLength = ptr(int32(20))
	return &v1alpha1.SurveyProgram{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "passengers"},
		Spec: v1alpha1.SurveyProgramSpec{
			DisplayName: "Passenger experience",
			OwnerRef:    &v1alpha1.NameRef{Name: "airport"},
			StoreRef:    v1alpha1.NameRef{Name: "responses"},
			TimeZone:    "America/Los_Angeles",
			Endpoint:    v1alpha1.Endpoint{Mode: v1alpha1.EndpointEmbedded, Intake: v1alpha1.IntakeAccepting},
			Evidence:    v1alpha1.Evidence{MinimumResponses: 30, ConfidencePercent: 95},
			Privacy:     v1alpha1.Privacy{MinimumCell: 5, RetentionDays: 730},
			Survey: v1alpha1.Survey{
				DefaultLanguage: "en",
				Title:           v1alpha1.LocalizedText{"es": "Hola", "en": "Hello", "pt-br": "Oi"},
				PrivacyNotice:   en("No names."),
				Questions: []v1alpha1.Question{recommend, food, question("ease", v1alpha1.QuestionCES), stars, reason,
					services, comment},
			},
		},
	}
}

func newTouchpoint(name string, questions []string, objectives ...v1alpha1.Objective) v1alpha1.Touchpoint {
	return v1alpha1.Touchpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TouchpointSpec{DisplayName: "Touchpoint " + name, ProgramRef: v1alpha1.NameRef{Name: "passengers"},
			Questions: questions, Objectives: objectives},
	}
}

func newTeam(name string) v1alpha1.Team {
	return v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TeamSpec{DisplayName: "Team " + name, Level: v1alpha1.TeamDepartment}}
}

func objective(question string, metric v1alpha1.Metric, target string, satisfied ...int32) v1alpha1.Objective {
	return v1alpha1.Objective{Name: question, Question: question, Metric: metric, Target: intstr.Parse(target),
		WindowDays: 90, SatisfiedValues: satisfied}
}

// newSurvey compiles the program with the touchpoints food (food, comment), gate (recommend, comment) and all.
func newSurvey(t testing.TB) *Survey {
	t.Helper()
	s, problems := Compile(newProgram(), []v1alpha1.Touchpoint{
		newTouchpoint("food", []string{"comment", "food"}),
		newTouchpoint("gate", []string{"recommend", "comment"}),
		newTouchpoint("all", nil),
	}, []v1alpha1.Team{newTeam("airport"), newTeam("area-g")})
	if s == nil || len(problems) > 0 {
		t.Fatalf("Compile: %v, %v", s, problems)
	}
	return s
}

func ptr[T any](v T) *T { return &v }
