package convert

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// plan is a mapping bound to the columns of one file.
type plan struct {
	header []string
	// id, count, touchpoint, team, language, at, standing, passed and failed are columns, or -1.
	id, count                      int
	touchpoint, team, language, at int
	standing, passed, failed       int
	constant                       survey.Submission
	fields                         map[int]map[string]string
	clock                          clock
	unknownTime                    string
	only                           []boundFilter
	questions                      []boundQuestion
	noAnswer                       map[string]bool
	// read says which columns are read at all.
	read []bool
}

type boundFilter struct {
	at       int
	values   map[string]bool
	notEmpty bool
}

// binder looks columns up.
type binder struct {
	mapping  Mapping
	survey   *survey.Survey
	header   []string
	errs     []error
	plan     *plan
	exactly  map[string][]int
	alike    map[string][]int
	numbered bool
}

var leadingNumber = regexp.MustCompile(`^\d+\.\s*`)

func newBinder(m Mapping, s *survey.Survey, header []string) *binder {
	b := &binder{mapping: m, survey: s, header: header, exactly: map[string][]int{}, alike: map[string][]int{}, numbered: m.defaults.numbered}
	for i, name := range header {
		name = tidy(plain(name))
		if name == "" {
			continue
		}
		b.exactly[name] = append(b.exactly[name], i)
		b.alike[b.key(name)] = append(b.alike[b.key(name)], i)
	}
	return b
}

// key returns what a header and the name of a column must have in common.
func (b *binder) key(name string) string {
	name = labelKey(name)
	if b.numbered {
		name = leadingNumber.ReplaceAllString(name, "")
	}
	return name
}

// bind binds a mapping to the columns of a file. All that does not fit is in the error.
func bind(m Mapping, s *survey.Survey, header []string) (*plan, error) {
	b := newBinder(m, s, header)
	b.plan = &plan{header: header, read: make([]bool, len(header)), fields: map[int]map[string]string{}, noAnswer: keys(m.NoAnswer)}
	p, d := b.plan, m.defaults
	p.id = b.column("id", m.ID, d.id)
	p.count = b.column("count", m.Count, nil)
	p.touchpoint, p.constant.Touchpoint = b.field("touchpoint", m.Touchpoint, d.touchpoint, touchpointLabels(s))
	p.team, p.constant.Team = b.field("team", m.Team, d.team, teamLabels(s))
	p.language, p.constant.Language = b.field("language", m.Language, d.language, nil)
	p.standing, p.passed, p.failed = b.column("standing", nil, d.standing), b.column("passed", nil, d.passed), b.column("failed", nil, d.failed)
	b.when()
	b.filters()
	b.questions()
	return p, errors.Join(b.errs...)
}

func (b *binder) fail(format string, args ...any) {
	b.errs = append(b.errs, fmt.Errorf(format, args...))
}

// find returns the column that is called so, or -1 and why there is not one.
func (b *binder) find(c Column) (int, error) {
	name := tidy(c.Column)
	found := b.exactly[name]
	if len(found) == 0 {
		found = b.alike[b.key(name)]
	}
	switch {
	case len(found) == 0:
		return -1, fmt.Errorf("there is no column %q; the file has %s", c.Column, b.names())
	case c.Nth > len(found):
		return -1, fmt.Errorf("nth: only %d columns are called %q", len(found), c.Column)
	case c.Nth > 0:
		return found[c.Nth-1], nil
	case len(found) > 1:
		return -1, fmt.Errorf("%d columns are called %q: rename one, or say with nth which one is meant, from 1", len(found), c.Column)
	}
	return found[0], nil
}

// names lists the file's columns for a message.
func (b *binder) names() string {
	const most = 12
	var names []string
	for _, name := range b.header {
		if name = tidy(name); name != "" {
			names = append(names, quoted(name))
		}
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", list(names[:most]), len(names)-most)
	}
	return list(names)
}

