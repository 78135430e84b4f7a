package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// mappingVersion is the version of the mapping file that this package reads.
const mappingVersion = 1

// Limits on a mapping file. A survey has at most 50 questions.
const (
	// MaxMappingSize is the size of the largest mapping file, in bytes.
	MaxMappingSize = 1 << 20
	maxQuestions   = 50
	maxColumns     = 200
	maxLabels      = 2000
	// MaxCount is the greatest number of answers that one row can stand for.
	MaxCount = 1_000_000
)

// Mapping says how the rows of a file become submissions. Its zero fields mean what the format's defaults say.
type Mapping struct {
	// Version of the mapping file: 1.
	Version int `yaml:"version"`
	// Source names where the rows come from, such as "nps-2024-limesurvey". It is part of the ids that are made of rows:
	// rows of two sources are never taken for each other.
	Source string `yaml:"source"`
	// Format: csv, formbricks, limesurvey or typeform.
	Format string `yaml:"format"`
	// Encoding of the file: utf-8 (the default; a byte order mark is honoured), utf-16, windows-1252 or iso-8859-1.
	Encoding string `yaml:"encoding"`
	// Delimiter between the cells: one of , ; | and tab. Found out if empty.
	Delimiter string `yaml:"delimiter"`
	// NoAnswer lists what stands for no answer, besides the empty cell, in every column.
	NoAnswer []string `yaml:"noAnswer"`
	// ID is the column with the row's identity. Without it, the content of the row is its identity.
	ID *Column `yaml:"id"`
	// Count is the column that says for how many answers a row stands; 1 without it.
	Count *Column `yaml:"count"`
	// Only keeps the rows whose cell in a column is one of the values, for each entry; the others are skipped.
	Only []Filter `yaml:"only"`
	// Touchpoint, Team and Language of the answers: a value for all rows, or a column.
	Touchpoint  *Field `yaml:"touchpoint"`
	Team        *Field `yaml:"team"`
	Language    *Field `yaml:"language"`
	SubmittedAt *When  `yaml:"submittedAt"`
	// Questions by name. Without any, columns are taken that are named as questions of the survey are.
	Questions map[string]Question `yaml:"questions"`

	// defaults are the format's.
	defaults format
}

// Column names a column by its header.
type Column struct {
	Column string `yaml:"column"`
	// Nth of the columns that have this header, from 1. It must be given where several have it.
	Nth int `yaml:"nth"`
}

// Filter keeps rows by one column.
type Filter struct {
	Column `yaml:",inline"`
	// Values that are kept, compared as labels are.
	Values []string `yaml:"values"`
	// NotEmpty keeps every row whose cell is not empty.
	NotEmpty bool `yaml:"notEmpty"`
}

// Field is a value for all rows or a column, whose cells may be translated.
type Field struct {
	Column `yaml:",inline"`
	Value  string `yaml:"value"`
	// Values translates cells; a cell that is none of its labels is taken as it is.
	Values map[string]string `yaml:"values"`
}

// When says when the answers were given. Without a column, the format's is taken.
type When struct {
	Column `yaml:",inline"`
	// Value is the time of all answers, written as Formats say, instead of a column.
	Value string `yaml:"value"`
	// Formats of the cells, tried in order; see parseLayout for what they may be.
	Formats []string `yaml:"formats"`
	// TimeZone (IANA) of cells that name none; UTC if empty.
	TimeZone string `yaml:"timeZone"`
}

// Question says how the cells of one or more columns become the answer to a question.
type Question struct {
	Column `yaml:",inline"`
	// Type: Scale, SingleChoice, MultipleChoice or Text. The survey, where it is known, says it better.
	Type string `yaml:"type"`
	// Values translates labels to numbers of the scale or names of choices.
	Values map[string]any `yaml:"values"`
	// NoAnswer lists more of what stands for no answer in this column.
	NoAnswer []string `yaml:"noAnswer"`
	// Separator between the choices of one cell; ";" if empty. MultipleChoice only.
	Separator string `yaml:"separator"`
	// Columns, instead of Column: one for each choice, header to choice. MultipleChoice only.
	Columns map[string]string `yaml:"columns"`
	// Chosen lists what a cell of Columns says where the choice was made, NotChosen where it was not.
	Chosen    []string `yaml:"chosen"`
	NotChosen []string `yaml:"notChosen"`
}

