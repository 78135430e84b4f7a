package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Report collects the figures of one bench.
type Report struct {
	bench   string
	figures []Figure
	notes   []string
}

// NewReport returns a report of a bench.
func NewReport(bench string) *Report { return &Report{bench: bench} }

// Add adds figures. One that is no number is kept, and not met.
func (r *Report) Add(figures ...Figure) {
	for _, f := range figures {
		f.Bench = r.bench
		r.figures = append(r.figures, f)
	}
}

// Note adds a line that is printed below the table.
func (r *Report) Note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// Print writes the table, the notes, and last a JSON line for each figure.
func (r *Report) Print(out io.Writer) error {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.AppendHeader(table.Row{r.bench, "value", "limit", "unit", "ratio", "asked", "spread"})
	for _, f := range r.figures {
		w.AppendRow(table.Row{f.Case, short(f.Value), given(f.Limit), f.Unit, given(f.Ratio), f.asked(), given(f.Spread)})
	}
	text := w.Render() + "\n"
	for _, note := range r.notes {
		text += note + "\n"
	}
	if _, err := io.WriteString(out, text+"\n"); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, f := range r.figures {
		if err := lines.Encode(f.rounded()); err != nil {
			return fmt.Errorf("writing figure %q: %w", f.Case, err)
		}
	}
	return nil
}

func (f Figure) asked() string {
	var text string
	switch {
	case f.wanted.least > 0:
		text = "≥ " + short(f.wanted.least)
	case f.wanted.most > 0:
		text = "≤ " + short(f.wanted.most)
	default:
		return ""
	}
	if !f.Met() {
		return text + "  not met"
	}
	return text + "  met"
}

// rounded has numbers of four digits, and none that JSON lacks.
func (f Figure) rounded() Figure {
	for _, x := range []*float64{&f.Value, &f.Limit, &f.Ratio, &f.Spread} {
		*x = round(*x)
	}
	return f
}

func round(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return -1
	}
	if x == math.Trunc(x) {
		return x
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		return -1
	}
	return rounded
}

// given is empty where there is none, such as a limit of what stands alone.
func given(x float64) string {
	if x == 0 {
		return ""
	}
	return short(x)
}

func short(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "none"
	case math.Abs(x) >= 1000 || x == math.Trunc(x):
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
