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
	// The words of the page alone beside an empty page, and the page beside its words alone.
	casePaintOfWords = "first contentful paint of its words alone"
	casePaintByWords = "first contentful paint beside its words alone"
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
// browser and the server make once; and beside them the words of the page alone, so that it shows how much of the difference comes
// from showing so many words at all.
func paint(ctx context.Context, b *browser, p page, o options) (figures []bench.Figure, err error) {
	s, err := serveWithWords(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var subjects []bench.Subject
	for _, path := range []string{p.path, emptyPath, wordsPath} {
		subjects = append(subjects, func(ctx context.Context) (float64, error) {
			loaded, err := b.open(ctx, s.url+path, 0)
			return loaded.Paint, err
		})
	}
	if _, err := bench.Interleave(ctx, 1, subjects...); err != nil {
		return nil, err
	}
	samples := make([]bench.Sample, len(subjects))
	for range o.rounds {
		round, err := bench.Interleave(ctx, o.loads, subjects...)
		if err != nil {
			return nil, err
		}
		for i := range samples {
			samples[i] = append(samples[i], round[i].Median())
		}
	}
	pages, empties, words := samples[0], samples[1], samples[2]
	return []bench.Figure{
		bench.Beside(p.called(casePaint), "ms", pages, empties, bench.AtMost(maxPaint)),
		bench.Beside(p.called(casePaintOfWords), "ms", words, empties, bench.Wanted{}),
		bench.Beside(p.called(casePaintByWords), "ms", pages, words, bench.Wanted{}),
	}, nil
}

// serveWithWords starts a server of the page, and of its words.
func serveWithWords(ctx context.Context, p page) (*server, error) {
	handler, err := newHandler(p, 1)
	if err != nil {
		return nil, err
	}
	if handler, err = withWords(handler, p); err != nil {
		return nil, err
	}
	return serveHandler(ctx, handler)
}
