package intake

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// slowStore is a real store whose commits wait until they are let go.
type slowStore struct {
	store.Store
	begun, hold chan struct{}
}

func newSlowStore(s store.Store) *slowStore {
	return &slowStore{Store: s, begun: make(chan struct{}, 1024), hold: make(chan struct{})}
}

func (s *slowStore) Append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	s.begun <- struct{}{}
	select {
	case <-s.hold:
		return s.Store.Append(ctx, responses)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// crowd is a server over a slow store, with a gate of its own, and answers that are inside.
type crowd struct {
	*harness
	slow    *slowStore
	clients sync.WaitGroup
	mu      sync.Mutex
	// statuses that clients got.
	statuses map[int]int
}

func newCrowd(t *testing.T, g *gate) *crowd {
	t.Helper()
	c := &crowd{harness: newHarness(t), statuses: map[int]int{}}
	c.slow = newSlowStore(c.store)
	c.registry.gates[c.slow] = g
	c.registry.Set(programKey, testProgram(compiledSurvey(), c.slow))
	return c
}

// send has a client send an answer of its own, and returns at once.
func (c *crowd) send(n int) {
	c.clients.Go(func() {
		r := httptest.NewRequest(http.MethodPost, apiPath, strings.NewReader(fmt.Sprintf(`{"id":"7d444840-9dc0-4ad1-b245-%012d","answers":{"recommend":9}}`, n)))
		r.Header.Set("Content-Type", mediaJSON)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.statuses[w.Code]++
	})
}

// fill sends answers until so many wait for their commit.
func (c *crowd) fill(inside int) {
	for i := range inside {
		c.send(i)
	}
	for range inside {
		<-c.slow.begun
	}
}

// letGo lets all commits go and waits for the clients.
func (c *crowd) letGo() {
	close(c.slow.hold)
	c.clients.Wait()
}

// TestOverload: what finds no turn is told at once when to come again, before it is read; what was let in is stored.
func TestOverload(t *testing.T) {
	const inside = 3
	c := newCrowd(t, newGate(inside, 0, time.Hour))
	c.fill(inside)
	for range 5 {
		p := checkProblem(t, c.submit("this is never read"), http.StatusServiceUnavailable, "unavailable")
		if p.Detail != overloaded.Detail {
			t.Errorf("detail %q", p.Detail)
		}
	}
	w := c.submit(answerBody)
	wantStatus(t, w, http.StatusServiceUnavailable)
	if got := w.Header().Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	wantStatus(t, c.get(pagePath), http.StatusOK)
	c.letGo()
	if c.statuses[http.StatusCreated] != inside || len(c.stored()) != inside {
		t.Errorf("%v, and %d stored, want %d", c.statuses, len(c.stored()), inside)
	}
	if got := c.counted(c.Server.metrics.rejected, "reason", "unavailable"); got != 6 {
		t.Errorf("%v are counted as rejected, want 6", got)
	}
	wantStatus(t, c.submit(answerBody), http.StatusCreated)
}

// TestSlowBodiesTakeNoTurn: whoever sends a body that has no end keeps nobody out, be it as JSON or as a form.
func TestSlowBodiesTakeNoTurn(t *testing.T) {
	c := newCrowd(t, newGate(1, 0, time.Hour))
	close(c.slow.hold)
	defer c.clients.Wait()
	for path, mediaType := range map[string]string{apiPath: mediaJSON, pagePath: mediaForm} {
		never, end := io.Pipe()
		r := httptest.NewRequest(http.MethodPost, path, never)
		r.Header.Set("Content-Type", mediaType)
		c.clients.Go(func() { c.ServeHTTP(httptest.NewRecorder(), r) })
		if _, err := io.WriteString(end, "{"); err != nil { // it is being read
			t.Fatal(err)
		}
		defer end.Close()
	}
	wantStatus(t, c.submit(answerBody), http.StatusCreated)
	wantStatus(t, c.postForm(pagePath, filled(fieldID, uuid.NewString())), http.StatusSeeOther)
}

// TestOverloadIsWaitedOut: who may wait gets a turn as soon as there is one, and all are stored once.
func TestOverloadIsWaitedOut(t *testing.T) {
	const inside, outside = 2, 40
	c := newCrowd(t, newGate(inside, outside, time.Hour))
	c.fill(inside)
	for i := range outside {
		c.send(inside + i)
	}
	c.letGo()
	if all := inside + outside; c.statuses[http.StatusCreated] != all || len(c.stored()) != all {
		t.Errorf("%v, and %d stored, want %d", c.statuses, len(c.stored()), all)
	}
}

// TestOverloadKeepsTheForm: the page of a form that found no turn sends all of it again, and then it is stored as it was.
func TestOverloadKeepsTheForm(t *testing.T) {
	c := newCrowd(t, newGate(1, 0, time.Hour))
	c.fill(1)
	values := filled("_id", "", "used", "wifi", "comment", "a < b & \"c\"\r\n'd'")
	w := c.postForm(pagePath, values)
	wantStatus(t, w, http.StatusServiceUnavailable)
	body := w.Body.String()
	if w.Header().Get("Retry-After") != "1" || !strings.Contains(body, spanish.ErrSaving) || !strings.Contains(body, `action="`+pagePath+sentQuery+`"`) {
		t.Errorf("Retry-After %q, on the page %s", w.Header().Get("Retry-After"), body)
	}
	again := hiddenFields(body)
	if uuid.Validate(again.Get(fieldID)) != nil {
		t.Errorf("the form has the id %q", again.Get(fieldID))
	}
	values.Set(fieldID, again.Get(fieldID))
	if again.Encode() != values.Encode() {
		t.Errorf("the page sends %v, want %v", again, values)
	}
	c.letGo()
	wantStatus(t, c.postForm(pagePath, again), http.StatusSeeOther)
	if got := len(c.stored()); got != 2 {
		t.Errorf("%d stored, want 2", got)
	}
}

var sentAgain = regexp.MustCompile(`(?s)<input type="hidden" name="([^"]*)" value="([^"]*)">`)

func hiddenFields(page string) url.Values {
	values := url.Values{}
	for _, m := range sentAgain.FindAllStringSubmatch(page, -1) {
		values.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return values
}

// TestOverloadPages: the page is that of its language and survey, and one that cannot be read or is of no page is told so.
func TestOverloadPages(t *testing.T) {
	c := newCrowd(t, newGate(1, 0, time.Hour))
	c.fill(1)
	defer c.letGo()
	for path, want := range map[string]struct {
		form   url.Values
		status int
		text   string
	}{
		pagePath:                {filled(fieldLanguage, "en"), 503, english.ErrSaving},
		pagePath + "/security":  {filled(), 503, "¿Cómo fue su paso por SFO?"},
		pagePath + "/nothing":   {filled(), 404, english.NotFoundTitle},
		pagePath + "/security?": {url.Values{"comment": {"\xff"}}, 400, english.CannotReadTitle},
	} {
		w := c.postForm(path, want.form)
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
		}
	}
	// A survey that was not compiled has the same page, and nothing is kept of it.
	c.registry.Set(programKey, testProgram(testSurvey(), c.slow))
	if w := c.postForm(pagePath, filled()); w.Code != 503 || !strings.Contains(w.Body.String(), `name="comment"`) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestGateIsFair: turns are taken in order, and who waits too long gets none and holds up nobody.
func TestGateIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 3, time.Second)
		if !g.enter(t.Context()) {
			t.Fatal("the first gets no turn")
		}
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		queue := func(name string) {
			all.Go(func() {
				entered := g.enter(t.Context())
				mu.Lock()
				defer mu.Unlock()
				order = append(order, fmt.Sprintf("%s %v", name, entered))
				if entered {
					g.leave()
				}
			})
			synctest.Wait()
		}
		queue("a")
		<-time.After(600 * time.Millisecond)
		queue("b")
		queue("c")
		if g.enter(t.Context()) {
			t.Error("one more than may wait got a turn")
		}
		<-time.After(600 * time.Millisecond) // a has waited for too long
		g.leave()
		all.Wait()
		if got := strings.Join(order, ", "); got != "a false, b true, c true" {
			t.Error(got)
		}
		if !g.enter(t.Context()) || g.outside.Load() != 0 {
			t.Error("the gate is not free again")
		}
	})
}

