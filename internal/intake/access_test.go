package intake

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// goodLink is one for the page of security, about boarding area A.
var goodLink = link.Link{ID: id2, Touchpoint: "security", Team: "area-a", ExpiresAt: now.Add(time.Hour), SingleUse: true, Recorded: true}

func tokenOf(t testing.TB, l link.Link) string {
	t.Helper()
	token, err := linkKey.Sign(l)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func changed(l link.Link, change func(*link.Link)) link.Link {
	change(&l)
	return l
}

// signedSurvey takes answers through links only.
func signedSurvey() *survey.Survey {
	s := testSurvey()
	s.Access.Signed = true
	return s
}

// stubHarness serves the survey over a store that remembers what it was given.
func stubHarness(t *testing.T, s *survey.Survey, change ...func(*Config)) (*harness, *stubStore) {
	t.Helper()
	h, st := newHarness(t, change...), &stubStore{}
	h.registry.Set(programKey, testProgram(s, st))
	return h, st
}

// linkCase is a way to come to a page or call, and what becomes of it.
type linkCase struct {
	token         string
	path          string // of the page; that of security if empty
	open          bool   // the program is Open
	status        int
	reason        string
	heading, text func(words) string
}

func linkCases(t *testing.T) map[string]linkCase {
	t.Helper()
	otherKey, err := link.NewKey("another", "sfo", "passenger").Sign(goodLink)
	if err != nil {
		t.Fatal(err)
	}
	good := tokenOf(t, goodLink)
	title := func(f func(words) string) func(words) string { return f }
	invalid := linkCase{status: 403, reason: "link-invalid", heading: title(func(w words) string { return w.LinkInvalidTitle }), text: func(w words) string { return w.LinkInvalidText }}
	expired := linkCase{status: 403, reason: "link-expired", heading: title(func(w words) string { return w.LinkExpiredTitle }), text: func(w words) string { return w.LinkExpiredText }}
	with := func(c linkCase, token string, open bool) linkCase { c.token, c.open = token, open; return c }
	past := tokenOf(t, changed(goodLink, func(l *link.Link) { l.ExpiresAt = now }))
	return map[string]linkCase{
		"signed, no link": {status: 403, reason: "not-invited", heading: func(w words) string { return w.NotInvitedTitle }, text: func(w words) string { return w.NotInvitedText }},
		"open, no link":   {open: true, status: 200},
		"signed, good":    {token: good, status: 200},
		"open, good":      {token: good, open: true, status: 200},
		"signed, shared":  {token: tokenOf(t, link.Link{ID: id2, Touchpoint: "security", Team: "area-a", ExpiresAt: now.Add(time.Hour)}), status: 200},
		"cut short":       with(invalid, good[:40], false),
		"open, cut short": with(invalid, good[:40], true),
		"nonsense":        with(invalid, "nonsense", false),
		"far too long":    with(invalid, strings.Repeat("A", 10_000), false),
		"another key":     with(invalid, otherKey, true),
		"expired":         with(expired, past, false),
		"open, expired":   with(expired, past, true),
	}
}

func TestLinkOpensAPage(t *testing.T) {
	cases := linkCases(t)
	notFound := linkCase{status: 404, heading: func(w words) string { return w.NotFoundTitle }, text: func(w words) string { return w.NotFoundText }}
	for name, path := range map[string]string{"the whole program": pagePath, "no such touchpoint": pagePath + "/nowhere"} {
		c := notFound
		c.token, c.path = tokenOf(t, goodLink), path
		cases[name] = c
	}
	gone := notFound
	gone.token = tokenOf(t, changed(goodLink, func(l *link.Link) { l.Team = "area-z" }))
	cases["a team that is gone"] = gone
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access.Signed = !c.open
			h, st := stubHarness(t, s)
			if c.path == "" {
				c.path = pagePath + "/security"
			}
			for _, lang := range []words{english, spanish} {
				query := url.Values{"lang": {lang.Tag}}
				if c.token != "" {
					query.Set("invitation", c.token)
				}
				w := h.get(c.path + "?" + query.Encode())
				wantStatus(t, w, c.status)
				if strings.Contains(w.Body.String(), "<form") != (c.status == 200) {
					t.Error("a form where there should be none, or none where there should be")
				}
				if c.heading == nil {
					continue
				}
				for _, want := range []string{c.heading(lang), c.text(lang), `<html lang="` + lang.Tag} {
					if c.path != pagePath+"/nowhere" && !strings.Contains(html.UnescapeString(w.Body.String()), want) {
						t.Errorf("the page has no %s", want)
					}
				}
				if c.token != "" && strings.Contains(w.Body.String(), c.token) {
					t.Error("the page repeats the token")
				}
			}
			if len(st.appended)+len(st.visits) > 0 {
				t.Error("reading recorded something")
			}
		})
	}
}

