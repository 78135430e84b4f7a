package intake

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func (h *harness) bulk(body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(bulkPath, mediaNDJSON, body, append([]string{"Authorization", "Bearer " + signToken}, header...)...)
}

func idOf(n int) string { return fmt.Sprintf("7d444840-9dc0-4ad1-b245-%012d", n) }

// checkBulkLines fails the test where a line is not as the document says.
func checkBulkLines(t *testing.T, body string) {
	t.Helper()
	schema := document.Components.Schemas["BulkLine"].Value
	for line := range strings.Lines(body) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.VisitJSON(v, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestBulk: a line for a line, in order, whatever became of it.
func TestBulk(t *testing.T) {
	h, st := stubHarness(t, testSurvey())
	calls := 0
	st.invite = func(in []store.Invitation, _ store.Fatigue) ([]store.InviteResult, error) {
		calls++
		results := make([]store.InviteResult, len(in))
		for i := range in {
			results[i] = store.InviteResult{Outcome: store.Stored, ExpiresAt: in[i].ExpiresAt}
			switch in[i].ID {
			case idOf(3):
				results[i].Skip = store.Skip{Scope: "program", Reason: "invited"}
			case idOf(4):
				results[i] = store.InviteResult{Outcome: store.Conflict}
			}
		}
		return results, nil
	}
	w := h.bulk("\ufeff" + strings.Join([]string{
		`{"id":"` + idOf(1) + `","contact":"ada"}`,
		`{"id":"` + idOf(2) + `","contact":"bob","team":"nobody"}`,
		"", "  ",
		`{"id":"` + idOf(3) + `","contact":"cid","language":"es"}` + "\r",
		`{"id":`,
		`{"id":"` + idOf(9) + `"}`,
		`{"id":"` + idOf(4) + `","singleUse":true}`,
		strings.Repeat("x", 70_000),
		`{"id":"` + idOf(5) + `","contact":"dora"}`,
	}, "\n"))
	wantStatus(t, w, 200)
	if got := w.Header().Get("Content-Type"); got != mediaNDJSON {
		t.Errorf("Content-Type %s", got)
	}
	checkBulkLines(t, w.Body.String())
	var got []string
	for _, line := range bulkAnswers(t, w.Body.String()) {
		what := line.ID
		switch {
		case line.Error != nil:
			what = strings.TrimPrefix(line.Error.Type, problemBase)
			for _, e := range line.Error.Errors {
				what += " " + e.Pointer
			}
		case line.Skipped != nil:
			what += " skipped"
		default:
			_, _, l := linkOf(t, *line.invitedAnswer)
			if l.ID != line.ID {
				t.Errorf("line %d has the link of %s", line.Line, l.ID)
			}
		}
		got = append(got, fmt.Sprint(line.Line, " ", what))
	}
	want := []string{
		"1 " + idOf(1), "2 invalid /team", "5 " + idOf(3) + " skipped", "6 malformed", "7 " + idOf(9), "8 conflict /id", "9 too-large", "10 " + idOf(5),
	}
	if diff := cmp.Diff(want, got); diff != "" || calls != 1 {
		t.Errorf("%d calls (-want +got):\n%s", calls, diff)
	}
	if strings.Contains(w.Body.String(), "dora") {
		t.Error("a contact is in the answer")
	}
	wantStatus(t, h.bulk("\n"), 200)
	wantStatus(t, h.bulk(string(compress([]byte(`{"id":"`+id1+`"}`))), "Content-Encoding", "gzip"), 200)
}

// TestBulkBatches: the store gets no more than it takes at once, and every line is answered in order.
func TestBulkBatches(t *testing.T) {
	h, st := stubHarness(t, testSurvey())
	var sizes []int
	busy := 2
	st.invite = func(in []store.Invitation, _ store.Fatigue) ([]store.InviteResult, error) {
		if busy--; busy >= 0 {
			return nil, store.ErrBusy
		}
		sizes = append(sizes, len(in))
		results := make([]store.InviteResult, len(in))
		for i := range in {
			results[i] = store.InviteResult{Outcome: store.Stored, ExpiresAt: in[i].ExpiresAt}
		}
		return results, nil
	}
	var body strings.Builder
	for n := range 2500 {
		if n%10 == 0 {
			fmt.Fprintf(&body, "{\"id\":%q}\n", idOf(n)) // shared
			continue
		}
		fmt.Fprintf(&body, "{\"id\":%q,\"contact\":\"c%d\"}\n", idOf(n), n)
	}
	w := h.bulk(body.String())
	wantStatus(t, w, 200)
	lines := bulkAnswers(t, w.Body.String())
	if diff := cmp.Diff([]int{900, 900, 450}, sizes); diff != "" || len(lines) != 2500 {
		t.Fatalf("%d lines, batches %v", len(lines), sizes)
	}
	for n, line := range lines {
		if line.Line != n+1 || line.ID != idOf(n) || line.Error != nil {
			t.Fatalf("line %d: %+v", n+1, line)
		}
	}
}

func TestBulkRefused(t *testing.T) {
	h, _ := stubHarness(t, testSurvey(), func(c *Config) { c.MaxImportBody = 1 << 10 })
	line := `{"id":"` + id1 + `","contact":"ada"}` + "\n"
	checkProblem(t, h.post(bulkPath, mediaNDJSON, line), 401, "unauthorized")
	checkProblem(t, h.bulk(line, "Content-Type", "multipart/form-data; boundary=x"), 415, "unsupported")
	checkProblem(t, h.bulk(line, "Content-Encoding", "br"), 415, "unsupported")
	checkProblem(t, h.bulk(line, "Content-Encoding", "gzip"), 400, "malformed")
	checkProblem(t, h.bulk(strings.Repeat(line, 100)), 413, "too-large")
	checkProblem(t, h.post("/api/v1/namespaces/sfo/programs/gone/invitations:bulk", mediaNDJSON, line), 404, "not-found")
	for status, change := range map[int]func(*Program){
		410: func(p *Program) { p.Survey.Closed = true },
		503: func(p *Program) { p.Store = nil },
	} {
		p := testProgram(testSurvey(), &stubStore{})
		change(&p)
		h.registry.Set(programKey, p)
		wantStatus(t, h.bulk(line), status)
	}
	h, st := stubHarness(t, testSurvey())
	st.invite = func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error) {
		return nil, errors.New("disk full")
	}
	w := h.bulk(line)
	if p := checkProblem(t, w, 503, "unavailable"); strings.Contains(p.Detail, "disk") || w.Header().Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
}

// bulkRequest sends lines to a real server.
func bulkRequest(t *testing.T, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+bulkPath, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+signToken)
	return r
}

