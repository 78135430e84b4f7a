package intake

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
)

// filled is a form with an answer to every question.
func filled(change ...string) url.Values {
	values := url.Values{
		"_id": {id1}, "_language": {"es"}, "_team": {"area-g"}, "recommend": {"9"}, "security": {"4"}, "ease": {"7"}, "signs": {"10"},
		"trip": {"leisure"}, "used": {"none", "wifi"}, "comment": {"  Muy\r\nbien  "},
	}
	for i := 0; i < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return values
}

func TestFormIsStored(t *testing.T) {
	h := newHarness(t)
	w := h.postForm(pagePath, filled())
	wantStatus(t, w, http.StatusSeeOther)
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	stored := h.stored()
	if len(stored) != 1 {
		t.Fatalf("%d responses", len(stored))
	}
	want := []store.Answer{
		{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}},
		{Question: "security", Revision: 2, Kind: store.KindScale, Values: []string{"4"}},
		{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"7"}},
		{Question: "signs", Revision: 1, Kind: store.KindScale, Values: []string{"10"}},
		{Question: "trip", Revision: 1, Kind: store.KindSingle, Values: []string{"leisure"}},
		{Question: "used", Revision: 1, Kind: store.KindMultiple, Values: []string{"wifi", "none"}},
		{Question: "comment", Revision: 1, Kind: store.KindText, Values: []string{"Muy\nbien"}},
	}
	r := stored[0]
	slices.SortFunc(want, func(a, b store.Answer) int { return strings.Compare(a.Question, b.Question) })
	slices.SortFunc(r.Answers, func(a, b store.Answer) int { return strings.Compare(a.Question, b.Question) })
	if diff := cmp.Diff(want, r.Answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if r.ID != id1 || r.Unit != "area-g" || r.Language != "es" || r.Touchpoint != "" || !r.SubmittedAt.Equal(now) {
		t.Errorf("stored %+v", r)
	}
	thanks := w.Header().Get("Location")
	if want := pagePath + "?lang=es&receipt=" + r.Receipt + "&team=area-g"; thanks != want {
		t.Errorf("Location %s, want %s", thanks, want)
	}
	for range 2 {
		body := h.get(thanks).Body.String()
		if !strings.Contains(body, groupReceipt(r.Receipt)) || !strings.Contains(body, spanish.Thanks) {
			t.Errorf("the thank-you page: %s", body)
		}
	}
	if got := h.counted(h.Server.metrics.accepted); got != 1 || len(h.stored()) != 1 {
		t.Errorf("loading the thank-you page recorded something: %v", got)
	}
}

func TestFormSentTwice(t *testing.T) {
	h := newHarness(t)
	first, second := h.postForm(pagePath, filled()), h.postForm(pagePath, filled())
	wantStatus(t, second, http.StatusSeeOther)
	if a, b := first.Header().Get("Location"), second.Header().Get("Location"); a != b {
		t.Errorf("another receipt: %s, %s", a, b)
	}
	if len(h.stored()) != 1 || h.counted(h.Server.metrics.accepted) != 1 {
		t.Error("a double click was stored twice")
	}
}

var hiddenID = regexp.MustCompile(`name="_id" value="([^"]*)"`)

func TestFormOfAKiosk(t *testing.T) {
	h := newHarness(t)
	h.postForm(pagePath, filled())
	next := filled("recommend", "0", "comment", "Lost my <bag>")
	w := h.postForm(pagePath, next)
	wantStatus(t, w, http.StatusConflict)
	body := w.Body.String()
	for _, want := range []string{spanish.ErrUsed, `value="0" required checked`, "Lost my &lt;bag&gt;"} {
		if !strings.Contains(body, want) {
			t.Errorf("the fresh form has no %s", want)
		}
	}
	fresh := hiddenID.FindStringSubmatch(body)[1]
	if fresh == id1 {
		t.Fatal("the fresh form has the old id")
	}
	next.Set("_id", fresh)
	wantStatus(t, h.postForm(pagePath, next), http.StatusSeeOther)
	if len(h.stored()) != 2 {
		t.Errorf("%d responses, want 2", len(h.stored()))
	}
	if got := h.counted(h.Server.metrics.rejected, "reason", "conflict"); got != 1 {
		t.Errorf("%v conflicts counted", got)
	}
}

