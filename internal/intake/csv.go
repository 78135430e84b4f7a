package intake

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/store"
)

// fixedColumns come first in a CSV export; the questions follow, those of the survey in its order, then those that it
// once had, by name; checkColumns come last.
var (
	fixedColumns = []string{"id", "submittedAt", "touchpoint", "team", "language"}
	checkColumns = []string{"standing", "passed", "failed"}
)

// choiceSeparator stands between the choices of one answer, and between checks. No name of either has it.
const choiceSeparator = ";"

// writeCSV writes a header and a response a line, as RFC 4180 says.
func writeCSV(ctx context.Context, served *served, out *bufio.Writer) error {
	questions, err := exportedQuestions(ctx, served)
	if err != nil {
		return err
	}
	column := map[string]int{}
	header := slices.Clone(fixedColumns)
	for _, name := range questions {
		column[name] = len(header)
		header = append(header, columnName(name))
	}
	header = append(header, checkColumns...)
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := w.Write(header); err != nil {
		return err
	}
	err = served.Store.Export(ctx, served.key, func(r store.Response) error {
		row, err := csvRow(r, column, len(header))
		if err != nil {
			return err
		}
		return w.Write(row)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// exportedQuestions returns the survey's questions and those that only stored responses still name.
func exportedQuestions(ctx context.Context, served *served) ([]string, error) {
	var asked []string
	known := map[string]bool{}
	for _, q := range served.Survey.Questions {
		asked = append(asked, q.Name)
		known[q.Name] = true
	}
	former := map[string]bool{}
	err := served.Store.Export(ctx, served.key, func(r store.Response) error {
		for _, a := range r.Answers {
			if !known[a.Question] {
				former[a.Question] = true
			}
		}
		return nil
	})
	return append(asked, slices.Sorted(maps.Keys(former))...), err
}

// columnName keeps the columns of questions apart from the fixed ones.
func columnName(question string) string {
	if slices.Contains(fixedColumns, question) || slices.Contains(checkColumns, question) {
		return "answers/" + question
	}
	return question
}

func csvRow(r store.Response, column map[string]int, width int) ([]string, error) {
	row := make([]string, width)
	copy(row, []string{r.ID, r.SubmittedAt.UTC().Format(time.RFC3339Nano), r.Touchpoint, r.Unit, r.Language})
	for _, a := range r.Answers {
		at, ok := column[a.Question]
		if !ok {
			return nil, fmt.Errorf("question %s came up while the export ran", a.Question)
		}
		row[at] = strings.Join(a.Values, choiceSeparator)
	}
	copy(row[width-len(checkColumns):], []string{standingOf(r), strings.Join(r.Passed, choiceSeparator), strings.Join(r.Failed, choiceSeparator)})
	for i, cell := range row {
		row[i] = defuse(cell)
	}
	return row, nil
}

// defuse puts an apostrophe before text that a spreadsheet could take for a formula: what begins with = + - @ (also in
// their full-width forms), a tab or a line end, also after quotes and blanks, which some programs drop.
func defuse(cell string) string {
	bare := strings.TrimLeft(cell, "\"' \u00a0\u3000")
	first, _ := utf8.DecodeRuneInString(bare)
	if bare == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return cell
	}
	return "'" + cell
}
