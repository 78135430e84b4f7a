package survey

import (
	"slices"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Part is what a page asks at once.
type Part struct {
	// Title of the step that the part belongs to; empty where there is none.
	Title Texts
	// Questions of the part, in the survey's order.
	Questions []Question
}

// Parts returns the parts of a touchpoint's page, in order; the touchpoint "" has the whole survey. A part holds questions
// of one step, and never a question beside one that its condition depends on: so each part can be judged by the answers to
// the parts before it. It is nil where the survey has no such touchpoint.
func (s *Survey) Parts(touchpoint string) []Part {
	questions, _ := s.Page(touchpoint)
	return s.PartsOf(questions)
}

// PartsOf are the Parts of a page that asks the questions.
func (s *Survey) PartsOf(questions []Question) []Part {
	if len(questions) > 0 && len(s.Steps) == 0 && !s.HasConditions() {
		return []Part{{Questions: questions}}
	}
	var parts []Part
	step := -1
	for _, q := range questions {
		at := s.stepOf(q.Name)
		if len(parts) == 0 || at != step || dependsOn(q, parts[len(parts)-1].Questions) {
			part := Part{}
			if at >= 0 {
				part.Title = s.Steps[at].Title
			}
			parts, step = append(parts, part), at
		}
		last := &parts[len(parts)-1]
		last.Questions = append(last.Questions, q)
	}
	return parts
}

// stepOf returns the index of a question's step, -1 where it has none.
func (s *Survey) stepOf(question string) int {
	return slices.IndexFunc(s.Steps, func(step Step) bool { return slices.Contains(step.Questions, question) })
}

// dependsOn says whether a question's condition refers to one of the questions.
func dependsOn(q Question, questions []Question) bool {
	return q.ShowWhen != nil && slices.ContainsFunc(questions, func(other Question) bool {
		return slices.Contains(q.ShowWhen.Refers(), other.Name)
	})
}

// Progress is how far a form has come that is being filled in.
type Progress struct {
	// Asked are the questions that are asked, given the answers so far. A question whose condition depends on an answer
	// that is wrong counts as asked.
	Asked map[string]bool
	// Errors are what is wrong with the answers given so far, by question: also that a required one is missing.
	Errors map[string][]FieldError
}

// Progress judges the answers that were given so far. It says nothing of the submission's other fields.
func (s *Survey) Progress(touchpoint string, answers map[string]any) Progress {
	served, _ := s.served(touchpoint)
	j := newJudge(s)
	progress := Progress{Asked: map[string]bool{}, Errors: map[string][]FieldError{}}
	for i := range s.Questions {
		q := &s.Questions[i]
		if !served.has(q.Name) {
			continue
		}
		before := len(j.errors)
		value, given := answers[q.Name]
		asked := j.asks(q)
		progress.Asked[q.Name] = asked
		switch {
		case asked && given:
			j.take(q, value)
		case asked && q.Required:
			j.refuse(pointerTo(q.Name), CodeRequired, "an answer is required")
		}
		if found := j.errors[before:]; len(found) > 0 {
			progress.Errors[q.Name] = slices.Clone(found)
		}
	}
	return progress
}

// judge goes through the questions of a page in order and decides which are asked.
type judge struct {
	checker
	// given are the answers so far, as conditions see them; wrong are the questions whose answer is not to be used. Both are
	// nil where the survey has no conditions.
	given map[string]any
	wrong map[string]bool
}

func newJudge(s *Survey) judge {
	j := judge{checker: checker{survey: s}}
	if s.HasConditions() {
		j.given, j.wrong = map[string]any{}, map[string]bool{}
	}
	return j
}

// HasConditions says whether a question of the survey is asked only where others are answered in a certain way.
func (s *Survey) HasConditions() bool {
	return slices.ContainsFunc(s.Questions, func(q Question) bool { return q.ShowWhen != nil })
}

// asks says whether the question is asked, or cannot be told since an answer that it depends on is wrong.
func (j *judge) asks(q *Question) bool {
	if q.ShowWhen == nil || slices.ContainsFunc(q.ShowWhen.Refers(), func(name string) bool { return j.wrong[name] }) {
		return true
	}
	return q.ShowWhen.Holds(j.given)
}

// take checks an answer, and lets later conditions see it.
func (j *judge) take(q *Question, value any) store.Answer {
	before := len(j.errors)
	answer := j.answer(q, value)
	switch {
	case j.given == nil:
	case len(j.errors) > before:
		j.wrong[q.Name] = true
	default:
		j.given[q.Name] = seen(answer, q)
	}
	return answer
}

// seen is an answer as conditions see it: int64, string or []string.
func seen(a store.Answer, q *Question) any {
	switch v1alpha1.QuestionType(q.Type) {
	case v1alpha1.QuestionMultipleChoice:
		return a.Values
	case v1alpha1.QuestionSingleChoice, v1alpha1.QuestionText:
		return a.Values[0]
	default:
		return number(a)
	}
}

// CheckAnswer returns what is wrong with the answer to a question by itself.
func CheckAnswer(q Question, value any) []FieldError {
	var c checker
	c.answer(&q, value)
	return c.errors
}