func TestFormWithFaults(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change []string
		remove []string
		want   []string
	}{
		"required": {pagePath, nil, []string{"recommend"}, []string{`href="#q_recommend"`, spanish.ErrAnswer}},
		"empty": {pagePath, nil, []string{"recommend", "security", "ease", "signs", "trip", "used", "comment"},
			[]string{`href="#q_recommend"`, spanish.ErrAnswer}},
		"empty touchpoint": {pagePath + "/security", nil, []string{"recommend", "security", "ease", "signs", "trip", "used", "comment"},
			[]string{`href="#q_security"`, spanish.ErrNothing}},
		"off the scale":     {pagePath, []string{"recommend", "11"}, nil, []string{`href="#q_recommend"`, spanish.ErrChoice}},
		"not a number":      {pagePath, []string{"recommend", "9.5"}, nil, []string{`href="#q_recommend"`, spanish.ErrChoice}},
		"no such choice":    {pagePath, []string{"used", "pool"}, nil, []string{`href="#q_used"`, spanish.ErrChoice}},
		"too long":          {pagePath, []string{"comment", strings.Repeat("x", 201)}, nil, []string{`href="#q_comment"`, "200"}},
		"control character": {pagePath, []string{"comment", "a\x00b"}, nil, []string{`href="#q_comment"`, spanish.ErrCharacters}},
		"removed question":  {pagePath, []string{"parking", "3"}, nil, []string{spanish.ErrChanged}},
		"other page":        {pagePath + "/security", nil, nil, []string{spanish.ErrChanged}},
		"removed team":      {pagePath, []string{"_team", "area-z"}, nil, []string{spanish.ErrChanged}},
		"id is no UUID":     {pagePath, []string{"_id", "1"}, nil, []string{spanish.ErrChanged}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			values := filled(c.change...)
			for _, field := range c.remove {
				values.Del(field)
			}
			w := h.postForm(c.path, values)
			wantStatus(t, w, http.StatusUnprocessableEntity)
			body := w.Body.String()
			for _, want := range append(c.want, `role="alert"`, "<title>"+spanish.ErrorPrefix) {
				if !strings.Contains(body, want) {
					t.Errorf("the page has no %s", want)
				}
			}
			if len(h.stored()) != 0 {
				t.Error("a form with a fault was stored")
			}
			if got := h.counted(h.Server.metrics.rejected, "reason", "invalid"); got != 1 {
				t.Errorf("%v rejections counted", got)
			}
		})
	}
}

// TestFormIsRenewed sends the form that is shown after its team and a question went away.
func TestFormIsRenewed(t *testing.T) {
	h := newHarness(t)
	values := filled("_team", "area-z", "parking", "3", "_id", "nonsense")
	body := h.postForm(pagePath, values).Body.String()
	if strings.Contains(body, "area-z") || strings.Contains(body, "parking") {
		t.Error("the form still has what the survey has not")
	}
	values.Del("_team")
	values.Del("parking")
	values.Set("_id", hiddenID.FindStringSubmatch(body)[1])
	wantStatus(t, h.postForm(pagePath, values), http.StatusSeeOther)
}

func TestFormWithoutID(t *testing.T) {
	h := newHarness(t)
	w := h.postForm(pagePath, url.Values{"recommend": {"9"}, "utm_source": {""}, "_other": {"x"}})
	wantStatus(t, w, http.StatusSeeOther)
	if stored := h.stored(); len(stored) != 1 || stored[0].Language != "en" {
		t.Errorf("stored %+v", stored)
	}
}

func TestFormThatCannotBeRead(t *testing.T) {
	form := "recommend=9"
	for name, c := range map[string]struct {
		path, mediaType, body string
		status                int
	}{
		"media type":      {pagePath, "multipart/form-data; boundary=x", form, http.StatusUnsupportedMediaType},
		"no media type":   {pagePath, "", form, http.StatusUnsupportedMediaType},
		"charset":         {pagePath, mediaForm + "; charset=latin1", form, http.StatusUnsupportedMediaType},
		"escape":          {pagePath, mediaForm, "recommend=%zz", http.StatusBadRequest},
		"UTF-8":           {pagePath, mediaForm, "recommend=9&comment=%ff", http.StatusBadRequest},
		"too large":       {pagePath, mediaForm, "comment=" + strings.Repeat("x", 64<<10), http.StatusRequestEntityTooLarge},
		"no program":      {"/s/sfo/nothing", mediaForm, form, http.StatusNotFound},
		"no touchpoint":   {pagePath + "/nowhere", mediaForm, form, http.StatusNotFound},
		"charset is fine": {pagePath, mediaForm + "; charset=UTF-8", form, http.StatusSeeOther},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			w := h.post(c.path, c.mediaType, c.body)
			wantStatus(t, w, c.status)
			if c.status >= 400 && (len(h.stored()) != 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")) {
				t.Errorf("stored, or answered with %s", w.Header().Get("Content-Type"))
			}
		})
	}
}

