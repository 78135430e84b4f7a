package main

import (
	"bytes"
	"context"
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func demandOf(rate float64) Demand {
	d := defaults().demand
	d.Rate, d.Touchpoints = rate, rate
	return d
}

func factsOf() Facts {
	f := defaults().facts
	f.ProcessRate = 4000
	return f
}

// TestPlanIsEnough: no tier is filled further than planned, one machine less would be, and the named limit is the reason.
func TestPlanIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, d := defaults(), demandOf(rapid.Float64Range(10, 2e6).Draw(t, "rate"))
		d.Peak = rapid.Float64Range(1, 10).Draw(t, "peak")
		d.RetentionDays, d.IdentityDays = rapid.Float64Range(1, 730).Draw(t, "retention"), rapid.Float64Range(1, 730).Draw(t, "identities")
		d.Ordered, d.Shared = rapid.Bool().Draw(t, "ordered"), rapid.Bool().Draw(t, "shared")
		layouts, err := Plan(factsOf(), s.machine, d, s.changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layouts {
			for _, tier := range l.Tiers {
				for i, r := range tier.Resources {
					if share := r.share(float64(tier.Machines)); share > filled+1e-9 {
						t.Errorf("%s: %s: %s: %v of %d machines", l.Name, tier.Name, r.Name, share, tier.Machines)
					}
					if r.Alone > tier.Machines || i == tier.Limit && r.Alone < tier.Machines && tier.Machines > copies {
						t.Errorf("%s: %s: %s needs %d of %d machines, limit %d", l.Name, tier.Name, r.Name, r.Alone, tier.Machines, tier.Limit)
					}
					if r.Alone == 1 && r.One < d.Rate*(1-1e-6) || r.Alone > 1 && r.One > d.Rate*(1+1e-6) {
						t.Errorf("%s: %s: %s: %d machines for %v a second, one for %v", l.Name, tier.Name, r.Name, r.Alone, d.Rate, r.One)
					}
				}
			}
			limits := l.Limits()
			for i := range limits[1:] {
				if limits[i].Rate > limits[i+1].Rate {
					t.Errorf("%s: limits out of order: %v", l.Name, limits)
				}
			}
		}
	})
}

// TestMoreNeedsMore: no tier shrinks when more is asked for, or each answer costs more.
func TestMoreNeedsMore(t *testing.T) {
	s := defaults()
	machines := func(f Facts, d Demand) (all []int) {
		layouts, err := Plan(f, s.machine, d, s.changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layouts {
			for _, tier := range l.Tiers {
				all = append(all, tier.Machines)
			}
		}
		return all
	}
	notLess := func(what string, less, more []int) {
		t.Helper()
		grew := false
		for i := range less {
			grew = grew || more[i] > less[i]
			if more[i] < less[i] {
				t.Errorf("%s: machines %v, then %v", what, less, more)
			}
		}
		if !grew {
			t.Errorf("%s: changes nothing: %v", what, more)
		}
	}
	base := machines(factsOf(), demandOf(100_000))
	notLess("ten times the rate", base, machines(factsOf(), demandOf(1_000_000)))
	for what, change := range map[string]func(*Facts, *Demand){
		"answers of five times the CPU": func(f *Facts, _ *Demand) { f.AnswerCPU *= 5 },
		"rows of ten times the bytes":   func(f *Facts, _ *Demand) { f.AnswerBytes *= 10 },
		"twice the retention":           func(_ *Facts, d *Demand) { d.RetentionDays *= 2 },
		"no nights":                     func(_ *Facts, d *Demand) { d.Peak = 1 },
		"five times the pages":          func(_ *Facts, d *Demand) { d.Pages *= 5 },
		"judging at ten times the CPU":  func(f *Facts, _ *Demand) { f.JudgeCPU *= 10 },
	} {
		f, d := factsOf(), demandOf(100_000)
		change(&f, &d)
		notLess(what, base, machines(f, d))
	}
}

// TestDisk is worked out by hand: 1,000 a second at the peak are 250 on average, 21.6 million a day.
func TestDisk(t *testing.T) {
	s, d := defaults(), demandOf(1000)
	d.Touchpoints, d.RetentionDays, d.IdentityDays = 0, 10, 100
	f := Facts{AnswerBytes: 1000, IdentityBytes: 100, IndexBytes: 50, RowCPU: 1000, LogBytes: 2000, ProcessRate: 100}
	got := databases(f, s.machine, atPeak)(d, 1)
	for name, want := range map[string]float64{
		"CPU":  1,                                   // core
		"disk": 21.6e6 * (10*1000 + 100*100) / 1e12, // TB
	} {
		for _, r := range got {
			if r.Name == name && math.Abs(r.Need/want-1) > 1e-9 {
				t.Errorf("%s: %v, want %v", name, r.Need, want)
			}
		}
	}
	// All pages of a small index are hit between checkpoints, and hardly one of a huge index twice.
	if got := touched(1e6, 100); math.Abs(got-100) > 1e-6 {
		t.Errorf("%v of 100 pages", got)
	}
	if got := touched(1000, 1e12); math.Abs(got-1000) > 1 {
		t.Errorf("%v pages by 1000 hits", got)
	}
	if got := touched(1000, 0); got != 0 {
		t.Errorf("%v of no pages", got)
	}
}

// TestIdentities: those in the order of time touch no random pages, and fewer of chance touch fewer.
func TestIdentities(t *testing.T) {
	s, d := defaults(), demandOf(10_000)
	random := func(d Demand) float64 {
		for _, r := range databases(factsOf(), s.machine, atPeak)(d, 1) {
			if r.Name == "random pages" {
				return r.Need
			}
		}
		return -1
	}
	years := random(d)
	d.IdentityDays = 1
	days := random(d)
	d.Ordered = true
	if ordered := random(d); ordered != 0 || days <= 0 || years <= days {
		t.Errorf("random pages: %v of years, %v of a day, %v in order", years, days, ordered)
	}
}

func TestPlanRefuses(t *testing.T) {
	s := defaults()
	for name, change := range map[string]func(*Demand){
		"no rate":                   func(d *Demand) { d.Rate = 0 },
		"a peak below 1":            func(d *Demand) { d.Peak = 0.5 },
		"a program of all and more": func(d *Demand) { d.Largest = 2 },
		"empty programs":            func(d *Demand) { d.ProgramTouchpoints = 0 },
	} {
		d := demandOf(1000)
		change(&d)
		if _, err := Plan(factsOf(), s.machine, d, s.changes); err == nil {
			t.Errorf("%s is planned", name)
		}
	}
	small := s.machine
	small.Disk = 1
	if _, err := Plan(factsOf(), small, demandOf(1000), s.changes); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("no disk: %v", err)
	}
}

