package load

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

const sign = "sign"

func form() *survey.Survey {
	en := func(text string) survey.Texts { return survey.Texts{"en": text} }
	choices := []survey.Choice{{Name: "one", Label: en("One")}, {Name: "two", Label: en("Two")}}
	return &survey.Survey{
		Program: store.Key{Namespace: "sfo", Name: "visits"}, DisplayName: "Visits", DefaultLanguage: "en", Languages: []string{"en"}, Title: en("Visit"),
		Questions: []survey.Question{
			{Name: "recommend", Type: "NPS", Revision: 1, Required: true, Scale: score.Scale{Min: 0, Max: 10}, Text: en("Recommend?")},
			{Name: "trip", Type: "SingleChoice", Revision: 1, Text: en("Trip"), Choices: choices},
			{Name: "used", Type: "MultipleChoice", Revision: 1, Text: en("Used"), Choices: choices},
			{Name: "comment", Type: "Text", Revision: 1, MaxLength: 200, Text: en("Comment")},
		},
		Touchpoints: map[string]survey.Touchpoint{
			"desk": {DisplayName: "Desk", Questions: []string{"recommend", "trip", "used", "comment"}},
			"hall": {DisplayName: "Hall", Questions: []string{"used", "comment"}},
		},
		Units: map[string]string{"a": "A", "b": "B"}, RetentionDays: 30, MinimumCell: 5,
	}
}

// memory is a store that keeps responses as they come.
type memory struct {
	store.Store
	mu   sync.Mutex
	kept map[string]store.Response
	// err is what Append returns.
	err error
}

func (m *memory) Append(_ context.Context, responses []store.Response) ([]store.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	m.kept[responses[0].ID] = responses[0]
	return []store.Result{{Outcome: store.Stored, Receipt: responses[0].Receipt}}, nil
}

