// Command intake tells how near taking answers is to a bare handler of the same server, and to the database alone. The load
// comes from another process over loopback; the endpoint is the real command on a durable store, without limits on clients.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

func main() {
	load.Main()
	bareMain()
	profileMain()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "intake:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	counts, short    bool
	run              *regexp.Regexp
	rounds           int
	duration, warmUp time.Duration
	memoryAnswers    int64
	idle             time.Duration
	profiles         string
	command          string
}

func parse() (o options, err error) {
	flag.BoolVar(&o.counts, "counts", false, "only what can be counted exactly, without a clock")
	flag.BoolVar(&o.short, "short", false, "some cases, each measured once and shortly, in less than two minutes: for a first look, and to find what became slower")
	only := flag.String("run", "", "only cases whose name matches the regular expression")
	flag.IntVar(&o.rounds, "rounds", bench.Rounds, "rounds in which what is measured and its limits take turns")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "how long each is measured in each round")
	flag.DurationVar(&o.warmUp, "warm-up", 500*time.Millisecond, "how long the load runs before each measurement")
	flag.Int64Var(&o.memoryAnswers, "memory-answers", 10_000_000, "answers that are sent while the endpoint's memory is watched")
	flag.DurationVar(&o.idle, "idle", 15*time.Second, "how long an endpoint idles before its memory is read")
	flag.StringVar(&o.profiles, "profile", "", "folder for CPU profiles of the endpoints, a file each")
	flag.StringVar(&o.command, "command", "", "the cx-operator to measure; it is built from this checkout if empty")
	flag.Parse()
	o.shorten()
	o.run, err = regexp.Compile(*only)
	if o.short && *only == "" {
		o.run = shortCases
	}
	if err == nil && flag.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if err == nil && (o.rounds < 1 || o.duration <= 0 || o.memoryAnswers < 1) {
		err = errors.New("-rounds, -duration and -memory-answers must be positive")
	}
	return o, err
}

// shortCases are those of a short run, unless others are asked for. Those of the counts are among them.
var shortCases = regexp.MustCompile(`allocations|statements|^(SQLite|PostgreSQL) (start and idle|(JSON|form) (1 client|64 clients))$|` +
	`^(SQLite JSON|PostgreSQL form) half load$|^SQLite JSON twice the load$`)

// shorten sets the durations of a short run, where it is one and they were not given.
func (o *options) shorten() {
	if !o.short {
		return
	}
	bench.Shorten(flag.CommandLine, map[string]func(){
		"rounds": func() { o.rounds = 1 }, "duration": func() { o.duration = time.Second },
		"warm-up": func() { o.warmUp = 300 * time.Millisecond }, "idle": func() { o.idle = 12 * time.Second },
		"memory-answers": func() { o.memoryAnswers = 200_000 },
	})
}

func run(ctx context.Context) (err error) {
	o, err := parse()
	if err != nil {
		return err
	}
	report := bench.NewReport("intake")
	if err := count(report, o.run); err != nil {
		return err
	}
	if o.counts {
		return report.Print(os.Stdout)
	}
	dir, err := os.MkdirTemp("", "cx-intake")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.profiles != "" {
		if err := os.MkdirAll(o.profiles, 0o755); err != nil {
			return err
		}
	}
	b := &bencher{options: o, report: report}
	if b.world, err = newWorld(ctx, dir, o.command); err != nil {
		return err
	}
	// What was measured before something failed is worth printing, too.
	err = b.measure(ctx)
	return errors.Join(err, report.Print(os.Stdout), b.broken())
}

// bencher measures cases one after the other.
type bencher struct {
	options
	*world
	report *bench.Report
	// wrong is what must never happen and did.
	wrong []error
}

func (b *bencher) broken() error { return errors.Join(b.wrong...) }

// one is a case: a name, and how it is measured.
type one struct {
	name    string
	measure func(context.Context) error
}

func (b *bencher) measure(ctx context.Context) error {
	pg, err := startPostgres(ctx, b.world)
	if err != nil {
		return err
	}
	return errors.Join(b.all(ctx, b.cases(&sqliteEngine{b.world}, pg)), pg.stop())
}

func (b *bencher) all(ctx context.Context, cases []one) error {
	measured := 0
	for _, c := range cases {
		if !b.run.MatchString(c.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), c.name)
		if err := c.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		measured++
	}
	if measured == 0 {
		return errors.New("no case has such a name")
	}
	return nil
}

func (b *bencher) cases(sqlite, postgres engine) []one {
	var all []one
	for _, e := range []engine{sqlite, postgres} {
		all = append(all, one{e.name() + " start and idle", func(ctx context.Context) error { return b.startAndIdle(ctx, e) }})
		for _, kind := range []load.Kind{load.JSON, load.Form} {
			for _, clients := range []int{1, 16, 64, 256, 1024} {
				all = append(all, b.rateCase(e, 1, kind, clients))
			}
		}
	}
	for _, kind := range []load.Kind{load.JSON, load.Form} {
		for _, clients := range []int{1, 16, 64, 256, 1024} {
			all = append(all, b.rateCase(postgres, 3, kind, clients))
		}
	}
	for _, e := range []engine{sqlite, postgres} {
		for _, kind := range []load.Kind{load.JSON, load.Form} {
			name := fmt.Sprintf("%s %s", e.name(), kind)
			all = append(all,
				one{name + " half load", func(ctx context.Context) error { return b.halfLoad(ctx, name, e, kind) }},
				one{name + " twice the load", func(ctx context.Context) error { return b.overload(ctx, name, e, kind) }})
		}
	}
	return append(all, one{"PostgreSQL memory", func(ctx context.Context) error { return b.memory(ctx, postgres) }})
}
