package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/yaml"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	// host is what the browser calls the endpoint: a name, since pages of an address of this machine may do more over plain
	// HTTP than those of others.
	host = "survey.test"
	// signToken makes links and forms.
	signToken = "the-token-that-signs-links-and-forms"
)

// opening is the time on the clock of a new endpoint: not on the hour, so that its visits are all of one hour.
var opening = time.Date(2026, 11, 20, 9, 5, 0, 0, time.UTC)

// endpoint is a real one with a SQLite store, which serves every program of testdata. Its clock stands still until a test
// moves it.
type endpoint struct {
	t *testing.T
	*service
}

// service is what all parts of a test share.
type service struct {
	url      string // as the browser calls it
	server   *httptest.Server
	registry *intake.Registry
	store    store.Store
	surveys  map[string]*survey.Survey

	mu     sync.Mutex
	now    time.Time
	faults []string // what no test may see
	posts  []post
	gets   []string      // addresses that browsers asked for, without the host
	gate   chan struct{} // holds posts to pages up; nil for none
	calls  chan struct{} // closed at the next request, and made anew
}

// post is what a page sent to the endpoint.
type post struct {
	path   string
	fields url.Values
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "responses.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{t, &service{registry: intake.NewRegistry(), store: st, surveys: map[string]*survey.Survey{}, now: opening, calls: make(chan struct{})}}
	handler, err := intake.New(e.registry, intake.Config{RatePerMinute: -1, Clock: e.clock, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	e.server = httptest.NewServer(e.watched(handler))
	e.url = strings.Replace(e.server.URL, "127.0.0.1", host, 1)
	t.Cleanup(func() {
		e.server.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		for _, fault := range e.faults {
			t.Error(fault)
		}
	})
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	for _, file := range files {
		e.load(file)
	}
	return e
}

// of is the endpoint for a part of the test.
func (e *endpoint) of(t *testing.T) *endpoint { return &endpoint{t, e.service} }

// load serves the program of a file, with the touchpoints and teams that stand below it.
func (e *endpoint) load(file string) {
	e.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	var program v1alpha1.SurveyProgram
	var touchpoints []v1alpha1.Touchpoint
	var teams []v1alpha1.Team
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		var into any = &program
		switch {
		case strings.Contains(document, "\nkind: Touchpoint\n"):
			touchpoints = append(touchpoints, v1alpha1.Touchpoint{})
			into = &touchpoints[len(touchpoints)-1]
		case strings.Contains(document, "\nkind: Team\n"):
			teams = append(teams, v1alpha1.Team{})
			into = &teams[len(teams)-1]
		}
		if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
			e.t.Fatalf("%s: %v", file, err)
		}
	}
	compiled, problems := survey.Compile(&program, touchpoints, teams)
	if compiled == nil {
		e.t.Fatalf("%s: %v", file, problems)
	}
	e.surveys[program.Name] = compiled
	e.serve(program.Name, e.store)
}

// serve serves a program over a store; nil is one that is away.
func (e *endpoint) serve(name string, st store.Store) {
	s := e.surveys[name]
	e.registry.Set(s.Program, intake.Program{
		Survey: s, Store: st, Tokens: intake.Tokens{Sign: signToken}, ContactKey: []byte(contactKey), CaseKeys: caseKeys(),
	})
}

// change serves a program with something else in its survey.
func (e *endpoint) change(name string, change func(*survey.Survey)) {
	changed := *e.surveys[name]
	change(&changed)
	e.surveys[name] = &changed
	e.serve(name, e.store)
}

func (e *service) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// pass lets time pass.
func (e *endpoint) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// watched notes what pages send, and whether anybody speaks of a cookie.
func (e *service) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate := e.note(r)
		if gate != nil {
			<-gate
		}
		next.ServeHTTP(w, r)
		if w.Header().Get("Set-Cookie") != "" || r.Header.Get("Cookie") != "" {
			e.fault("a cookie: " + r.URL.String())
		}
	})
}

func (e *service) fault(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, what)
}

// note keeps a post, and returns what it has to wait for.
func (e *service) note(r *http.Request) chan struct{} {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil // the browser went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.calls)
	e.calls = make(chan struct{})
	if r.Method == http.MethodGet {
		e.gets = append(e.gets, r.URL.RequestURI())
	}
	if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/s/") {
		return nil
	}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		e.faults = append(e.faults, r.URL.Path+" got no form: "+string(body))
	}
	e.posts = append(e.posts, post{r.URL.Path, fields})
	if strings.HasSuffix(r.URL.Path, "/visits") {
		return nil
	}
	return e.gate
}

// posted are the posts so far: those of beacons or those of forms.
func (e *endpoint) posted(beacons bool) []url.Values {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []url.Values
	for _, p := range e.posts {
		if strings.HasSuffix(p.path, "/visits") == beacons {
			found = append(found, p.fields)
		}
	}
	return found
}

