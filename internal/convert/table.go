package convert

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxRecord is the size of the greatest row, in bytes. It bounds what a quote that is never closed can take.
const maxRecord = 1 << 20

// maxHeader is how much of a file is looked at to find the delimiter, in bytes.
const maxHeader = 60 << 10

var delimiters = []string{",", ";", "\t", "|"}

// record is one row of a table.
type record struct {
	// line of the file on which the row begins, from 1.
	line  int
	cells []string
	// problem says why the row cannot be read, empty where it can; the rows after it can.
	problem string
}

// table is a file with a header and rows.
type table interface {
	header() []string
	// next returns the next row, valid until the next call, or io.EOF. Any other error ends the reading.
	next() (record, error)
}

// csvTable reads CSV.
type csvTable struct {
	names []string
	in    *csv.Reader
	guard *guard
	// skipped lines stand before the header.
	skipped int
}

// openCSV reads the header. The delimiter, where none is given, is the one with which the header has the most wanted
// columns, and of those the most columns.
func openCSV(in *bufio.Reader, delimiter string, wanted func(header []string) int) (*csvTable, error) {
	t := &csvTable{}
	head, err := in.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// Some spreadsheets say the delimiter in a line of its own.
	if line, _, _ := strings.Cut(string(head), "\n"); strings.HasPrefix(line, "sep=") && len(strings.TrimRight(line, "\r")) == 5 {
		if delimiter == "" {
			delimiter = line[4:5]
		}
		if _, err := in.Discard(len(line) + 1); err != nil {
			return nil, errors.New("the file has no header")
		}
		t.skipped = 1
		head = head[len(line)+1:]
	}
	if delimiter == "" {
		delimiter = findDelimiter(string(head), wanted)
	}
	t.guard = &guard{r: in, oldEnds: strings.Contains(string(head), "\r") && !strings.Contains(string(head), "\n")}
	t.in = csv.NewReader(t.guard)
	t.in.Comma, _ = utf8.DecodeRuneInString(delimiter)
	t.in.FieldsPerRecord = -1
	t.in.ReuseRecord = true
	first, err := t.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: the first line must be a header")
	case err != nil:
		return nil, err
	case first.problem != "":
		return nil, fmt.Errorf("line %d: the header %s", first.line, first.problem)
	}
	for _, name := range first.cells {
		if !utf8.ValidString(name) {
			return nil, errors.New("the header is not UTF-8: save the file as UTF-8, or say its encoding (windows-1252 for most others) in the mapping")
		}
		t.names = append(t.names, strings.Clone(name))
	}
	return t, nil
}

func findDelimiter(head string, wanted func([]string) int) string {
	best, bestWanted, bestColumns := ",", -1, 0
	for _, d := range delimiters {
		in := csv.NewReader(strings.NewReader(head))
		in.Comma, _ = utf8.DecodeRuneInString(d)
		in.FieldsPerRecord = -1
		names, err := in.Read()
		if err != nil {
			continue
		}
		if n := wanted(names); n > bestWanted || n == bestWanted && len(names) > bestColumns {
			best, bestWanted, bestColumns = d, n, len(names)
		}
	}
	return best
}

func (t *csvTable) header() []string { return t.names }

func (t *csvTable) next() (record, error) {
	t.guard.used = 0
	cells, err := t.in.Read()
	var wrong *csv.ParseError
	switch {
	case errors.As(err, &wrong):
		return record{line: wrong.StartLine + t.skipped, problem: t.explain(wrong)}, nil
	case err != nil:
		return record{}, err
	}
	line, _ := t.in.FieldPos(0)
	return record{line: line + t.skipped, cells: cells}, nil
}

// explain words an error of the CSV reader.
func (t *csvTable) explain(e *csv.ParseError) string {
	line := e.Line + t.skipped
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return fmt.Sprintf("has a quote within a cell that is not in quotes, line %d: put the cell in quotes and double those within", line)
	case errors.Is(e.Err, csv.ErrQuote) && e.Line > e.StartLine:
		return fmt.Sprintf("has a quote that is not closed; everything up to line %d was taken for its cell", line)
	case errors.Is(e.Err, csv.ErrQuote):
		return fmt.Sprintf("has a quote that is not closed, or is followed by something else than a delimiter, line %d", line)
	}
	return fmt.Sprintf("cannot be read, line %d: %v", line, e.Err)
}

// guard fails where one row takes more than maxRecord bytes.
type guard struct {
	r    io.Reader
	used int
	// oldEnds says that lines end with CR alone, as some spreadsheets still write them.
	oldEnds bool
}

func (g *guard) Read(b []byte) (int, error) {
	if g.used > maxRecord {
		return 0, fmt.Errorf("a row has more than %d bytes: is there a quote that is never closed?", maxRecord)
	}
	n, err := g.r.Read(b)
	g.used += n
	for i := range b[:n] {
		if g.oldEnds && b[i] == '\r' {
			b[i] = '\n'
		}
	}
	return n, err
}
