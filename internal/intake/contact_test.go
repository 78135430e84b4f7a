package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	caseKey = "case-key-of-the-test-0123456789abcdef"
	address = "Ana.Müller+sfo@example.org"
)

// contactSurvey asks for a contact on the program's page and at security.
func contactSurvey() *survey.Survey {
	s := testSurvey()
	s.Contact = &survey.Contact{}
	rule := survey.FollowUp{
		OpenOn: []string{"ContactRequested", "Detractor", "LowScore"}, NPSAtMost: 6, LowPercent: 25, WithinHours: 48, RetentionDays: 90,
	}
	s.Touchpoints["food"] = survey.Touchpoint{DisplayName: "Food", Questions: []string{"signs"}}
	s.FollowUps = map[string]survey.FollowUp{"": rule, "security": rule}
	return s
}

func withContacts(s *survey.Survey, st store.Store) Program {
	p := testProgram(s, st)
	ring, err := desk.ParseKeys(caseKey)
	if err != nil {
		panic(err)
	}
	p.CaseKeys = ring
	return p
}

// contactHarness serves the survey that asks for a contact over a store that remembers what it was given.
func contactHarness(t *testing.T) (*harness, *stubStore) {
	t.Helper()
	st := &stubStore{}
	h := harnessOver(t, st)
	h.registry.Set(programKey, withContacts(contactSurvey(), st))
	return h, st
}

func contactBody(answers, touchpoint, contact string) string {
	return fmt.Sprintf(`{"id":%q,"touchpoint":%q,"answers":{%s},"contact":%s}`, id1, touchpoint, answers, contact)
}

// opened returns the case that the last response came with, with its contact in clear.
func opened(t *testing.T, st *stubStore) (c *store.CaseOpening, contact string) {
	t.Helper()
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.appended) == 0 {
		t.Fatal("nothing was stored")
	}
	r := st.appended[len(st.appended)-1]
	if r.Case == nil {
		return nil, ""
	}
	kept := store.Case{Program: programKey, ID: r.Case.ID, Contact: r.Case.Contact}
	p := withContacts(contactSurvey(), st)
	contact, err := desk.Of(oneCase{kept: kept}, desk.Keys{Cases: p.CaseKeys, Contact: p.ContactKey}).Contact(context.Background(), programKey, r.Case.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r.Case, contact
}

// oneCase is a store of one case.
type oneCase struct {
	store.Cases
	kept store.Case
}

func (c oneCase) Case(context.Context, store.Key, string) (store.Case, error) { return c.kept, nil }

func TestContactOpensACase(t *testing.T) {
	agreed := `{"address":" ` + address + ` ","consent":true}`
	asks := `{"address":"+34 600 000 000","consent":true,"requested":true}`
	for name, c := range map[string]struct {
		body    string
		reasons []string
		contact string
	}{
		"detractor":           {contactBody(`"recommend":6`, "", agreed), []string{"Detractor"}, address},
		"low":                 {contactBody(`"security":2`, "security", agreed), []string{"LowScore"}, address},
		"both":                {contactBody(`"recommend":0,"ease":1`, "", agreed), []string{"Detractor", "LowScore"}, address},
		"asks":                {contactBody(`"security":5`, "security", asks), []string{"ContactRequested"}, "+34 600 000 000"},
		"promoter":            {contactBody(`"recommend":9`, "", agreed), nil, ""},
		"nobody to contact":   {contactBody(`"recommend":0`, "", "null"), nil, ""},
		"no rule, no contact": {`{"id":"` + id1 + `","touchpoint":"food","answers":{"signs":1}}`, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := contactHarness(t)
			wantStatus(t, h.submit(c.body), http.StatusCreated)
			got, contact := opened(t, st)
			if c.reasons == nil {
				if got != nil {
					t.Fatalf("a case is opened: %+v", got)
				}
				return
			}
			if got == nil {
				t.Fatal("no case is opened")
			}
			want := &store.CaseOpening{
				ID: got.ID, Reasons: c.reasons, PromisedBy: time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC), Contact: got.Contact,
				ContactHash: link.HashContact([]byte(contactKey), "sfo", strings.ReplaceAll(c.contact, " ", "")), RetentionDays: 90,
			}
			if diff := cmp.Diff(want, got); diff != "" || contact != c.contact {
				t.Errorf("contact %q, case (-want +got):\n%s", contact, diff)
			}
			if got.ID == id1 || bytes.Contains(got.Contact, []byte("600")) || bytes.Contains(got.Contact, []byte("example")) {
				t.Errorf("the case says too much: %+v", got)
			}
		})
	}
}

