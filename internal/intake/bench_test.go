package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// discard is an answer that nobody reads, for counts that are of the handler alone.
type discard struct {
	header http.Header
	status int
	size   int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(b []byte) (int, error) {
	d.size += len(b)
	return len(b), nil
}

func (d *discard) reset() {
	clear(d.header)
	d.status, d.size = 0, 0
}

// call is a request that can be made again and again, as a connection that is kept makes it.
type call struct {
	request *http.Request
	body    *bytes.Reader
	content []byte
	answer  discard
}

func newCall(method, target, mediaType string, content []byte) *call {
	c := &call{body: bytes.NewReader(content), content: content, answer: discard{header: http.Header{}}}
	c.request = httptest.NewRequest(method, target, nil)
	c.request.Header.Set("Accept-Encoding", "gzip")
	c.request.Header.Set("Accept-Language", "en-GB,en;q=0.9,de;q=0.8")
	if mediaType != "" {
		c.request.Header.Set("Content-Type", mediaType)
		c.request.Body, c.request.ContentLength = io.NopCloser(c.body), int64(len(content))
	}
	return c
}

// do makes the request, and returns the status and size of the answer.
func (c *call) do(h http.Handler) (status, size int) {
	c.body.Reset(c.content)
	c.answer.reset()
	h.ServeHTTP(&c.answer, c.request)
	return c.answer.status, c.answer.size
}

// quickServer is a server as a process has it, without limits on clients, over a store that keeps nothing.
func quickServer(t testing.TB) *Server {
	t.Helper()
	registry := NewRegistry()
	server, err := New(registry, Config{RatePerMinute: -1, Log: logr.Discard(), Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	registry.Set(programKey, testProgram(compiledSurvey(), quickStore{}))
	return server
}

// compiledSurvey is testSurvey with a digest, as compiled surveys have it.
func compiledSurvey() *survey.Survey {
	s := testSurvey()
	s.Hash = "the digest of testSurvey"
	return s
}

const answerBody = `{"id":"` + id1 + `","touchpoint":"","language":"en","answers":{"recommend":9,"security":4,"trip":"leisure","used":["wifi","lounge"],"comment":"Short queues, kind staff."}}`

func answerForm() []byte {
	return []byte(url.Values{
		fieldID: {id1}, fieldLanguage: {"en"}, fieldForm: {formKey.Sign(link.Form{ID: id1}, time.Now().Add(-time.Minute))}, fieldTrap: {""},
		"recommend": {"9"}, "security": {"4"}, "trip": {"leisure"}, "used": {"wifi", "lounge"}, "comment": {"Short queues, kind staff."},
	}.Encode())
}

// bareJSON and bareForm read and parse the same bodies, and answer 201.
func bareJSON(w http.ResponseWriter, r *http.Request) {
	var sub struct {
		ID, Touchpoint, Language string
		Answers                  map[string]any
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &sub) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func bareForm(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if _, err := url.ParseQuery(string(body)); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func benchmark(b *testing.B, h http.Handler, c *call, want int) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if status, _ := c.do(h); status != want {
			b.Fatalf("status %d, want %d", status, want)
		}
	}
}

func BenchmarkAnswerJSON(b *testing.B) {
	benchmark(b, quickServer(b), newCall(http.MethodPost, apiPath, mediaJSON, []byte(answerBody)), http.StatusCreated)
}

func BenchmarkBareJSON(b *testing.B) {
	benchmark(b, http.HandlerFunc(bareJSON), newCall(http.MethodPost, apiPath, mediaJSON, []byte(answerBody)), http.StatusCreated)
}

func BenchmarkAnswerForm(b *testing.B) {
	benchmark(b, quickServer(b), newCall(http.MethodPost, pagePath+sentQuery, mediaForm, answerForm()), http.StatusSeeOther)
}

// BenchmarkAnswerTouchpoint is a form of a touchpoint and team.
func BenchmarkAnswerTouchpoint(b *testing.B) {
	form := url.Values{
		fieldID: {id1}, fieldLanguage: {"en"}, fieldTeam: {"area-g"}, fieldTrap: {""}, "security": {"4"}, "comment": {"Short queues, kind staff."},
		fieldForm: {formKey.Sign(link.Form{ID: id1, Touchpoint: "security", Team: "area-g"}, time.Now().Add(-time.Minute))},
	}
	benchmark(b, quickServer(b), newCall(http.MethodPost, pagePath+"/security"+sentQuery, mediaForm, []byte(form.Encode())), http.StatusSeeOther)
}

func BenchmarkBareForm(b *testing.B) {
	benchmark(b, http.HandlerFunc(bareForm), newCall(http.MethodPost, pagePath+sentQuery, mediaForm, answerForm()), http.StatusCreated)
}

func BenchmarkPage(b *testing.B) {
	benchmark(b, quickServer(b), newCall(http.MethodGet, pagePath, "", nil), http.StatusOK)
}

func BenchmarkPageLinked(b *testing.B) {
	token, err := linkKey.Sign(link.Link{ID: id2, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, quickServer(b), newCall(http.MethodGet, pagePath+"?"+paramInvitation+"="+token, "", nil), http.StatusOK)
}

// BenchmarkPageRendered is what the first page of its kind costs, which nothing was kept of.
func BenchmarkPageRendered(b *testing.B) {
	server := quickServer(b)
	server.registry.Set(programKey, testProgram(testSurvey(), quickStore{}))
	benchmark(b, server, newCall(http.MethodGet, pagePath, "", nil), http.StatusOK)
}

func BenchmarkThanks(b *testing.B) {
	benchmark(b, quickServer(b), newCall(http.MethodGet, pagePath+"?lang=en&receipt="+strings.Repeat("A", receiptLength), "", nil), http.StatusOK)
}

// TestAllocations: what an answer and a page cost stays what it is.
func TestAllocations(t *testing.T) {
	token, err := linkKey.Sign(link.Link{ID: id2, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		call *call
		want int
		most float64
	}{
		"an answer as JSON":   {newCall(http.MethodPost, apiPath, mediaJSON, []byte(answerBody)), http.StatusCreated, 32},
		"an answer as a form": {newCall(http.MethodPost, pagePath+sentQuery, mediaForm, answerForm()), http.StatusSeeOther, 62},
		"a page":              {newCall(http.MethodGet, pagePath, "", nil), http.StatusOK, 24},
		"a page of a link":    {newCall(http.MethodGet, pagePath+"?"+paramInvitation+"="+token, "", nil), http.StatusOK, 36},
	} {
		alone, among := allocations(t, quickServer(t), c.call, c.want), allocations(t, crowdedServer(t), c.call, c.want)
		if raced { // then pools forget by chance
			continue
		}
		if alone > c.most || among != alone {
			t.Errorf("%s: %v allocations, among 10,000 programs %v, want at most %v", name, alone, among, c.most)
		}
	}
}

func allocations(t *testing.T, h http.Handler, c *call, want int) float64 {
	t.Helper()
	return testing.AllocsPerRun(200, func() {
		if status, _ := c.do(h); status != want {
			t.Fatalf("status %d, want %d", status, want)
		}
	})
}

// crowdedServer is a quickServer that serves 10,000 programs.
func crowdedServer(t *testing.T) *Server {
	t.Helper()
	server := quickServer(t)
	for i := range 10_000 {
		s := compiledSurvey()
		s.Program.Name = fmt.Sprintf("program-%d", i)
		s.Hash = s.Program.Name
		server.registry.Set(s.Program, Program{Survey: s, Store: quickStore{}})
	}
	return server
}
