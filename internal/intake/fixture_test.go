package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/internal/survey"
)

var (
	programKey = store.Key{Namespace: "sfo", Name: "passenger"}
	formKey    = link.NewFormKey(signToken, "sfo", "passenger")
	linkKey    = link.NewKey(signToken, "sfo", "passenger")
	now        = time.Date(2026, time.November, 21, 9, 30, 0, 0, time.UTC)
)

const (
	importToken = "import-token-of-the-test"
	readToken   = "read-token-of-the-test"
	signToken   = "sign-token-of-the-test"
	contactKey  = "contact-key-of-the-test"
	pagePath    = "/s/sfo/passenger"
	apiPath     = "/api/v1/namespaces/sfo/programs/passenger/responses"
	importPath  = apiPath + ":import"
	id1         = "7d444840-9dc0-4ad1-b245-5ffdce74fad2"
	id2         = "0b7b2a14-5a4c-4f0c-8d7e-0d2f3c6a9b11"
)

// testSurvey has every type of question.
func testSurvey() *survey.Survey {
	return &survey.Survey{
		Program: programKey, DisplayName: "Passenger experience", Asker: "San Francisco International Airport",
		DefaultLanguage: "en", Languages: []string{"en", "es"},
		Title:         survey.Texts{"en": "How was your time at SFO?", "es": "¿Cómo fue su paso por SFO?"},
		PrivacyNotice: survey.Texts{"en": "Please do not write names.\nAsk us at <privacy@example.org>.", "es": "No escriba nombres, por favor."},
		Questions: []survey.Question{
			{Name: "recommend", Type: "NPS", Revision: 1, Required: true, Scale: score.Scale{Min: 0, Max: 10},
				Text: survey.Texts{"en": "How likely are you to recommend SFO?", "es": "¿Recomendaría SFO?"}},
			{Name: "security", Type: "CSAT", Revision: 2, Scale: score.Scale{Min: 1, Max: 5},
				Text: survey.Texts{"en": "Passing through security & screening", "es": "El control de seguridad"}},
			{Name: "ease", Type: "CES", Revision: 1, Scale: score.Scale{Min: 1, Max: 7},
				Text: survey.Texts{"en": "How easy was it to find your way?"}},
			{Name: "signs", Type: "Rating", Revision: 1, Scale: score.Scale{Min: 1, Max: 10},
				Text: survey.Texts{"en": "Signs", "es": "Señales"}},
			{Name: "trip", Type: "SingleChoice", Revision: 1, Text: survey.Texts{"en": "Your trip", "es": "Su viaje"},
				Choices: []survey.Choice{
					{Name: "business", Label: survey.Texts{"en": "Business", "es": "Trabajo"}},
					{Name: "leisure", Label: survey.Texts{"en": "Leisure", "es": "Ocio"}},
				}},
			{Name: "used", Type: "MultipleChoice", Revision: 1, Text: survey.Texts{"en": "What did you use?", "es": "¿Qué usó?"},
				Choices: []survey.Choice{
					{Name: "wifi", Label: survey.Texts{"en": "WiFi", "es": "WiFi"}},
					{Name: "lounge", Label: survey.Texts{"en": "Lounge", "es": "Sala VIP"}},
					{Name: "none", Label: survey.Texts{"en": "None of <these>", "es": "Nada"}},
				}},
			{Name: "comment", Type: "Text", Revision: 1, MaxLength: 200,
				Text: survey.Texts{"en": "What should we know?", "es": "¿Qué deberíamos saber?"}},
		},
		Touchpoints: map[string]survey.Touchpoint{
			"security": {DisplayName: "Security and screening", Questions: []string{"security", "comment"}},
		},
		Units:         map[string]string{"area-a": "Boarding area A", "area-g": "Boarding area G"},
		RetentionDays: 730, MinimumCell: 5,
	}
}

// counter is a source of bytes that are the same in every run.
type counter struct {
	mu sync.Mutex
	n  byte
}

func (c *counter) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

// receiptAnswer is the body of 201 and 200.
type receiptAnswer struct {
	ID      string `json:"id"`
	Receipt string `json:"receipt"`
}

// harness is a server over a real store, and a client that checks every answer against the OpenAPI document.
type harness struct {
	*Server
	t        *testing.T
	registry *Registry
	store    store.Store
	metrics  *prometheus.Registry
}

