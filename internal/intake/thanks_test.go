package intake

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func TestThanksGivesScoresBack(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.ThankYou = survey.Texts{"en": "See you <soon>.", "de": "Bis bald."}
	s.Languages, s.Title["de"] = append(s.Languages, "de"), "Wie war es?"
	s.Feedback = []survey.Feedback{
		{Name: "mood", Metric: "Mean", Questions: []string{"recommend", "security"}},
		{Name: "total", Metric: "Sum", Title: survey.Texts{"en": "Your total", "de": "Ihre Summe"}, Questions: []string{"recommend", "signs"}},
		{Name: "ease", Metric: "Sum", Questions: []string{"ease"}},
	}
	h.serve(s)
	w := h.postForm(pagePath, url.Values{"_id": {id1}, "_language": {"de"}, "recommend": {"9"}, "security": {"4"}, "signs": {"10"}})
	wantStatus(t, w, http.StatusSeeOther)
	body := h.get(w.Header().Get("Location")).Body.String()
	for _, want := range []string{
		"Bis bald.", "<dt>Ihr Ergebnis</dt><dd>6,5 auf der Skala von 0 bis 10</dd>", "<dt>Ihre Summe</dt><dd>19 auf der Skala von 1 bis 20</dd>", german.ScoreHelp,
		"lang=en&amp;receipt=", "_score=mood%3A65",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Count(body, "<dt>") != 2 {
		t.Error("a score is given of questions that were not answered")
	}
	made := pagePath + "?receipt=0123456789ABCDEFGHJK"
	for _, score := range []string{"mood:999", "mood:-1", "other:3", "mood:x", "mood", "<script>:3"} {
		if body := h.get(made + "&_score=" + url.QueryEscape(score)).Body.String(); strings.Contains(body, "<dt>") || strings.Contains(body, "<script") {
			t.Errorf("the made-up score %q is shown", score)
		}
	}
	if !strings.Contains(h.get(made).Body.String(), "See you &lt;soon&gt;.") {
		t.Error("the author's thanks are missing")
	}
}

func TestDecimal(t *testing.T) {
	for tag, want := range map[string]string{"en": "6.5", "de": "6,5", "fr": "6,5", "ar": "6.5", "hi": "6.5", "ja": "6.5", "pl": "6,5"} {
		if got := decimal(tag, 65); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
	if got := decimal("en", 190); got != "19" {
		t.Errorf("a whole score is written %s", got)
	}
}

func TestErase(t *testing.T) {
	h := newHarness(t)
	w := h.postForm(pagePath, filled())
	receipt := h.stored()[0].Receipt
	thanks := h.get(w.Header().Get("Location")).Body.String()
	link := pagePath + "/erase?lang=es&amp;receipt=" + receipt
	if !strings.Contains(thanks, link) {
		t.Errorf("the thank-you page does not lead to %s", link)
	}
	form := h.get(strings.ReplaceAll(link, "&amp;", "&"))
	wantStatus(t, form, http.StatusOK)
	for _, want := range []string{groupReceipt(receipt), spanish.EraseTitle, `action="/s/sfo/passenger/erase"`, `name="_language" value="es"`} {
		if !strings.Contains(form.Body.String(), want) {
			t.Errorf("the form has no %s", want)
		}
	}
	if len(h.stored()) != 1 {
		t.Fatal("reading erased")
	}
	var answers []string
	for _, typed := range []string{"00000000000000000000", strings.ToLower(groupReceipt(receipt)), receipt} {
		w := h.postForm(pagePath+"/erase", url.Values{"receipt": {" " + typed}, "_language": {"es"}})
		wantStatus(t, w, http.StatusOK)
		answers = append(answers, w.Body.String())
	}
	if answers[0] != answers[1] || answers[1] != answers[2] || !strings.Contains(answers[0], spanish.EraseDone) {
		t.Error("the answer tells whether there was something to erase")
	}
	if got := len(h.stored()); got != 0 {
		t.Errorf("%d responses are left", got)
	}
}

func TestEraseRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		status     int
		want       string
	}{
		"nothing":      {pagePath + "/erase", "", 422, english.ErrReceipt},
		"too short":    {pagePath + "/erase", "receipt=ABC", 422, english.ErrReceipt},
		"no letter":    {pagePath + "/erase", "receipt=UUUUU-UUUUU-UUUUU-UUUUU", 422, english.ErrReceipt},
		"far too long": {pagePath + "/erase", "receipt=" + strings.Repeat("0", 5000), 422, english.ErrReceipt},
		"no program":   {"/s/sfo/nothing/erase", "receipt=00000000000000000000", 404, english.NotFoundTitle},
		"unreadable":   {pagePath + "/erase", "receipt=%zz", 400, english.CannotReadTitle},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			w := h.post(c.path, mediaForm, c.body)
			wantStatus(t, w, c.status)
			if !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("the page has no %s", c.want)
			}
			for _, fault := range accessibility(t, w.Body.String()) {
				t.Error(fault)
			}
		})
	}
	wantStatus(t, newHarness(t).get("/s/sfo/nothing/erase"), http.StatusNotFound)
}