var update = flag.Bool("update", false, "write what the command prints into docs/scaling.md")

const (
	blockBegins, blockEnds = "<!-- go run ./hack/scaling: kept by \"go test ./hack/scaling -update\" -->\n```text\n", "```\n<!-- end -->"
	document               = "../../docs/scaling.md"
)

// TestDocument: the page shows what the command prints.
func TestDocument(t *testing.T) {
	var printed bytes.Buffer
	s := defaults()
	if err := run(t.Context(), &printed, s); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), blockBegins)
	shown, after, ended := strings.Cut(rest, blockEnds)
	if !begun || !ended {
		t.Fatalf("%s has no place for what the command prints", document)
	}
	if want := strings.TrimSpace(printed.String()) + "\n"; *update {
		if err := os.WriteFile(document, []byte(before+blockBegins+want+blockEnds+after), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if shown != want {
		t.Errorf("%s shows something else than the command prints: go test ./hack/scaling -update", document)
	}
}

// TestRun prints all, the same in every run.
func TestRun(t *testing.T) {
	s := defaults()
	set := flag.NewFlagSet("scaling", flag.ContinueOnError)
	s.register(set)
	if err := set.Parse([]string{"-rates", "10000, 1000000", "-seconds", "1"}); err != nil {
		t.Fatal(err)
	}
	var out, again bytes.Buffer
	if err := run(context.Background(), &out, s); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), &again, s); err != nil || again.String() != out.String() {
		t.Error("another text from the same flags, ", err)
	}
	for _, want := range []string{"1,000,000 answers a second", "behind a log", "random pages", "BEYOND", "1024 clients"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for _, wrong := range []string{"", "x", "0", "1,,2", "1e12"} {
		if _, err := parseRates(wrong); err == nil {
			t.Errorf("rates %q are taken", wrong)
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1.2345: "1.23", 999: "999", 1000: "1,000", 1234567.8: "1,234,568", 12345: "12,345"} {
		if got := significant(x); got != want {
			t.Errorf("%v is written %q, want %q", x, got, want)
		}
	}
}

// TestFitted: rows are what makes large commits slower than small ones.
func TestFitted(t *testing.T) {
	one := []time.Duration{900 * time.Microsecond, 1100 * time.Microsecond, 5100 * time.Microsecond}
	p := fitted(one, []time.Duration{26600 * time.Microsecond})
	if p.Row != 100*time.Microsecond || len(p.Commits) != 3 || p.Commits[1] != time.Millisecond || p.Commits[2] != 5*time.Millisecond {
		t.Errorf("%+v", p)
	}
	if o := simulate(t, p, Load{Clients: 1, RetryAfter: time.Second, Duration: time.Minute}); o.P50 != 1100*time.Microsecond || o.P99 != 5100*time.Microsecond {
		t.Errorf("%+v", o)
	}
	if full, _ := p.Capacity(); math.Abs(full-512/(0.0068/3+0.0512)) > 1 {
		t.Errorf("capacity %v", full)
	}
	if slow := fitted(one, []time.Duration{1000 * time.Microsecond}); slow.Row != 0 {
		t.Errorf("rows take %s", slow.Row)
	}
}