func newHarness(t *testing.T, change ...func(*Config)) *harness {
	t.Helper()
	return harnessOver(t, openStore(t), change...)
}

func harnessOver(t *testing.T, st store.Store, change ...func(*Config)) *harness {
	t.Helper()
	metrics := prometheus.NewPedanticRegistry()
	config := Config{
		RatePerMinute: -1, Clock: func() time.Time { return now }, Log: logr.Discard(), Registerer: metrics, Rand: &counter{},
	}
	for _, c := range change {
		c(&config)
	}
	registry := NewRegistry()
	server, err := New(registry, config)
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{Server: server, t: t, registry: registry, store: st, metrics: metrics}
	h.serve(testSurvey())
	return h
}

func openStore(t testing.TB) store.Store {
	t.Helper()
	st, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "responses.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return st
}

func (h *harness) serve(s *survey.Survey) {
	h.registry.Set(s.Program, testProgram(s, h.store))
}

func testProgram(s *survey.Survey, st store.Store) Program {
	return Program{
		Survey: s, Store: st, Tokens: Tokens{Import: importToken, Read: readToken, Sign: signToken}, ContactKey: []byte(contactKey),
	}
}

// withStore serves the program over another store; nil is one that is away.
func (h *harness) withStore(st store.Store) {
	h.registry.Set(programKey, testProgram(testSurvey(), st))
}

// do answers a request, and fails the test where the OpenAPI document does not allow the answer.
func (h *harness) do(r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	checkAgainstDocument(h.t, r, body, w)
	return w
}

func (h *harness) get(path string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (h *harness) post(path, mediaType, body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return h.do(r)
}

// postForm sends a form as the page of the address would: with the token of a form that was opened a minute ago, unless the
// values say otherwise.
func (h *harness) postForm(path string, values url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	if !values.Has(fieldForm) && uuid.Validate(values.Get(fieldID)) == nil {
		values = maps.Clone(values)
		form := link.Form{ID: values.Get(fieldID), Touchpoint: strings.Trim(strings.TrimPrefix(path, pagePath), "/"), Team: values.Get(fieldTeam)}
		values.Set(fieldForm, formKey.Sign(form, now.Add(-time.Minute)))
	}
	return h.post(path, mediaForm, values.Encode())
}

func (h *harness) submit(body string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(apiPath, mediaJSON, body)
}

func (h *harness) importLines(lines ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(importPath, mediaNDJSON, strings.Join(lines, "\n"), "Authorization", "Bearer "+importToken)
}

func (h *harness) export(format string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, apiPath+"?format="+format, nil)
	r.Header.Set("Authorization", "Bearer "+readToken)
	return h.do(r)
}

// stored returns the program's responses, after a check that the counts are right.
func (h *harness) stored() []store.Response {
	h.t.Helper()
	return responsesIn(h.t, h.store)
}

func responsesIn(t testing.TB, st store.Store) []store.Response {
	t.Helper()
	var all []store.Response
	if err := st.Export(context.Background(), programKey, func(r store.Response) error {
		all = append(all, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check, err := st.Recount(context.Background(), programKey)
	if err != nil {
		t.Fatal(err)
	}
	if check.Responses != int64(len(all)) || len(check.Differences) > 0 {
		t.Errorf("recount: %+v, exported %d", check, len(all))
	}
	return all
}

// metric returns the value of a counter with these labels: program's, then more as name, value.
func (h *harness) counted(metric *prometheus.CounterVec, more ...string) float64 {
	h.t.Helper()
	labels := prometheus.Labels{"namespace": programKey.Namespace, "program": programKey.Name}
	for i := 0; i < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return testutil.ToFloat64(metric.With(labels))
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// metricNames are the names of the metrics that have a series.
func (h *harness) metricNames() []string {
	h.t.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	return names
}

// wordFields returns the texts of words by the name of their field, those of a number as "Field.form".
func wordFields(w words) map[string]string {
	fields := map[string]string{}
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).Kind() == reflect.String {
			fields[name] = v.Field(i).String()
			continue
		}
		for j := range v.Field(i).NumField() {
			fields[name+"."+v.Field(i).Type().Field(j).Name] = v.Field(i).Field(j).String()
		}
	}
	return fields
}
