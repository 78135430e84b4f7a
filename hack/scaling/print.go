package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// printProcess prints what one endpoint process does at loads below and above what it can carry, and for clients that wait for
// their answers.
func printProcess(out io.Writer, s settings) error {
	full, limit := s.process.Capacity()
	w := newTable(out, fmt.Sprintf("One process: a commit takes %s (99th percentile %.1f times that), each answer in it %s, before it %s of CPU",
		s.process.Commit, s.process.Tail, s.process.Row, s.process.Handler),
		"load", "acknowledged a second", "answers in a commit", "p50", "p99", "shed with 503", "the writer is busy")
	var loads []Load
	var names []string
	for _, part := range []float64{0.1, 0.5, 0.8, 0.95, 2} {
		names = append(names, fmt.Sprintf("%.0f a second (%.0f %%)", part*full, 100*part))
		loads = append(loads, Load{Rate: part * full})
	}
	for _, clients := range []int{1, 16, 64, 256, 1024} {
		names = append(names, fmt.Sprintf("%d clients", clients))
		loads = append(loads, Load{Clients: clients, RetryAfter: time.Second})
	}
	for i, load := range loads {
		load.Duration, load.Seed = time.Duration(s.seconds*float64(time.Second)), 1
		o, err := Simulate(s.process, load)
		if err != nil {
			return err
		}
		w.AppendRow(table.Row{
			names[i], fmt.Sprintf("%.0f", o.Throughput()), fmt.Sprintf("%.1f", o.MeanBatch()), short(o.P50), short(o.P99),
			percent(o.ShedShare()), percent(o.Busy),
		})
	}
	w.Render()
	_, err := fmt.Fprintf(out, "It carries %.0f answers a second at most: %s is the limit.\n\n", full, limit)
	return err
}

// printLayouts prints one table for the layouts of a rate, and the limits in the order in which they are met.
func printLayouts(out io.Writer, s settings, d Demand, layouts []Layout) error {
	header := []any{"tier", "needs"}
	for _, l := range layouts {
		header = append(header, l.Name, "machines")
	}
	w := newTable(out, fmt.Sprintf("%s answers a second, %s touchpoints", grouped(d.Rate), grouped(d.Touchpoints)), header...)
	for _, name := range []string{"endpoints", "log", "PostgreSQL", "operators"} {
		appendTier(w, name, layouts)
		w.AppendSeparator()
	}
	w.Render()
	text := ""
	for _, l := range layouts {
		text += l.Name + ": the first limits of one machine, in answers a second:"
		for _, limit := range l.Limits()[:3] {
			text += fmt.Sprintf(" %s %s %s;", limit.Tier, limit.Resource, significant(limit.Rate))
		}
		verdict := "within"
		if d.Rate*d.Largest > l.Program {
			verdict = "BEYOND"
		}
		text += fmt.Sprintf("\n  the largest program has %s, %s the %s that one server can have of it, by its %s\n",
			significant(d.Rate*d.Largest), verdict, significant(l.Program), l.ProgramLimit)
	}
	text += fmt.Sprintf("An average day adds %s GB of answers, and %s GB that stay as long as the program.\n\n",
		significant(d.mean()*day*s.facts.AnswerBytes/1e9), significant((d.mean()*day*s.facts.IdentityBytes+d.Touchpoints*d.Counts*24*s.facts.CountBytes)/1e9))
	_, err := io.WriteString(out, text)
	return err
}

// appendTier adds a row for each resource of a tier; the one that needs the most machines has a mark.
func appendTier(w table.Writer, name string, layouts []Layout) {
	found := make([]*Tier, len(layouts))
	var resources []Resource
	for i, l := range layouts {
		if at := slices.IndexFunc(l.Tiers, func(t Tier) bool { return t.Name == name }); at >= 0 {
			found[i] = &l.Tiers[at]
			resources = found[i].Resources
		}
	}
	for row, r := range resources {
		cells := table.Row{"", r.Name}
		if row == 0 {
			cells[0] = name
		}
		for _, t := range found {
			if t == nil {
				cells = append(cells, "", "")
				continue
			}
			count := grouped(float64(t.Resources[row].Alone))
			if row == t.Limit {
				count = "* " + grouped(float64(t.Machines))
			}
			cells = append(cells, significant(t.Resources[row].Need)+" "+r.Unit, count)
		}
		w.AppendRow(cells)
	}
}

func newTable(out io.Writer, title string, header ...any) table.Writer {
	w := table.NewWriter()
	w.SetOutputMirror(out)
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = 0
	w.SetTitle("%s", title)
	w.AppendHeader(header)
	return w
}

func percent(share float64) string { return significant(100*share) + " %" }

func short(d time.Duration) string { return significant(float64(d)/1e6) + " ms" }

// significant writes a number with three digits, and more where it is a large one.
func significant(x float64) string {
	if x >= 1000 {
		return grouped(x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// grouped writes a whole number with commas.
func grouped(x float64) string {
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
