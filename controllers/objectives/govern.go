package objectives

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// rules returns the rules that apply. Where no policy was looked for they are what is stated inline.
func (s Subject) rules() policy.Effective {
	if s.Effective.Governed.Reason != "" {
		return s.Effective
	}
	inline := s.Program.DeepCopy()
	inline.Spec.OnMissed = s.OnMissed
	return policy.ForProgram(nil, inline)
}

// SetGoverned sets the condition Governed, and returns what belongs into status.policyRef.
func SetGoverned(set conditions.Set, rules policy.Effective) *v1alpha1.NameRef {
	set.Is(v1alpha1.ConditionGoverned, rules.Governed.Status, rules.Governed.Reason, rules.Governed.Message)
	if rules.Name == "" {
		return nil
	}
	return &v1alpha1.NameRef{Name: rules.Name}
}

// Readable says whether the counts of a program are current.
func Readable(e *env.Env, p *v1alpha1.SurveyProgram, now time.Time) bool {
	return readability(e, Subject{Program: p}, now) == evaluate.Fresh
}

// Cadence says how often a program is reviewed, where its policy has a rule for that. For cadence Auto
// its counts must be Readable: what was not read looks like no answers.
func Cadence(e *env.Env, p *v1alpha1.SurveyProgram, rules policy.Effective, now time.Time) v1alpha1.CadenceChoice {
	if rules.Review == nil {
		return v1alpha1.CadenceChoice{Program: p.Name}
	}
	expected := policy.Expected{
		Program: p.Name, Rule: *rules.Review,
		ConfidencePercent: rules.Evidence.ConfidencePercent, MinimumResponses: rules.Evidence.MinimumResponses,
	}
	if len(p.Spec.Objectives) == 0 {
		return policy.Cadence(expected)
	}
	first := p.Spec.Objectives[0]
	for _, q := range p.Spec.Survey.Questions {
		if q.Name != first.Question {
			continue
		}
		definition, err := survey.Definition(first, q, rules.Evidence)
		if err != nil {
			break // the program's conditions say why
		}
		expected.Objective, expected.Metric, expected.Scale = first.Name, definition.Metric, definition.Scale
		end := evaluate.WindowEnd(now)
		s := Subject{Program: p}
		w := e.Book.Window(s.query(e, q.Name, q.Revision, end-policy.CadenceDays*24, end))
		for _, n := range w.Counts() {
			expected.Answers += n
		}
	}
	return policy.Cadence(expected)
}
