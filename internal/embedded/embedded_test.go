package embedded

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// server is the PostgreSQL server of the tests.
var server *pgtest.Server

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(pgtest.Options{}, func(s *pgtest.Server) int {
		server = s
		// The server's keeper lives as long as the server.
		keeper := goleak.IgnoreCurrent()
		code := m.Run()
		if err := goleak.Find(keeper); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}))
}

var (
	visits  = store.Key{Namespace: "sfo", Name: "visits"}
	answers = store.Key{Namespace: "sfo", Name: "answers"}
	tokens  = intake.Tokens{Import: "let-me-in", Read: "let-me-out"}
)

// form is a survey with one question and one touchpoint; another title is another survey.
func form(title string) *survey.Survey {
	return &survey.Survey{
		Program: visits, DisplayName: "Visits", DefaultLanguage: "en", Languages: []string{"en"}, Title: survey.Texts{"en": title},
		Questions: []survey.Question{{
			Name: "ease", Type: "CES", Revision: 1, Text: survey.Texts{"en": "How easy was it?"}, Scale: score.Scale{Min: 1, Max: 7},
		}},
		Touchpoints:   map[string]survey.Touchpoint{"desk": {DisplayName: "Desk", Questions: []string{"ease"}}},
		RetentionDays: 30, MinimumCell: 5, Hash: "hash of " + title,
	}
}

// served is an endpoint that runs, with a clock that the test moves.
type served struct {
	*Endpoint
	t     *testing.T
	mu    sync.Mutex
	now   time.Time
	stop  func() error
	heard <-chan event.TypedGenericEvent[store.Key]
	// stores tells of stores.
	stores <-chan event.TypedGenericEvent[store.Key]
}

func (s *served) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *served) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func start(t *testing.T, dir string) *served {
	t.Helper()
	s := &served{t: t, now: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)}
	endpoint, err := New(Options{
		Dir: dir, Address: "127.0.0.1:0", PublicURL: "http://survey.test", Book: rollup.NewBook(), Clock: s.clock, StaleAfter: time.Minute,
		Intake: intake.Config{RatePerMinute: -1, Clock: s.clock},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoint, s.heard, s.stores = endpoint, endpoint.Subscribe(), endpoint.SubscribeStores()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- endpoint.Start(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		return <-done
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the endpoint ended with %v", err)
		}
	})
	s.eventually("the endpoint listens", func() bool { return endpoint.Addr() != nil })
	return s
}

func (s *served) eventually(what string, check func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not in time", what)
		}
		<-tick.C
	}
}

// tell waits until subscribers hear of the program.
func (s *served) tell() {
	s.t.Helper()
	select {
	case e := <-s.heard:
		if e.Object != visits {
			s.t.Errorf("heard of %s", e.Object)
		}
	case <-time.After(30 * time.Second):
		s.t.Fatal("nobody was told")
	}
}

// silent forgets what was heard so far.
func (s *served) silent() {
	for {
		select {
		case <-s.heard:
		case <-s.stores:
		default:
			return
		}
	}
}