// TestGatesOfStores: programs share the gate of the store that they share, it lasts while they change, and no store is kept in mind
// that is used no more.
func TestGatesOfStores(t *testing.T) {
	r := NewRegistry()
	one, two := &stubStore{}, &stubStore{}
	gateOf := func(name string) *gate {
		s, ok := r.lookup(store.Key{Namespace: "sfo", Name: name})
		if !ok {
			t.Fatalf("no program %s", name)
		}
		return s.gate
	}
	set := func(name string, st store.Store) {
		r.Set(store.Key{Namespace: "sfo", Name: name}, Program{Survey: &survey.Survey{}, Store: st})
	}
	set("a", one)
	set("b", one)
	set("c", two)
	set("d", nil)
	first := gateOf("a")
	if first == nil || gateOf("b") != first || gateOf("c") == first || gateOf("c") == nil || gateOf("d") != nil {
		t.Error("gates are not those of the stores")
	}
	set("a", one)
	if gateOf("a") != first {
		t.Error("a program that changes gets another gate")
	}
	set("a", two)
	r.Delete(store.Key{Namespace: "sfo", Name: "b"})
	r.Delete(store.Key{Namespace: "sfo", Name: "b"})
	if r.gates[one] != nil || r.gates[two].programs != 2 || len(r.gates) != 1 {
		t.Errorf("%v", r.gates)
	}
}