// TestLinkFixesTheTeam: the page of a link speaks of its team, and the address of another one is not there.
func TestLinkFixesTheTeam(t *testing.T) {
	h, _ := stubHarness(t, signedSurvey())
	path := pagePath + "/security?invitation=" + tokenOf(t, goodLink)
	for query, status := range map[string]int{"": 200, "&team=": 200, "&team=area-a": 200, "&team=area-g": 404, "&team=area-z": 404} {
		wantStatus(t, h.get(path+query), status)
	}
	body := h.get(path).Body.String()
	if !strings.Contains(body, "About: Boarding area A") || formOf(t, body).Get("_team") != "area-a" {
		t.Error("the page does not speak of the link's team")
	}
}

// TestLinkGoesAlong: whoever changes the language or comes back later still has the link, and nobody else gets it.
func TestLinkGoesAlong(t *testing.T) {
	h := stepHarness(t)
	s := stepSurvey(t)
	s.Access.Signed = true
	h.serve(s)
	token := tokenOf(t, changed(goodLink, func(l *link.Link) { l.Touchpoint = "" }))
	first := h.get(pagePath + "?lang=es&invitation=" + token)
	switched := html.UnescapeString(regexp.MustCompile(`href="([^"]*)" lang="en"`).FindStringSubmatch(first.Body.String())[1])
	if want := pagePath + "?invitation=" + token + "&lang=en"; switched != want {
		t.Errorf("another language is at %s, want %s", switched, want)
	}
	wantStatus(t, h.get(switched), 200)
	second := h.send(first, url.Values{"recommend": {"3"}})
	wantStep(t, second, 200, "comment")
	later := html.UnescapeString(regexp.MustCompile(`href="([^"]*)">` + spanish.Later).FindStringSubmatch(second.Body.String())[1])
	if !strings.Contains(later, "invitation="+token) || strings.Contains(later, "team=") {
		t.Errorf("later: %s", later)
	}
	back := h.get(later)
	wantStep(t, back, 200, "comment")
	if a, b := formOf(t, first.Body.String()), formOf(t, back.Body.String()); a.Get("_form") == "" || a.Get("_form") != b.Get("_form") || b.Get("_invitation") != token {
		t.Errorf("the form that came back has %v, the first %v", b, a)
	}
	last := h.send(h.send(back, url.Values{"comment": {"x"}}), url.Values{"used": {"none"}})
	done := h.send(last, nil)
	wantStatus(t, done, http.StatusSeeOther)
	thanks := h.get(done.Header().Get("Location"))
	wantStatus(t, thanks, 200)
	erase := html.UnescapeString(regexp.MustCompile(`href="([^"]*/erase[^"]*)"`).FindStringSubmatch(thanks.Body.String())[1])
	for where, text := range map[string]string{"Location": done.Header().Get("Location"), "thanks": thanks.Body.String(), "erase": h.get(erase).Body.String()} {
		if strings.Contains(text, token) || strings.Contains(text, "invitation=") {
			t.Errorf("%s has the link", where)
		}
	}
	if strings.Contains(thanks.Body.String(), spanish.Another) {
		t.Error("a new form is offered, which could not be opened")
	}
}

// postSecurity sends the form of security's page, opened at the time.
func (h *harness) postSecurity(token, team string, opened time.Time, change ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	values := url.Values{"_id": {id1}, "_language": {"en"}, "security": {"4"}}
	form := link.Form{ID: id1, Touchpoint: "security", Team: team}
	values.Set("_form", formKey.Sign(form, opened))
	for name, value := range map[string]string{"_invitation": token, "_team": team} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for i := 0; i < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return h.postForm(pagePath+"/security", values)
}

