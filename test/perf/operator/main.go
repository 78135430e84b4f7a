// Command operator measures how near the operator is to a bare client on a real API server, and that it stays so as the number
// of objects grows: how long it takes until everything that people created is served and judged, beside a bare client that
// makes the very same objects; what it asks of the API server; what it holds in memory; how soon an edit is carried out; and
// that it does nothing where nothing changes, also after a restart.
//
// The operator is the real program in a process of its own, with the rights that it is installed with. What it asks is taken
// from the API server's audit log, which has exactly its requests.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// options are the flags.
type options struct {
	counts, short                bool
	run                          string
	rounds                       int
	programs, touchpoints, teams int
	namespaces, dedicated        int
	workers, edits               int
	steady, patience             time.Duration
	shuffled                     bool
	flags, dir, binary           string
}

func main() {
	var o options
	flag.BoolVar(&o.counts, "counts", false, "only what can be counted exactly, at a small size")
	flag.BoolVar(&o.short, "short", false, "150 Embedded and 32 Dedicated programs in one round, in about a minute; other flags that are given still count")
	flag.StringVar(&o.run, "run", "", "only the cases, Embedded and Dedicated, whose name matches")
	flag.IntVar(&o.rounds, "rounds", bench.Rounds, "rounds of each case")
	flag.IntVar(&o.programs, "programs", 10000, "Embedded programs")
	flag.IntVar(&o.touchpoints, "touchpoints", -1, "touchpoints of all of them; -1 is 5 for each")
	flag.IntVar(&o.teams, "teams", -1, "teams; -1 is one for two programs")
	flag.IntVar(&o.namespaces, "namespaces", 10, "namespaces that all of it is in")
	flag.IntVar(&o.dedicated, "dedicated", 1000, "Dedicated programs, each with a store of its own")
	flag.IntVar(&o.workers, "workers", 32, "that create")
	flag.IntVar(&o.edits, "edits", 100, "edits of each kind in a round")
	flag.DurationVar(&o.steady, "steady", 30*time.Second, "for how long nothing is changed")
	flag.DurationVar(&o.patience, "patience", 2*time.Minute, "after how long without any progress the bench gives up")
	flag.BoolVar(&o.shuffled, "shuffled", false, "create in any order, and not as a folder is applied")
	flag.StringVar(&o.flags, "manager", "", "more flags of the manager, such as '--workers=8'")
	flag.StringVar(&o.binary, "binary", "", "operator that is measured; empty builds that of this checkout")
	flag.StringVar(&o.dir, "dir", "", "folder, on a disk, for what the servers keep; empty makes one and removes it")
	flag.Parse()
	o.shorten()
	folder := os.Getenv(envFolder)
	if folder == "" {
		code, err := supervise(o.dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, "operator:", err)
		}
		os.Exit(code)
	}
	o.dir = folder
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard())
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	only, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	s := &setup{
		flags: strings.Fields(o.flags), workers: o.workers, patience: o.patience, quiet: time.Second, steady: o.steady,
		edits: o.edits, shuffled: o.shuffled, dir: o.dir,
	}
	if s.root, err = os.Getwd(); err != nil {
		return err
	}
	if s.binary = o.binary; s.binary == "" {
		if s.binary, err = build(ctx, s.root, s.dir); err != nil {
			return err
		}
	}
	report := bench.NewReport("operator")
	cases, do := o.cases(), func(c benchCase) error { return s.measureCase(ctx, report, c, o.rounds) }
	if o.counts {
		s.quiet, s.steady, s.edits = 500*time.Millisecond, 5*time.Second, 1
		cases, do = countCases(), func(c benchCase) error { return s.countCase(ctx, report, c) }
	}
	for _, c := range cases {
		if !only.MatchString(c.name) {
			continue
		}
		if err := do(c); err != nil {
			return fmt.Errorf("%s: %w; logs are in %s", c.name, err, s.dir)
		}
	}
	return report.Print(os.Stdout)
}

// benchCase is a kind of programs, and how many there are.
type benchCase struct {
	name string
	size size
}

