package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// The cases of a page that need no browser.
const (
	caseAllocations = "allocations"
	caseGrowth      = "allocations with 10000 programs of those with 1"
	caseRender      = "CPU of rendering"
	casePacking     = "CPU of rendering beside packing"
)

const (
	// maxRender is the CPU that rendering a page may take, in microseconds.
	maxRender = 200
	// manyPrograms is how many programs an endpoint serves that has many.
	manyPrograms = 10_000
	// warmUp is how many pages are rendered before any is measured.
	warmUp = 50
)

// discard is a writer that keeps nothing but the status and the size.
type discard struct {
	header http.Header
	status int
	size   int
}

func (d *discard) Header() http.Header  { return d.header }
func (d *discard) WriteHeader(code int) { d.status = code }
func (d *discard) Write(b []byte) (int, error) {
	d.size += len(b)
	return len(b), nil
}

// renderer returns a function that has the handler make the page once more, which costs nothing beside that, after a check that
// it is the page.
func renderer(handler http.Handler, p page) (func(), error) {
	request := httptest.NewRequest(http.MethodGet, p.path, http.NoBody)
	request.Header.Set("Accept-Encoding", "gzip, deflate")
	request.Header.Set("Accept-Language", "en-US,en;q=0.9")
	to := &discard{header: http.Header{}}
	render := func() {
		clear(to.header)
		to.size = 0
		handler.ServeHTTP(to, request)
	}
	render()
	if to.status != http.StatusOK || to.size == 0 || to.header.Get("Content-Encoding") != "gzip" {
		return nil, fmt.Errorf("%s: status %d, %d bytes, encoded as %q", p.path, to.status, to.size, to.header.Get("Content-Encoding"))
	}
	for range warmUp {
		render()
	}
	return render, nil
}

// allocations counts those of one page where the endpoint serves one program and where it serves many.
func allocations(_ context.Context, _ *browser, p page, _ options) ([]bench.Figure, error) {
	var counted [2]bench.Sample
	for i, programs := range []int{1, manyPrograms} {
		handler, err := newHandler(p, programs)
		if err != nil {
			return nil, err
		}
		render, err := renderer(handler, p)
		if err != nil {
			return nil, err
		}
		counted[i] = bench.Sample{testing.AllocsPerRun(50, render)}
	}
	return []bench.Figure{
		bench.Alone(p.called(caseAllocations), "allocations", counted[0]),
		bench.Beside(p.called(caseGrowth), "allocations", counted[1], counted[0], bench.AtMost(1)),
	}, nil
}

// rendering measures the CPU that a page takes, beside that of packing it once it is there.
func rendering(ctx context.Context, _ *browser, p page, o options) ([]bench.Figure, error) {
	handler, err := newHandler(p, manyPrograms)
	if err != nil {
		return nil, err
	}
	render, err := renderer(handler, p)
	if err != nil {
		return nil, err
	}
	pack, err := packer(handler, p)
	if err != nil {
		return nil, err
	}
	samples, err := bench.Interleave(ctx, o.rounds, each(o.renders, render), each(o.renders, pack))
	if err != nil {
		return nil, err
	}
	return []bench.Figure{
		bench.Within(p.called(caseRender), "µs", samples[0], maxRender, bench.AtMost(1)),
		bench.Beside(p.called(casePacking), "µs", samples[0], samples[1], bench.Wanted{}),
	}, nil
}

// packer returns a function that packs the finished page once more.
func packer(handler http.Handler, p page) (func(), error) {
	plain := httptest.NewRecorder()
	handler.ServeHTTP(plain, httptest.NewRequest(http.MethodGet, p.path, http.NoBody))
	if plain.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", p.path, plain.Code)
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	return func() {
		packed.Reset()
		zw.Reset(&packed)
		_, _ = zw.Write(plain.Body.Bytes()) // a buffer takes every byte
		_ = zw.Close()
	}, nil
}

// each returns the subject of the CPU that f takes, in microseconds, as the mean of n calls.
func each(n int, f func()) bench.Subject {
	return func(context.Context) (float64, error) {
		before, err := cpu()
		if err != nil {
			return 0, err
		}
		for range n {
			f()
		}
		after, err := cpu()
		return (after - before) / float64(n), err
	}
}

// cpu is what this process has used of the processors, in microseconds.
func cpu() (float64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("read the CPU time: %w", err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3, nil
}
