// Package convert turns the files that survey tools and spreadsheets write into submissions. It is pure: no clock, no
// network; files are given as readers.
package convert

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Job says what files are turned into.
type Job struct {
	// Program that the answers are for.
	Program store.Key
	// Mapping of the files' columns; not used for FormatNDJSON.
	Mapping Mapping
	// Survey against which every row is checked; nil if it is not known.
	Survey *survey.Survey
	// Now is the time at which no answer may lie in the future.
	Now time.Time
}

// Convert reads one file and hands on the submissions of every row that is right, in order, with the row's line. A row
// is accepted as a whole or not at all. What is found goes into the report. The error is about the file as a whole (its
// encoding, header, or columns that are not there), or comes from reading or from emit; rows before it were handed on.
func (j Job) Convert(name string, in io.Reader, r *Report, emit func(s survey.Submission, line int) error) error {
	r.Files = append(r.Files, name)
	c := converter{job: j, file: name, report: r, emit: emit, ids: newIdentities(j.Program, j.Mapping.Source)}
	t, err := j.open(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if c.plan, err = bind(j.Mapping, j.Survey, t.header()); err != nil {
		return fmt.Errorf("%s: the mapping does not fit the file:\n%w", name, err)
	}
	for _, column := range c.plan.unread() {
		if !slices.Contains(r.Unread, column) {
			r.Unread = append(r.Unread, column)
		}
	}
	r.Untimed = r.Untimed || c.plan.at < 0 && c.plan.constant.SubmittedAt == ""
	for {
		row, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := c.row(row); err != nil {
			return err
		}
	}
}

func (j Job) open(in io.Reader) (table, error) {
	text, err := decoded(in, j.Mapping.Encoding)
	if err != nil {
		return nil, err
	}
	if j.Mapping.defaults.json && isJSON(text) {
		return openJSON(text)
	}
	return openCSV(text, j.Mapping.Delimiter, func(header []string) int { return wanted(j.Mapping, j.Survey, header) })
}

// wanted counts the columns of a header that the mapping reads.
func wanted(m Mapping, s *survey.Survey, header []string) int {
	p, _ := bind(m, s, header) // what is missing lowers the number
	n := 0
	for _, read := range p.read {
		if read {
			n++
		}
	}
	return n
}

// converter works off one file.
type converter struct {
	job    Job
	file   string
	plan   *plan
	report *Report
	ids    *identities
	emit   func(survey.Submission, int) error
}

// row sorts one row into accepted, rejected or skipped, and hands on what it stands for.
func (c *converter) row(row record) error {
	c.report.Rows.Read++
	if row.problem != "" {
		c.reject(row.line, fault{-1, "the row " + row.problem})
		return nil
	}
	if blank(row.cells) {
		c.report.skip("blank")
		return nil
	}
	if faults := c.shape(row.cells); len(faults) > 0 {
		c.reject(row.line, faults...)
		return nil
	}
	for len(row.cells) < len(c.plan.header) {
		row.cells = append(row.cells, "")
	}
	if !c.plan.keeps(row.cells) {
		c.report.skip("not finished or filtered out")
		return nil
	}
	sub, faults := c.plan.submission(row.cells)
	n, wrong := c.plan.times(row.cells)
	faults = append(faults, wrong...)
	if len(faults) > 0 {
		c.reject(row.line, faults...)
		return nil
	}
	if len(sub.Answers) == 0 {
		c.report.skip("no answer")
		return nil
	}
	if n == 0 {
		c.report.skip("counts 0")
		return nil
	}
	return c.accept(row, sub, n)
}

// accept gives the row its ids, checks it against the survey, and hands on its submissions.
func (c *converter) accept(row record, sub survey.Submission, n int) error {
	content := contentOf(c.plan.header, row.cells, c.plan.count)
	var id func(int) string
	if c.plan.id < 0 {
		id = c.ids.of(content, n)
	} else {
		given, problem := idOf(row.cells[c.plan.id])
		if problem != "" {
			c.reject(row.line, fault{c.plan.id, problem})
			return nil
		}
		if earlier, same := c.ids.see(given, content, row.line); same {
			c.report.skip("the same row twice")
			return nil
		} else if earlier > 0 {
			c.reject(row.line, fault{c.plan.id, fmt.Sprintf("the id %s stands on line %d with another content already", quoted(given), earlier)})
			return nil
		}
		id = c.ids.named(given, c.plan.count >= 0)
	}
	sub.ID = id(0)
	if faults := c.check(sub); len(faults) > 0 {
		c.reject(row.line, faults...)
		return nil
	}
	for i := range n {
		sub.ID = id(i)
		if err := c.emit(sub, row.line); err != nil {
			return err
		}
	}
	c.report.Rows.Accepted++
	c.report.Answers += n
	return nil
}

// check has the survey judge a submission, as the endpoint will.
func (c *converter) check(sub survey.Submission) []fault {
	if c.job.Survey == nil {
		return nil
	}
	_, errs := c.job.Survey.Accept(sub, survey.Rules{Now: c.job.Now, Import: true})
	faults := make([]fault, 0, len(errs))
	for _, e := range errs {
		faults = append(faults, fault{c.plan.columnOf(e.Pointer), e.Detail + allowed(c.job.Survey, e.Pointer)})
	}
	return faults
}

// allowed lists the names that a field can have.
func allowed(s *survey.Survey, pointer string) string {
	const most = 20
	var names []string
	switch pointer {
	case "/touchpoint":
		names = slices.Sorted(maps.Keys(s.Touchpoints))
	case "/team":
		names = slices.Sorted(maps.Keys(s.Units))
	}
	if len(names) == 0 {
		return ""
	}
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return "; there are " + list(names)
}

func (c *converter) reject(line int, faults ...fault) {
	c.report.Rows.Rejected++
	for _, f := range faults {
		column := ""
		if f.column >= 0 && f.column < len(c.plan.header) {
			column = tidy(c.plan.header[f.column])
		}
		c.report.add(Problem{File: c.file, Line: line, Column: column, Message: f.message})
	}
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

// shape finds rows that were cut or torn: with too few cells for the columns that are read, with something beyond the
// header, or with text in another encoding.
func (c *converter) shape(cells []string) []fault {
	header := c.plan.header
	for i := len(cells); i < len(header); i++ {
		if c.plan.read[i] {
			return []fault{{i, fmt.Sprintf("the row has %d cells, the header has %d: it was cut off, or a line break is not in quotes", len(cells), len(header))}}
		}
	}
	for i, cell := range cells {
		if strings.TrimSpace(cell) != "" && (i >= len(header) || strings.TrimSpace(header[i]) == "") {
			return []fault{{-1, fmt.Sprintf("cell %d has no header: a delimiter within a cell may not be in quotes", i+1)}}
		}
		if i < len(header) && c.plan.read[i] && !utf8.ValidString(cell) {
			return []fault{{i, "is not UTF-8: save the file as UTF-8, or say its encoding (windows-1252 for most others) in the mapping"}}
		}
	}
	return nil
}
