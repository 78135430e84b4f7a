// Command scaling works out what an installation needs at 10,000, 100,000 and 1,000,000 answers a second, from what one answer
// costs: the machines of each tier, what binds them, and the first limit that is met. It also simulates the shared commits of one
// endpoint process, and with -measure holds that to real stores on this machine. docs/scaling.md explains it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// settings are all flags.
type settings struct {
	rates   string
	facts   Facts
	machine Machine
	demand  Demand
	changes Changes
	process Process
	measure bool
	seconds float64
}

func main() {
	s := defaults()
	s.register(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "scaling:", err)
		os.Exit(1)
	}
}

// defaults are what -measure measured on 2 cores that were busy with other work, the targets that the benches of this repository
// hold the product to, assumptions where there is neither, and a machine that is usual for databases. docs/scaling.md says which
// is which.
func defaults() settings {
	return settings{
		rates: "10000,100000,1000000",
		facts: Facts{
			AnswerCPU: 100, PageCPU: 200, RowCPU: 250,
			AnswerBytes: 1250, IdentityBytes: 190, LogBytes: 2150, IndexBytes: 60,
			RequestBytes: 1000, PageBytes: 5000, CountBytes: 230, FeedBytes: 120, FeedCPU: 5,
			ProcessBytes: 64 << 20, JudgeCPU: 250, ManagerBytes: 60 << 20, TouchpointBytes: 15 << 10,
		},
		machine: Machine{Cores: 16, Memory: 128 << 30, Disk: 8e12, Write: 1e9, Network: 1.25e9, IOPS: 100_000},
		demand: Demand{
			Peak: 4, Pages: 2, RetentionDays: 90, IdentityDays: 730, Touchpoints: 1, ProgramTouchpoints: 50, Objectives: 1, Counts: 30, Largest: 0.05,
		},
		changes: Changes{KeptDays: 7, IdentityDays: 30},
		process: Process{
			Cores: 2, Handler: 100 * time.Microsecond, Commit: time.Millisecond, Tail: 3, Row: 250 * time.Microsecond, Batch: 512, Queue: 1024,
		},
		seconds: 10,
	}
}

func (s *settings) register(set *flag.FlagSet) {
	number := func(p *float64, name, usage string) { set.Float64Var(p, name, *p, usage) }
	set.StringVar(&s.rates, "rates", s.rates, "answers per second in the busiest hour; several separated by commas")
	number(&s.facts.AnswerCPU, "answer-cpu", "CPU of an endpoint for an answer, in µs of a core")
	number(&s.facts.PageCPU, "page-cpu", "CPU of an endpoint for a page, in µs of a core")
	number(&s.facts.RowCPU, "row-cpu", "CPU of the database for an answer in a shared commit, in µs of a core")
	number(&s.facts.AnswerBytes, "answer-bytes", "what an answer takes on disk until retention deletes it")
	number(&s.facts.IdentityBytes, "identity-bytes", "what stays of it, indexes included")
	number(&s.facts.IndexBytes, "index-bytes", "what an identity takes in one index")
	number(&s.facts.LogBytes, "log-bytes", "what an answer writes into the database's log, without whole pages")
	number(&s.facts.RequestBytes, "request-bytes", "an answer and what comes back, on the wire")
	number(&s.facts.PageBytes, "page-bytes", "a page on the wire")
	number(&s.facts.CountBytes, "count-bytes", "a row of counts on disk")
	number(&s.facts.FeedBytes, "feed-bytes", "a changed count that the operator reads")
	number(&s.facts.FeedCPU, "feed-cpu", "CPU of the operator for it, in µs of a core")
	number(&s.facts.JudgeCPU, "judge-cpu", "CPU of the operator for judging an objective, in µs of a core")
	number(&s.facts.TouchpointBytes, "touchpoint-bytes", "the operator's memory for a touchpoint")
	number(&s.machine.Cores, "cores", "cores of a machine")
	number(&s.machine.Memory, "memory", "its memory, in bytes")
	number(&s.machine.Disk, "disk", "its disk, in bytes")
	number(&s.machine.Write, "write", "what its disk writes, in bytes per second")
	number(&s.machine.IOPS, "iops", "random reads and writes of its disk per second")
	number(&s.machine.Network, "network", "its network, in bytes per second")
	number(&s.demand.Peak, "peak", "the busiest hour's rate by an average day's")
	number(&s.demand.Pages, "pages", "pages that are opened for each answer")
	number(&s.demand.RetentionDays, "retention-days", "how long answers are kept")
	number(&s.demand.IdentityDays, "identity-days", "of how many days there are identities and counts, which stay")
	number(&s.demand.Touchpoints, "touchpoints", "touchpoints for each answer per second")
	number(&s.demand.ProgramTouchpoints, "program-touchpoints", "touchpoints of a program, on average")
	number(&s.demand.Objectives, "objectives", "objectives of a touchpoint")
	number(&s.demand.Counts, "counts", "counts of a touchpoint in an hour: questions x values x teams")
	number(&s.demand.Largest, "largest", "share of the answers that the largest program has")
	number(&s.changes.KeptDays, "leaner-retention-days", "leaner: how long answers stay in the database")
	number(&s.changes.IdentityDays, "leaner-identity-days", "leaner: how long identities and hourly counts stay")
	set.BoolVar(&s.demand.Ordered, "ordered-ids", s.demand.Ordered, "identities in the order of time, as UUIDs of version 7 are")
	set.DurationVar(&s.process.Commit, "commit", s.process.Commit, "median time of a durable commit")
	number(&s.process.Tail, "commit-tail", "99th percentile of the time of commits by their median")
	set.DurationVar(&s.process.Row, "row", s.process.Row, "what each answer adds to its commit")
	set.DurationVar(&s.process.Handler, "handler", s.process.Handler, "CPU of a request before it waits for its commit")
	set.IntVar(&s.process.Cores, "process-cores", s.process.Cores, "cores that handle the requests of a process")
	set.IntVar(&s.process.Batch, "batch", s.process.Batch, "answers in a commit at most")
	set.IntVar(&s.process.Queue, "queue", s.process.Queue, "answers that may wait for a commit, or be in one")
	set.BoolVar(&s.measure, "measure", s.measure, "measure commits and rows of real stores here, and hold the simulation to them, instead")
	number(&s.seconds, "seconds", "how long each load is simulated, or measured")
}

func run(ctx context.Context, out io.Writer, s settings) error {
	if s.measure {
		return measure(ctx, out, s)
	}
	rates, err := parseRates(s.rates)
	if err != nil {
		return err
	}
	if err := printProcess(out, s); err != nil {
		return err
	}
	s.facts.ProcessRate, _ = s.process.Capacity()
	for _, rate := range rates {
		d := s.demand
		d.Rate, d.Touchpoints = rate, rate*s.demand.Touchpoints
		layouts, err := Plan(s.facts, s.machine, d, s.changes)
		if err != nil {
			return err
		}
		if err := printLayouts(out, s, d, layouts); err != nil {
			return err
		}
	}
	return nil
}

func parseRates(text string) ([]float64, error) {
	var rates []float64
	for field := range strings.SplitSeq(text, ",") {
		rate, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || rate < 1 || rate > 1e8 {
			return nil, fmt.Errorf("-rates: %q is not a number from 1 to 100,000,000", field)
		}
		rates = append(rates, rate)
	}
	return rates, nil
}
