package intake

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	invitePath = "/api/v1/namespaces/sfo/programs/passenger/invitations"
	bulkPath   = invitePath + ":bulk"
)

func (h *harness) invite(body string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(invitePath, mediaJSON, body, "Authorization", "Bearer "+signToken)
}

// linkOf reads the link of an answer.
func linkOf(t *testing.T, answer invitedAnswer) (path string, query url.Values, l link.Link) {
	t.Helper()
	address, err := url.Parse(answer.URL)
	if err != nil {
		t.Fatal(err)
	}
	query = address.Query()
	l, err = linkKey.Parse(query.Get("invitation"))
	if err != nil {
		t.Fatalf("%s: %v", answer.URL, err)
	}
	return address.Scheme + "://" + address.Host + address.Path, query, l
}

func TestInvite(t *testing.T) {
	for name, c := range map[string]struct {
		body     string
		path     string
		lang     string
		link     link.Link
		recorded *store.Invitation
	}{
		"a person": {
			`{"id":"` + strings.ToUpper(id1) + `","contact":" Ada@Example.org","touchpoint":"security","team":"area-a","language":"ES","validDays":7}`,
			"https://cx.example.org/s/sfo/passenger/security", "es",
			link.Link{ID: id1, Touchpoint: "security", Team: "area-a", ExpiresAt: now.Add(7 * day), SingleUse: true, Recorded: true},
			&store.Invitation{Contact: link.HashContact([]byte(contactKey), "sfo", "ada@example.org"), Touchpoint: "security", Unit: "area-a", ExpiresAt: now.Add(7 * day)},
		},
		"a person, several answers": {
			`{"id":"` + id1 + `","contact":"ada","singleUse":false}`, "https://cx.example.org/s/sfo/passenger", "",
			link.Link{ID: id1, ExpiresAt: now.Add(30 * day), Recorded: true},
			&store.Invitation{Contact: link.HashContact([]byte(contactKey), "sfo", "ada"), ExpiresAt: now.Add(30 * day)},
		},
		"anybody once": {
			`{"id":"` + id1 + `","singleUse":true}`, "https://cx.example.org/s/sfo/passenger", "",
			link.Link{ID: id1, ExpiresAt: now.Add(30 * day), SingleUse: true, Recorded: true}, &store.Invitation{ExpiresAt: now.Add(30 * day)},
		},
		"shared": {
			`{"id":"` + id1 + `","team":"area-g","touchpoint":""}`, "https://cx.example.org/s/sfo/passenger", "",
			link.Link{ID: id1, Team: "area-g", ExpiresAt: now.Add(30 * day)}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access = survey.Access{Program: survey.Cooldown{AfterInvitation: 30, AfterAnswer: 90}, Namespace: survey.Cooldown{AfterInvitation: 7, AfterAnswer: 14}}
			h, st := stubHarness(t, s, func(c *Config) { c.PublicURL = "https://cx.example.org/" })
			var asked []store.Invitation
			st.invite = func(in []store.Invitation, f store.Fatigue) ([]store.InviteResult, error) {
				asked = in
				want := store.Fatigue{Program: store.Cooldown{AfterInvitation: 30 * day, AfterAnswer: 90 * day}, Namespace: store.Cooldown{AfterInvitation: 7 * day, AfterAnswer: 14 * day}}
				if f != want {
					t.Errorf("fatigue %+v", f)
				}
				return []store.InviteResult{{Outcome: store.Stored, InvitedAt: in[0].InvitedAt, ExpiresAt: in[0].ExpiresAt}}, nil
			}
			w := h.invite(c.body)
			wantStatus(t, w, http.StatusCreated)
			answer := decode[invitedAnswer](t, w)
			path, query, l := linkOf(t, answer)
			if path != c.path || query.Get("lang") != c.lang || query.Has("lang") != (c.lang != "") || answer.ID != id1 || answer.ExpiresAt != c.link.ExpiresAt.Format(time.RFC3339) {
				t.Errorf("answered %+v", answer)
			}
			if diff := cmp.Diff(c.link, l); diff != "" {
				t.Errorf("the link (-want +got):\n%s", diff)
			}
			if (len(asked) == 1) != (c.recorded != nil) {
				t.Fatalf("the store got %+v", asked)
			}
			if c.recorded == nil {
				return
			}
			want := *c.recorded
			want.Program, want.ID, want.InvitedAt, want.Digest = programKey, id1, now, asked[0].Digest
			if diff := cmp.Diff(want, asked[0]); diff != "" || asked[0].Digest == [32]byte{} {
				t.Errorf("the store got (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.ToLower(w.Body.String()), "ada") {
				t.Error("the contact is in the answer")
			}
		})
	}
}

