package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestSubmit(t *testing.T) {
	h := newHarness(t)
	body := `{"id":"` + strings.ToUpper(id1) + `","touchpoint":"security","team":"area-a","language":"en","answers":{"security":4,"comment":"ok"}}`
	w := h.submit(body)
	wantStatus(t, w, http.StatusCreated)
	first := decode[receiptAnswer](t, w)
	if first.ID != id1 || !isReceipt(first.Receipt) {
		t.Errorf("answered %+v", first)
	}
	for _, again := range []string{body, `{"answers":{"comment":"ok","security":4},"language":"en","team":"area-a","touchpoint":"security","id":"` + id1 + `"}`} {
		w = h.submit(again)
		wantStatus(t, w, http.StatusOK)
		if got := decode[receiptAnswer](t, w); got != first {
			t.Errorf("the repeat was answered %+v, not %+v", got, first)
		}
	}
	stored := h.stored()
	if len(stored) != 1 || stored[0].Receipt != first.Receipt || stored[0].Unit != "area-a" || stored[0].Touchpoint != "security" {
		t.Errorf("stored %+v", stored)
	}
	if got := h.counted(h.Server.metrics.accepted); got != 1 {
		t.Errorf("%v accepted, want 1: a repeat is not accepted again", got)
	}
}

// TestSubmitRefused has every status of the contract that is no success.
func TestSubmitRefused(t *testing.T) {
	answers := func(list string) string { return `{"id":"` + id2 + `","answers":{` + list + `}}` }
	type want struct {
		status   int
		reason   string
		pointers []string
	}
	for name, c := range map[string]struct {
		path, mediaType, body string
		header                []string
		want                  want
	}{
		"conflict":       {body: `{"id":"` + id1 + `","answers":{"recommend":8}}`, want: want{409, "conflict", []string{"/id conflict"}}},
		"not JSON":       {body: `{"id":`, want: want{400, "malformed", nil}},
		"empty":          {body: ``, want: want{400, "malformed", nil}},
		"not an object":  {body: `[]`, want: want{400, "malformed", nil}},
		"two objects":    {body: answers(`"recommend":9`) + "{}", want: want{400, "malformed", nil}},
		"member twice":   {body: `{"id":"` + id2 + `","answers":{"recommend":9,"recommend":8}}`, want: want{400, "malformed", nil}},
		"unknown member": {body: `{"id":"` + id2 + `","answer":{"recommend":9}}`, want: want{400, "malformed", nil}},
		"not UTF-8":      {body: answers(`"recommend":9,"comment":"` + "\xff" + `"`), want: want{400, "malformed", nil}},
		"no id":          {body: `{"answers":{"recommend":9}}`, want: want{422, "invalid", []string{"/id required"}}},
		"id":             {body: `{"id":"x","answers":{"recommend":9}}`, want: want{422, "invalid", []string{"/id format"}}},
		"no answers":     {body: `{"id":"` + id2 + `"}`, want: want{422, "invalid", []string{"/answers required"}}},
		"question":       {body: answers(`"recommend":9,"a/b~c":1`), want: want{422, "invalid", []string{"/answers/a~1b~0c unknown"}}},
		"touchpoint":     {body: `{"id":"` + id2 + `","touchpoint":"gone","answers":{"security":4}}`, want: want{422, "invalid", []string{"/touchpoint unknown"}}},
		"not asked there": {body: `{"id":"` + id2 + `","touchpoint":"security","answers":{"recommend":4}}`,
			want: want{422, "invalid", []string{"/answers/recommend unknown"}}},
		"team":        {body: `{"id":"` + id2 + `","team":"gone","answers":{"recommend":4}}`, want: want{422, "invalid", []string{"/team unknown"}}},
		"required":    {body: answers(`"security":4`), want: want{422, "invalid", []string{"/answers/recommend required"}}},
		"submittedAt": {body: `{"id":"` + id2 + `","submittedAt":"2026-01-01T00:00:00Z","answers":{"recommend":4}}`, want: want{422, "invalid", []string{"/submittedAt unknown"}}},
		"several at once": {body: answers(`"recommend":11,"security":"4","trip":"cruise","used":["wifi","pool"],"comment":"` + strings.Repeat("x", 201) + `"`),
			want: want{422, "invalid", []string{"/answers/recommend range", "/answers/security type", "/answers/trip choice", "/answers/used/1 choice", "/answers/comment length"}}},
		"no program":    {path: "/api/v1/namespaces/sfo/programs/gone/responses", body: answers(`"recommend":9`), want: want{404, "not-found", nil}},
		"no address":    {path: apiPath + "/1", body: answers(`"recommend":9`), want: want{404, "not-found", nil}},
		"media type":    {mediaType: "text/plain", body: answers(`"recommend":9`), want: want{415, "unsupported", nil}},
		"charset":       {mediaType: "application/json; charset=utf-16", body: answers(`"recommend":9`), want: want{415, "unsupported", nil}},
		"coding":        {body: answers(`"recommend":9`), header: []string{"Content-Encoding", "br"}, want: want{415, "unsupported", nil}},
		"not gzip":      {body: answers(`"recommend":9`), header: []string{"Content-Encoding", "gzip"}, want: want{400, "malformed", nil}},
		"too large":     {body: answers(`"recommend":9,"comment":"` + strings.Repeat("x", 64<<10) + `"`), want: want{413, "too-large", nil}},
		"unpacks large": {body: string(compress(bytes.Repeat([]byte(" "), 65<<10))), header: []string{"Content-Encoding", "gzip"}, want: want{413, "too-large", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			wantStatus(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusCreated)
			if c.path == "" {
				c.path = apiPath
			}
			if c.mediaType == "" {
				c.mediaType = "application/json; charset=UTF-8"
			}
			w := h.post(c.path, c.mediaType, c.body, c.header...)
			got := checkProblem(t, w, c.want.status, c.want.reason)
			var pointers []string
			for _, e := range got.Errors {
				pointers = append(pointers, e.Pointer+" "+e.Code)
			}
			if diff := cmp.Diff(c.want.pointers, pointers); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if len(h.stored()) != 1 {
				t.Error("what was refused is stored")
			}
			if c.want.status != 404 && h.counted(h.Server.metrics.rejected, "reason", c.want.reason) != 1 {
				t.Error("the refusal was not counted")
			}
		})
	}
}

