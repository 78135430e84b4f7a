package convert

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxProblems is how many problems a report lists; the others are counted.
const maxProblems = 100_000

// Report says what became of the rows of some files. Rows.Read = Rows.Accepted + Rows.Rejected + Rows.Skipped.
type Report struct {
	// Files that were read, in order.
	Files []string `json:"files"`
	Rows  Rows     `json:"rows"`
	// Skipped counts the rows that are rightly left out, by reason.
	Skipped map[string]int `json:"skipped"`
	// Answers is how many submissions the accepted rows stand for.
	Answers int `json:"answers"`
	// Problems of the rejected rows, in order, and how many more there are.
	Problems []Problem `json:"problems"`
	Unlisted int       `json:"unlisted"`
	// Unread lists the columns that are not imported.
	Unread []string `json:"unread"`
	// Untimed says that nothing tells when the answers were given: they count as given when they are imported.
	Untimed bool `json:"untimed"`
}

// Rows counts the rows of files; the header is none.
type Rows struct {
	Read     int `json:"read"`
	Accepted int `json:"accepted"`
	Rejected int `json:"rejected"`
	Skipped  int `json:"skipped"`
}

// Problem is what is wrong with one row.
type Problem struct {
	File string `json:"file"`
	// Line on which the row begins, from 1.
	Line int `json:"line"`
	// Column by its header; empty where the row as a whole is wrong.
	Column string `json:"column,omitempty"`
	// Message says what is wrong and what is allowed.
	Message string `json:"message"`
}

// String writes a problem as FILE:LINE: column "NAME": message.
func (p Problem) String() string {
	at := fmt.Sprintf("%s:%d: ", p.File, p.Line)
	if p.Column != "" {
		at += fmt.Sprintf("column %s: ", quoted(p.Column))
	}
	return at + p.Message
}

// NewReport returns a report of nothing, in which lists are empty rather than absent.
func NewReport() *Report {
	return &Report{Files: []string{}, Skipped: map[string]int{}, Problems: []Problem{}, Unread: []string{}}
}

func (r *Report) skip(reason string) {
	r.Rows.Skipped++
	r.Skipped[reason]++
}

func (r *Report) add(p Problem) {
	if len(r.Problems) == maxProblems {
		r.Unlisted++
		return
	}
	r.Problems = append(r.Problems, p)
}

// WriteText writes one line for each problem, then a summary.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintln(&b, p)
	}
	if r.Unlisted > 0 {
		fmt.Fprintf(&b, "and %d more problems\n", r.Unlisted)
	}
	if len(r.Unread) > 0 {
		fmt.Fprintf(&b, "columns that are not imported: %s\n", list(quotedAll(r.Unread)))
	}
	if r.Untimed {
		b.WriteString("nothing says when the answers were given: they count as given at the time of the import (map submittedAt)\n")
	}
	fmt.Fprintf(&b, "%d rows: %d accepted, %d rejected, %d skipped", r.Rows.Read, r.Rows.Accepted, r.Rows.Rejected, r.Rows.Skipped)
	for i, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(&b, "%s%d %s", map[bool]string{true: " (", false: ", "}[i == 0], r.Skipped[reason], reason)
	}
	if len(r.Skipped) > 0 {
		b.WriteByte(')')
	}
	fmt.Fprintf(&b, "; %d answers\n", r.Answers)
	_, err := io.WriteString(w, b.String())
	return err
}

func quotedAll(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, quoted(n))
	}
	return out
}
