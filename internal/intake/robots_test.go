package intake

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// nonceFor finds the proof of work for a response, as the page's script does.
func nonceFor(bits int, response string) string {
	for n := int64(0); ; n++ {
		if nonce := strconv.FormatInt(n, 36); link.Proven(bits, "sfo", "passenger", response, nonce) {
			return nonce
		}
	}
}

func TestChecksOfAPage(t *testing.T) {
	proven := nonceFor(10, id1)
	for name, c := range map[string]struct {
		access         survey.Access
		opened         time.Duration // ago
		change         []string
		unsigned       bool
		passed, failed string
	}{
		"a person":                {opened: time.Minute, passed: "honeypot page"},
		"the field for robots":    {opened: time.Minute, change: []string{"_website", "http://x"}, passed: "page", failed: "honeypot"},
		"a blank there":           {opened: time.Minute, change: []string{"_website", " "}, passed: "page", failed: "honeypot"},
		"no token":                {change: []string{"_form", ""}, passed: "honeypot", failed: "page"},
		"a made-up token":         {change: []string{"_form", strings.Repeat("A", 30)}, passed: "honeypot", failed: "page"},
		"a long token":            {change: []string{"_form", strings.Repeat("A", 5000)}, passed: "honeypot", failed: "page"},
		"another form's token":    {change: []string{"_form", formKey.Sign(link.Form{ID: id2}, now)}, passed: "honeypot", failed: "page"},
		"another page's token":    {change: []string{"_form", formKey.Sign(link.Form{ID: id1, Touchpoint: "security"}, now)}, passed: "honeypot", failed: "page"},
		"another team's token":    {change: []string{"_form", formKey.Sign(link.Form{ID: id1, Team: "area-a"}, now)}, passed: "honeypot", failed: "page"},
		"slow enough":             {access: survey.Access{MinimumSeconds: 2}, opened: 2 * time.Second, passed: "honeypot page time"},
		"too fast":                {access: survey.Access{MinimumSeconds: 2}, opened: 2*time.Second - time.Millisecond, passed: "honeypot page", failed: "time"},
		"before it was opened":    {access: survey.Access{MinimumSeconds: 2}, opened: -time.Second, passed: "honeypot page", failed: "time"},
		"too fast, not asked":     {opened: time.Millisecond, passed: "honeypot page"},
		"fast without a token":    {access: survey.Access{MinimumSeconds: 2}, change: []string{"_form", ""}, passed: "honeypot", failed: "page"},
		"work":                    {access: survey.Access{ProofBits: 10}, opened: time.Minute, change: []string{"_proof", proven}, passed: "honeypot page proof"},
		"no work":                 {access: survey.Access{ProofBits: 10}, opened: time.Minute, passed: "honeypot page", failed: "proof"},
		"not enough work":         {access: survey.Access{ProofBits: 22}, opened: time.Minute, change: []string{"_proof", proven}, passed: "honeypot page", failed: "proof"},
		"work nobody asked for":   {opened: time.Minute, change: []string{"_proof", "nonsense"}, passed: "honeypot page"},
		"a long nonce":            {access: survey.Access{ProofBits: 8}, opened: time.Minute, change: []string{"_proof", strings.Repeat("0", 5000)}, passed: "honeypot page", failed: "proof"},
		"everything":              {access: survey.Access{ProofBits: 10, MinimumSeconds: 9}, opened: time.Second, change: []string{"_website", "x"}, passed: "page", failed: "honeypot proof time"},
		"a program without a key": {access: survey.Access{MinimumSeconds: 2, ProofBits: 10}, unsigned: true, change: []string{"_proof", proven}, passed: "honeypot proof"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access = c.access
			h, st := stubHarness(t, s)
			if c.unsigned {
				p := testProgram(s, st)
				p.Tokens.Sign = ""
				h.registry.Set(programKey, p)
			}
			values := url.Values{"_id": {strings.ToUpper(id1)}, "recommend": {"9"}, "_form": {formKey.Sign(link.Form{ID: id1}, now.Add(-c.opened))}}
			for i := 0; i < len(c.change); i += 2 {
				values.Set(c.change[i], c.change[i+1])
			}
			wantStatus(t, h.postForm(pagePath, values), http.StatusSeeOther)
			r := st.appended[0]
			if got := strings.Join(r.Passed, " "); got != c.passed {
				t.Errorf("passed %q, want %q", got, c.passed)
			}
			if got := strings.Join(r.Failed, " "); got != c.failed {
				t.Errorf("failed %q, want %q", got, c.failed)
			}
			if suspect := c.failed != ""; (r.Standing == store.StandingSuspect) != suspect || suspect && !r.StartedAt.IsZero() {
				t.Errorf("standing %q, started %v", r.Standing, r.StartedAt)
			}
		})
	}
}

