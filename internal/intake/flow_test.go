package intake

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// counts returns all counts of the store as "question value" by touchpoint and team, as the operator reads them.
func (h *harness) counts() map[string]int64 {
	h.t.Helper()
	counts := map[string]int64{}
	var cursor store.Cursor
	for more := true; more; {
		page, err := h.store.Changes(h.t.Context(), cursor, 100)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range page.Counts {
			if c.N != 0 {
				counts[strings.TrimSpace(strings.Join([]string{c.Touchpoint, c.Unit, c.Question, c.Value}, " "))] += c.N
			}
		}
		cursor, more = page.Next, page.More
	}
	return counts
}

// wantCounts fails the test unless the pseudo-questions have these counts.
func (h *harness) wantCounts(want map[string]int64) {
	h.t.Helper()
	got := map[string]int64{}
	for name, n := range h.counts() {
		if strings.Contains(name, "@") && !strings.Contains(name, "@seconds") {
			got[name] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("counts (-want +got):\n%s", diff)
	}
	h.stored()
}

// TestFlowOfAnInvitation goes the whole way over a real store: invited, left alone, opened by a mail scanner, filled in, sent
// twice, and not a second time.
func TestFlowOfAnInvitation(t *testing.T) {
	clock := now
	h := newHarness(t, func(c *Config) { c.Clock = func() time.Time { return clock } })
	s := signedSurvey()
	s.Access.Program = survey.Cooldown{AfterInvitation: 30, AfterAnswer: 90}
	h.serve(s)
	ask := `{"id":"` + id1 + `","contact":"Ada@example.org","touchpoint":"security","team":"area-a","language":"es"}`
	w := h.invite(ask)
	wantStatus(t, w, 201)
	first := decode[invitedAnswer](t, w)
	if !strings.Contains(w.Body.String(), first.URL) || !strings.Contains(first.URL, "&lang=es") {
		t.Errorf("the link cannot be copied out of the answer as it is: %s", w.Body)
	}
	clock = clock.Add(time.Hour)
	w = h.invite(ask)
	wantStatus(t, w, 200)
	if again := decode[invitedAnswer](t, w); cmp.Diff(first, again) != "" {
		t.Errorf("the same again is %+v, not %+v", again, first)
	}
	checkProblem(t, h.invite(strings.Replace(ask, "area-a", "area-g", 1)), 409, "conflict")
	w = h.invite(`{"id":"` + id2 + `","contact":" ada@EXAMPLE.org "}`)
	wantStatus(t, w, 200)
	if skip := decode[invitedAnswer](t, w).Skipped; skip == nil || *skip != (skipped{"program", "invited"}) {
		t.Errorf("she is not left alone: %s", w.Body)
	}
	h.wantCounts(map[string]int64{"security area-a @invited": 1, "@skipped program/invited": 1})

	address, err := url.Parse(first.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // mail scanners and previews
		wantStatus(t, h.get(address.RequestURI()), 200)
		wantStatus(t, h.do(httptest.NewRequest(http.MethodHead, address.RequestURI(), nil)), 200)
	}
	opened, second := h.get(address.RequestURI()), h.get(address.RequestURI())
	clock = clock.Add(40 * time.Second)
	form := formOf(t, opened.Body.String())
	wantStatus(t, h.tell(url.Values{"_id": form["_id"], "_form": form["_form"], "_team": form["_team"], "touchpoint": {"security"}, "question": {"security"}}), 204)
	h.wantCounts(map[string]int64{"security area-a @invited": 1, "@skipped program/invited": 1, "security area-a @unfinished security": 1})
	form.Set("security", "9")
	wantStatus(t, h.post(address.Path, mediaForm, form.Encode()), 422)
	form.Set("security", "5")
	done := h.post(address.Path, mediaForm, form.Encode())
	wantStatus(t, done, 303)
	again := h.post(address.Path, mediaForm, form.Encode())
	if wantStatus(t, again, 303); again.Header().Get("Location") != done.Header().Get("Location") {
		t.Error("sent twice, there are two receipts")
	}
	h.wantCounts(map[string]int64{
		"security area-a @invited": 1, "security area-a @answered": 1, "@skipped program/invited": 1, "security area-a @completed": 1,
	})
	if h.counts()["security area-a @seconds 40"] != 1 {
		t.Errorf("the time is not counted: %v", h.counts())
	}

	if spent := h.get(address.RequestURI()); spent.Code != 403 || !strings.Contains(spent.Body.String(), spanish.LinkUsedTitle) {
		t.Errorf("a spent link is opened: %d, %s", spent.Code, spent.Body)
	}
	// A form that was opened before by another reader of the link.
	other := formOf(t, second.Body.String())
	other.Set("security", "1")
	w = h.post(address.Path, mediaForm, other.Encode())
	wantStatus(t, w, 403)
	if !strings.Contains(w.Body.String(), spanish.LinkUsedTitle) {
		t.Errorf("the page: %s", w.Body)
	}
	checkProblem(t, h.submit(`{"id":"`+id2+`","invitation":"`+address.Query().Get("invitation")+`","answers":{"security":1}}`), 403, "link-used")
	stored := h.stored()
	if len(stored) != 1 || stored[0].Invitation != "" || !slices.Equal(stored[0].Passed, []string{"honeypot", "link", "page"}) {
		t.Errorf("stored %+v", stored)
	}
}

// TestFlowInBulk: the same file twice invites nobody twice, and lines see each other.
func TestFlowInBulk(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Access.Namespace = survey.Cooldown{AfterInvitation: 7}
	h.serve(s)
	file := strings.Join([]string{
		`{"id":"` + idOf(1) + `","contact":"ada"}`, `{"id":"` + idOf(2) + `","contact":"ADA"}`, `{"id":"` + idOf(3) + `","contact":"bob"}`,
		`{"id":"` + idOf(4) + `","singleUse":true}`, `{"id":"` + idOf(5) + `"}`, `{"id":"` + idOf(6) + `","team":"x"}`,
	}, "\n")
	first := h.bulk(file)
	wantStatus(t, first, 200)
	lines := bulkAnswers(t, first.Body.String())
	var got []string
	for _, line := range lines {
		switch {
		case line.Error != nil:
			got = append(got, "error")
		case line.Skipped != nil:
			got = append(got, line.Skipped.Scope+"/"+line.Skipped.Reason)
		default:
			got = append(got, "link")
		}
	}
	if diff := cmp.Diff([]string{"link", "namespace/invited", "link", "link", "link", "error"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	second := h.bulk(file)
	if first.Body.String() != second.Body.String() {
		t.Errorf("the same file again: %s", second.Body)
	}
	h.wantCounts(map[string]int64{"@invited": 3, "@skipped namespace/invited": 1})
}

// TestFlowOfASuspect: an answer that fails a check is in no score until it is brought back, and out again when it is annulled;
// exported and imported elsewhere it stands as it did.
func TestFlowOfASuspect(t *testing.T) {
	h := newHarness(t)
	wantStatus(t, h.submit(`{"id":"`+id2+`","answers":{"recommend":9}}`), 201)
	robot := url.Values{"_id": {id1}, "recommend": {"0"}, "_website": {"http://x"}, "_form": {formKey.Sign(link.Form{ID: id1}, now.Add(-time.Minute))}}
	wantStatus(t, h.postForm(pagePath, robot), 303)
	want := func(scores, suspects int64, standing string) {
		t.Helper()
		counts := h.counts()
		if counts["recommend 0"] != scores || counts["recommend 9"] != 1 || counts["@suspect honeypot"] != suspects {
			t.Errorf("%s: counts %v", standing, counts)
		}
		stored := h.stored()
		i := slices.IndexFunc(stored, func(r store.Response) bool { return r.ID == id1 })
		if string(stored[i].Standing) != standing || !slices.Equal(stored[i].Failed, []string{"honeypot"}) {
			t.Errorf("stored %+v", stored[i])
		}
		line := h.export("ndjson").Body.String()
		if !strings.Contains(line, `"standing":"`+standing+`","passed":["page"],"failed":["honeypot"]}`) {
			t.Errorf("exported %s", line)
		}
		other := newHarness(t)
		if got := decode[summary](t, other.importLines(line)); got.Stored != 2 {
			t.Errorf("imported elsewhere: %+v", got)
		}
		if diff := cmp.Diff(line, other.export("ndjson").Body.String()); diff != "" {
			t.Errorf("the export of the import (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(counts, other.counts()); diff != "" {
			t.Errorf("its counts (-want +got):\n%s", diff)
		}
		csv := bufio.NewScanner(strings.NewReader(h.export("csv").Body.String()))
		for csv.Scan() {
			if text := csv.Text(); strings.HasPrefix(text, id1) && !strings.HasSuffix(text, ","+standing+",page,honeypot") {
				t.Errorf("exported %s", text)
			}
		}
	}
	changed := func(name, body string, n int64) {
		t.Helper()
		w := h.command(name, body)
		wantStatus(t, w, 200)
		got := decode[changedAnswer](t, w)
		if got.Changed != n || got.Recount.Responses != 2 || len(got.Recount.Differences) > 0 {
			t.Errorf("%s %s: %+v", name, body, got)
		}
	}
	want(0, 1, "suspect")
	changed("reinstate", `{"failed":"honeypot","dryRun":true}`, 1)
	want(0, 1, "suspect")
	changed("reinstate", `{"failed":"time"}`, 0)
	changed("reinstate", `{"failed":"honeypot","standing":"suspect"}`, 1)
	want(1, 0, "counted")
	changed("reinstate", `{"all":true}`, 0)
	changed("annul", `{"ids":["`+id1+`"]}`, 1)
	want(0, 0, "annulled")
	wantStatus(t, h.postForm(pagePath, robot), 303)
	want(0, 0, "annulled")
}

// TestFlowOverRestartsAndReplicas: what one endpoint signed, another one knows that has the same token.
func TestFlowOverRestartsAndReplicas(t *testing.T) {
	one, two := newHarness(t), newHarness(t)
	one.serve(signedSurvey())
	two.serve(signedSurvey())
	made := decode[invitedAnswer](t, one.invite(`{"id":"`+id1+`","contact":"ada"}`))
	address, err := url.Parse(made.URL)
	if err != nil {
		t.Fatal(err)
	}
	form := formOf(t, one.get(address.RequestURI()).Body.String())
	form.Set("recommend", "9")
	wantStatus(t, two.post(address.Path, mediaForm, form.Encode()), 303)
	if stored := two.stored(); len(stored) != 1 || !slices.Equal(stored[0].Passed, []string{"honeypot", "link", "page"}) {
		t.Errorf("stored %+v", stored)
	}
}