// asked says how often an address was asked for that begins so.
func (e *endpoint) asked(address string) (times int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, got := range e.gets {
		if strings.HasPrefix(got, address) {
			times++
		}
	}
	return times
}

// hold keeps forms that are sent from being read until the function that it returns is called.
func (e *endpoint) hold() (release func()) {
	gate := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gate = gate
	return sync.OnceFunc(func() {
		e.mu.Lock()
		e.gate = nil
		e.mu.Unlock()
		close(gate)
	})
}

// until waits for something that requests or commits bring about.
func (e *endpoint) until(what string, done func() bool) {
	e.t.Helper()
	for deadline := time.After(impatience); ; {
		e.mu.Lock()
		called := e.calls
		e.mu.Unlock()
		committed := e.store.Updated()
		if done() {
			return
		}
		select {
		case <-called:
		case <-committed:
		case <-deadline:
			e.t.Fatal("never came: ", what)
		}
	}
}

// page is the address of a program's page.
func (e *endpoint) page(program, rest string) string { return e.url + "/s/test/" + program + rest }

// invite asks for an invitation as a program's owner does, and returns the link.
func (e *endpoint) invite(program string, invitation map[string]any) string {
	e.t.Helper()
	var made struct{ URL string }
	e.call(program+"/invitations", invitation, &made)
	if made.URL == "" {
		e.t.Fatalf("no link for %v", invitation)
	}
	return made.URL
}

// call posts to a program what is no page's matter.
func (e *endpoint) call(path string, body, into any) {
	e.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.server.URL+"/api/v1/namespaces/test/programs/"+path, bytes.NewReader(content))
	if err != nil {
		e.t.Fatal(err)
	}
	request.Host = strings.TrimPrefix(e.url, "http://")
	request.Header.Set("Authorization", "Bearer "+signToken)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusCreated {
		e.t.Fatalf("%s of %s: %s, %v", path, content, answer.Status, err)
	}
}

// answers are a stored response: its answers by question, its language and what the checks said. What is left out of those
// that are wanted is as an honest person's on a page: in English, and past every check.
type answers map[string]string

// of a person who passed every check of a page.
var person = answers{"@language": "en", "@standing": "counted", "@passed": "honeypot page time", "@failed": ""}

// stored are the responses of a program, after a check that the counts are right.
func (e *endpoint) stored(program string) []answers {
	e.t.Helper()
	all := []answers{}
	key := store.Key{Namespace: "test", Name: program}
	if err := e.store.Export(context.Background(), key, func(r store.Response) error {
		one := answers{
			"@language": r.Language, "@standing": string(r.Standing),
			"@passed": strings.Join(r.Passed, " "), "@failed": strings.Join(r.Failed, " "),
		}
		for name, value := range map[string]string{"@touchpoint": r.Touchpoint, "@team": r.Unit} {
			if value != "" {
				one[name] = value
			}
		}
		for _, a := range r.Answers {
			one[a.Question] = strings.Join(a.Values, " ")
		}
		all = append(all, one)
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	if check, err := e.store.Recount(context.Background(), key); err != nil || len(check.Differences) > 0 {
		e.t.Errorf("recount: %+v, %v", check, err)
	}
	return all
}

// want fails the test unless exactly these responses are stored.
func (e *endpoint) want(program string, want ...answers) {
	e.t.Helper()
	expected := []answers{}
	for _, w := range want {
		full := maps.Clone(person)
		maps.Copy(full, w)
		expected = append(expected, full)
	}
	if got := e.stored(program); !slices.EqualFunc(got, expected, maps.Equal) {
		e.t.Errorf("stored %v\nwant   %v", got, expected)
	}
}

// counts are those of the program's visits, invitations and suspects, such as "@unfinished staff".
func (e *endpoint) counts(program string) map[string]int64 {
	e.t.Helper()
	found := map[string]int64{}
	for at, more := (store.Cursor{}), true; more; {
		changes, err := e.store.Changes(context.Background(), at, 1000)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, c := range changes.Counts {
			if c.Program.Name == program && c.N != 0 && strings.HasPrefix(c.Question, "@") {
				found[strings.TrimSpace(c.Question+" "+c.Value)] += c.N
			}
		}
		at, more = changes.Next, changes.More
	}
	return found
}

// wantCounts waits until the counts are these: what a page tells by itself comes when it comes.
func (e *endpoint) wantCounts(program string, want map[string]int64) {
	e.t.Helper()
	var got map[string]int64
	defer func() {
		if e.t.Failed() {
			e.t.Logf("counts are %v, want %v", got, want)
		}
	}()
	e.until("the counts", func() bool {
		got = e.counts(program)
		return maps.Equal(got, want)
	})
}