func TestChecksOfJSON(t *testing.T) {
	proven := nonceFor(10, id1)
	for name, c := range map[string]struct {
		access         survey.Access
		proof          string
		passed, failed string
	}{
		"nothing is asked": {access: survey.Access{MinimumSeconds: 600}},
		"work":             {access: survey.Access{ProofBits: 10}, proof: proven, passed: "proof"},
		"no work":          {access: survey.Access{ProofBits: 10}, failed: "proof"},
		"wrong work":       {access: survey.Access{ProofBits: 20}, proof: proven, failed: "proof"},
		"no nonce":         {access: survey.Access{ProofBits: 10}, proof: "not a nonce", failed: "proof"},
		"a long one":       {access: survey.Access{ProofBits: 10}, proof: strings.Repeat("0", 33), failed: "proof"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSurvey()
			s.Access = c.access
			h, st := stubHarness(t, s)
			wantStatus(t, h.submit(`{"id":"`+strings.ToUpper(id1)+`","proof":"`+c.proof+`","answers":{"recommend":9}}`), http.StatusCreated)
			r := st.appended[0]
			if passed, failed := strings.Join(r.Passed, " "), strings.Join(r.Failed, " "); passed != c.passed || failed != c.failed {
				t.Errorf("passed %q, failed %q", passed, failed)
			}
			if (r.Standing == store.StandingSuspect) != (c.failed != "") {
				t.Errorf("standing %q", r.Standing)
			}
		})
	}
}