// checkProblem checks the form of a problem.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, status int, reason string) problem {
	t.Helper()
	wantStatus(t, w, status)
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	p := decode[problem](t, w)
	if p.Status != status || p.Type != problemBase+reason || p.Title == "" {
		t.Errorf("problem %+v, want %s", p, reason)
	}
	return p
}

func TestSubmitGzip(t *testing.T) {
	h := newHarness(t)
	body := compress([]byte(`{"id":"` + id1 + `","answers":{"recommend":9}}`))
	wantStatus(t, h.post(apiPath, mediaJSON, string(body), "Content-Encoding", "gzip"), http.StatusCreated)
	var broken bytes.Buffer
	zw := gzip.NewWriter(&broken)
	_, _ = zw.Write([]byte(`{"id":"` + id2 + `","answers":{"recommend":9}}`))
	_ = zw.Flush()
	checkProblem(t, h.post(apiPath, mediaJSON, broken.String(), "Content-Encoding", "gzip"), 400, "malformed")
}

func TestSubmitClosed(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Closed = true
	h.serve(s)
	checkProblem(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusGone, "closed")
	if len(h.stored()) != 0 {
		t.Error("a closed program took an answer")
	}
}

func TestSubmitWhileTheStoreFails(t *testing.T) {
	for name, c := range map[string]struct {
		store store.Store
		retry string
	}{
		"away":   {nil, "5"},
		"busy":   {&stubStore{append: failing(store.ErrBusy)}, "1"},
		"closed": {&stubStore{append: failing(store.ErrClosed)}, "5"},
		"broken": {&stubStore{append: failing(errors.New("disk full"))}, "5"},
		"slow": {&stubStore{append: func(ctx context.Context, _ []store.Response) ([]store.Result, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.QueueTimeout = 20 * time.Millisecond })
			h.withStore(c.store)
			w := h.submit(`{"id":"` + id1 + `","answers":{"recommend":9}}`)
			p := checkProblem(t, w, http.StatusServiceUnavailable, "unavailable")
			if got := w.Header().Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After %q, want %s", got, c.retry)
			}
			if strings.Contains(p.Detail, "disk") {
				t.Errorf("the detail tells of the inside: %s", p.Detail)
			}
		})
	}
}