func TestContactRefused(t *testing.T) {
	low := `"recommend":0`
	for name, c := range map[string]struct {
		body     string
		status   int
		pointers []string
	}{
		"no consent":     {contactBody(low, "", `{"address":"a@b.example","consent":false}`), 422, []string{"/contact/consent"}},
		"consent absent": {contactBody(low, "", `{"address":"a@b.example"}`), 422, []string{"/contact/consent"}},
		"no address":     {contactBody(low, "", `{"address":"  ","consent":true}`), 422, []string{"/contact/address"}},
		"nothing":        {contactBody(low, "", `{}`), 422, []string{"/contact/address", "/contact/consent"}},
		"too short":      {contactBody(low, "", `{"address":"a@","consent":true}`), 422, []string{"/contact/address"}},
		"too long":       {contactBody(low, "", `{"address":"`+strings.Repeat("a", 250)+`@b.ex","consent":true}`), 422, []string{"/contact/address"}},
		"neither":        {contactBody(low, "", `{"address":"call me","consent":true}`), 422, []string{"/contact/address"}},
		"unprintable":    {contactBody(low, "", `{"address":"a\u0000@b.example","consent":true}`), 422, []string{"/contact/address"}},
		"two lines":      {contactBody(low, "", `{"address":"a@b.example\nBcc: c@d.example","consent":true}`), 422, []string{"/contact/address"}},
		"no rule":        {contactBody(`"signs":1`, "food", `{"address":"a@b.example","consent":true}`), 422, []string{"/contact"}},
		"and an answer":  {contactBody(`"recommend":11`, "", `{"address":"a@b.example"}`), 422, []string{"/answers/recommend", "/contact/consent"}},
		"not an object":  {contactBody(low, "", `"a@b.example"`), 400, nil},
		"text consent":   {contactBody(low, "", `{"address":"a@b.example","consent":"yes"}`), 400, nil},
		"stranger":       {contactBody(low, "", `{"address":"a@b.example","consent":true,"name":"Ana"}`), 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := contactHarness(t)
			w := h.submit(c.body)
			wantStatus(t, w, c.status)
			p := decode[problem](t, w)
			var got []string
			for _, e := range p.Errors {
				got = append(got, e.Pointer)
			}
			if diff := cmp.Diff(c.pointers, got); diff != "" {
				t.Error(diff)
			}
			if len(st.appended) > 0 || strings.Contains(w.Body.String(), "b.ex") || strings.Contains(w.Body.String(), "Ana") {
				t.Errorf("stored %d, answered %s", len(st.appended), w.Body)
			}
		})
	}
	h, _ := contactHarness(t)
	w := h.submit(contactBody(low, "", `{"address":"a@b.example","consent":"yes"}`))
	if p := decode[problem](t, w); !strings.Contains(p.Detail, "contact.consent must be true or false") {
		t.Errorf("the fault is not named: %s", p.Detail)
	}
}

// A suspect answer opens no case, and its contact is not kept.
func TestContactOfASuspect(t *testing.T) {
	h, st := contactHarness(t)
	s := contactSurvey()
	s.Access.ProofBits = 8
	h.registry.Set(programKey, withContacts(s, st))
	wantStatus(t, h.submit(contactBody(`"recommend":0`, "", `{"address":"a@b.example","consent":true,"requested":true}`)), http.StatusCreated)
	if c, _ := opened(t, st); c != nil || st.appended[0].Standing != store.StandingSuspect {
		t.Errorf("stored %+v, case %+v", st.appended[0], c)
	}
}

// Without keys no contact is taken, rather than lost; an answer that opens no case is.
func TestContactWithoutKeys(t *testing.T) {
	for name, change := range map[string]func(*Program){
		"cases":    func(p *Program) { p.CaseKeys = testProgram(p.Survey, nil).CaseKeys },
		"contacts": func(p *Program) { p.ContactKey = nil },
	} {
		t.Run(name, func(t *testing.T) {
			h, st := contactHarness(t)
			p := withContacts(contactSurvey(), st)
			change(&p)
			h.registry.Set(programKey, p)
			contact := `{"address":"a@b.example","consent":true}`
			checkProblem(t, h.submit(contactBody(`"recommend":0`, "", contact)), 503, "unavailable")
			form := url.Values{"_id": {id1}, "recommend": {"0"}, "_contact": {"a@b.example"}, "_consent": {"yes"}}
			w := h.postForm(pagePath, form)
			wantStatus(t, w, 503)
			if !strings.Contains(w.Body.String(), `value="a@b.example"`) || len(st.appended) > 0 {
				t.Errorf("what was typed is lost, or %d stored", len(st.appended))
			}
			wantStatus(t, h.submit(contactBody(`"recommend":9`, "", contact)), http.StatusCreated)
		})
	}
}