// TestRobotsLearnNothing: whatever checks an answer fails, from outside it looks like one that passed them all.
func TestRobotsLearnNothing(t *testing.T) {
	s := testSurvey()
	s.Access = survey.Access{MinimumSeconds: 5, ProofBits: 8}
	s.Feedback = []survey.Feedback{{Name: "all", Metric: "Mean", Questions: []string{"recommend"}}}
	// Each answer comes to a server of its own, so that the same random bytes make the same receipt.
	answer := func(t *rapid.T, change map[string]string) (*httptest.ResponseRecorder, store.Response) {
		st, registry := &stubStore{}, NewRegistry()
		server, err := New(registry, Config{RatePerMinute: -1, Rand: &counter{}, Clock: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		registry.Set(programKey, testProgram(s, st))
		values := url.Values{"_id": {id1}, "_proof": {nonceFor(8, id1)}, "_form": {formKey.Sign(link.Form{ID: id1}, now.Add(-time.Minute))}, "recommend": {"9"}}
		for name, value := range change {
			values.Set(name, value)
		}
		r := httptest.NewRequest(http.MethodPost, pagePath, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", mediaForm)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if len(st.appended) != 1 {
			t.Fatalf("status %d, %d stored", w.Code, len(st.appended))
		}
		return w, st.appended[0]
	}
	rapid.Check(t, func(t *rapid.T) {
		good, r := answer(t, nil)
		if r.Standing == store.StandingSuspect {
			t.Fatalf("a person's answer failed %v", r.Failed)
		}
		change := map[string]string{}
		for name, values := range map[string][]string{
			"_website": {"", "http://example.org"}, "_proof": {nonceFor(8, id1), "", "x y", nonceFor(8, id2)},
			"_form": {formKey.Sign(link.Form{ID: id1}, now.Add(-time.Minute)), "", "x", formKey.Sign(link.Form{ID: id1}, now)},
		} {
			change[name] = rapid.SampledFrom(values).Draw(t, name)
		}
		got, r := answer(t, change)
		if (len(r.Failed) > 0) != (r.Standing == store.StandingSuspect) {
			t.Fatalf("failed %v and stands %s", r.Failed, r.Standing)
		}
		if diff := cmp.Diff(good.Header(), got.Header()); good.Code != got.Code || good.Body.String() != got.Body.String() || diff != "" {
			t.Fatalf("after %v: %d, %s", r.Failed, got.Code, diff)
		}
	})
}

// TestFormKeepsItsTime: over faults and a kiosk's fresh form it stays known when the page was opened.
func TestFormKeepsItsTime(t *testing.T) {
	h := newHarness(t)
	values := url.Values{"_id": {id1}, "_team": {"area-g"}, "_form": {formKey.Sign(link.Form{ID: id1, Team: "area-g"}, now.Add(-time.Hour))}, "_website": {"x"}}
	w := h.postForm(pagePath, values)
	wantStatus(t, w, http.StatusUnprocessableEntity)
	again := formOf(t, w.Body.String())
	if again.Get("_form") != values.Get("_form") || !strings.Contains(w.Body.String(), `name="_website" value="x"`) {
		t.Errorf("after a fault: %v", again)
	}
	wantStatus(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusCreated)
	values.Set("recommend", "3")
	w = h.postForm(pagePath, values)
	wantStatus(t, w, http.StatusConflict)
	again = formOf(t, w.Body.String())
	opened, ok := formKey.Opened(link.Form{ID: again.Get("_id"), Team: "area-g"}, again.Get("_form"))
	if again.Get("_id") == id1 || !ok || !opened.Equal(now.Add(-time.Hour)) {
		t.Errorf("the fresh form was opened %v, %v", opened, ok)
	}
	// A form without a right token counts as opened now.
	values.Del("recommend")
	values.Set("_form", "x")
	again = formOf(t, h.postForm(pagePath, values).Body.String())
	if opened, ok := formKey.Opened(link.Form{ID: id1, Team: "area-g"}, again.Get("_form")); !ok || !opened.Equal(now) {
		t.Errorf("opened %v, %v", opened, ok)
	}
}

// TestProofGoesAlong: work that was done on one step is not asked for again, and none is passed on that does not count.
func TestProofGoesAlong(t *testing.T) {
	h := stepHarness(t)
	s := stepSurvey(t)
	s.Access.ProofBits = 8
	h.serve(s)
	first := h.get(pagePath)
	fields := formOf(t, first.Body.String())
	if proof, there := fields["_proof"]; !there || proof[0] != "" || !strings.Contains(first.Body.String(), `data-bits="8" data-program="sfo/passenger" data-wait="`) {
		t.Fatalf("the page does not ask for work: %v", fields)
	}
	nonce := nonceFor(8, uuid.MustParse(fields.Get("_id")).String())
	for posted, want := range map[string]string{nonce: nonce, "": "", "nonsense!": "", strings.Repeat("0", 40): ""} {
		second := h.send(first, url.Values{"recommend": {"9"}, "_proof": {posted}})
		wantStep(t, second, 200, "used")
		if got := formOf(t, second.Body.String()).Get("_proof"); got != want {
			t.Errorf("%q is passed on as %q", posted, got)
		}
	}
	if strings.Contains(newHarness(t).get(pagePath).Body.String(), "_proof") {
		t.Error("a page asks for work that the program does not want")
	}
}
