package survey

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// answer checks the answer to one question.
func (c *checker) answer(q *Question, value any) store.Answer {
	a := store.Answer{Question: q.Name, Revision: q.Revision}
	switch v1alpha1.QuestionType(q.Type) {
	case v1alpha1.QuestionText:
		a.Kind, a.Values = store.KindText, c.text(q, value)
	case v1alpha1.QuestionSingleChoice:
		a.Kind, a.Values = store.KindSingle, c.single(q, value)
	case v1alpha1.QuestionMultipleChoice:
		a.Kind, a.Values = store.KindMultiple, c.multiple(q, value)
	default:
		a.Kind, a.Values = store.KindScale, c.scale(q, value)
	}
	return a
}

// values returns a list of one value. All such lists of a submission are parts of one.
func (c *checker) values(value string) []string {
	c.space = append(c.space, value)
	n := len(c.space)
	return c.space[n-1 : n : n]
}

func (c *checker) scale(q *Question, value any) []string {
	n, ok := integer(value)
	if !ok {
		c.refuse(pointerTo(q.Name), CodeType, "must be an integer from %d to %d, without quotes or decimals", q.Scale.Min, q.Scale.Max)
		return nil
	}
	if n < int64(q.Scale.Min) || n > int64(q.Scale.Max) {
		c.refuse(pointerTo(q.Name), CodeRange, "must be an integer from %d to %d", q.Scale.Min, q.Scale.Max)
		return nil
	}
	return c.values(strconv.FormatInt(n, 10))
}

// integer returns a value that was written as an integer.
func integer(value any) (int64, bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func (c *checker) single(q *Question, value any) []string {
	name, ok := value.(string)
	if !ok {
		c.refuse(pointerTo(q.Name), CodeType, "must be a string, the name of one choice: %s", choices(q))
		return nil
	}
	chosen := choice(q, name)
	if chosen < 0 {
		c.refuse(pointerTo(q.Name), CodeChoice, "must be one of %s", choices(q))
		return nil
	}
	return c.values(q.Choices[chosen].Name)
}

// multiple returns the chosen names in the order of the question's choices.
func (c *checker) multiple(q *Question, value any) []string {
	names, ok := stringList(value)
	if !ok {
		c.refuse(pointerTo(q.Name), CodeType, "must be a list of strings, names of choices: %s", choices(q))
		return nil
	}
	if len(names) == 0 {
		c.refuse(pointerTo(q.Name), CodeRequired, "must name at least one choice; leave the question out if there is no answer")
		return nil
	}
	if len(names) > len(q.Choices) {
		c.refuse(pointerTo(q.Name), CodeLength, "must name each choice at most once, %d in all", len(q.Choices))
		return nil
	}
	for i, name := range names {
		if choice(q, name) < 0 {
			c.refuse(pointerTo(q.Name)+"/"+strconv.Itoa(i), CodeChoice, "must be one of %s", choices(q))
		} else if slices.Contains(names[:i], name) {
			c.refuse(pointerTo(q.Name)+"/"+strconv.Itoa(i), CodeChoice, "must not name a choice twice")
		}
	}
	ordered := make([]string, 0, len(names))
	for i := range q.Choices {
		if slices.Contains(names, q.Choices[i].Name) {
			ordered = append(ordered, q.Choices[i].Name)
		}
	}
	return ordered
}

func stringList(value any) ([]string, bool) {
	if names, ok := value.([]string); ok {
		return names, true
	}
	items, ok := value.([]any)
	if !ok {
		return nil, false
	}
	names := make([]string, 0, len(items))
	for _, item := range items {
		name, ok := item.(string)
		if !ok {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// choice returns the index of the choice that has the name, or -1.
func choice(q *Question, name string) int {
	return slices.IndexFunc(q.Choices, func(c Choice) bool { return c.Name == name })
}

func choices(q *Question) string {
	names := make([]string, 0, len(q.Choices))
	for _, c := range q.Choices {
		names = append(names, c.Name)
	}
	return list(names)
}

// lineEnds turns the line ends of forms (CR LF) and of old files (CR) into LF.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func (c *checker) text(q *Question, value any) []string {
	raw, ok := value.(string)
	if !ok {
		c.refuse(pointerTo(q.Name), CodeType, "must be a string")
		return nil
	}
	if !utf8.ValidString(raw) {
		c.refuse(pointerTo(q.Name), CodeFormat, "must be UTF-8")
		return nil
	}
	if strings.Contains(raw, "\r") {
		raw = lineEnds.Replace(raw)
	}
	text := strings.TrimSpace(norm.NFC.String(raw))
	if text == "" {
		c.refuse(pointerTo(q.Name), CodeRequired, "must not be empty; leave the question out if there is no answer")
		return nil
	}
	if utf8.RuneCountInString(text) > int(q.MaxLength) {
		c.refuse(pointerTo(q.Name), CodeLength, "must have at most %d characters", q.MaxLength)
		return nil
	}
	if strings.ContainsFunc(text, isRefusedControl) {
		c.refuse(pointerTo(q.Name), CodeFormat, "must not have control characters other than line feed and tab")
		return nil
	}
	return c.values(text)
}

func isRefusedControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
