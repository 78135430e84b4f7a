package intake

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// questionView is one question of a form. IDs join names with "_", which no name has, so that none stands twice.
type questionView struct {
	Name string
	// ID is that of its first input.
	ID string
	// Kind is "scale" (numbers in a row), "list" (choices below each other) or "text".
	Kind string
	// Input is the type of the options' inputs.
	Input         string
	Text          marked
	Need          string
	RequiredInput bool
	Hint          string
	Error         string
	ErrorPrefix   string
	DescribedBy   string
	Options       []option
	Value         string
	MaxLength     int32
}

type option struct {
	Value   string
	Label   marked
	Checked bool
}

// question returns the question as f says it was answered.
func (p page) question(q survey.Question, f form) questionView {
	w, _ := p.around()
	v := questionView{
		Name: q.Name, ID: "q_" + q.Name, Text: p.text(q.Text), Need: w.Optional,
		ErrorPrefix: w.ErrorPrefix, Error: f.errors[q.Name],
	}
	if q.Required {
		v.Need = w.Required
	}
	// A group of checkboxes has no attribute for "at least one".
	v.RequiredInput = q.Required && q.Type != string(v1alpha1.QuestionMultipleChoice)
	given := f.values[q.Name]
	switch v1alpha1.QuestionType(q.Type) {
	case v1alpha1.QuestionText:
		v.Kind, v.MaxLength, v.Value = "text", q.MaxLength, strings.Join(given, "\n")
		v.Hint = w.count(w.AtMost, int(q.MaxLength))
	case v1alpha1.QuestionSingleChoice:
		v.Kind, v.Input, v.Options = "list", "radio", p.choices(q, given)
	case v1alpha1.QuestionMultipleChoice:
		v.Kind, v.Input, v.Options = "list", "checkbox", p.choices(q, given)
		v.Hint = w.ChooseAny
	default:
		v.Kind, v.Input, v.Options = "scale", "radio", numbers(q, given)
		low, high := w.ends(q.Type)
		v.Hint = fmt.Sprintf(w.Endsf, q.Scale.Min, low, q.Scale.Max, high)
	}
	v.DescribedBy = v.describedBy()
	return v
}

// Inputs are the options, each on a line of its own, within its label. Most of a page's elements are in here: a template would take
// longer for them than for all the rest, and what each has is most of a page's weight. So an input has an ID only where the summary
// of what is wrong leads to it.
func (v questionView) Inputs() template.HTML {
	var b strings.Builder
	name := template.HTMLEscapeString(v.Name)
	for i, o := range v.Options {
		b.WriteString("\n<label><input type=\"" + v.Input + "\" name=\"" + name + "\" value=\"" + template.HTMLEscapeString(o.Value) + "\"")
		if i == 0 && v.Error != "" {
			b.WriteString(" id=\"" + template.HTMLEscapeString(v.ID) + "\"")
		}
		if v.RequiredInput {
			b.WriteString(" required")
		}
		if o.Checked {
			b.WriteString(" checked")
		}
		b.WriteString("> " + o.Label.html() + "</label>")
	}
	return template.HTML(b.String()) //nolint:gosec // All that is not written here is escaped.
}

// html is the text as the template "text" writes it.
func (m marked) html() string {
	text := template.HTMLEscapeString(m.Text)
	if m.Lang == "" {
		return text
	}
	return "<span lang=\"" + template.HTMLEscapeString(m.Lang) + "\" dir=\"" + template.HTMLEscapeString(m.Dir) + "\">" + text + "</span>"
}

func (v questionView) describedBy() string {
	var ids []string
	if v.Hint != "" {
		ids = append(ids, "hint_"+v.Name)
	}
	if v.Error != "" {
		ids = append(ids, "error_"+v.Name)
	}
	return strings.Join(ids, " ")
}

func (p page) choices(q survey.Question, given []string) []option {
	options := make([]option, 0, len(q.Choices))
	for _, c := range q.Choices {
		options = append(options, option{Value: c.Name, Label: p.text(c.Label), Checked: slices.Contains(given, c.Name)})
	}
	return options
}

func numbers(q survey.Question, given []string) []option {
	options := make([]option, 0, q.Scale.Max-q.Scale.Min+1)
	for n := q.Scale.Min; n <= q.Scale.Max; n++ {
		value := strconv.Itoa(n)
		options = append(options, option{Value: value, Label: marked{Text: value}, Checked: slices.Contains(given, value)})
	}
	return options
}

// ends say what the lowest and the highest value of a scale mean.
func (w *words) ends(questionType string) (low, high string) {
	switch v1alpha1.QuestionType(questionType) {
	case v1alpha1.QuestionNPS:
		return w.NPSLow, w.NPSHigh
	case v1alpha1.QuestionCSAT:
		return w.CSATLow, w.CSATHigh
	case v1alpha1.QuestionCES:
		return w.CESLow, w.CESHigh
	default:
		return w.RatingLow, w.RatingHigh
	}
}
