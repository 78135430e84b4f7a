package main

import (
	"context"
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

const (
	// peakClients keep an endpoint busy. At a given rate, as many are there at the most at half the load.
	peakClients = 64
	// most is how many clients there are at twice the load: many more than an endpoint has waiting.
	most = 4096
	// connecting is how long so many clients may take to connect, before it is measured.
	connecting = 2 * time.Second
	// mostOfCommit bounds the time of 99 of 100 answers at half the load, as a multiple of the median commit.
	mostOfCommit = 5
	// leastOfPeak bounds what is left of the peak at twice the load.
	leastOfPeak = 0.9
)

// halfLoad holds the time that answers take at half of what can be carried against the median time of a commit.
func (b *bencher) halfLoad(ctx context.Context, name string, e engine, kind load.Kind) error {
	s, err := b.prepare(ctx, name+" half load", e, 1, kind)
	if err != nil {
		return err
	}
	var p50, p99, late bench.Sample
	half := func(ctx context.Context) (float64, error) {
		peak, err := s.load(ctx, s.plan(peakClients))
		if err != nil {
			return 0, err
		}
		p := s.plan(peakClients)
		p.Rate = peak.Rate() / 2
		r, err := s.load(ctx, p)
		p50, p99 = append(p50, microseconds(r.Latency.P50)), append(p99, microseconds(r.Latency.P99))
		late = append(late, microseconds(r.Late.P99))
		return r.Rate() / p.Rate, err
	}
	samples, err := bench.Interleave(ctx, b.rounds, half, s.commitTime)
	if err == nil {
		b.report.Add(
			bench.Beside(s.name+": p99 by the median commit", "µs", p99, samples[1], bench.AtMost(mostOfCommit)),
			bench.Beside(s.name+": median by the median commit", "µs", p50, samples[1], bench.Wanted{}),
		)
		b.report.Note("%s: the load came to %.0f %% of what was asked, and 99 %% of the requests at most %.0f µs late.",
			s.name, 100*samples[0].Median(), late.Median())
	}
	return errors.Join(err, s.end(ctx))
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
		twice := s.plan(most)
		twice.Rate, twice.WarmUp = 2*peak.Rate(), connecting
		at, err := s.load(ctx, twice)
		if err != nil {
			return 0, err
		}
		waiting := s.plan(most)
		waiting.Patient, waiting.WarmUp = true, connecting
		polite, err := s.load(ctx, waiting)
		peaks, hasty, patient = append(peaks, peak.Rate()), append(hasty, at.Rate()), append(patient, polite.Rate())
		slowest = append(slowest, max(at.Latency.Max, polite.Latency.Max).Seconds())
		b.report.Note("%s: %.0f accepted and %.0f shed each second of %.0f asked; %.0f and %.0f with clients that wait as Retry-After says.",
			s.name, at.Rate(), float64(at.Shed)/at.Seconds, twice.Rate, polite.Rate(), float64(polite.Shed)/polite.Seconds)
		return 0, err
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
