package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

const (
	// peakClients keep an endpoint busy. At a given rate, as many are there at the most at half the load.
	peakClients = 64
	// many is how many clients there are at twice the load. All find a place to wait for their turn, but on a slow machine not in time.
	many = 4096
	// connecting is how long so many clients may take to connect, before it is measured.
	connecting = 3 * time.Second
	// mostOfCommit bounds the time of 99 of 100 answers at half the load, as a multiple of the median commit.
	mostOfCommit = 5
	// leastOfPeak bounds what is left of the peak at twice the load.
	leastOfPeak = 0.9
)

// halfLoad holds the time that answers take at half of what can be carried against the median time of a commit. Commits of as
// many answers are measured at the same time, beside the load: what else keeps the disk and the processors busy then holds up
// both.
func (b *bencher) halfLoad(ctx context.Context, name string, e engine, kind load.Kind) error {
	s, err := b.prepare(ctx, name+" half load", e, 1, kind)
	if err != nil {
		return err
	}
	var p50, p99, late, commits, slowCommits, batches bench.Sample
	half := func(ctx context.Context) (float64, error) {
		peak, err := s.load(ctx, s.plan(peakClients))
		if err != nil {
			return 0, err
		}
		p := s.plan(peakClients)
		p.Rate = peak.Rate() / 2
		r, beside, err := s.loadBeside(ctx, p)
		if err != nil {
			return 0, err
		}
		p50, p99 = append(p50, microseconds(r.Latency.P50)), append(p99, microseconds(r.Latency.P99))
		commits, slowCommits = append(commits, beside.took.Median()), append(slowCommits, percentile99(beside.took))
		late, batches = append(late, microseconds(r.Late.P99)), append(batches, float64(beside.batch))
		return r.Rate() / p.Rate, nil
	}
	samples, err := bench.Interleave(ctx, b.rounds, half, s.commitTime)
	if err == nil {
		b.report.Add(
			bench.Beside(s.name+": p99 by the median commit", "µs", p99, commits, bench.AtMost(mostOfCommit)),
			bench.Beside(s.name+": p99 by the p99 of commits", "µs", p99, slowCommits, bench.Wanted{}),
			bench.Beside(s.name+": p99 by the median commit of an idle machine", "µs", p99, samples[1], bench.Wanted{}),
			bench.Beside(s.name+": median by the median commit", "µs", p50, commits, bench.Wanted{}),
		)
		b.report.Note("%s: the load came to %.0f %% of what was asked, and 99 %% of the requests at most %.0f µs late. The commits are of the database alone, beside the load, of as many answers as come during one, %.0f; 99 %% of them took at most %.0f µs, which is %.1f times their median.",
			s.name, 100*samples[0].Median(), late.Median(), batches.Median(), slowCommits.Median(), slowCommits.Median()/commits.Median())
		b.report.Note("%s: %s.", s.name, s.busy)
	}
	return errors.Join(err, s.end(ctx))
}

func percentile99(s bench.Sample) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[(len(sorted)-1)*99/100]
}

// overload holds the rate at which answers are taken at twice the rate that can be carried against that rate.
func (b *bencher) overload(ctx context.Context, name string, e engine, kind load.Kind) error {
	s, err := b.prepare(ctx, name+" twice the load", e, 1, kind)
	if err != nil {
		return err
	}
	var peaks, hasty, patient, slowest bench.Sample
	round := func(ctx context.Context) (float64, error) {
		peak, err := s.load(ctx, s.plan(4*peakClients))
		if err != nil {
			return 0, err
		}
		peaks = append(peaks, peak.Rate())
		slow := 0.0
		for _, under := range []struct {
			name    string
			patient bool
			rates   *bench.Sample
		}{{"hasty", false, &hasty}, {"waiting", true, &patient}} {
			p := s.plan(many)
			p.Rate, p.Patient, p.WarmUp = 2*peak.Rate(), under.patient, connecting
			r, err := s.load(ctx, p)
			if err != nil {
				return 0, err
			}
			*under.rates, slow = append(*under.rates, r.Rate()), max(slow, r.Latency.Max.Seconds())
			b.report.Note("%s: %d %s clients asked for %.0f answers each second: %.0f were accepted and %.0f shed; %s.",
				s.name, many, under.name, p.Rate, r.Rate(), float64(r.Shed)/r.Seconds, s.busy)
		}
		slowest = append(slowest, slow)
		return 0, nil
	}
	_, err = bench.Interleave(ctx, b.rounds, round)
	if err == nil {
		b.report.Add(
			bench.Beside(s.name+": of the peak", "answers/s", hasty, peaks, bench.AtLeast(leastOfPeak)),
			bench.Beside(s.name+": of the peak with clients that wait", "answers/s", patient, peaks, bench.AtLeast(leastOfPeak)),
			bench.Within(s.name+": slowest that was accepted", "s", slowest, timeout.Seconds(), bench.AtMost(1)),
		)
	}
	return errors.Join(err, s.end(ctx))
}
