package main

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

const samples = "../../../config/samples/airport"

func samplePages(t *testing.T) []page {
	t.Helper()
	pages, err := pagesOf(samples)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestPagesOf(t *testing.T) {
	pages := samplePages(t)
	var names []string
	for _, p := range pages {
		names = append(names, p.name)
	}
	if diff := cmp.Diff([]string{"program", "touchpoint", "largest", "largest with work"}, names); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if want := "/s/sfo/passenger-experience"; pages[0].path != want || !strings.HasPrefix(pages[1].path, want+"/") {
		t.Errorf("paths %q, %q", pages[0].path, pages[1].path)
	}
	if _, err := pagesOf("testdata/nothing"); err == nil {
		t.Error("a program that is not there is measured")
	}
	if _, err := pagesOf(samples + "/10-teams.yaml"); err == nil {
		t.Error("teams without a program are measured")
	}
}

// TestLargest: the page is as large as the API lets it be, and the same in every run, since its bytes are a count.
func TestLargest(t *testing.T) {
	first, err := largest("x", 22)
	if err != nil {
		t.Fatal(err)
	}
	again, err := largest("x", 22)
	if err != nil {
		t.Fatal(err)
	}
	if first.path != again.path || first.survey.Hash != again.survey.Hash {
		t.Error("another page in another run")
	}
	if logo := first.survey.Branding.Logo; len(logo) > maxLogo || len(logo) < maxLogo-500 {
		t.Errorf("the logo has %d characters", len(logo))
	}
	if len(first.survey.Questions) != maxQuestions || first.survey.Access.ProofBits != 22 || len(first.survey.FollowUps) != 1 {
		t.Errorf("%d questions, %d bits, %d follow-ups", len(first.survey.Questions), first.survey.Access.ProofBits, len(first.survey.FollowUps))
	}
}

// TestPagesAreServed renders every page by the handler that is measured, with one program and with several.
func TestPagesAreServed(t *testing.T) {
	for _, p := range samplePages(t) {
		for _, programs := range []int{1, 3} {
			handler, err := newHandler(p, programs)
			if err != nil {
				t.Fatal(err)
			}
			render, err := renderer(handler, p)
			if err != nil {
				t.Fatal(err)
			}
			render()
			if _, err := packer(handler, p); err != nil {
				t.Error(err)
			}
			missing := page{p.name, "/s/nobody/nothing", p.survey}
			if _, err := renderer(handler, missing); err == nil {
				t.Error("a page that is not there is measured")
			}
			if _, err := packer(handler, missing); err == nil {
				t.Error("a page that is not there is packed")
			}
		}
	}
}

// TestServerCounts holds the count to what a client reads from its connection: header and body, byte by byte.
func TestServerCounts(t *testing.T) {
	s, err := serveHandler(t.Context(), http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+emptyPath+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(string(got), emptyPage) {
		t.Errorf("got %q, %v", got, err)
	}
	if requests, bytes := s.counted(); requests != 1 || bytes != int64(len(got)) {
		t.Errorf("counted %d requests and %d bytes, want 1 and %d", requests, bytes, len(got))
	}
	if requests, bytes := s.counted(); requests != 0 || bytes != 0 {
		t.Errorf("counted again: %d requests and %d bytes", requests, bytes)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestCPU(t *testing.T) {
	sum := 0
	spent, err := each(20, func() {
		for i := range 2_000_000 {
			sum += i
		}
	})(t.Context())
	if err != nil || spent <= 0 || sum == 0 {
		t.Errorf("%v µs for work, %v", spent, err)
	}
}

func TestRunChoosesCases(t *testing.T) {
	pages := []page{{name: "a"}, {name: "b"}}
	var asked []string
	s := subject{[]string{"x", "y"}, func(_ context.Context, _ *browser, p page, _ options) ([]bench.Figure, error) {
		asked = append(asked, p.name)
		return []bench.Figure{bench.Alone(p.called("x"), "ms", bench.Sample{1}), bench.Alone(p.called("y"), "ms", bench.Sample{2})}, nil
	}}
	for only, want := range map[string]struct {
		asked []string
		lines []string
	}{
		"":        {[]string{"a", "b"}, []string{"a: x", "a: y", "b: x", "b: y"}},
		"^b: y":   {[]string{"b"}, []string{"b: y"}},
		"nothing": {nil, nil},
	} {
		asked = nil
		o := options{only: regexp.MustCompile(only)}
		report := bench.NewReport("page")
		if err := (*browser)(nil).measure(t.Context(), o, report, pages, []subject{s}); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := report.Print(&out); err != nil {
			t.Fatal(err)
		}
		figures, err := bench.ReadFigures(strings.NewReader(out.String()))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, f := range figures {
			lines = append(lines, f.Case)
		}
		if !slices.Equal(asked, want.asked) || !slices.Equal(lines, want.lines) {
			t.Errorf("%q: asked %q, reported %q", only, asked, lines)
		}
		if wanted(o, pages, []subject{s}) != (want.asked != nil) {
			t.Errorf("%q: wanted is wrong", only)
		}
	}
}

// TestShort: -short changes how often is measured, not what, and no number that somebody gave.
func TestShort(t *testing.T) {
	parsed := func(args ...string) (o options) {
		flags := flag.NewFlagSet("page", flag.ContinueOnError)
		o.add(flags)
		if err := flags.Parse(args); err != nil {
			t.Fatal(err)
		}
		o.shorten(flags)
		return o
	}
	usual, short, given := parsed(), parsed("-short"), parsed("-short", "-loads", "7")
	if usual.rounds != bench.Rounds || usual.loads != usualLoads || usual.renders != usualRenders {
		t.Errorf("without -short: %+v", usual)
	}
	if short.rounds != shortRounds || short.loads != shortLoads || short.renders != shortRenders || given.loads != 7 {
		t.Errorf("with -short: %+v and %+v", short, given)
	}
	all, fewer := casesOf(usual), casesOf(short)
	if diff := cmp.Diff(all, fewer); diff != "" {
		t.Errorf("cases (-usual +short):\n%s", diff)
	}
}

func casesOf(o options) (cases []string) {
	inBrowser, inProcess := subjects(o)
	for _, s := range slices.Concat(inBrowser, inProcess) {
		cases = append(cases, s.cases...)
	}
	return cases
}

// TestCountsAreFewer: -counts measures nothing that takes time.
func TestCountsAreFewer(t *testing.T) {
	if diff := cmp.Diff([]string{caseRequests, caseBytes, caseAllocations, caseGrowth}, casesOf(options{counts: true})); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
}