// TestInviteAgain: what the store says decides, and a repeat has the link of the first time.
func TestInviteAgain(t *testing.T) {
	expires := now.Add(5*day + 123456*time.Microsecond)
	for name, c := range map[string]struct {
		result store.InviteResult
		status int
		skip   string
	}{
		"stored":           {store.InviteResult{Outcome: store.Stored, ExpiresAt: expires}, 201, ""},
		"repeated":         {store.InviteResult{Outcome: store.Repeated, ExpiresAt: expires}, 200, ""},
		"skipped":          {store.InviteResult{Outcome: store.Stored, ExpiresAt: expires, Skip: store.Skip{Scope: "namespace", Reason: "answered"}}, 200, "namespace/answered"},
		"skipped repeated": {store.InviteResult{Outcome: store.Repeated, ExpiresAt: expires, Skip: store.Skip{Scope: "program", Reason: "invited"}}, 200, "program/invited"},
		"conflict":         {store.InviteResult{Outcome: store.Conflict}, 409, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := stubHarness(t, testSurvey())
			st.invite = func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error) {
				return []store.InviteResult{c.result}, nil
			}
			w := h.invite(`{"id":"` + id1 + `","contact":"ada"}`)
			if c.status == 409 {
				p := checkProblem(t, w, 409, "conflict")
				if len(p.Errors) != 1 || p.Errors[0].Pointer != "/id" {
					t.Errorf("%+v", p)
				}
				return
			}
			wantStatus(t, w, c.status)
			answer := decode[invitedAnswer](t, w)
			if c.skip != "" {
				if answer.Skipped == nil || answer.Skipped.Scope+"/"+answer.Skipped.Reason != c.skip || answer.URL+answer.ExpiresAt != "" {
					t.Errorf("answered %s", w.Body)
				}
				return
			}
			if _, _, l := linkOf(t, answer); !l.ExpiresAt.Equal(expires.Truncate(time.Second)) || answer.ExpiresAt != l.ExpiresAt.Format(time.RFC3339) || answer.Skipped != nil {
				t.Errorf("answered %s", w.Body)
			}
		})
	}
}

func TestInviteRefused(t *testing.T) {
	without := func(change func(*Program)) func(*Program) { return change }
	ok := `{"id":"` + id1 + `","contact":"ada"}`
	for name, c := range map[string]struct {
		path, token, mediaType, body string
		change                       func(*Program)
		status                       int
		reason                       string
	}{
		"no token":         {token: "-", body: ok, status: 401, reason: "unauthorized"},
		"import token":     {token: importToken, body: ok, status: 401, reason: "unauthorized"},
		"read token":       {token: readToken, body: ok, status: 401, reason: "unauthorized"},
		"no program":       {path: "/api/v1/namespaces/sfo/programs/gone/invitations", body: ok, status: 404, reason: "not-found"},
		"media type":       {mediaType: "text/plain", body: ok, status: 415, reason: "unsupported"},
		"not JSON":         {body: "{", status: 400, reason: "malformed"},
		"unknown member":   {body: `{"id":"` + id1 + `","email":"ada"}`, status: 400, reason: "malformed"},
		"too large":        {body: `{"id":"` + strings.Repeat("x", 64<<10) + `"}`, status: 413, reason: "too-large"},
		"a field":          {body: `{"id":"` + id1 + `","team":"nobody"}`, status: 422, reason: "invalid"},
		"too many days":    {body: `{"id":"` + id1 + `","validDays":31}`, status: 422, reason: "invalid"},
		"closed":           {body: ok, change: without(func(p *Program) { p.Survey.Closed = true }), status: 410, reason: "closed"},
		"no key to sign":   {body: ok, token: "-", change: without(func(p *Program) { p.Tokens.Sign = "" }), status: 503, reason: "unavailable"},
		"no contact key":   {body: ok, change: without(func(p *Program) { p.ContactKey = nil }), status: 503, reason: "unavailable"},
		"store away":       {body: ok, change: without(func(p *Program) { p.Store = nil }), status: 503, reason: "unavailable"},
		"a digit too many": {body: `{"id":"` + id1 + `1"}`, status: 422, reason: "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := stubHarness(t, testSurvey())
			st.invite = func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error) {
				return nil, errors.New("the store was called")
			}
			if c.change != nil {
				p := testProgram(testSurvey(), st)
				c.change(&p)
				h.registry.Set(programKey, p)
			}
			if c.path == "" {
				c.path = invitePath
			}
			if c.mediaType == "" {
				c.mediaType = mediaJSON
			}
			var header []string
			if c.token != "-" {
				header = []string{"Authorization", "Bearer " + signToken}
			}
			if c.token != "" && c.token != "-" {
				header[1] = "Bearer " + c.token
			}
			w := h.post(c.path, c.mediaType, c.body, header...)
			p := checkProblem(t, w, c.status, c.reason)
			if strings.Contains(p.Detail, "ada") {
				t.Errorf("detail %q", p.Detail)
			}
			if c.status == 401 != (w.Header().Get("WWW-Authenticate") != "") || c.status == 503 != (w.Header().Get("Retry-After") != "") {
				t.Errorf("header %v", w.Header())
			}
		})
	}
}

