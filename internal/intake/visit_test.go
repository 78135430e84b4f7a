package intake

import (
	"context"
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
)

const visitsPath = pagePath + "/visits"

// beacon is what the page's script sends.
func beacon(change ...string) url.Values {
	form := link.Form{ID: id1, Touchpoint: "security", Team: "area-a"}
	values := url.Values{
		"_id": {id1}, "_form": {formKey.Sign(form, now.Add(-time.Minute))}, "_team": {"area-a"}, "touchpoint": {"security"}, "question": {"comment"},
	}
	for i := 0; i < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return values
}

func (h *harness) tell(values url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.post(visitsPath, mediaForm+";charset=UTF-8", values.Encode())
}

func TestVisit(t *testing.T) {
	h, st := stubHarness(t, testSurvey())
	w := h.tell(beacon("_id", strings.ToUpper(id1)))
	wantStatus(t, w, http.StatusNoContent)
	if w.Header().Get("Cache-Control") != "no-store" || w.Body.Len() > 0 {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	// The position is that in the survey, not on the page.
	want := []store.Visit{{Program: programKey, ID: id1, Touchpoint: "security", Unit: "area-a", StartedAt: now.Add(-time.Minute), Question: "comment", Position: 6}}
	if diff := cmp.Diff(want, st.visits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestVisitThatIsNone: what is not a form's own beacon is answered the same, and not kept.
func TestVisitThatIsNone(t *testing.T) {
	for name, values := range map[string]url.Values{
		"nothing":                {},
		"no token":               beacon("_form", ""),
		"a made-up token":        beacon("_form", strings.Repeat("A", 30)),
		"another id":             beacon("_id", id2),
		"no id":                  beacon("_id", "x"),
		"another team":           beacon("_team", "area-g"),
		"no team":                beacon("_team", ""),
		"another touchpoint":     beacon("touchpoint", ""),
		"no such touchpoint":     beacon("touchpoint", "nowhere"),
		"a question elsewhere":   beacon("question", "recommend"),
		"no question":            beacon("question", ""),
		"no such question":       beacon("question", "@completed"),
		"the field for robots":   beacon("_website", "x"),
		"opened too long ago":    beacon("_form", formKey.Sign(link.Form{ID: id1, Touchpoint: "security", Team: "area-a"}, now.Add(-maxVisit-time.Second))),
		"a very long touchpoint": beacon("touchpoint", strings.Repeat("x", 1000)),
	} {
		h, st := stubHarness(t, testSurvey())
		w := h.tell(values)
		wantStatus(t, w, http.StatusNoContent)
		if len(st.visits) > 0 {
			t.Errorf("%s: kept %+v", name, st.visits)
		}
	}
	s := testSurvey()
	s.Closed = true
	h, st := stubHarness(t, s)
	wantStatus(t, h.tell(beacon()), http.StatusNoContent)
	if len(st.visits) > 0 {
		t.Error("a closed program has visits")
	}
}

func TestVisitThatCannotBeRead(t *testing.T) {
	h, st := stubHarness(t, testSurvey())
	checkProblem(t, h.post(visitsPath, mediaJSON, "{}"), 415, "unsupported")
	checkProblem(t, h.post(visitsPath, mediaForm, "_id=%zz"), 400, "malformed")
	checkProblem(t, h.post(visitsPath, mediaForm, "_id="+strings.Repeat("x", 64<<10)), 413, "too-large")
	checkProblem(t, h.post("/s/sfo/nothing/visits", mediaForm, beacon().Encode()), 404, "not-found")
	wantStatus(t, rawCall(h, http.MethodGet, visitsPath+"?"+beacon().Encode(), "", ""), http.StatusMethodNotAllowed)
	if len(st.visits) > 0 {
		t.Errorf("kept %+v", st.visits)
	}
}

func TestVisitsAreLimited(t *testing.T) {
	h, _ := stubHarness(t, testSurvey(), func(c *Config) { c.RatePerMinute, c.RateBurst = 1, 1 })
	for range pageFactor {
		wantStatus(t, h.tell(beacon()), http.StatusNoContent)
	}
	w := h.tell(beacon())
	checkProblem(t, w, http.StatusTooManyRequests, "too-many")
	if w.Header().Get("Retry-After") != "6" {
		t.Errorf("Retry-After %s", w.Header().Get("Retry-After"))
	}
}

// TestVisitsOfSteps: each step that is sent tells how far the form has come, also back, with faults and at the end, until the
// answers are stored.
func TestVisitsOfSteps(t *testing.T) {
	h, st := stubHarness(t, stepSurvey(t))
	var got []string
	told := func() {
		for _, v := range st.visits {
			if v.ID == "" || !v.StartedAt.Equal(now) || v.Unit != "area-g" || v.Touchpoint != "" {
				t.Errorf("told %+v", v)
			}
			got = append(got, v.Question)
		}
		got, st.visits = append(got, "|"), nil
	}
	first := h.get(pagePath + "?team=area-g")
	told()
	h.send(first, nil) // a required answer is missing: nothing is answered, and the first question was reached
	told()
	second := h.send(first, url.Values{"recommend": {"3"}})
	told()
	third := h.send(second, url.Values{"comment": {"x"}})
	told()
	h.send(third, url.Values{"used": {"wifi"}, "_go": {"back"}})
	told()
	fourth := h.send(third, url.Values{"used": {"none"}})
	told()
	h.send(fourth, url.Values{"security": {"99"}})
	told()
	wantStatus(t, h.send(fourth, url.Values{"security": {"4"}}), http.StatusSeeOther)
	told()
	want := "| recommend | recommend | comment | used | used | security | |"
	if got := strings.Join(got, " "); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	if r := st.appended[0]; !r.StartedAt.Equal(now) || r.Standing != "" {
		t.Errorf("the end: %+v", r)
	}
}

// TestVisitsOfRobots are not told.
func TestVisitsOfRobots(t *testing.T) {
	h, st := stubHarness(t, stepSurvey(t))
	first := h.get(pagePath)
	h.send(first, url.Values{"recommend": {"3"}, "_website": {"x"}})
	h.send(first, url.Values{"recommend": {"3"}, "_form": {"x"}})
	if len(st.visits) > 0 {
		t.Errorf("told %+v", st.visits)
	}
}

// TestVisitOfAnOldForm: somebody who left a page open for long is counted, and the visit is not told any more.
func TestVisitOfAnOldForm(t *testing.T) {
	for opened, want := range map[time.Duration]time.Time{
		maxVisit: now.Add(-maxVisit), maxVisit + time.Second: {}, -time.Minute: now,
	} {
		h, st := stubHarness(t, testSurvey())
		wantStatus(t, h.postForm(pagePath, url.Values{"_id": {id1}, "recommend": {"9"}, "_form": {formKey.Sign(link.Form{ID: id1}, now.Add(-opened))}}), http.StatusSeeOther)
		if r := st.appended[0]; !r.StartedAt.Equal(want) || r.Standing != "" || r.Passed[1] != "page" {
			t.Errorf("opened %s ago: %+v", opened, r)
		}
	}
}

// TestNobodyWaitsForVisits: a store that fails, hangs or is away does not hold up a step, and of its faults the log is told.
func TestNobodyWaitsForVisits(t *testing.T) {
	for name, c := range map[string]struct {
		track  func(context.Context, []store.Visit) error
		logged int
	}{
		"busy":   {func(context.Context, []store.Visit) error { return store.ErrBusy }, 0},
		"closed": {func(context.Context, []store.Visit) error { return store.ErrClosed }, 0},
		"broken": {func(context.Context, []store.Visit) error { return errors.New("disk full") }, 1},
		"hangs": {func(ctx context.Context, _ []store.Visit) error {
			<-ctx.Done()
			return ctx.Err()
		}, 0},
	} {
		logged := 0
		log := funcr.New(func(_, _ string) { logged++ }, funcr.Options{})
		h, st := stubHarness(t, stepSurvey(t), func(c *Config) { c.Log = log })
		st.track = c.track
		wantStep(t, h.send(h.get(pagePath), url.Values{"recommend": {"9"}}), 200, "used")
		if logged != c.logged {
			t.Errorf("%s: logged %d times", name, logged)
		}
	}
	h := newHarness(t)
	h.registry.Set(programKey, testProgram(stepSurvey(t), nil))
	wantStep(t, h.send(h.get(pagePath), url.Values{"recommend": {"9"}}), 200, "used")
}