// A retry is a repeat whatever its contact, since no digest covers that: the first one stands.
func TestContactOfARepeat(t *testing.T) {
	h := newHarness(t)
	h.registry.Set(programKey, withContacts(contactSurvey(), h.store))
	first := h.submit(contactBody(`"recommend":0`, "", `{"address":"a@b.example","consent":true}`))
	wantStatus(t, first, http.StatusCreated)
	for _, contact := range []string{`{"address":"a@b.example","consent":true}`, `{"address":"c@d.example","consent":true}`, "null"} {
		again := h.submit(contactBody(`"recommend":0`, "", contact))
		wantStatus(t, again, http.StatusOK)
		if decode[receiptAnswer](t, again) != decode[receiptAnswer](t, first) {
			t.Errorf("%s: another receipt", contact)
		}
	}
	if n := len(h.stored()); n != 1 {
		t.Errorf("%d stored", n)
	}
	for _, format := range []string{"csv", "ndjson"} {
		if export := h.export(format).Body.String(); strings.Contains(export, "example") || strings.Contains(export, "contact") {
			t.Errorf("the export tells of a contact: %s", export)
		}
	}
}

func TestContactIsNotImported(t *testing.T) {
	h, st := contactHarness(t)
	w := h.importLines(contactBody(`"recommend":0`, "", `{"address":"a@b.example","consent":true}`))
	if body := w.Body.String(); len(st.appended) > 0 || !strings.Contains(body, "/contact") || strings.Contains(body, "a@b.example") {
		t.Errorf("%d stored, answered %s", len(st.appended), body)
	}
}

var contactInput = regexp.MustCompile(`<input class="line address"[^>]*>`)

