package intake

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// stepSurvey asks for the recommendation, of detractors why and who may be asked, then the rest in a step of its own.
func stepSurvey(t testing.TB) *survey.Survey {
	t.Helper()
	s := testSurvey()
	q := s.Questions
	low, err := survey.ParseCondition("answers.recommend <= 6")
	if err != nil {
		t.Fatal(err)
	}
	wifi, err := survey.ParseCondition("'wifi' in answers.used")
	if err != nil {
		t.Fatal(err)
	}
	trip, used, comment := q[4], q[5], q[6]
	comment.ShowWhen, comment.Required = low, true
	trip.ShowWhen = wifi
	s.Questions = []survey.Question{q[0], comment, used, trip, q[1]}
	s.Steps = []survey.Step{
		{Questions: []string{"recommend", "comment"}},
		{Title: survey.Texts{"en": "Your visit", "es": "Su visita"}, Questions: []string{"used", "trip"}},
		{Questions: []string{"security"}},
	}
	return s
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"[^>]*>`)

// form reads the hidden fields of a page, as a browser would send them.
func formOf(t *testing.T, body string) url.Values {
	t.Helper()
	values := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(body, -1) {
		values.Add(m[1], html.UnescapeString(m[2]))
	}
	return values
}

// shows are the questions that a page shows.
func shows(body string) string {
	var names []string
	for _, m := range regexp.MustCompile(`(?:<label><input type="[a-z]+" name="([a-z]+)"|<textarea id="q_([a-z]+)")`).FindAllStringSubmatch(body, -1) {
		if name := m[1] + m[2]; len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// send fills in a page and sends it.
func (h *harness) send(page *httptest.ResponseRecorder, answers url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	values := formOf(h.t, page.Body.String())
	maps.Copy(values, answers)
	return h.postForm(pagePath, values)
}

func wantStep(t *testing.T, w *httptest.ResponseRecorder, status int, questions string, texts ...string) {
	t.Helper()
	wantStatus(t, w, status)
	if got := shows(w.Body.String()); got != questions {
		t.Fatalf("the page asks %q, want %q", got, questions)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the page has no %s", text)
		}
	}
}

func stepHarness(t *testing.T) *harness {
	h := newHarness(t)
	h.serve(stepSurvey(t))
	return h
}

// TestStepsOfADetractor goes through every step, with faults, and back.
func TestStepsOfADetractor(t *testing.T) {
	h := stepHarness(t)
	first := h.get(pagePath)
	wantStep(t, first, 200, "recommend", "Step 1 of 5", ">Continue<", "<title>Step 1 of 5 – ")
	wantStep(t, h.send(first, nil), 422, "recommend", english.ErrAnswer, `role="alert"`)
	second := h.send(first, url.Values{"recommend": {"3"}})
	wantStep(t, second, 200, "comment", "Step 2 of 5", `name="_go" value="back" formnovalidate`)
	if got := second.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("a step is kept as %q", got)
	}
	wantStep(t, h.send(second, nil), 422, "comment", english.ErrAnswer, `name="recommend" value="3"`)
	third := h.send(second, url.Values{"comment": {"Long <lines>\r\nand \"slow\""}})
	wantStep(t, third, 200, "used", "Step 3 of 5", "<h2>Your visit</h2>", "Long &lt;lines&gt;")
	back := h.send(third, url.Values{"used": {"wifi", "none"}, "_go": {"back"}})
	wantStep(t, back, 200, "comment", "Long &lt;lines&gt;", `name="used" value="wifi"`, `name="used" value="none"`)
	third = h.send(back, url.Values{"comment": {"Long <lines>\r\nand \"slow\""}})
	wantStep(t, third, 200, "used", `value="wifi" checked`, `value="none" checked`)
	fourth := h.send(third, url.Values{"used": {"wifi", "none"}})
	wantStep(t, fourth, 200, "trip", "Step 4 of 5", "<h2>Your visit</h2>")
	fifth := h.send(fourth, url.Values{"trip": {"leisure"}})
	wantStep(t, fifth, 200, "security", "Step 5 of 5", ">Send answers<")
	if len(h.stored()) != 0 {
		t.Fatal("a step was stored")
	}
	done := h.send(fifth, url.Values{"security": {"4"}})
	wantStatus(t, done, http.StatusSeeOther)
	again := h.send(fifth, url.Values{"security": {"4"}})
	if done.Header().Get("Location") != again.Header().Get("Location") {
		t.Error("the last step sent twice has two receipts")
	}
	stored := h.stored()
	if len(stored) != 1 || len(stored[0].Answers) != 5 {
		t.Fatalf("stored %+v", stored)
	}
	for _, a := range stored[0].Answers {
		if a.Question == "comment" && a.Values[0] != "Long <lines>\nand \"slow\"" {
			t.Errorf("the text became %q on the way", a.Values[0])
		}
	}
}

// TestStepsOfAPromoter passes over what is not asked, and drops what was answered before the answer changed.
func TestStepsOfAPromoter(t *testing.T) {
	h := stepHarness(t)
	first := h.get(pagePath)
	third := h.send(first, url.Values{"recommend": {"9"}})
	wantStep(t, third, 200, "used", "Step 2 of 4")
	last := h.send(third, url.Values{"used": {"none"}, "comment": {"from before"}})
	wantStep(t, last, 200, "security", "Step 3 of 3")
	back := h.send(last, url.Values{"_go": {"back"}})
	wantStep(t, back, 200, "used", `value="none" checked`)
	wantStatus(t, h.send(last, nil), http.StatusSeeOther)
	stored := h.stored()
	if len(stored) != 1 || len(stored[0].Answers) != 2 {
		t.Errorf("stored %+v", stored)
	}
}

// TestStepsEnd: where the answers of a step leave nothing more to ask, sending it finishes the form.
func TestStepsEnd(t *testing.T) {
	h := newHarness(t)
	s := stepSurvey(t)
	s.Questions, s.Steps = s.Questions[:2], nil
	h.serve(s)
	first := h.get(pagePath)
	wantStep(t, first, 200, "recommend", "Step 1 of 2", ">Continue<")
	wantStep(t, h.send(first, url.Values{"recommend": {"3"}}), 200, "comment", "Step 2 of 2", ">Send answers<")
	wantStatus(t, h.send(first, url.Values{"recommend": {"9"}}), http.StatusSeeOther)
}

// TestStepsAtOnce takes a form that says no step as a whole; a fault brings its step back.
func TestStepsAtOnce(t *testing.T) {
	h := stepHarness(t)
	w := h.postForm(pagePath, url.Values{"recommend": {"3"}, "used": {"pool"}, "comment": {"x"}})
	wantStep(t, w, 422, "used", english.ErrChoice, `name="comment" value="x"`)
	wantStep(t, h.postForm(pagePath, url.Values{"_id": {id1}}), 422, "recommend", english.ErrAnswer)
	wantStep(t, h.postForm(pagePath, url.Values{"_id": {id1}, "_step": {"4"}, "used": {"none"}}), 422, "recommend", english.ErrAnswer)
	for _, step := range []string{"-1", "5", "x", "99999999999999999999"} {
		wantStep(t, h.postForm(pagePath, url.Values{"_id": {id1}, "_step": {step}}), 422, "recommend")
	}
	wantStatus(t, h.postForm(pagePath, url.Values{"_id": {id1}, "recommend": {"9"}, "comment": {"hidden"}}), http.StatusSeeOther)
	if stored := h.stored(); len(stored) != 1 || len(stored[0].Answers) != 1 {
		t.Errorf("stored %+v", stored)
	}
}

// TestStepsGoOnLater follows the link of a step: the answers chosen are there, the texts written are not in the address.
func TestStepsGoOnLater(t *testing.T) {
	h := stepHarness(t)
	page := h.send(h.get(pagePath+"?lang=es&team=area-g"), url.Values{"recommend": {"3"}})
	page = h.send(page, url.Values{"comment": {"secret"}})
	found := regexp.MustCompile(`href="([^"]*)">` + spanish.Later).FindStringSubmatch(page.Body.String())
	if found == nil {
		t.Fatal("there is no link to come back by")
	}
	link := html.UnescapeString(found[1])
	if strings.Contains(link, "secret") || !strings.Contains(link, "recommend=3") || !strings.Contains(link, "team=area-g") {
		t.Errorf("link %s", link)
	}
	back := h.get(link)
	wantStep(t, back, 200, "used", `name="recommend" value="3"`, spanish.Next)
	if a, b := formOf(t, page.Body.String()), formOf(t, back.Body.String()); a.Get("_id") != b.Get("_id") || b.Get("_team") != "area-g" {
		t.Errorf("another form: %v, %v", a, b)
	}
	last := h.send(back, url.Values{"used": {"none"}})
	wantStep(t, h.send(last, nil), 422, "comment", spanish.ErrAnswer)
}

// TestStepsNeverRecordOnReading: a link with all answers records nothing.
func TestStepsNeverRecordOnReading(t *testing.T) {
	h := stepHarness(t)
	wantStep(t, h.get(pagePath+"?_step=4&_id="+id1+"&recommend=9&used=none&security=4"), 200, "security", `value="4" checked`)
	wantStep(t, h.get(pagePath+"?_step=3&recommend=9&used=none"), 200, "security")
	wantStep(t, h.get(pagePath+"?_step=1&recommend=9&_id=nonsense"), 200, "used")
	wantStep(t, h.get(pagePath+"?_step=99"), 200, "recommend")
	if len(h.stored()) != 0 {
		t.Error("reading recorded an answer")
	}
}

func TestPrefill(t *testing.T) {
	for query, c := range map[string]struct {
		checked []string
		hints   []string
	}{
		"recommend=9":                                {[]string{`<input type="radio" name="recommend" value="9" required checked> 9</label>`}, []string{english.Prefilled}},
		"recommend=9&used=wifi&used=none":            {[]string{`value="wifi" checked`, `value="none" checked`, `value="9" required checked`}, []string{english.Prefilled}},
		"recommend=11":                               {nil, []string{english.PrefillUnfit}},
		"recommend=9&recommend=8":                    {nil, []string{english.PrefillUnfit}},
		"trip=cruise&recommend=9":                    {[]string{`value="9" required checked`}, []string{english.Prefilled, english.PrefillUnfit}},
		"comment=injected":                           {nil, nil},
		"utm_source=mail&parking=3&recommend=":       {nil, nil},
		"recommend=" + url.QueryEscape(`"><script>`): {nil, []string{english.PrefillUnfit}},
	} {
		h := newHarness(t)
		body := h.get(pagePath + "?" + query).Body.String()
		if got := strings.Count(body, " checked"); got != len(c.checked) {
			t.Errorf("%s: %d chosen", query, got)
		}
		for _, want := range c.checked {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page has no %s", query, want)
			}
		}
		var hints []string
		for _, m := range regexp.MustCompile(`<p class="note">([^<]*)</p>`).FindAllStringSubmatch(body, -1) {
			hints = append(hints, html.UnescapeString(m[1]))
		}
		if diff := cmp.Diff(c.hints, hints); diff != "" {
			t.Errorf("%s: hints (-want +got):\n%s", query, diff)
		}
		if strings.Contains(body, "injected") || strings.Contains(body, "<script>") || strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: the page has what a stranger wrote, or an alarm", query)
		}
		if len(h.stored()) != 0 {
			t.Errorf("%s: recorded", query)
		}
	}
}

