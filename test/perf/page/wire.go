package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// The cases of a page that a browser measures.
const (
	caseRequests = "requests"
	caseBytes    = "on the wire"
	caseShift    = "layout shift"
	casePaint    = "first contentful paint"
)

const (
	// maxBytes is the most that a page may have on the wire: what a server sends a new connection before it waits for an answer.
	maxBytes = 14 << 10
	// maxRequests is the most that a page may ask for before its reader does something.
	maxRequests = 1
	// maxPaint is the most that the first paint of a page may take, in times that of an empty page.
	maxPaint = 1.3
	// watched is how long a page is looked at for what it may do later.
	watched = 700 * time.Millisecond
)

// check proves that what measures sees a page shift and ask for more, be it an icon, and that an empty page does neither.
func (b *browser) check(ctx context.Context) (err error) {
	s, err := serveHandler(ctx, http.NotFoundHandler())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	moving, err := b.open(ctx, s.url+movingPath, watched)
	if err != nil {
		return err
	}
	if requests, bytes := s.counted(); moving.Shift <= 0 || requests != 3 || bytes < int64(len(movingPage)) {
		return fmt.Errorf("a page that shifts, asks for a script and names no icon has a shift of %v, %d requests and %d bytes", moving.Shift, requests, bytes)
	}
	empty, err := b.open(ctx, s.url+emptyPath, watched)
	if err != nil {
		return err
	}
	if requests, bytes := s.counted(); empty.Shift != 0 || requests != 1 || bytes < int64(len(emptyPage)) || empty.Paint <= 0 {
		return fmt.Errorf("an empty page has a shift of %v, %d requests and %d bytes, and was painted after %v ms", empty.Shift, requests, bytes, empty.Paint)
	}
	return nil
}

// wire opens a page once in a new browser and counts what it asks for and gets, while it is looked at and scrolled.
func wire(ctx context.Context, b *browser, p page, o options) (figures []bench.Figure, err error) {
	s, err := serve(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	seen, err := b.open(ctx, s.url+p.path, watched)
	if err != nil {
		return nil, err
	}
	requests, bytes := s.counted()
	figures = []bench.Figure{
		bench.Within(p.called(caseRequests), "requests", bench.Sample{float64(requests)}, maxRequests, bench.AtMost(1)),
		bench.Within(p.called(caseBytes), "bytes", bench.Sample{float64(bytes)}, maxBytes, bench.AtMost(1)),
	}
	if !o.counts {
		figures = append(figures, bench.Alone(p.called(caseShift), "shift", bench.Sample{seen.Shift}))
	}
	return figures, nil
}

// paint compares when a page and an empty one of the same server are painted, in turns, after each was loaded once for what the
// browser and the server make once.
func paint(ctx context.Context, b *browser, p page, o options) (figures []bench.Figure, err error) {
	s, err := serve(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	opened := func(path string) bench.Subject {
		return func(ctx context.Context) (float64, error) {
			loaded, err := b.open(ctx, s.url+path, 0)
			return loaded.Paint, err
		}
	}
	if _, err := bench.Interleave(ctx, 1, opened(p.path), opened(emptyPath)); err != nil {
		return nil, err
	}
	var pages, empties bench.Sample
	for range o.rounds {
		round, err := bench.Interleave(ctx, o.loads, opened(p.path), opened(emptyPath))
		if err != nil {
			return nil, err
		}
		pages, empties = append(pages, round[0].Median()), append(empties, round[1].Median())
	}
	return []bench.Figure{bench.Beside(p.called(casePaint), "ms", pages, empties, bench.AtMost(maxPaint))}, nil
}