// shorten sets the sizes of a short run, where it is one and they were not given.
func (o *options) shorten() {
	if !o.short {
		return
	}
	bench.Shorten(flag.CommandLine, map[string]func(){
		"rounds": func() { o.rounds = 1 }, "programs": func() { o.programs = 150 }, "dedicated": func() { o.dedicated = 32 },
		"edits": func() { o.edits = 25 }, "steady": func() { o.steady = 10 * time.Second },
	})
}

func (o options) cases() []benchCase {
	embedded := size{programs: o.programs, touchpoints: o.touchpoints, teams: o.teams, namespaces: min(o.namespaces, o.programs)}
	if embedded.touchpoints < 0 {
		embedded.touchpoints = 5 * o.programs
	}
	if embedded.teams < 0 {
		embedded.teams = o.programs / 2
	}
	n := min(o.namespaces, o.dedicated)
	dedicated := size{programs: o.dedicated, teams: n, namespaces: n, dedicated: true}
	return []benchCase{{"Embedded", embedded}, {"Dedicated", dedicated}}
}

// measureCase measures one case in rounds in which the operator, at a quarter and at the whole of the size, and the bare client
// take turns. The first round has the operator first, whose objects the bare client makes.
func (s *setup) measureCase(ctx context.Context, r *bench.Report, c benchCase, rounds int) error {
	m := &measured{}
	const part = 4
	samples, err := bench.Interleave(ctx, rounds,
		func(ctx context.Context) (float64, error) { return s.whole(ctx, c.size, m) },
		func(ctx context.Context) (float64, error) { return s.bare(ctx, c.size, m) },
		func(ctx context.Context) (float64, error) { return s.cold(ctx, c.size.by(part), m) },
	)
	if err != nil {
		return err
	}
	r.Add(m.figures(c, samples[0], samples[1], samples[2])...)
	r.Note("%s: %d programs, %d touchpoints, %d teams, %d stores in %d namespaces; %d children. The operator asked: %s.",
		c.name, c.size.programs, c.size.touchpoints, c.size.teams, c.size.stores(), c.size.namespaces, m.floor.children, &m.calls)
	return nil
}

// figures are those of one case.
func (m *measured) figures(c benchCase, whole, bare, quarter bench.Sample) []bench.Figure {
	name := func(text string) string { return c.name + ": " + text }
	figures := []bench.Figure{
		bench.Beside(name("created cold, beside a bare client"), "s", whole, bare, bench.AtMost(1.3)),
		bench.Beside(name("four times as many, in time"), "s", whole, quarter, bench.AtMost(4.4)),
		// What others do on the machine changes how long it takes, and hardly the CPU time: on a machine with nothing else to do
		// the two ratios are the same.
		bench.Beside(name("created cold, CPU of all processes, beside a bare client"), "s", m.cpu[subjectWhole], m.cpu[subjectBare], bench.AtMost(1.3)),
		bench.Beside(name("four times as many, in CPU of all processes"), "s", m.cpu[subjectWhole], m.cpu[subjectQuarter], bench.AtMost(4.4)),
		bench.Beside(name("requests, beside children and statuses"), "requests", m.requests, m.limit, bench.AtMost(1)),
		bench.Alone(name("reads among them"), "requests", m.reads),
		bench.Alone(name("conflicts among them"), "errors", m.conflicts),
		bench.Beside(name("memory, steady"), "MiB", m.memory, m.allowed, bench.AtMost(1)),
		bench.Beside(name("memory while everything is created, at the most"), "MiB", m.peak, m.allowed, bench.Wanted{}),
		bench.Alone(name("steady, writes"), "writes", m.steadyWrites),
		bench.Alone(name("steady, reconciles per object and minute"), "per minute", m.steadyReconciles),
		bench.Within(name("restart, caught up"), "s", m.restart, 20, bench.AtMost(1)),
		bench.Alone(name("restart, writes"), "writes", m.restartWrites),
		bench.Alone(name("restart, reads"), "requests", m.restartReads),
		bench.Beside(name("memory of a restart, at the most"), "MiB", m.restartPeak, m.allowed, bench.Wanted{}),
	}
	for _, what := range []string{"a program", "a program, seen at its ConfigMap", "a touchpoint"} {
		if sample, ok := m.edits[what]; ok {
			figures = append(figures, bench.Within(name("edit of "+what+", p99"), "ms", sample, 250, bench.AtMost(1)))
		}
	}
	return figures
}