// The types of Question.Type.
const (
	typeScale    = "Scale"
	typeSingle   = "SingleChoice"
	typeMultiple = "MultipleChoice"
	typeText     = "Text"
)

// ParseMapping reads a mapping file strictly: unknown fields and keys that stand twice are errors. The defaults of the
// format are filled in. Every error names the field and what is allowed.
func ParseMapping(content []byte) (Mapping, error) {
	if len(content) > MaxMappingSize {
		return Mapping{}, fmt.Errorf("the mapping is larger than %d bytes", MaxMappingSize)
	}
	if !utf8.Valid(content) {
		return Mapping{}, errors.New("the mapping is not UTF-8")
	}
	m, err := decodeMapping(content)
	if err != nil {
		return Mapping{}, err
	}
	if m.Version != mappingVersion {
		return Mapping{}, fmt.Errorf("version: must be %d", mappingVersion)
	}
	if m.Source == "" {
		return Mapping{}, errors.New("source: is required: a name for where the rows come from, part of their ids")
	}
	return m.complete()
}

// decodeMapping reads YAML by its version 1.2, in which Yes, No, On and Off are texts: they are common labels.
func decodeMapping(content []byte) (Mapping, error) {
	var m Mapping
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	switch err := d.Decode(&m); {
	case errors.Is(err, io.EOF):
		return m, errors.New("the mapping is empty")
	case err != nil:
		return m, plainYAML(err)
	}
	var second yaml.Node
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return m, errors.New("the mapping must be one YAML document")
	}
	return m, nil
}

var yamlWords = strings.NewReplacer(
	"yaml: ", "", "unmarshal errors: ", "", "unmarshal ", "take ", " in type convert.Mapping", " at the top", "in type convert.", "in ",
	"into convert.", "as ", "into *convert.", "as ", "into map[string]convert.Question", "as questions", "into map[string]", "as a map to ",
	"into []string", "as a list of texts", "into []convert.Filter", "as a list of filters", "!!seq", "list", "!!map", "map", "!!str", "text",
	"!!int", "number", "!!bool", "boolean", "!!float", "number", "into ", "as ",
)

// plainYAML words an error of the YAML reader without Go types. It names lines. The reader cuts a text that it quotes by
// bytes; what this leaves of a character is dropped.
func plainYAML(err error) error {
	text := strings.ToValidUTF8(err.Error(), "")
	return errors.New(yamlWords.Replace(strings.Join(strings.Fields(text), " ")))
}

// DefaultMapping is the mapping where no file is given: the source is called as the format, and columns are found by the
// names and texts of the survey's questions. A csv is taken for one that this project's endpoint exported.
func DefaultMapping(format string) (Mapping, error) {
	m, err := Mapping{Version: mappingVersion, Source: format, Format: format}.complete()
	if format == FormatCSV {
		m.defaults = ownExport
	}
	return m, err
}

// complete looks the format up and checks the rest.
func (m Mapping) complete() (Mapping, error) {
	if m.Format == "" {
		m.Format = FormatCSV
	}
	f, ok := formats[m.Format]
	if !ok {
		return m, fmt.Errorf("format: %q is unknown, allowed are %s", m.Format, list(slices.Sorted(maps.Keys(formats))))
	}
	m.defaults = f
	return m, m.check()
}

// WithFormat returns the mapping for another format than it names.
func (m Mapping) WithFormat(format string) (Mapping, error) {
	m.Format = format
	return m.complete()
}

func (m Mapping) check() error {
	var errs []error
	add := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	add("source", checkSource(m.Source))
	add("encoding", checkEncoding(m.Encoding))
	add("delimiter", checkDelimiter(m.Delimiter))
	for name, c := range map[string]*Column{"id": m.ID, "count": m.Count} {
		if c != nil {
			add(name, c.check())
		}
	}
	for i, f := range m.Only {
		add(fmt.Sprintf("only[%d]", i), f.check())
	}
	for name, f := range map[string]*Field{"touchpoint": m.Touchpoint, "team": m.Team, "language": m.Language} {
		if f != nil {
			add(name, f.check())
		}
	}
	if m.SubmittedAt != nil {
		add("submittedAt", m.SubmittedAt.check())
	}
	if len(m.Questions) > maxQuestions {
		add("questions", fmt.Errorf("at most %d are allowed", maxQuestions))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Questions)) {
		add("questions."+name, m.Questions[name].check())
	}
	slices.SortStableFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func checkSource(source string) error {
	if utf8.RuneCountInString(source) > 100 || strings.ContainsFunc(source, isControl) {
		return errors.New("must have at most 100 characters and no control characters")
	}
	return nil
}