func TestLinkTakesAForm(t *testing.T) {
	for name, c := range linkCases(t) {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access.Signed = !c.open
			h, st := stubHarness(t, s)
			w := h.postSecurity(c.token, "area-a", now.Add(-time.Minute))
			if c.status == 200 {
				wantStatus(t, w, http.StatusSeeOther)
				if len(st.appended) != 1 {
					t.Error("not stored")
				}
				return
			}
			// A form that was opened before its link expired can be sent.
			if name == "expired" || name == "open, expired" {
				wantStatus(t, w, http.StatusSeeOther)
				w = h.postSecurity(c.token, "area-a", now)
				st.appended = st.appended[1:]
			}
			wantStatus(t, w, c.status)
			if !strings.Contains(w.Body.String(), c.heading(english)) || len(st.appended) > 0 {
				t.Errorf("stored, or not told: %s", w.Body)
			}
			if got := h.counted(h.Server.metrics.rejected, "reason", c.reason); got != 1 {
				t.Errorf("%v rejections counted", got)
			}
		})
	}
}

// TestLinkOfAForm: what is stored is what the link says.
func TestLinkOfAForm(t *testing.T) {
	h, st := stubHarness(t, signedSurvey())
	wantStatus(t, h.postSecurity(tokenOf(t, goodLink), "area-a", now.Add(-90*time.Second)), http.StatusSeeOther)
	shared := link.Link{ID: id2, Touchpoint: "security", ExpiresAt: goodLink.ExpiresAt}
	wantStatus(t, h.postSecurity(tokenOf(t, shared), "", now.Add(-90*time.Second)), http.StatusSeeOther)
	many := changed(goodLink, func(l *link.Link) { l.SingleUse = false })
	wantStatus(t, h.postSecurity(tokenOf(t, many), "area-a", now.Add(-90*time.Second)), http.StatusSeeOther)
	type of struct {
		Unit, Invitation string
		SingleUse        bool
		Passed           []string
		StartedAt        time.Time
	}
	var got []of
	for _, r := range st.appended {
		if r.Standing != "" || r.Failed != nil {
			t.Errorf("suspect: %v", r.Failed)
		}
		got = append(got, of{r.Unit, r.Invitation, r.SingleUse, r.Passed, r.StartedAt})
	}
	passed, started := []string{"honeypot", "link", "page"}, now.Add(-90*time.Second)
	want := []of{{"area-a", id2, true, passed, started}, {"", "", false, passed, started}, {"area-a", id2, false, passed, started}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLinkRefusesOthers: a form of a link is for its team and its touchpoint.
func TestLinkRefusesOthers(t *testing.T) {
	h, st := stubHarness(t, signedSurvey())
	w := h.postSecurity(tokenOf(t, goodLink), "area-g", now.Add(-time.Minute))
	wantStatus(t, w, http.StatusUnprocessableEntity)
	body := w.Body.String()
	if again := formOf(t, body); !strings.Contains(body, english.ErrChanged) || again.Get("_team") != "area-a" || again.Get("_invitation") == "" {
		t.Errorf("the form that is shown again: %v", again)
	}
	wantStatus(t, h.postForm(pagePath, url.Values{"_id": {id1}, "_invitation": {tokenOf(t, goodLink)}, "recommend": {"9"}}), http.StatusNotFound)
	if len(st.appended) > 0 {
		t.Error("stored")
	}
}

// TestGrace: who began in time may finish, for a day, and not with a form that was opened later or made up.
func TestGrace(t *testing.T) {
	for name, c := range map[string]struct {
		expired, opened time.Duration // ago
		status          int
	}{
		"in time":              {-time.Second, time.Minute, 303},
		"just expired":         {time.Second, time.Minute, 303},
		"almost a day ago":     {24*time.Hour - time.Second, 24 * time.Hour, 303},
		"a day ago":            {24 * time.Hour, 25 * time.Hour, 403},
		"opened at its expiry": {time.Minute, time.Minute, 403},
		"opened after it":      {time.Minute, time.Second, 403},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := stubHarness(t, signedSurvey())
			token := tokenOf(t, changed(goodLink, func(l *link.Link) { l.ExpiresAt = now.Add(-c.expired) }))
			wantStatus(t, h.postSecurity(token, "area-a", now.Add(-c.opened)), c.status)
			if c.expired > 0 {
				wantStatus(t, h.postSecurity(token, "area-a", now, "_form", "made-up"), 403)
				wantStatus(t, h.get(pagePath+"/security?invitation="+token), 403)
			}
		})
	}
}

