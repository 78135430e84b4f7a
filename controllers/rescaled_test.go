package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// A question that comes back with another scale under its old revision has answers that nobody can judge. Admission cannot
// see that; the condition says what to do, the other objectives go on, and a higher revision heals it.
func TestQuestionComesBackWithAnotherScale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(sqliteStore("answers") + "---" + visits(`    - {name: worth, type: Rating, maximum: 10, text: {en: "Was it worth it?"}}
  objectives:
  - {name: worth, question: worth, metric: Mean, target: 4}
  - {name: nps, question: recommend, metric: NPS, target: 0}
`))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(40, "", "worth", 9))
	var worth v1alpha1.Question
	var objective v1alpha1.Objective
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		worth, objective = p.Spec.Survey.Questions[3], p.Spec.Objectives[0]
		p.Spec.Survey.Questions, p.Spec.Objectives = p.Spec.Survey.Questions[:3], p.Spec.Objectives[1:]
	})
	worth.Type, worth.Maximum = v1alpha1.QuestionCSAT, nil
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		p.Spec.Survey.Questions = append(p.Spec.Survey.Questions, worth)
		p.Spec.Objectives = append(p.Spec.Objectives, objective)
	})
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/ObjectiveInvalid", "Stalled", "True/ObjectiveInvalid")
	if text := program.Status.Conditions[0].Message; !strings.Contains(text, `"worth"`) || !strings.Contains(text, "raise") {
		t.Errorf("message %q", text)
	}
	w.importAnswers("visits", repeated(40, "", "recommend", 10))
	w.eventually("the other objective is judged", func() error {
		for _, o := range get[*v1alpha1.SurveyProgram](w, "visits").Status.Objectives {
			if o.Name == "nps" && o.State == v1alpha1.StateMet {
				return nil
			}
		}
		return fmt.Errorf("not Met")
	})
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[3].Revision = 2 })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled", "Stalled", "False/AsExpected")
}
