package plugin

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
)

// The ways in which results are printed.
const (
	outputTable = ""
	outputWide  = "wide"
	outputJSON  = "json"
	outputYAML  = "yaml"
)

// checkOutput refuses what -o does not know.
func (a *app) checkOutput() error {
	switch a.output {
	case outputTable, outputWide, outputJSON, outputYAML:
		return nil
	}
	return usagef("--output %q is unknown, write json, yaml or wide", a.output)
}

func (a *app) structured() bool { return a.output == outputJSON || a.output == outputYAML }

// printObject prints an object as JSON or YAML.
func (a *app) printObject(obj runtime.Object) error {
	s, err := scheme()
	if err != nil {
		return err
	}
	var p printers.ResourcePrinter = &printers.YAMLPrinter{}
	if a.output == outputJSON {
		p = &printers.JSONPrinter{}
	}
	return printers.NewTypeSetter(s).ToPrinter(p).PrintObj(obj, a.out)
}

// The colours of a cell. They have one length, so that columns stay in line.
const (
	plain  = "\x1b[39m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

// table collects rows and prints them in columns.
type table struct {
	head    []string
	wide    int // columns from here on are shown with -o wide only; 0 for none
	colours int // the column that is coloured; -1 for none
	rows    [][]string
	tints   []string
}

func newTable(head ...string) *table { return &table{head: head, colours: -1} }

func (t *table) add(tint string, cells ...string) {
	t.rows, t.tints = append(t.rows, cells), append(t.tints, tint)
}

// print writes the table, or a sentence where it has no rows.
func (a *app) print(t *table, nothing string) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(a.out, nothing)
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	colourful := a.colourful() && t.colours >= 0
	line := func(cells []string, tint string) {
		for i, cell := range cells {
			if t.wide > 0 && i >= t.wide && a.output != outputWide {
				break
			}
			if cell = clean(cell); cell == "" {
				cell = "-"
			}
			if colourful && i == t.colours {
				cell = tint + cell + plain
			}
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	line(t.head, plain)
	for i, row := range t.rows {
		line(row, t.tints[i])
	}
	return w.Flush()
}

// colourful says whether somebody looks at a terminal and has not asked for plain text (https://no-color.org).
func (a *app) colourful() bool {
	file, ok := a.out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// clean keeps texts that others wrote from moving the cursor or breaking the columns.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, text)
}

// lines keeps texts of several lines from moving the cursor.
func lines(text string) string {
	parts := strings.Split(text, "\n")
	for i := range parts {
		parts[i] = clean(parts[i])
	}
	return strings.Join(parts, "\n")
}

// ago is how long an instant is past, as kubectl writes it.
func (a *app) ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(max(a.now().Sub(t), 0))
}

// until is how far an instant lies ahead, "4h" or "3d ago".
func (a *app) until(t *metav1.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	if d := t.Sub(a.now()); d >= 0 {
		return "in " + duration.HumanDuration(d)
	}
	return a.ago(t.Time) + " ago"
}

// section writes a heading and indented lines of "name: value"; values that are empty are left out.
func section(w io.Writer, heading string, pairs ...string) {
	if heading != "" {
		fmt.Fprintln(w, heading)
	}
	width := 0
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			width = max(width, len(pair[0]))
		}
	}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			value := strings.ReplaceAll(lines(pair[1]), "\n", "\n"+strings.Repeat(" ", width+5))
			fmt.Fprintf(w, "  %-*s  %s\n", width+1, pair[0]+":", value)
		}
	}
}