// column returns the mapped column, else the first of the format's that the file has, else -1.
func (b *binder) column(field string, mapped *Column, defaults []string) int {
	at := -1
	if mapped != nil && mapped.Column != "" {
		var err error
		if at, err = b.find(*mapped); err != nil {
			b.fail("%s: %w", field, err)
			return -1
		}
	} else {
		for _, name := range defaults {
			if found := b.exactly[name]; len(found) == 1 {
				at = found[0]
				break
			}
		}
	}
	if at >= 0 {
		b.plan.read[at] = true
	}
	return at
}

// field binds a column, of which known labels are translated, or takes the constant.
func (b *binder) field(name string, f *Field, defaults []string, known map[string]string) (at int, constant string) {
	if f == nil {
		f = &Field{}
	}
	if f.Value != "" {
		return -1, f.Value
	}
	at = b.column(name, &f.Column, defaults)
	if at < 0 {
		return at, ""
	}
	labels := translated(f.Values)
	for label, value := range known {
		if _, ok := labels[label]; !ok {
			labels[label] = value
		}
	}
	b.plan.fields[at] = labels
	return at, ""
}

// touchpointLabels returns the names of touchpoints by what people call them.
func touchpointLabels(s *survey.Survey) map[string]string {
	labels := map[string]string{}
	if s == nil {
		return labels
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(s.Touchpoints))) {
		labels[labelKey(s.Touchpoints[name].DisplayName)] = name
	}
	for name := range s.Touchpoints {
		labels[labelKey(name)] = name
	}
	return labels
}

// teamLabels returns the names of teams by what people call them.
func teamLabels(s *survey.Survey) map[string]string {
	labels := map[string]string{}
	if s == nil {
		return labels
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(s.Units))) {
		labels[labelKey(s.Units[name])] = name
	}
	for name := range s.Units {
		labels[labelKey(name)] = name
	}
	return labels
}

func (b *binder) when() {
	var w When
	if b.mapping.SubmittedAt != nil {
		w = *b.mapping.SubmittedAt
	}
	if len(w.Formats) == 0 {
		w.Formats = b.mapping.defaults.formats
	}
	var err error
	if b.plan.clock, err = newClock(w); err != nil {
		b.fail("submittedAt: %w", err)
		return
	}
	b.plan.at, b.plan.unknownTime = -1, b.mapping.defaults.unknownTime
	if w.Value != "" {
		at, err := b.plan.clock.read(w.Value)
		if err != nil {
			b.fail("submittedAt.value: %w", err)
		}
		b.plan.constant.SubmittedAt = written(at)
		return
	}
	b.plan.at = b.column("submittedAt", &w.Column, b.mapping.defaults.submittedAt)
	if b.plan.at < 0 && b.mapping.SubmittedAt != nil && w.Column.Column == "" {
		b.fail("submittedAt: column or value is required: the file has none of the format's columns")
	}
}

// filters binds those of the mapping, or else the format's.
func (b *binder) filters() {
	for i, f := range b.mapping.Only {
		at := b.column(fmt.Sprintf("only[%d]", i), &f.Column, nil)
		b.plan.only = append(b.plan.only, boundFilter{at, keys(f.Values), f.NotEmpty})
	}
	if len(b.mapping.Only) > 0 {
		return
	}
	for _, c := range b.mapping.defaults.only {
		if at := b.column("only", nil, c.columns); at >= 0 {
			b.plan.only = append(b.plan.only, boundFilter{at, keys(c.values), c.notEmpty})
		}
	}
}

// keys returns labels as they are compared.
func keys(labels []string) map[string]bool {
	out := make(map[string]bool, len(labels))
	for _, l := range labels {
		out[labelKey(l)] = true
	}
	return out
}

func translated(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for label, value := range values {
		out[labelKey(label)] = value
	}
	return out
}

// unread lists the columns that hold something in the header and are not read.
func (p *plan) unread() []string {
	var names []string
	for i, name := range p.header {
		if !p.read[i] && strings.TrimSpace(name) != "" {
			names = append(names, tidy(name))
		}
	}
	return names
}