func checkDelimiter(d string) error {
	if d != "" && !slices.Contains(delimiters, d) {
		return errors.New(`must be one of "," ";" "|" and "\t", or left out`)
	}
	return nil
}

func (c Column) check() error {
	switch {
	case c.Column == "":
		return errors.New("column is required: the header of a column")
	case c.Nth < 0:
		return errors.New("nth must be 1 or more")
	}
	return nil
}

func (f Filter) check() error {
	if f.NotEmpty == (len(f.Values) > 0) {
		return errors.New("either values or notEmpty is required")
	}
	return errors.Join(f.Column.check(), checkLabels(f.Values))
}

func (f Field) check() error {
	if (f.Column.Column == "") == (f.Value == "") {
		return errors.New("either column or value is required")
	}
	if f.Value != "" && (len(f.Values) > 0 || f.Nth != 0) {
		return errors.New("values and nth go with column, not with value")
	}
	if f.Nth < 0 {
		return errors.New("nth must be 1 or more")
	}
	return checkLabels(slices.Collect(maps.Keys(f.Values)))
}

func (w When) check() error {
	if w.Nth < 0 || (w.Column.Column == "" && w.Nth != 0) {
		return errors.New("nth must be 1 or more, and goes with column")
	}
	if w.Value != "" && w.Column.Column != "" {
		return errors.New("either column or value is allowed, not both")
	}
	if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
		return fmt.Errorf("timeZone: %q is unknown, write a name of the IANA database such as Europe/London", w.TimeZone)
	}
	for i, format := range w.Formats {
		if _, err := parseLayout(format); err != nil {
			return fmt.Errorf("formats[%d]: %w", i, err)
		}
	}
	return nil
}

func (q Question) check() error {
	types := []string{typeScale, typeSingle, typeMultiple, typeText}
	if q.Type != "" && !slices.Contains(types, q.Type) {
		return fmt.Errorf("type: %q is unknown, allowed are %s", q.Type, list(types))
	}
	if (q.Column.Column == "") == (len(q.Columns) == 0) {
		return errors.New("either column or columns is required")
	}
	if q.Nth < 0 {
		return errors.New("nth must be 1 or more")
	}
	if len(q.Columns) > 0 {
		return q.checkColumns()
	}
	if len(q.Chosen)+len(q.NotChosen) > 0 {
		return errors.New("chosen and notChosen go with columns, not with column")
	}
	for label, value := range q.Values {
		switch value.(type) {
		case string, int:
		default:
			return fmt.Errorf("values: %q must be a whole number or the name of a choice", label)
		}
	}
	return checkLabels(slices.Concat(slices.Collect(maps.Keys(q.Values)), q.NoAnswer))
}

func (q Question) checkColumns() error {
	switch {
	case q.Type != "" && q.Type != typeMultiple:
		return errors.New("columns go with the type MultipleChoice only")
	case len(q.Values) > 0 || q.Separator != "" || q.Nth != 0:
		return errors.New("values, separator and nth go with column, not with columns")
	case len(q.Columns) > maxColumns:
		return fmt.Errorf("columns: at most %d are allowed", maxColumns)
	}
	if err := checkLabels(slices.Concat(q.Chosen, q.NotChosen, q.NoAnswer)); err != nil {
		return fmt.Errorf("chosen, notChosen and noAnswer: %w", err)
	}
	return nil
}

// checkLabels refuses labels that cannot be told apart, and too many of them.
func checkLabels(labels []string) error {
	if len(labels) > maxLabels {
		return fmt.Errorf("at most %d labels are allowed", maxLabels)
	}
	seen := map[string]string{}
	for _, label := range slices.Sorted(slices.Values(labels)) {
		key := labelKey(label)
		if first, ok := seen[key]; ok {
			return fmt.Errorf("%q and %q are the same label: capitals, blanks and kinds of apostrophe do not count", first, label)
		}
		seen[key] = label
	}
	return nil
}

func list(names []string) string { return strings.Join(names, ", ") }
