// Command simulate replays a year of judging, plans and escalation on answers drawn by chance, and prints a table and one
// JSON line per stratum: how many touchpoints that keep their promise are accused, and how soon falls are found, beside the
// naive rule on the same answers.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cx-operator/cx-operator/internal/simulate"
)

func main() {
	o := simulate.Defaults()
	confirm := flag.String("confirm-days", "21,0", "days for which an objective must stand Missed before a breach opens; several separated by commas")
	flag.IntVar(&o.Touchpoints, "touchpoints", o.Touchpoints, "touchpoints of each stratum")
	flag.IntVar(&o.Days, "days", o.Days, "days that are replayed")
	flag.IntVar(&o.WindowDays, "window-days", o.WindowDays, "length of the objective's window in days")
	flag.Float64Var(&o.Target, "target", o.Target, "target in percent of satisfied answers")
	flag.Uint64Var(&o.Seed, "seed", o.Seed, "seed of the answers")
	flag.Parse()
	o.Workers = runtime.GOMAXPROCS(0)
	if err := run(o, *confirm); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(o simulate.Options, confirm string) error {
	strata := simulate.Strata()
	var all []simulate.Result
	for field := range strings.SplitSeq(confirm, ",") {
		days, err := strconv.Atoi(field)
		if err != nil || days < 0 || days > 90 {
			return fmt.Errorf("--confirm-days: %q is not a number of days from 0 to 90", field)
		}
		o.ConfirmDays = days
		fmt.Fprintf(os.Stderr, "%d touchpoints of each of %d strata live %d days, judged every day, confirmed for %d days\n",
			o.Touchpoints, len(strata), o.Days, days)
		o.Progress = func(r simulate.Result) { fmt.Fprintf(os.Stderr, "  %s\n", r.Stratum) }
		results, err := simulate.Run(o, strata)
		if err != nil {
			return err
		}
		all = append(all, results...)
	}
	if err := table(all); err != nil {
		return err
	}
	lines := json.NewEncoder(os.Stdout)
	for _, r := range all {
		if err := lines.Encode(r); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// table prints the results for people.
func table(results []simulate.Result) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stratum\tconfirmed for\tfalsely accused\tnaive\tfalls found\tnaive\tmedian delay\tnaive\tplans\tunacknowledged\toverdue\tescalations\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d d\t%.1f %%\t%.1f %%\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t\n", r.Stratum, r.ConfirmDays,
			r.FalselyAccused, r.NaiveFalselyAccused, figure(r.Detected, "%.1f %%"), figure(r.NaiveDetected, "%.1f %%"),
			figure(r.MedianDelayDays, "%.0f d"), figure(r.NaiveMedianDelayDays, "%.0f d"),
			r.Plans, r.Unacknowledged, r.Overdue, r.Escalations)
	}
	fmt.Fprintln(w, "\t\t\t\t\t\t\t\t\t\t\t\t")
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	fmt.Println("Falsely accused, found: percent of the touchpoints of the stratum that had the breach ObjectiveMissed while they kept")
	fmt.Println("their promise, and after their fall. Naive: the score of the window is under the target at the end of a day. Plans and what")
	fmt.Println("follows: per touchpoint and year.")
	return nil
}

// figure prints a figure, or that there is none.
func figure(v *float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}
