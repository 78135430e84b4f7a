// Package report writes down what became of answers while something was broken on purpose.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cx-operator/cx-operator/test/ledger"
)

// Row is one fault.
type Row struct {
	// Fault is its name.
	Fault string `json:"fault"`
	// Sent are the answers that were sent, however often.
	Sent int `json:"sent"`
	// Acknowledged are those that were said to be stored.
	Acknowledged int `json:"acknowledged"`
	// Lost are those that were acknowledged and are not stored.
	Lost int `json:"lost"`
	// Duplicated are those that are stored or counted more than once.
	Duplicated int `json:"duplicated"`
	// RecoverySeconds is how long after the cause was gone all was well again.
	RecoverySeconds float64 `json:"recoverySeconds"`

	// Done says what was broken, and Seen what respondents and the owners of programs see of it; one sentence each.
	Done, Seen string `json:"-"`
	// Load is how many answers were begun in a second.
	Load int `json:"-"`
	// Unavailable and Unanswered are attempts: those told to come again, and those that were refused or cut off.
	Unavailable, Unanswered int `json:"-"`
}

// Add adds what a ledger has found.
func (r *Row) Add(result ledger.Result, counts ledger.Counts) {
	r.Sent += result.Sent
	r.Acknowledged += result.Acknowledged
	r.Lost += result.Lost
	r.Duplicated += result.Duplicated
	r.Unavailable += counts.Unavailable
	r.Unanswered += counts.Unanswered
}

// Text writes the table, and last one line of JSON for each fault.
func Text(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "FAULT\tANSWERS/S\tSENT\tACKNOWLEDGED\tFOUND\tLOST\tDUPLICATED\tTRY AGAIN\tNO ANSWER\tRECOVERY")
	if err != nil {
		return err
	}
	for _, r := range rows {
		_, err := fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f s\n",
			r.Fault, r.Load, r.Sent, r.Acknowledged, r.Acknowledged-r.Lost, r.Lost, r.Duplicated, r.Unavailable, r.Unanswered, r.RecoverySeconds)
		if err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	lines := json.NewEncoder(w)
	for _, r := range rows {
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// The lines of a document between which the table stands.
const begin, end = "<!-- BEGIN TABLE -->", "<!-- END TABLE -->"

// Update writes the table into a document, between the lines for it. Faults that were not tried this time keep their rows.
func Update(document string, rows []Row) error {
	content, err := os.ReadFile(document)
	if err != nil {
		return fmt.Errorf("updating the table: %w", err)
	}
	changed, err := insert(string(content), rows)
	if err != nil {
		return fmt.Errorf("updating the table of %s: %w", document, err)
	}
	if err := os.WriteFile(document, []byte(changed), 0o644); err != nil {
		return fmt.Errorf("updating the table: %w", err)
	}
	return nil
}

func insert(content string, rows []Row) (string, error) {
	before, rest, found := strings.Cut(content, begin+"\n")
	old, after, ended := strings.Cut(rest, end+"\n")
	if !found || !ended {
		return "", errors.New("it has no lines " + begin + " and " + end)
	}
	return before + begin + "\n" + markdown(merge(old, rows)) + end + "\n" + after, nil
}

// merge returns the lines of an old table with those of some faults replaced, and those of new ones at the end.
func merge(old string, rows []Row) []string {
	var lines []string
	for line := range strings.Lines(old) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| fault |") {
			lines = append(lines, line)
		}
	}
	for _, r := range rows {
		line, name := r.line(), "| "+r.Fault+" |"
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name) }); i >= 0 {
			lines[i] = line
		} else {
			lines = append(lines, line)
		}
	}
	return lines
}

func (r Row) line() string {
	return fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d | %d | %d | %d | %.1f s |\n",
		r.Fault, r.Done, r.Seen, r.Sent, r.Acknowledged, r.Acknowledged-r.Lost, r.Lost, r.Duplicated, r.Unavailable, r.Unanswered, r.RecoverySeconds)
}

func markdown(lines []string) string {
	return "\n| fault | what is done | what is seen | sent | acknowledged | found | lost | doubled | told to come again | no answer | recovery |\n" +
		"|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n" + strings.Join(lines, "") + "\n"
}