// TestInviteWithoutAStore: a shared link needs none, nor a key for contacts.
func TestInviteWithoutAStore(t *testing.T) {
	h := newHarness(t)
	p := testProgram(testSurvey(), nil)
	p.ContactKey = nil
	h.registry.Set(programKey, p)
	wantStatus(t, h.invite(`{"id":"`+id1+`"}`), http.StatusCreated)
}

func TestInviteWhileTheStoreFails(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		retry  string
		logged int
	}{"busy": {store.ErrBusy, "1", 0}, "closed": {store.ErrClosed, "5", 0}, "broken": {errors.New("disk full"), "5", 1}} {
		logged := ""
		log := funcr.New(func(_, args string) { logged += args }, funcr.Options{})
		h, st := stubHarness(t, testSurvey(), func(c *Config) { c.Log = log })
		st.invite = func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error) { return nil, c.err }
		w := h.invite(`{"id":"` + id1 + `","contact":"ada@example.org"}`)
		checkProblem(t, w, 503, "unavailable")
		if w.Header().Get("Retry-After") != c.retry || (logged != "") != (c.logged > 0) || strings.Contains(logged, "ada") {
			t.Errorf("%s: Retry-After %s, log %q", name, w.Header().Get("Retry-After"), logged)
		}
	}
}

// TestPublicBase: without a configured address links begin with the one that the call was sent to.
func TestPublicBase(t *testing.T) {
	for want, c := range map[string]struct {
		configured string
		tls        bool
	}{
		"http://example.com": {"", false}, "https://example.com": {"", true}, "https://cx.example.org:8443": {"https://cx.example.org:8443", false},
	} {
		h, _ := stubHarness(t, testSurvey(), func(config *Config) { config.PublicURL = c.configured })
		r := httptest.NewRequest(http.MethodPost, invitePath, strings.NewReader(`{"id":"`+id1+`"}`))
		r.Header.Set("Content-Type", mediaJSON)
		r.Header.Set("Authorization", "Bearer "+signToken)
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := h.do(r)
		wantStatus(t, w, 201)
		if answer := decode[invitedAnswer](t, w); !strings.HasPrefix(answer.URL, want+"/s/sfo/passenger?invitation=") {
			t.Errorf("%s, want %s", answer.URL, want)
		}
	}
	for _, bad := range []string{"cx.example.org", "ftp://cx.example.org", "https://", "://"} {
		if _, err := New(NewRegistry(), Config{PublicURL: bad}); err == nil {
			t.Errorf("the public URL %q is taken", bad)
		}
	}
}

// TestTokensAreNotLogged: whatever goes wrong, no link comes into the log.
func TestTokensAreNotLogged(t *testing.T) {
	var logged strings.Builder
	log := funcr.New(func(_, args string) { logged.WriteString(args) }, funcr.Options{})
	h := newHarness(t, func(c *Config) { c.Log = log })
	st := &stubStore{append: failing(errors.New("disk full"))}
	h.registry.Set(programKey, testProgram(signedSurvey(), st))
	token := tokenOf(t, goodLink)
	h.get(pagePath + "/security?invitation=" + token)
	h.get(pagePath + "/security?invitation=" + token + "x")
	h.postSecurity(token, "area-a", now)
	h.submit(`{"id":"` + id1 + `","invitation":"` + token + `","answers":{"security":4}}`)
	if got := logged.String(); !strings.Contains(got, "disk full") || strings.Contains(got, token[:20]) || strings.Contains(got, "invitation") {
		t.Errorf("log: %s", got)
	}
}

// bulkAnswers reads the lines of an answer.
func bulkAnswers(t *testing.T, body string) []bulkLine {
	t.Helper()
	var lines []bulkLine
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	for decoder.More() {
		line := bulkLine{invitedAnswer: &invitedAnswer{}}
		if err := decoder.Decode(&line); err != nil {
			t.Fatalf("%v after %d lines: %s", err, len(lines), body)
		}
		lines = append(lines, line)
	}
	return lines
}