// TestFormKeepsTheAnswers keeps what a person typed when it cannot be saved now.
func TestFormKeepsTheAnswers(t *testing.T) {
	check := func(t *testing.T, w *httptest.ResponseRecorder, status int, notice string) {
		t.Helper()
		wantStatus(t, w, status)
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		for _, want := range []string{notice, "Muy", id1, `value="area-g"`} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("the page has no %s", want)
			}
		}
	}
	t.Run("store away", func(t *testing.T) {
		h := newHarness(t)
		h.withStore(nil)
		wantStatus(t, h.get(pagePath), http.StatusOK)
		check(t, h.postForm(pagePath, filled()), http.StatusServiceUnavailable, spanish.ErrSaving)
		h.withStore(h.store)
		wantStatus(t, h.postForm(pagePath, filled()), http.StatusSeeOther)
	})
	t.Run("too many", func(t *testing.T) {
		h := newHarness(t, func(c *Config) { c.RatePerMinute, c.RateBurst = 6, 1 })
		wantStatus(t, h.postForm(pagePath, filled("_id", id2)), http.StatusSeeOther)
		check(t, h.postForm(pagePath, filled()), http.StatusTooManyRequests, "10 segundos")
	})
}

func TestPagesAreLimitedToo(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.RatePerMinute, c.RateBurst = 1, 1 })
	for range pageFactor {
		wantStatus(t, h.get(pagePath), http.StatusOK)
	}
	w := h.get(pagePath)
	wantStatus(t, w, http.StatusTooManyRequests)
	if got := w.Header().Get("Retry-After"); got != "6" {
		t.Errorf("Retry-After %s, want 6", got)
	}
}

// FuzzForm: whatever is posted as a form is answered with one of the statuses of the contract, and stored exactly if it is
// answered 303.
func FuzzForm(f *testing.F) {
	f.Add(filled().Encode())
	f.Add("recommend=9&recommend=8&_id=" + id1)
	f.Add("used=wifi&used=wifi&recommend=1")
	f.Add("=&&;%&comment=%00")
	f.Add(filled("_form", formKey.Sign(link.Form{ID: id1, Team: "area-g"}, now), "_website", "x", "_proof", "0").Encode())
	f.Add(filled("_invitation", tokenOf(f, link.Link{ID: id2, Team: "area-g", ExpiresAt: now.Add(time.Hour)})).Encode())
	f.Add(filled("_invitation", tokenOf(f, link.Link{ID: id2, Team: "area-g", ExpiresAt: now})).Encode())
	f.Add("_id=" + id1 + "&touchpoint=&question=recommend&_form=" + formKey.Sign(link.Form{ID: id1}, now))
	s := &stubStore{}
	server, err := New(NewRegistry(), Config{RatePerMinute: -1, Rand: &counter{}, Clock: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	survey := testSurvey()
	survey.Access.ProofBits, survey.Access.MinimumSeconds = 8, 1
	server.registry.Set(programKey, testProgram(survey, s))
	f.Fuzz(func(t *testing.T, body string) {
		s.appended, s.visits = nil, nil
		r := httptest.NewRequest(http.MethodPost, pagePath, strings.NewReader(body))
		r.Header.Set("Content-Type", mediaForm)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		allowed := map[int]bool{303: true, 400: true, 403: true, 404: true, 413: true, 422: true}
		if !allowed[w.Code] || (w.Code == http.StatusSeeOther) != (len(s.appended) == 1) {
			t.Errorf("%q: %d, stored %d; allowed are %v", body, w.Code, len(s.appended), slices.Sorted(maps.Keys(allowed)))
		}
		for _, response := range s.appended {
			if (len(response.Failed) > 0) != (response.Standing == store.StandingSuspect) || len(response.Passed)+len(response.Failed) < 3 {
				t.Errorf("%q: passed %v, failed %v, stands %q", body, response.Passed, response.Failed, response.Standing)
			}
		}
		r = httptest.NewRequest(http.MethodPost, visitsPath, strings.NewReader(body))
		r.Header.Set("Content-Type", mediaForm)
		w = httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent && w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%q: a visit is answered %d", body, w.Code)
		}
	})
}