func (s *stubStore) Erase(context.Context, store.Key, string) (bool, error) {
	return false, errors.New("disk full")
}

func TestEraseWhileTheStoreFails(t *testing.T) {
	for name, st := range map[string]store.Store{"away": nil, "broken": &stubStore{}} {
		h := newHarness(t)
		h.withStore(st)
		w := h.postForm(pagePath+"/erase", url.Values{"receipt": {"0123456789ABCDEFGHJK"}})
		wantStatus(t, w, http.StatusServiceUnavailable)
		if w.Header().Get("Retry-After") != "5" || !strings.Contains(w.Body.String(), english.ErrErase) || !strings.Contains(w.Body.String(), "01234-56789") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}

func TestEraseIsLimited(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.RatePerMinute, c.RateBurst = 6, 2 })
	guess := url.Values{"receipt": {"00000000000000000000"}}
	for range 2 {
		wantStatus(t, h.postForm(pagePath+"/erase", guess), http.StatusOK)
	}
	w := h.postForm(pagePath+"/erase", guess)
	wantStatus(t, w, http.StatusTooManyRequests)
	if w.Header().Get("Retry-After") != "10" {
		t.Errorf("Retry-After %s", w.Header().Get("Retry-After"))
	}
	h = newHarness(t, func(c *Config) { c.RatePerMinute, c.RateBurst, c.Clock = 1, 1, func() time.Time { return now } })
	for range pageFactor {
		wantStatus(t, h.get(pagePath+"/erase"), http.StatusOK)
	}
	wantStatus(t, h.get(pagePath+"/erase"), http.StatusTooManyRequests)
}

func TestEraseWhenClosed(t *testing.T) {
	h := newHarness(t)
	h.postForm(pagePath, filled())
	receipt := h.stored()[0].Receipt
	s := testSurvey()
	s.Closed = true
	h.serve(s)
	wantStatus(t, h.postForm(pagePath+"/erase", url.Values{"receipt": {receipt}}), http.StatusOK)
	if len(h.stored()) != 0 {
		t.Error("a closed program erases nothing")
	}
}

func TestReadReceipt(t *testing.T) {
	for typed, want := range map[string]string{
		"0123456789ABCDEFGHJK": "0123456789ABCDEFGHJK", " 01234-56789-abcde-fghjk ": "0123456789ABCDEFGHJK",
		"o1234 56789 ABCDE FGHJK": "0123456789ABCDEFGHJK", "0l23456789ABCDEFGHJK": "0123456789ABCDEFGHJK", "0i234–56789–ABCDE–FGHJK": "0123456789ABCDEFGHJK",
	} {
		if got, ok := readReceipt(typed); !ok || got != want {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
}

func FuzzReadReceipt(f *testing.F) {
	f.Add("01234-56789-abcde-fghjk")
	f.Add("ıſ")
	f.Fuzz(func(t *testing.T, s string) {
		receipt, ok := readReceipt(s)
		if !ok {
			return
		}
		if again, ok := readReceipt(groupReceipt(receipt)); !ok || again != receipt {
			t.Errorf("%q becomes %q, then %q", s, receipt, again)
		}
	})
}