func serveIntake(t *testing.T, m *memory) string {
	t.Helper()
	registry := intake.NewRegistry()
	server, err := intake.New(registry, intake.Config{RatePerMinute: -1, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	m.kept = map[string]store.Response{}
	registry.Set(form().Program, intake.Program{Survey: form(), Store: m, Tokens: intake.Tokens{Sign: sign}})
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return strings.TrimPrefix(listening.URL, "http://")
}

func plan(kind Kind, target string) Plan {
	return Plan{
		Targets: []string{target}, Kind: kind, Survey: form(), Sign: sign, Clients: 4, WarmUp: 50 * time.Millisecond, Duration: 500 * time.Millisecond, Timeout: 10 * time.Second,
	}
}

// What intake stores is what was sent: all of it is taken for that of people, and of the right form.
func TestRun(t *testing.T) {
	for _, kind := range []Kind{JSON, Form} {
		t.Run(string(kind), func(t *testing.T) {
			var m memory
			r, err := Run(t.Context(), plan(kind, serveIntake(t, &m)))
			if err != nil {
				t.Fatal(err)
			}
			if r.Total.Failures()+r.Total.Shed > 0 || int(r.Total.Accepted) != len(m.kept) || r.Accepted < 1 || r.Accepted > r.Total.Accepted {
				t.Errorf("%+v, %d are kept", r, len(m.kept))
			}
			if r.Seconds != 0.5 || r.Latency.P50 <= 0 || r.Latency.P50 > r.Latency.P99 || r.Latency.P99 > r.Latency.Max {
				t.Errorf("%v s, latency %+v", r.Seconds, r.Latency)
			}
			values := map[string]bool{}
			for _, response := range m.kept {
				if response.Standing == store.StandingSuspect || (kind == Form) != !response.StartedAt.IsZero() {
					t.Fatalf("stored as %+v", response)
				}
				values[response.Touchpoint+response.Unit] = true
				for _, a := range response.Answers {
					values[a.Question+"="+string(a.Kind)+a.Values[0]] = true
				}
			}
			if len(values) < 20 {
				t.Errorf("the answers do not vary: %v", values)
			}
		})
	}
}

func TestRateAndEnd(t *testing.T) {
	var m memory
	p := plan(JSON, serveIntake(t, &m))
	p.WarmUp, p.Rate, p.Clients = 0, 100, 20
	r, err := Do(t.Context(), p)
	if err != nil || r.Total.Accepted < 1 || r.Total.Accepted > 50 {
		t.Errorf("0.5 s of 100 requests a second: %+v, %v", r, err)
	}
	p.Rate, p.Duration, p.Accepted = 0, time.Hour, 50
	r, err = Do(t.Context(), p)
	if err != nil || r.Total.Accepted < 50 || r.Total.Accepted > 70 || r.Seconds > 60 {
		t.Errorf("until 50 were accepted: %+v, %v", r, err)
	}
}

func TestShed(t *testing.T) {
	m := memory{err: store.ErrBusy}
	p := plan(Form, serveIntake(t, &m))
	p.Patient = true
	r, err := Do(t.Context(), p)
	if err != nil || r.Total.Shed != 4 || r.Total.Failures() != 0 || r.Total.Unknown() != 4 {
		t.Errorf("clients that wait: %+v, %v", r, err)
	}
	p.Patient = false
	if r, err = Do(t.Context(), p); err != nil || r.Total.Shed < 5 || r.Total.Accepted != 0 {
		t.Errorf("clients that do not: %+v, %v", r, err)
	}
}

func TestFailures(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		count  func(Total) int64
	}{
		"repeated": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }, func(t Total) int64 { return t.Repeated }},
		"refused":  {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }, func(t Total) int64 { return t.Refused }},
		"hasty":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, func(t Total) int64 { return t.Hasty }},
		"broken":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(t Total) int64 { return t.Broken }},
		"timeout":  {func(http.ResponseWriter, *http.Request) { <-hang }, func(t Total) int64 { return t.Timeouts }},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.handle)
			t.Cleanup(server.CloseClientConnections)
			p := plan(JSON, strings.TrimPrefix(server.URL, "http://"))
			p.Clients = 1
			if name == "timeout" {
				p.Timeout = 50 * time.Millisecond
			}
			r, err := Do(t.Context(), p)
			if err != nil || c.count(r.Total) < 1 || c.count(r.Total) != r.Total.Failures() || r.Total.First == "" {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	if _, err := Do(t.Context(), Plan{}); err == nil {
		t.Error("an empty plan was done")
	}
	if _, err := Run(t.Context(), Plan{}); err == nil || !strings.Contains(err.Error(), "lacks") {
		t.Errorf("an empty plan in another process: %v", err)
	}
}

var hidden = regexp.MustCompile(`<input (?:type="hidden" |id="website" )name="(\w+)"`)

// What a page sends besides answers is sent, and nothing else.
func TestFormIsThePages(t *testing.T) {
	var m memory
	target := serveIntake(t, &m)
	a := NewAnswers(form(), sign, NewSeed())
	for range 10 {
		body, path := a.AppendForm(nil, time.Now())
		sent, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.Get("http://" + target + path + "&team=" + sent.Get("_team"))
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, match := range hidden.FindAllSubmatch(page, -1) {
			want = append(want, string(match[1]))
		}
		for name := range sent {
			if strings.HasPrefix(name, "_") {
				got = append(got, name)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if len(want) == 0 || !slices.Equal(want, got) || !strings.Contains(string(page), `action="`+path+`"`) {
			t.Errorf("the page of %s sends %q, the load %q", path, want, got)
		}
	}
}

func TestJSONIsASubmission(t *testing.T) {
	a := NewAnswers(form(), sign, NewSeed())
	for range 1000 {
		body := a.AppendJSON(nil)
		if !json.Valid(body) {
			t.Fatalf("%s", body)
		}
		sub, err := survey.DecodeSubmission(body)
		if err != nil {
			t.Fatal(err)
		}
		if _, wrong := form().Accept(sub, survey.Rules{Now: time.Now()}); len(wrong) > 0 {
			t.Fatalf("%s: %+v", body, wrong)
		}
	}
}
