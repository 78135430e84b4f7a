package operations

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/themes"
)

// commented has one question that is answered with text, in its second revision.
var commented = &survey.Survey{
	Program: visits, DefaultLanguage: "en", MinimumCell: 5,
	Questions: []survey.Question{{Name: "ease", Type: "CES", Revision: 1}, {Name: "why", Type: "Text", Revision: 2}},
}

// comment stores n comments of a time, as the edit makes them.
func comment(t *testing.T, s store.Store, n int, at time.Time, text string, edits ...func(*store.Response)) {
	t.Helper()
	for range n {
		id := uuid.NewString()
		r := store.Response{
			Program: visits, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id, SubmittedAt: at, Language: "en",
			Answers: []store.Answer{{Question: "why", Revision: 2, Kind: store.KindText, Values: []string{text}}},
		}
		for _, edit := range edits {
			edit(&r)
		}
		if _, err := s.Append(t.Context(), []store.Response{r}); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	week   = themes.Window{Before: monday.AddDate(0, 0, -7), From: monday, To: monday.AddDate(0, 0, 7)}
)

// Only comments of the window, of the program, that count, as they are asked for now, are themes; and only themes are told.
func TestThemes(t *testing.T) {
	s := openSQLite(t)
	comment(t, s, 11, week.From, "the queue was endless, me@example.com")
	comment(t, s, 10, week.To.Add(-time.Microsecond), "queue")
	comment(t, s, 12, week.Before, "another queue")
	comment(t, s, 20, week.To, "future")
	comment(t, s, 20, week.Before.Add(-time.Microsecond), "past")
	comment(t, s, 20, week.From, "robots", func(r *store.Response) { r.Standing, r.Failed = store.StandingSuspect, []string{"proof"} })
	comment(t, s, 20, week.From, "outdated", func(r *store.Response) { r.Answers[0].Revision = 1 })
	comment(t, s, 20, week.From, "elsewhere", func(r *store.Response) { r.Program = others })
	comment(t, s, 9, week.From, "rare")
	p := serve(t, s)
	got, err := p.client.Themes(t.Context(), week)
	want := []themes.Theme{{Words: "queue", Question: "why", Comments: 21, Before: 12}, {Words: "endless", Question: "why", Comments: 11}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if again, err := themes.Read(t.Context(), s, commented, week); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("by function call: %+v, %v; want %+v", again, err, want)
	}
	said := p.get(http.MethodGet, pathThemes+"?from=2026-11-16T00:00:00Z&to=2026-11-23T00:00:00Z", "Bearer "+token)
	if said.status != http.StatusOK || strings.Contains(said.body, "example") || strings.Contains(said.body, "rare") || strings.Contains(said.body, "before") {
		t.Errorf("%d: %s", said.status, said.body)
	}
}

func TestThemesAreForTheProgramsToken(t *testing.T) {
	p := serve(t, openSQLite(t))
	const path = pathThemes + "?from=2026-11-16T00:00:00Z&to=2026-11-23T00:00:00Z"
	for bearer, want := range map[string]int{"": 401, "Bearer " + scrape: 401, "Bearer " + token + "x": 401, "Bearer " + token: 200} {
		if got := p.get(http.MethodGet, path, bearer).status; got != want {
			t.Errorf("%q: %d, want %d", bearer, got, want)
		}
	}
	if got := p.get(http.MethodPost, path, "Bearer "+token).status; got != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got)
	}
}

func TestThemesOfAWindowThatIsNone(t *testing.T) {
	p := serve(t, openSQLite(t))
	for _, query := range []string{
		"", "from=2026-11-16T00:00:00Z", "from=monday&to=sunday", "from=2026-11-23T00:00:00Z&to=2026-11-16T00:00:00Z",
		"from=2026-11-16T00:00:00Z&to=2026-11-16T00:00:00Z", "from=2020-11-16T00:00:00Z&to=2026-11-16T00:00:00Z",
		"before=2026-11-17T00:00:00Z&from=2026-11-16T00:00:00Z&to=2026-11-23T00:00:00Z",
	} {
		if got := p.get(http.MethodGet, pathThemes+"?"+query, "Bearer "+token); got.status != http.StatusBadRequest || !strings.Contains(got.body, "before, from and to") {
			t.Errorf("%q: %d %s", query, got.status, got.body)
		}
	}
	if _, err := p.client.Themes(t.Context(), themes.Window{From: week.To, To: week.From}); err == nil {
		t.Error("the client asks for it")
	}
}

func TestThemesOfAStoreThatIsAway(t *testing.T) {
	p := serve(t, nil)
	p.install(nil, "the server is starting")
	_, err := p.client.Themes(t.Context(), week)
	var problem *Problem
	if !errors.As(err, &problem) || problem.Status != http.StatusServiceUnavailable || problem.Detail != "the server is starting" {
		t.Errorf("%v", err)
	}
}

// One call reads at a time: reading everything is dear.
func TestOneReadAtATime(t *testing.T) {
	h := &handler{Config: Config{Program: visits, Survey: commented}, reading: make(chan struct{}, 1)}
	h.reading <- struct{}{}
	w := &recorder{header: http.Header{}}
	h.themes(w, &http.Request{URL: &url.URL{RawQuery: "from=2026-11-16T00:00:00Z&to=2026-11-23T00:00:00Z"}})
	if w.status != http.StatusServiceUnavailable || w.header.Get("Retry-After") == "" {
		t.Errorf("%d %v", w.status, w.header)
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }

// What an endpoint that was broken into says does not reach people.
func TestDecodeThemes(t *testing.T) {
	one := func(theme string) string { return fmt.Sprintf(`{"program":"%s","themes":[%s]}`, visits, theme) }
	const good = `{"words":"long queue","question":"why","comments":12,"before":10}`
	if got, err := decodeThemes(visits, []byte(one(good))); err != nil || len(got) != 1 || got[0].Words != "long queue" {
		t.Errorf("%+v, %v", got, err)
	}
	for name, body := range map[string]string{
		"no JSON":           "<html>",
		"another program":   strings.Replace(one(good), visits.String(), others.String(), 1),
		"too many":          one(strings.Repeat(good+",", themes.Most) + good),
		"an address":        one(strings.Replace(good, "long queue", "me@example.com", 1)),
		"a number":          one(strings.Replace(good, "long queue", "650 555", 1)),
		"markup":            one(strings.Replace(good, "long queue", "<b>queue", 1)),
		"a text":            one(strings.Replace(good, "long queue", strings.Repeat("queue ", 30), 1)),
		"nothing":           one(strings.Replace(good, "long queue", "", 1)),
		"too few comments":  one(strings.Replace(good, "12", "9", 1)),
		"too few before":    one(strings.Replace(good, "10", "9", 1)),
		"more than there":   one(strings.Replace(good, "12", "12000000000", 1)),
		"without a comment": one(strings.Replace(good, "12", "-12", 1)),
		"no question":       one(strings.Replace(good, "why", "", 1)),
	} {
		if got, err := decodeThemes(visits, []byte(body)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzDecodeThemes(f *testing.F) {
	f.Add([]byte(`{"program":"` + visits.String() + `","themes":[{"words":"long queue","question":"why","comments":12}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := decodeThemes(visits, data)
		if err != nil {
			return
		}
		again, err := decodeThemes(visits, encodeThemes(visits, found))
		if err != nil || !reflect.DeepEqual(found, again) && len(found) > 0 {
			t.Fatalf("%+v, again %+v (%v)", found, again, err)
		}
	})
}