// TestPrefillIsRecordedByTheClick sends the form of an e-mail's link.
func TestPrefillIsRecordedByTheClick(t *testing.T) {
	h := newHarness(t)
	page := h.get(pagePath + "?recommend=9&lang=es")
	if !strings.Contains(page.Body.String(), `hreflang="en">`) || !strings.Contains(page.Body.String(), "lang=en&amp;recommend=9") {
		t.Error("another language loses the answer")
	}
	wantStatus(t, h.send(page, url.Values{"recommend": {"9"}}), http.StatusSeeOther)
	if stored := h.stored(); len(stored) != 1 || stored[0].Answers[0].Values[0] != "9" {
		t.Errorf("stored %+v", stored)
	}
}

func TestHiddenInJSON(t *testing.T) {
	h := stepHarness(t)
	w := h.submit(`{"id":"` + id1 + `","answers":{"recommend":9,"comment":"x"}}`)
	p := checkProblem(t, w, http.StatusUnprocessableEntity, "invalid")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/answers/comment" || p.Errors[0].Code != survey.CodeHidden {
		t.Errorf("%+v", p.Errors)
	}
	wantStatus(t, h.submit(`{"id":"`+id1+`","answers":{"recommend":9}}`), http.StatusCreated)
	w = h.importLines(`{"id":"` + id2 + `","submittedAt":"2026-11-01T00:00:00Z","answers":{"recommend":9,"comment":"x"}}`)
	wantStatus(t, w, http.StatusOK)
	if sum := decode[summary](t, w); sum.Stored != 1 {
		t.Errorf("an import is bound: %+v", sum)
	}
}