func TestLinkInJSON(t *testing.T) {
	good := tokenOf(t, goodLink)
	body := func(token, more string) string {
		return `{"id":"` + id1 + `","invitation":"` + token + `",` + more + `"answers":{"security":4}}`
	}
	for name, c := range linkCases(t) {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access.Signed = !c.open
			h, st := stubHarness(t, s)
			if c.token == "" && c.open {
				wantStatus(t, h.submit(body("", `"touchpoint":"security",`)), 201)
				return
			}
			w := h.submit(body(c.token, ""))
			if c.status == 200 {
				wantStatus(t, w, 201)
				r := st.appended[0]
				if r.Touchpoint != "security" || r.Unit != "area-a" || cmp.Diff([]string{"link"}, r.Passed) != "" || !r.StartedAt.IsZero() {
					t.Errorf("stored %+v", r)
				}
				return
			}
			checkProblem(t, w, c.status, c.reason)
			if len(st.appended) > 0 || h.counted(h.Server.metrics.rejected, "reason", c.reason) != 1 {
				t.Error("stored, or not counted")
			}
		})
	}
	for name, c := range map[string]struct {
		token, more string
		want        []string
	}{
		"the same said":       {good, `"touchpoint":"security","team":"area-a",`, nil},
		"another team":        {good, `"team":"area-g",`, []string{"/team conflict"}},
		"another touchpoint":  {good, `"touchpoint":"x",`, []string{"/touchpoint conflict"}},
		"both":                {good, `"touchpoint":"x","team":"x",`, []string{"/touchpoint conflict", "/team conflict"}},
		"a team of its own":   {tokenOf(t, changed(goodLink, func(l *link.Link) { l.Team = "" })), `"team":"area-a",`, []string{"/team conflict"}},
		"a team that is gone": {tokenOf(t, changed(goodLink, func(l *link.Link) { l.Team = "area-z" })), "", []string{"/team unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := stubHarness(t, signedSurvey())
			w := h.submit(body(c.token, c.more))
			if c.want == nil {
				wantStatus(t, w, 201)
				return
			}
			var got []string
			for _, e := range checkProblem(t, w, 422, "invalid").Errors {
				got = append(got, e.Pointer+" "+e.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLinkThatIsSpent is told by the store, on the page in the reader's language.
func TestLinkThatIsSpent(t *testing.T) {
	h, st := stubHarness(t, signedSurvey())
	st.append = func(_ context.Context, responses []store.Response) ([]store.Result, error) {
		if !responses[0].SingleUse || responses[0].Invitation != id2 {
			t.Errorf("the store is not told: %+v", responses[0])
		}
		return []store.Result{{Outcome: store.Spent}}, nil
	}
	w := h.postSecurity(tokenOf(t, goodLink), "area-a", now.Add(-time.Minute), "_language", "es")
	wantStatus(t, w, http.StatusForbidden)
	for _, want := range []string{spanish.LinkUsedTitle, spanish.LinkUsedText} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	checkProblem(t, h.submit(`{"id":"`+id1+`","invitation":"`+tokenOf(t, goodLink)+`","answers":{"security":4}}`), 403, "link-used")
	if got := h.counted(h.Server.metrics.rejected, "reason", "link-used"); got != 2 {
		t.Errorf("%v rejections counted", got)
	}
}

// TestLinksWithoutAKey: a link that cannot be checked now is not said to be wrong.
func TestLinksWithoutAKey(t *testing.T) {
	h, _ := stubHarness(t, signedSurvey())
	p := testProgram(signedSurvey(), &stubStore{})
	p.Tokens.Sign = ""
	h.registry.Set(programKey, p)
	for query, status := range map[string]int{"": 403, "?invitation=" + tokenOf(t, goodLink): 503} {
		w := h.get(pagePath + "/security" + query)
		wantStatus(t, w, status)
		if status == 503 && w.Header().Get("Retry-After") != "5" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
	checkProblem(t, h.submit(`{"id":"`+id1+`","invitation":"`+tokenOf(t, goodLink)+`","answers":{"security":4}}`), 503, "unavailable")
	wantStatus(t, h.postSecurity(tokenOf(t, goodLink), "area-a", now), 503)
}

// TestLinkOfAClosedProgram says that the program is closed, whatever the link.
func TestLinkOfAClosedProgram(t *testing.T) {
	s := signedSurvey()
	s.Closed = true
	h, _ := stubHarness(t, s)
	wantStatus(t, h.get(pagePath+"/security"), 410)
	wantStatus(t, h.get(pagePath+"/security?invitation="+tokenOf(t, goodLink)), 410)
	wantStatus(t, h.postSecurity("", "", now), 410)
	wantStatus(t, h.get(pagePath+"?receipt=0123456789ABCDEFGHJK"), 200)
}