func (s *served) call(method, path, token, contentType, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (s *served) expect(want int, method, path, token, contentType, body string) string {
	s.t.Helper()
	status, text := s.call(method, path, token, contentType, body)
	if status != want {
		s.t.Errorf("%s %s: %d instead of %d: %.300s", method, path, status, want, text)
	}
	return text
}

const responses = "/api/v1/namespaces/sfo/programs/visits/responses"

func (s *served) submit(want int) {
	s.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"touchpoint":"desk","answers":{"ease":7}}`, uuid.NewString())
	s.expect(want, http.MethodPost, responses, "", "application/json", body)
}

func (s *served) open() {
	s.t.Helper()
	info, err := s.OpenStore(s.t.Context(), answers)
	if err != nil || info.Engine != "SQLite" || info.SchemaVersion < 1 {
		s.t.Fatalf("%+v, %v", info, err)
	}
}

func (s *served) serve(sv *survey.Survey) {
	s.t.Helper()
	if err := s.Serve("answers", sv, Secrets{Tokens: tokens}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *served) count() int64 {
	w := s.options.Book.Window(rollup.Query{
		Source: answers.String(), Program: visits, Touchpoint: "desk", Question: "ease", Revision: 1,
		From: store.HourOf(s.clock()) - 1, To: store.HourOf(s.clock()) + 1,
	})
	return w.Values["7"]
}

func TestNewRefusesAPublicURL(t *testing.T) {
	for _, url := range []string{"", "survey.test", "ftp://survey.test", "http://", "://"} {
		if _, err := New(Options{PublicURL: url}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

func TestURL(t *testing.T) {
	e, err := New(Options{PublicURL: "https://survey.test:8443/"})
	if err != nil {
		t.Fatal(err)
	}
	for touchpoint, want := range map[string]string{
		"": "https://survey.test:8443/s/sfo/visits", "desk": "https://survey.test:8443/s/sfo/visits/desk",
	} {
		if got := e.URL(visits, touchpoint); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A program may be served before its store is open and the other way round; answers are taken once both are there.
func TestServeAndOpenInAnyOrder(t *testing.T) {
	for name, storeFirst := range map[string]bool{"store first": true, "survey first": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t, t.TempDir())
			if _, known := s.Page(visits, "desk"); known {
				t.Error("a page is known before there is any")
			}
			if storeFirst {
				s.open()
				s.expect(http.StatusNotFound, http.MethodGet, "/s/sfo/visits/desk", "", "", "")
				s.serve(form("A"))
			} else {
				s.serve(form("A"))
				s.tell()
				s.expect(http.StatusOK, http.MethodGet, "/s/sfo/visits/desk", "", "", "")
				s.submit(http.StatusServiceUnavailable)
				s.open()
			}
			s.tell()
			s.submit(http.StatusCreated)
			s.eventually("the answer is counted", func() bool { return s.count() == 1 })
			s.tell()
			if questions, known := s.Page(visits, "desk"); !known || len(questions) != 1 || questions[0] != "ease" {
				t.Errorf("page %q, known %v", questions, known)
			}
			if questions, known := s.Page(visits, "exit"); !known || questions != nil {
				t.Errorf("a page that is not there has %q", questions)
			}
		})
	}
}

// Programs hear of a store that can be read, even where it holds no answer of theirs.
func TestReadableStoreIsToldOf(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.tell()
	s.open()
	s.tell()
	if _, ok := s.options.Book.ReadAt(answers.String()); !ok {
		t.Error("told before the counts were read")
	}
}

// What is served already is not served again, nor told of.
func TestServeTheSame(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	s.tell()
	s.serve(form("A"))
	select {
	case e := <-s.heard:
		t.Errorf("told of %s without a change", e.Object)
	default:
	}
	if err := s.Serve("answers", form("A"), Secrets{Tokens: intake.Tokens{Import: "another"}}); err != nil {
		t.Fatal(err)
	}
	s.tell()
	s.serve(form("B"))
	s.tell()
	if text := s.expect(http.StatusOK, http.MethodGet, "/s/sfo/visits", "", "", ""); !strings.Contains(text, "<title>B") && !strings.Contains(text, ">B<") {
		t.Errorf("the page is not the new one: %.400s", text)
	}
}

// The last good survey outlives the process, and is forgotten with the program.
func TestLastGood(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	if last, err := s.LastGood(visits); last != nil || err != nil {
		t.Errorf("%v, %v before there was one", last, err)
	}
	s.serve(form("A"))
	s.serve(form("B"))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	s = start(t, dir)
	last, err := s.LastGood(visits)
	if err != nil || last == nil || last.Hash != "hash of B" || last.Title["en"] != "B" {
		t.Fatalf("%+v, %v", last, err)
	}
	if _, known := s.Page(visits, "desk"); known {
		t.Error("a survey on disk is not served before somebody says so")
	}
	s.serve(last)
	if err := s.Withdraw(visits); err != nil {
		t.Fatal(err)
	}
	s.expect(http.StatusNotFound, http.MethodGet, "/s/sfo/visits", "", "", "")
	if last, err := s.LastGood(visits); last != nil || err != nil {
		t.Errorf("%v, %v after it was withdrawn", last, err)
	}
	if err := s.Withdraw(visits); err != nil {
		t.Errorf("withdrawn twice: %v", err)
	}
}

func TestLastGoodThatIsBroken(t *testing.T) {
	s := start(t, t.TempDir())
	s.serve(form("A"))
	if err := os.WriteFile(s.surveyPath(visits), []byte(`{"program":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if last, err := s.LastGood(visits); err != nil || last.Hash != "hash of A" {
		t.Errorf("%v, %v: what is served needs no file", last, err)
	}
	s.mu.Lock()
	delete(s.programs, visits)
	s.mu.Unlock()
	if _, err := s.LastGood(visits); err == nil || !strings.Contains(err.Error(), "sfo/visits") {
		t.Errorf("error %v, want one that names the program", err)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/sfo", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	if err := s.Serve("answers", form("A"), Secrets{Tokens: tokens}); err == nil || !strings.Contains(err.Error(), "sfo/visits") {
		t.Errorf("error %v, want one that names the program", err)
	}
	if _, known := s.Page(visits, "desk"); known {
		t.Error("a survey is served that a restart would lose")
	}
	if _, err := s.OpenStore(t.Context(), answers); err == nil || !strings.Contains(err.Error(), "sfo/answers") {
		t.Errorf("error %v, want one that names the store", err)
	}
}
