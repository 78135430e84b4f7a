package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

// count adds what can be counted exactly: the allocations of intake for one answer, all but those of the server around it and of
// the store behind it, and what the writer of a PostgreSQL store asks of the server.
func count(report *bench.Report, only *regexp.Regexp) error {
	for _, kind := range []load.Kind{load.JSON, load.Form} {
		name := fmt.Sprintf("%s: allocations of intake for one answer", kind)
		if !only.MatchString(name) {
			continue
		}
		n, err := allocations(kind)
		if err != nil {
			return err
		}
		report.Add(bench.Alone(name, "allocations", bench.Sample{n}))
	}
	if !only.MatchString("PostgreSQL: statements and round trips for one answer alone") {
		return nil
	}
	return countStatements(report)
}

// allocations counts with the same answer each time, which a store without memory takes each time.
func allocations(kind load.Kind) (float64, error) {
	now := time.Date(2026, time.November, 21, 9, 30, 0, 0, time.UTC)
	registry := intake.NewRegistry()
	server, err := intake.New(registry, intake.Config{RatePerMinute: -1, Clock: func() time.Time { return now }, Log: logr.Discard()})
	if err != nil {
		return 0, err
	}
	registry.Set(program, intake.Program{Survey: form(), Store: forgetful{}, Tokens: intake.Tokens{Sign: signToken}})
	body, path, mediaType := "", load.ResponsesPath(form()), "application/json"
	answers := load.NewAnswers(form(), signToken, [32]byte{1})
	if kind == load.Form {
		var b []byte
		b, path = answers.AppendForm(nil, now)
		body, mediaType = string(b), "application/x-www-form-urlencoded"
	} else {
		body = string(answers.AppendJSON(nil))
	}
	target, err := url.Parse(path)
	if err != nil {
		return 0, err
	}
	sent := &sentBody{}
	request := &http.Request{
		Method: http.MethodPost, URL: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "survey.test", RemoteAddr: "192.0.2.1:1234",
		Header: http.Header{"Content-Type": {mediaType}, "Accept-Language": {"en"}}, ContentLength: int64(len(body)), Body: sent,
	}
	request = request.WithContext(context.Background())
	taken := &answerKept{header: http.Header{}}
	send := func() {
		sent.Reset(body)
		clear(taken.header)
		server.ServeHTTP(taken, request)
	}
	n := testing.AllocsPerRun(1000, send)
	if taken.status != http.StatusCreated && taken.status != http.StatusSeeOther {
		return 0, fmt.Errorf("%s: the answer got %d", kind, taken.status)
	}
	return n, nil
}

// sentBody is a body that can be sent again.
type sentBody struct{ strings.Reader }

func (*sentBody) Close() error { return nil }

// answerKept keeps no more of an answer than its status.
type answerKept struct {
	header http.Header
	status int
}

func (a *answerKept) Header() http.Header         { return a.header }
func (a *answerKept) Write(b []byte) (int, error) { return len(b), nil }
func (a *answerKept) WriteHeader(status int)      { a.status = status }

// forgetful is a store that takes every answer and keeps none.
type forgetful struct{ store.Store }

func (forgetful) Append(_ context.Context, responses []store.Response) ([]store.Result, error) {
	return []store.Result{{Outcome: store.Stored, Receipt: responses[0].Receipt}}, nil
}
