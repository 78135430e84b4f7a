package convert

import (
	"fmt"
	"maps"
	"slices"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func (b *binder) questions() {
	if len(b.mapping.Questions) == 0 {
		b.guess()
		return
	}
	for _, name := range slices.Sorted(maps.Keys(b.mapping.Questions)) {
		b.question(name, b.mapping.Questions[name])
	}
}

// guess finds the columns that are called as questions of the survey are.
func (b *binder) guess() {
	if b.survey == nil {
		b.fail("questions: are required where the survey is not known; give the program's YAML or map the questions")
		return
	}
	for _, q := range b.survey.Questions {
		for _, name := range called(q) {
			if _, err := b.find(Column{Column: name}); err == nil {
				b.question(q.Name, Question{Column: Column{Column: name}})
				break
			}
		}
	}
	if len(b.plan.questions) == 0 && len(b.errs) == 0 {
		b.fail("no column is called as a question of the survey or has its text: map the questions; the file has %s", b.names())
	}
}

// called returns what the column of a question can be called: its name, the name in this project's exports if that is
// another, its text in each language.
func called(q survey.Question) []string {
	names := []string{"answers/" + q.Name}
	if !slices.Contains([]string{"id", "submittedAt", "touchpoint", "team", "language", "standing", "passed", "failed"}, q.Name) {
		names = append(names, q.Name)
	}
	for _, tag := range slices.Sorted(maps.Keys(q.Text)) {
		names = append(names, q.Text[tag])
	}
	return names
}

func (b *binder) question(name string, q Question) {
	out := boundQuestion{name: name, kind: q.Type, noAnswer: keys(q.NoAnswer), separator: q.Separator}
	if out.separator == "" {
		out.separator = b.mapping.defaults.separator
	}
	if !b.describe(&out, q) {
		return
	}
	if len(q.Columns) > 0 {
		b.choiceColumns(&out, q)
	} else {
		at := b.column("questions."+name, &q.Column, nil)
		out.columns = []int{at}
	}
	if len(q.Columns) > 0 && out.kind != typeMultiple {
		b.fail("questions.%s: columns go with a MultipleChoice question only; this one is %s", name, out.kind)
	}
	b.plan.questions = append(b.plan.questions, out)
}

// describe finds the question's type and labels; false where that cannot be done.
func (b *binder) describe(out *boundQuestion, q Question) bool {
	out.labels = map[string]any{}
	if b.survey != nil {
		i := slices.IndexFunc(b.survey.Questions, func(s survey.Question) bool { return s.Name == out.name })
		if i < 0 {
			b.fail("questions.%s: the survey has no such question; it has %s", out.name, b.questionNames())
			return false
		}
		asked := b.survey.Questions[i]
		kind := kindOf(asked.Type)
		if q.Type != "" && q.Type != kind {
			b.fail("questions.%s.type: the survey says %s; leave type out", out.name, kind)
			return false
		}
		out.kind, out.asked = kind, &asked
		for _, c := range asked.Choices {
			for _, tag := range slices.Sorted(maps.Keys(c.Label)) {
				out.labels[labelKey(c.Label[tag])] = c.Name
			}
		}
		for _, c := range asked.Choices {
			out.labels[labelKey(c.Name)] = c.Name
		}
	}
	if len(q.Columns) > 0 && out.kind == "" {
		out.kind = typeMultiple
	}
	if out.kind == "" {
		b.fail("questions.%s.type: is required where the survey is not known: Scale, SingleChoice, MultipleChoice or Text", out.name)
		return false
	}
	for _, label := range slices.Sorted(maps.Keys(q.Values)) {
		b.label(out, label, q.Values[label])
	}
	return true
}

func kindOf(questionType string) string {
	switch v1alpha1.QuestionType(questionType) {
	case v1alpha1.QuestionSingleChoice:
		return typeSingle
	case v1alpha1.QuestionMultipleChoice:
		return typeMultiple
	case v1alpha1.QuestionText:
		return typeText
	}
	return typeScale
}

func (b *binder) questionNames() string {
	var names []string
	for _, q := range b.survey.Questions {
		names = append(names, q.Name)
	}
	return list(names)
}

// label takes one entry of values, checked against what the question allows.
func (b *binder) label(out *boundQuestion, label string, value any) {
	field := fmt.Sprintf("questions.%s.values: %q", out.name, label)
	n, isNumber := value.(int)
	switch {
	case out.kind == typeText:
		b.fail("%s: a Text question takes no values", field)
	case (out.kind == typeScale) != isNumber:
		b.fail("%s: must be a %s", field, map[bool]string{true: "whole number", false: "text, the name of a choice"}[out.kind == typeScale])
	case out.asked != nil && isNumber && (n < out.asked.Scale.Min || n > out.asked.Scale.Max):
		b.fail("%s: %d is not on the scale, allowed are %d to %d", field, n, out.asked.Scale.Min, out.asked.Scale.Max)
	case out.asked != nil && !isNumber && !out.hasChoice(value.(string)):
		b.fail("%s: %q is not a choice, allowed are %s", field, value, list(out.choiceNames()))
	default:
		out.mapped = append(out.mapped, label)
		out.labels[labelKey(label)] = value
		if wholeNumber.MatchString(tidy(label)) {
			out.coded = true
		}
	}
}

// choiceColumns binds a column for each choice.
func (b *binder) choiceColumns(out *boundQuestion, q Question) {
	out.chosen, out.notChosen = keys(q.Chosen), keys(q.NotChosen)
	if len(out.chosen)+len(out.notChosen) == 0 {
		out.chosen, out.notChosen = keys(defaultChosen), keys(defaultNotChosen)
	}
	for _, column := range slices.Sorted(maps.Keys(q.Columns)) {
		choice := q.Columns[column]
		if out.asked != nil && !out.hasChoice(choice) {
			b.fail("questions.%s.columns: %q is not a choice, allowed are %s", out.name, choice, list(out.choiceNames()))
		}
		out.columns = append(out.columns, b.column("questions."+out.name+".columns", &Column{Column: column}, nil))
		out.names, out.headers = append(out.names, choice), append(out.headers, labelKey(column))
	}
}

// What a cell of a column for one choice says, in the tools whose exports this package knows.
var (
	defaultChosen    = []string{"1", "x", "y", "yes", "true", "checked", "selected"}
	defaultNotChosen = []string{"0", "n", "no", "false", "n/a", "unchecked", "not selected"}
)
