package intake

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// TestExportRoundTrip exports what came in by page, JSON and import, imports it elsewhere, and gets the same; imported where
// it came from, it changes nothing.
func TestExportRoundTrip(t *testing.T) {
	h := newHarness(t)
	wantStatus(t, h.postForm(pagePath, filled("comment", "line one\nline \"two\" <&> \u2028 ñ 😀")), http.StatusSeeOther)
	wantStatus(t, h.submit(`{"id":"`+id2+`","answers":{"recommend":0}}`), http.StatusCreated)
	wantStatus(t, h.importLines(lines(20)...), http.StatusOK)
	w := h.export("ndjson")
	wantStatus(t, w, http.StatusOK)
	if got := w.Header().Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("Content-Type %q", got)
	}
	exported := w.Body.String()

	got := decode[summary](t, h.importLines(exported))
	if got.Repeated != 22 || got.Rejected != 0 || len(h.stored()) != 22 {
		t.Errorf("imported where it came from: %+v", got)
	}
	changed := strings.Replace(exported, `"recommend":0`, `"recommend":1`, 1)
	if got := decode[summary](t, h.importLines(changed)); got.Repeated != 21 || got.Rejected != 1 {
		t.Errorf("a changed line: %+v", got)
	}

	other := newHarness(t)
	if got := decode[summary](t, other.importLines(exported)); got.Stored != 22 {
		t.Errorf("imported elsewhere: %+v", got)
	}
	if diff := cmp.Diff(exported, other.export("ndjson").Body.String()); diff != "" {
		t.Errorf("the export of the import (-want +got):\n%s", diff)
	}
}

func TestExportCSV(t *testing.T) {
	h := newHarness(t)
	wantStatus(t, h.postForm(pagePath, filled("comment", "=1+1;\"x\"\nnext, line")), http.StatusSeeOther)
	wantStatus(t, h.submit(`{"id":"`+id2+`","touchpoint":"security","answers":{"security":1}}`), http.StatusCreated)
	// The survey loses a question and gets one that is named as a fixed column.
	s := testSurvey()
	s.Questions = s.Questions[:5]
	s.Questions[2].Name = "team"
	h.serve(s)
	w := h.export("csv")
	wantStatus(t, w, http.StatusOK)
	for header, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8; header=present", "Content-Disposition": `attachment; filename="passenger-responses.csv"`, "Cache-Control": "no-store", "Cx-Use": v1alpha1.CoachingText,
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if body := w.Body.String(); strings.Count(body, "\r\n") != strings.Count(body, "\n") {
		t.Error("not all lines end in CR LF")
	}
	got, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"id", "submittedAt", "touchpoint", "team", "language", "recommend", "security", "answers/team", "signs", "trip", "comment", "ease", "used", "standing", "passed", "failed"},
		{id2, "2026-11-21T09:30:00Z", "security", "", "", "", "1", "", "", "", "", "", "", "counted", "", ""},
		{id1, "2026-11-21T09:30:00Z", "", "area-g", "es", "9", "4", "", "10", "leisure", "'=1+1;\"x\"\nnext, line", "7", "wifi;none", "counted", "honeypot;page", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestDefuse(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "fine": "fine", "3": "3", "a=b": "a=b", "'": "'", `"`: `"`, "ñ": "ñ",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\rx", "\nx": "'\nx",
		`"=1+1"`: `'"=1+1"`, "'=1": "''=1", " =1": "' =1", "\u00a0=1": "'\u00a0=1", "＝1": "'＝1", "＠x": "'＠x",
	} {
		if got := defuse(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

func TestExportRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path, token string
		away        bool
		status      int
		reason      string
	}{
		"no token":     {apiPath, "", false, 401, "unauthorized"},
		"import token": {apiPath, importToken, false, 401, "unauthorized"},
		"no program":   {"/api/v1/namespaces/sfo/programs/gone/responses", readToken, false, 404, "not-found"},
		"format":       {apiPath + "?format=xml", readToken, false, 400, "malformed"},
		"away":         {apiPath, readToken, true, 503, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			if c.away {
				h.withStore(nil)
			}
			r := httptest.NewRequest(http.MethodGet, c.path, nil)
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			checkProblem(t, h.do(r), c.status, c.reason)
		})
	}
}

func TestExportHead(t *testing.T) {
	h := newHarness(t)
	h.withStore(&stubStore{export: func(context.Context, func(store.Response) error) error { return errors.New("HEAD must not read") }})
	r := httptest.NewRequest(http.MethodHead, apiPath, nil)
	r.Header.Set("Authorization", "Bearer "+readToken)
	w := h.do(r)
	wantStatus(t, w, http.StatusOK)
	if w.Header().Get("Content-Type") != "application/x-ndjson" || w.Body.Len() > 0 {
		t.Errorf("%v: %s", w.Header(), w.Body)
	}
}

// TestExportThatBreaks: before anything was sent, it is a 503; after that, the answer has no end.
func TestExportThatBreaks(t *testing.T) {
	broken := errors.New("disk failed")
	some := func(n int) func(context.Context, func(store.Response) error) error {
		return func(_ context.Context, fn func(store.Response) error) error {
			for i := range n {
				r := store.Response{ID: fmt.Sprintf("7d444840-9dc0-4ad1-b245-%012d", i), SubmittedAt: now,
					Answers: []store.Answer{{Question: "comment", Kind: store.KindText, Values: []string{strings.Repeat("x", 200)}}}}
				if err := fn(r); err != nil {
					return err
				}
			}
			return broken
		}
	}
	h := newHarness(t)
	h.withStore(&stubStore{export: some(3)})
	w := h.export("ndjson")
	checkProblem(t, w, http.StatusServiceUnavailable, "unavailable")
	if w.Header().Get("Content-Disposition") != "" {
		t.Error("the problem is offered as a file")
	}

	h.withStore(&stubStore{export: some(1000)})
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	r, err := http.NewRequest(http.MethodGet, server.URL+apiPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+readToken)
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	decoder := json.NewDecoder(answer.Body)
	var lines int
	for err = nil; err == nil; lines++ {
		var sub map[string]any
		err = decoder.Decode(&sub)
	}
	if !strings.Contains(err.Error(), "unexpected EOF") || lines == 0 {
		t.Errorf("after %d lines: %v", lines, err)
	}
}

// TestExportKeepsGoing: a server that would cut off an answer after 50 ms lets an export finish that makes progress.
func TestExportKeepsGoing(t *testing.T) {
	h := newHarness(t)
	h.withStore(&stubStore{export: func(ctx context.Context, fn func(store.Response) error) error {
		start := time.Now()
		for i := 0; i < 400 || time.Since(start) < 200*time.Millisecond; i++ {
			r := store.Response{ID: id1, SubmittedAt: now, Answers: []store.Answer{{Question: "comment", Kind: store.KindText, Values: []string{strings.Repeat("x", 200)}}}}
			if err := errors.Join(ctx.Err(), fn(r)); err != nil {
				return err
			}
		}
		return nil
	}})
	server := httptest.NewUnstartedServer(h.Handler())
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	r, err := http.NewRequest(http.MethodGet, server.URL+apiPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+readToken)
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	decoder := json.NewDecoder(answer.Body)
	lines := 0
	for decoder.More() {
		var sub map[string]any
		if err := decoder.Decode(&sub); err != nil {
			t.Fatalf("after %d lines: %v", lines, err)
		}
		lines++
	}
	if lines < 400 {
		t.Errorf("%d lines", lines)
	}
}
