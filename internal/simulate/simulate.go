// Package simulate replays a year of the whole system on answers that are drawn by chance: judging at the end of each day,
// plans, their clocks and escalation, all by the pure cores that the operator runs, with a clock that is moved. It tells how
// often touchpoints are accused that keep their promise, and how soon one is found that ceases to, beside the naive rule on
// the same answers. Equal options give equal results.
package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Stratum is a kind of touchpoint: how many answers it gets, and how good it really is.
type Stratum struct {
	// Name of the stratum.
	Name string
	// PerMonth is how many answers a month (365/12 days) brings on average.
	PerMonth float64
	// Margin is how far the true quality lies above the target, in percentage points.
	Margin float64
	// Fall is by how many points the true quality falls in mid-year; 0 for none.
	Fall float64
}

// Healthy says whether the touchpoint keeps its promise all year.
func (s Stratum) Healthy() bool { return s.Margin >= s.Fall }

// Strata are those that the operator is judged by: three sizes; 5 points above the target, 2 above, exactly on it, and 5 above
// with a fall of 10 in mid-year.
func Strata() []Stratum {
	var all []Stratum
	for _, n := range []float64{30, 100, 1000} {
		for _, q := range []Stratum{{Name: "+5", Margin: 5}, {Name: "+2", Margin: 2}, {Name: "at target"}, {Name: "falling", Margin: 5, Fall: 10}} {
			q.PerMonth, q.Name = n, fmt.Sprintf("%g a month, %s", n, q.Name)
			all = append(all, q)
		}
	}
	return all
}

// Options of a simulation.
type Options struct {
	// Touchpoints of each stratum.
	Touchpoints int
	// Days that are replayed.
	Days int
	// WindowDays of the objective.
	WindowDays int
	// Target of the objective in percent of satisfied answers (CSAT).
	Target float64
	// ConfirmDays for which an objective must stand Missed before the breach opens; 0 opens it at once.
	ConfirmDays int
	// Seed of the answers.
	Seed uint64
	// Workers that replay touchpoints at once.
	Workers int
	// Progress is told after each stratum; nil for nobody.
	Progress func(Result)
}

// Defaults are 200 touchpoints over 365 days, with a target of 80 and windows of 90 days.
func Defaults() Options {
	return Options{Touchpoints: 200, Days: 365, WindowDays: 90, Target: 80, Seed: 1, Workers: 1}
}

// Result is what became of one stratum. Shares are percent of its touchpoints.
type Result struct {
	// Stratum by name, and ConfirmDays of the rule.
	Stratum     string `json:"stratum"`
	ConfirmDays int    `json:"confirmDays"`
	Touchpoints int    `json:"touchpoints"`
	// FalselyAccused had a breach ObjectiveMissed while they kept their promise.
	FalselyAccused float64 `json:"falselyAccused"`
	// Detected had one after their fall; MedianDelayDays is from the fall to it. Without a fall they are nil.
	Detected        *float64 `json:"detected,omitempty"`
	MedianDelayDays *float64 `json:"medianDelayDays,omitempty"`
	// The same for the naive rule: the score of the window is under the target at the end of a day.
	NaiveFalselyAccused  float64  `json:"naiveFalselyAccused"`
	NaiveDetected        *float64 `json:"naiveDetected,omitempty"`
	NaiveMedianDelayDays *float64 `json:"naiveMedianDelayDays,omitempty"`
	// Plans that were opened, Unacknowledged and Overdue of them in time's course, and Escalations of all their breaches, by
	// touchpoint and year.
	Plans          float64 `json:"plans"`
	Unacknowledged float64 `json:"plansUnacknowledged"`
	Overdue        float64 `json:"plansOverdue"`
	Escalations    float64 `json:"escalations"`
}

// Run replays every stratum.
func Run(o Options, strata []Stratum) ([]Result, error) {
	var results []Result
	for i, s := range strata {
		r, err := run(o, s, uint64(i))
		if err != nil {
			return nil, fmt.Errorf("stratum %s: %w", s.Name, err)
		}
		results = append(results, r)
		if o.Progress != nil {
			o.Progress(r)
		}
	}
	return results, nil
}

// run replays one stratum. Each touchpoint has a source of chance of its own, so that the number of workers changes nothing.
func run(o Options, s Stratum, stratum uint64) (Result, error) {
	lives := make([]life, o.Touchpoints)
	errs := make([]error, o.Touchpoints)
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(o.Workers, 1) {
		workers.Go(func() {
			for i := range next {
				chance := rand.New(rand.NewPCG(o.Seed, stratum<<32|uint64(i))) //nolint:gosec // a simulation must repeat
				lives[i], errs[i] = replay(o, s, chance)
			}
		})
	}
	for i := range lives {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return Result{}, err
		}
	}
	return summarise(o, s, lives), nil
}

func summarise(o Options, s Stratum, lives []life) Result {
	r := Result{Stratum: s.Name, ConfirmDays: o.ConfirmDays, Touchpoints: len(lives)}
	n := float64(len(lives))
	var accused, naive int
	var delays, naiveDelays []float64
	for _, l := range lives {
		accused += count(l.accused)
		naive += count(l.naiveAccused)
		if l.delay >= 0 {
			delays = append(delays, float64(l.delay))
		}
		if l.naiveDelay >= 0 {
			naiveDelays = append(naiveDelays, float64(l.naiveDelay))
		}
		r.Plans += float64(l.plans) / n
		r.Unacknowledged += float64(l.unacknowledged) / n
		r.Overdue += float64(l.overdue) / n
		r.Escalations += float64(l.escalations) / n
	}
	r.FalselyAccused, r.NaiveFalselyAccused = 100*float64(accused)/n, 100*float64(naive)/n
	if s.Fall > 0 {
		r.Detected, r.MedianDelayDays = new(100*float64(len(delays))/n), median(delays)
		r.NaiveDetected, r.NaiveMedianDelayDays = new(100*float64(len(naiveDelays))/n), median(naiveDelays)
	}
	return r
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// median of values in any order; nil of none.
func median(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	m := len(values) / 2
	if len(values)%2 == 1 {
		return &values[m]
	}
	return new((values[m-1] + values[m]) / 2)
}

// began is the first day of every simulation.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