// TestBulkThatBreaks: after answers were sent, the last line says what went wrong, and the answer has no end.
func TestBulkThatBreaks(t *testing.T) {
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "{\"id\":%q,\"contact\":\"c%d\"}\n", idOf(i), i)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		body   func() io.Reader
		broken bool
		reason string
	}{
		"store": {func() io.Reader { return strings.NewReader(lines(3000)) }, true, "unavailable"},
		"body":  {func() io.Reader { return strings.NewReader(lines(2000) + strings.Repeat("x", 1<<20)) }, false, "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := stubHarness(t, testSurvey(), func(c *Config) { c.MaxImportBody = 1 << 20 })
			calls := 0
			st.invite = func(in []store.Invitation, _ store.Fatigue) ([]store.InviteResult, error) {
				if calls++; c.broken && calls == 3 {
					return nil, errors.New("disk full")
				}
				results := make([]store.InviteResult, len(in))
				for i := range in {
					results[i] = store.InviteResult{Outcome: store.Stored, ExpiresAt: in[i].ExpiresAt}
				}
				return results, nil
			}
			server := httptest.NewServer(h.Handler())
			defer server.Close()
			answer, err := http.DefaultClient.Do(bulkRequest(t, server.URL, c.body()))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if answer.StatusCode != 200 || err == nil {
				t.Fatalf("%d, whole: %v", answer.StatusCode, err)
			}
			got := bulkAnswers(t, string(body))
			last := got[len(got)-1]
			if len(got) != 2001 || last.Error == nil || last.Error.Type != problemBase+c.reason || got[1999].Error != nil {
				t.Errorf("%d lines, the last %+v", len(got), last)
			}
		})
	}
}

// TestBulkStreams: answers come while lines are still sent, and a call that makes progress may take longer than the server's
// timeouts.
func TestBulkStreams(t *testing.T) {
	h, _ := stubHarness(t, testSurvey())
	server := httptest.NewUnstartedServer(h.Handler())
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	body, lines := io.Pipe()
	sent := make(chan error, 1)
	next := make(chan struct{})
	go func() {
		for batch := range 3 {
			for n := range inviteBatch {
				if _, err := fmt.Fprintf(lines, "{\"id\":%q,\"contact\":\"c%d\"}\n", idOf(batch*inviteBatch+n), n); err != nil {
					sent <- err
					return
				}
			}
			<-next
		}
		sent <- lines.Close()
	}()
	answer, err := http.DefaultClient.Do(bulkRequest(t, server.URL, body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	start, read := time.Now(), bufio.NewScanner(answer.Body)
	for batch := range 3 {
		// Not all of a batch is sent before the next: what fills no buffer waits.
		for range inviteBatch / 2 {
			if !read.Scan() {
				t.Fatalf("batch %d: %v", batch, read.Err())
			}
		}
		for time.Since(start) < time.Duration(batch+1)*60*time.Millisecond {
			<-time.After(time.Millisecond)
		}
		next <- struct{}{}
	}
	rest := 0
	for read.Scan() {
		rest++
	}
	if err = errors.Join(read.Err(), <-sent); err != nil || rest != 3*inviteBatch/2 {
		t.Errorf("%d more lines, %v", rest, err)
	}
}

// TestBulkStandsStill: a body that does not arrive is cut off.
func TestBulkStandsStill(t *testing.T) {
	h, _ := stubHarness(t, testSurvey(), func(c *Config) { c.ChunkTimeout = 50 * time.Millisecond })
	addr := listen(t, h.Handler(), func(*http.Server) {})
	conn := dial(t, addr)
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", bulkPath, signToken); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// TestBulkOfAClientThatGoes: what breaks off is not taken for the client's last line.
func TestBulkOfAClientThatGoes(t *testing.T) {
	h, st := stubHarness(t, testSurvey())
	st.invite = func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error) {
		return nil, errors.New("the store was called")
	}
	r := httptest.NewRequest(http.MethodPost, bulkPath, io.MultiReader(
		strings.NewReader(`{"id":"`+id1+`","contact":"ada"}`), iotest.ErrReader(errors.New("connection reset"))))
	r.Header.Set("Authorization", "Bearer "+signToken)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(context.WithoutCancel(t.Context())))
	checkProblem(t, w, 400, "malformed")
}