func TestContactOnThePage(t *testing.T) {
	h, _ := contactHarness(t)
	body := h.get(pagePath).Body.String()
	for _, want := range []string{
		`autocomplete="email"`, `<label for="_contact">E-mail address or phone number</label>`, "Please contact me",
		"Passenger experience may keep this address and use it to contact me about my answers, for nothing else. It is deleted 90 days after",
		`<label><input type="checkbox" name="_consent" value="yes">`, "May we contact you? <span class=\"need\">(optional)",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if food := h.get(pagePath + "/food").Body.String(); strings.Contains(food, "_contact") {
		t.Error("a page without a rule asks for a contact")
	}
	s := contactSurvey()
	s.Contact = &survey.Contact{Text: survey.Texts{"en": "We call back.", "es": "Le llamamos."}, Consent: survey.Texts{"en": "You may call me."}}
	h.registry.Set(programKey, withContacts(s, h.store))
	body = h.get(pagePath + "?lang=es").Body.String()
	if !strings.Contains(body, "Le llamamos.") || !strings.Contains(body, `<span lang="en" dir="ltr">You may call me.</span>`) || strings.Contains(body, "90 d") {
		t.Errorf("the author's texts are not shown: %s", contactInput.FindString(body))
	}
	for _, w := range allWords {
		page := h.get(pagePath + "?lang=" + w.Tag).Body.String()
		for _, fault := range accessibility(t, page) {
			t.Errorf("%s: %s", w.Tag, fault)
		}
	}
}

// What was typed stays where something is missing, and no cache keeps it.
func TestContactFaultsOnThePage(t *testing.T) {
	for name, c := range map[string]struct {
		values url.Values
		fault  string // where the summary leads
		text   string
	}{
		"no consent":    {url.Values{"_contact": {"a@b.example"}, "_request": {"yes"}}, "_consent", english.ErrConsent},
		"no address":    {url.Values{"_consent": {"yes"}}, "_contact", english.ErrAddress},
		"not one":       {url.Values{"_contact": {"call me"}, "_consent": {"yes"}}, "_contact", english.ErrAddress},
		"only asks":     {url.Values{"_request": {"yes"}}, "_contact", english.ErrAddress},
		"and an answer": {url.Values{"_contact": {"a@b.example"}, "recommend": {"11"}}, "_consent", english.ErrConsent},
	} {
		t.Run(name, func(t *testing.T) {
			h, st := contactHarness(t)
			values := url.Values{"_id": {id1}, "recommend": {"0"}, "comment": {"kept"}}
			for name, v := range c.values {
				values[name] = v
			}
			w := h.postForm(pagePath, values)
			wantStatus(t, w, http.StatusUnprocessableEntity)
			body := w.Body.String()
			for _, want := range []string{`<a href="#` + c.fault + `">`, "Error: " + html.EscapeString(c.text), "kept</textarea>"} {
				if !strings.Contains(body, want) {
					t.Errorf("the page has no %s", want)
				}
			}
			if typed := c.values.Get("_contact"); !strings.Contains(contactInput.FindString(body), `value="`+typed+`"`) {
				t.Errorf("what was typed is lost: %s", contactInput.FindString(body))
			}
			for _, box := range []string{"_request", "_consent"} {
				checked := strings.Contains(body, `name="`+box+`" value="yes" checked`)
				if checked != c.values.Has(box) {
					t.Errorf("%s is ticked: %v", box, checked)
				}
			}
			if caching := w.Header().Get("Cache-Control"); c.values.Has("_contact") != (caching == "no-store") {
				t.Errorf("Cache-Control %q", caching)
			}
			for _, fault := range accessibility(t, body) {
				t.Error(fault)
			}
			if len(st.appended) > 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestContactFromThePage(t *testing.T) {
	h, st := contactHarness(t)
	w := h.postForm(pagePath, url.Values{"_id": {id1}, "recommend": {"3"}, "_contact": {address}, "_consent": {"yes"}})
	wantStatus(t, w, http.StatusSeeOther)
	if c, contact := opened(t, st); c == nil || contact != address {
		t.Errorf("case %+v of %q", c, contact)
	}
	thanks := h.get(w.Header().Get("Location"))
	if location := w.Header().Get("Location"); strings.Contains(location, "example") || strings.Contains(thanks.Body.String(), "example") {
		t.Errorf("the thank-you page at %s has the address", location)
	}
}

// In steps, the contact is asked for last, by itself, and what was typed travels along.
func TestContactInSteps(t *testing.T) {
	h, st := contactHarness(t)
	s := stepSurvey(t)
	s.Contact, s.FollowUps = &survey.Contact{}, contactSurvey().FollowUps
	h.registry.Set(programKey, withContacts(s, st))
	page := h.get(pagePath)
	wantStep(t, page, 200, "recommend", "Step 1 of 6")
	page = h.send(page, url.Values{"recommend": {"9"}})
	wantStep(t, page, 200, "used")
	page = h.send(page, url.Values{"used": {"none"}})
	wantStep(t, page, 200, "security", "Continue</button>")
	page = h.send(page, url.Values{"security": {"1"}})
	wantStep(t, page, 200, "", "Step 4 of 4", `id="_contact"`, "Send answers</button>")
	back := h.send(page, url.Values{"_contact": {address}, "_go": {"back"}})
	wantStep(t, back, 200, "security")
	if got := formOf(t, back.Body.String()).Get("_contact"); got != address {
		t.Errorf("the step before carries %q", got)
	}
	if caching := back.Header().Get("Cache-Control"); caching != "no-store" || strings.Contains(back.Body.String(), "href=\""+pagePath+"?_contact") {
		t.Errorf("Cache-Control %q", caching)
	}
	page = h.send(back, url.Values{"security": {"2"}})
	wantStep(t, page, 200, "", `id="_contact"`)
	if !strings.Contains(html.UnescapeString(contactInput.FindString(page.Body.String())), `value="`+address+`"`) {
		t.Errorf("the address is lost: %s", contactInput.FindString(page.Body.String()))
	}
	refused := h.send(page, url.Values{"_contact": {address}})
	wantStep(t, refused, 422, "", `href="#_consent"`)
	wantStatus(t, h.send(refused, url.Values{"_contact": {address}, "_consent": {"yes"}}), http.StatusSeeOther)
	if c, contact := opened(t, st); c == nil || contact != address || !slices.Equal(c.Reasons, []string{"LowScore"}) {
		t.Errorf("case %+v of %q", c, contact)
	}
}

// Nothing of a contact is logged, whatever goes wrong.
func TestContactIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	st := &stubStore{}
	h := harnessOver(t, st, func(c *Config) {
		c.Log = funcr.New(func(prefix, args string) { log.WriteString(prefix + args + "\n") }, funcr.Options{Verbosity: 10})
	})
	h.registry.Set(programKey, withContacts(contactSurvey(), st))
	failing := errors.New("the disk is full")
	body := contactBody(`"recommend":0`, "", `{"address":"`+address+`","consent":true,"requested":true}`)
	form := url.Values{"_id": {id1}, "recommend": {"3"}, "_contact": {address}, "_consent": {"yes"}}
	for range 2 {
		h.submit(body)
		h.submit(strings.Replace(body, `"consent":true`, `"consent":false`, 1))
		h.submit(strings.Replace(body, `"consent":true`, `"consent":`, 1))
		h.postForm(pagePath, form)
		h.importLines(body, body[:80])
		st.append = func(context.Context, []store.Response) ([]store.Result, error) { return nil, failing }
	}
	if !strings.Contains(log.String(), failing.Error()) {
		t.Error("the log says nothing at all")
	}
	for _, part := range []string{address, "ller", "sfo@", "example", caseKey, contactKey} {
		if strings.Contains(log.String(), part) {
			t.Errorf("the log has %q:\n%s", part, log.String())
		}
	}
	answer, err := json.Marshal(h.submit(body).Body.String())
	if err != nil || strings.Contains(string(answer), "example") {
		t.Errorf("the answer has the address: %s", answer)
	}
}
