package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPost(t *testing.T) {
	source := answers{counts: []count{{Day: 1, Area: "A", Question: "food", Score: 3, N: 5000}}, today: time.Unix(1_800_000_000, 0), location: time.UTC}
	for _, c := range []struct {
		name, answer string
		status       int
		readAll      bool
		want         string // of the error
	}{
		{name: "all stored", answer: `{"received":5000,"stored":5000,"repeated":0,"rejected":0}`, status: 200, readAll: true},
		{name: "some rejected", answer: `{"received":5000,"stored":4999,"rejected":1,"errors":[{"line":7}]}`, status: 200, readAll: true,
			want: `1 answers were rejected: {"received":5000`},
		{name: "refused before the body was read", answer: `{"title":"wrong token"}`, status: 401, want: "401 Unauthorized: {\"title\":\"wrong token\"}"},
		{name: "no JSON", answer: "hello", status: 200, readAll: true, want: "reading the import's summary"},
	} {
		t.Run(c.name, func(t *testing.T) {
			received := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer secret" ||
					r.Header.Get("Content-Type") != "application/x-ndjson" || r.URL.Path != importPath {
					t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
				}
				if c.readAll {
					body := bufio.NewScanner(r.Body)
					for body.Scan() {
						received++
					}
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			taken := int64(0)
			got, err := post(t.Context(), server.URL+importPath, "secret", source, func(n int64) { taken += n })
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			if err != nil || got != (summary{Received: 5000, Stored: 5000}) || received != 5000 || taken != 5000 {
				t.Errorf("%+v, %v; the server received %d, %d were counted", got, err, received, taken)
			}
		})
	}
}

func TestPostEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		_, _ = io.Copy(io.Discard, r.Body) // until the client is gone
	}))
	defer server.Close()
	source := answers{counts: []count{{Day: 1, Question: "q", N: 100_000}}, today: time.Unix(0, 0), location: time.UTC}
	if _, err := post(ctx, server.URL, "", source, func(int64) {}); err == nil {
		t.Error("no error")
	}
}

func TestProgressInALog(t *testing.T) {
	var out bytes.Buffer
	c := &console{err: &out, now: time.Now}
	p := c.progress(1000)
	for range 100 {
		p.add(10)
	}
	p.end()
	if got := strings.Count(out.String(), "\n"); got != 10 || !strings.Contains(out.String(), "100 % of 1000 answers\n") {
		t.Errorf("%d lines: %s", got, out.String())
	}
}

func TestProgressOnATerminal(t *testing.T) {
	var out bytes.Buffer
	c := &console{err: &out, now: time.Now, terminal: true}
	p := c.progress(1000)
	p.add(250)
	p.end()
	if got := out.String(); !strings.Contains(got, "25%") || !strings.Contains(got, "250/1000") {
		t.Errorf("%q", got)
	}
}

func TestFirstLines(t *testing.T) {
	if got := firstLines(" a\n"); got != "a" {
		t.Errorf("%q", got)
	}
	if got := firstLines(strings.Repeat("a", 5000)); len(got) != 2004 {
		t.Errorf("%d characters", len(got))
	}
}

func TestCountLines(t *testing.T) {
	counted := int64(0)
	r := countLines{strings.NewReader("a\nb\nc"), func(n int64) { counted += n }}
	content, err := io.ReadAll(r)
	if err != nil || string(content) != "a\nb\nc" || counted != 2 {
		t.Error(fmt.Sprint(content, counted, err))
	}
}