func failing(err error) func(context.Context, []store.Response) ([]store.Result, error) {
	return func(context.Context, []store.Response) ([]store.Result, error) { return nil, err }
}

func TestSubmitTooMany(t *testing.T) {
	clock := now
	h := newHarness(t, func(c *Config) {
		c.RatePerMinute, c.RateBurst, c.Clock = 60, 2, func() time.Time { return clock }
	})
	send := func(n int, client string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, apiPath, strings.NewReader(fmt.Sprintf(`{"id":"7d444840-9dc0-4ad1-b245-%012d","answers":{"recommend":9}}`, n)))
		r.Header.Set("Content-Type", mediaJSON)
		r.RemoteAddr = client
		return h.do(r)
	}
	wantStatus(t, send(1, "192.0.2.1:1000"), http.StatusCreated)
	wantStatus(t, send(2, "192.0.2.1:2000"), http.StatusCreated)
	w := send(3, "192.0.2.1:3000")
	checkProblem(t, w, http.StatusTooManyRequests, "too-many")
	if got := w.Header().Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	wantStatus(t, send(4, "192.0.2.2:1000"), http.StatusCreated)
	clock = clock.Add(time.Second)
	wantStatus(t, send(3, "192.0.2.1:3000"), http.StatusCreated)
	if got := len(h.stored()); got != 4 {
		t.Errorf("%d responses, want 4", got)
	}
}

func TestSubmitBrokenBody(t *testing.T) {
	h := newHarness(t)
	r := httptest.NewRequest(http.MethodPost, apiPath, iotest.ErrReader(errors.New("connection reset by 192.0.2.1")))
	r.Header.Set("Content-Type", mediaJSON)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if p := checkProblem(t, w, http.StatusBadRequest, "malformed"); strings.Contains(p.Detail, "192.0.2.1") {
		t.Errorf("detail %q", p.Detail)
	}
}

// TestSubmitAtOnce sends the same ids from many clients: each is stored once, and all get the same receipt.
func TestSubmitAtOnce(t *testing.T) {
	h := newHarness(t)
	const ids, times = 20, 8
	receipts := make([][times]string, ids)
	var wg sync.WaitGroup
	for i := range ids {
		for j := range times {
			wg.Go(func() {
				r := httptest.NewRequest(http.MethodPost, apiPath, strings.NewReader(fmt.Sprintf(`{"id":"7d444840-9dc0-4ad1-b245-%012d","answers":{"recommend":%d}}`, i, i%11)))
				r.Header.Set("Content-Type", mediaJSON)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusCreated && w.Code != http.StatusOK {
					t.Errorf("status %d: %s", w.Code, w.Body)
					return
				}
				var answer receiptAnswer
				if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
					t.Error(err)
				}
				receipts[i][j] = answer.Receipt
			})
		}
		wg.Go(func() { h.serve(testSurvey()) })
		wg.Go(func() { h.get(pagePath) })
	}
	wg.Wait()
	for i, all := range receipts {
		for _, receipt := range all {
			if receipt != all[0] {
				t.Errorf("id %d has several receipts: %v", i, all)
				break
			}
		}
	}
	if got := h.counted(h.Server.metrics.accepted); len(h.stored()) != ids || got != ids {
		t.Errorf("%d stored, %v counted, want %d", len(h.stored()), got, ids)
	}
}

func TestMethods(t *testing.T) {
	h := newHarness(t)
	for path, allow := range map[string]string{
		pagePath: "GET, HEAD, POST", pagePath + "/security": "GET, HEAD, POST", apiPath: "GET, HEAD, POST", importPath: "POST", "/openapi.json": "GET, HEAD",
	} {
		w := h.do(httptest.NewRequest(http.MethodDelete, path, nil))
		wantStatus(t, w, http.StatusMethodNotAllowed)
		if got := w.Header().Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, want %q", path, got, allow)
		}
	}
	checkProblem(t, h.do(httptest.NewRequest(http.MethodPut, apiPath, nil)), 405, "method-not-allowed")
	checkProblem(t, h.get("/nothing"), 404, "not-found")
}
