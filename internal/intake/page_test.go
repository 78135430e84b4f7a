package intake

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/cx-operator/cx-operator/internal/survey"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", file, diff)
	}
}

// bare leaves the style and the script out of a golden page: they are files of their own.
func bare(page []byte) []byte {
	return []byte(strings.NewReplacer(style, "", string(formScript.Code), "").Replace(string(page)))
}

func TestPageGolden(t *testing.T) {
	for name, call := range map[string]func(*harness) *httptest.ResponseRecorder{
		"form.en.html":       func(h *harness) *httptest.ResponseRecorder { return h.get(pagePath) },
		"form.es.html":       func(h *harness) *httptest.ResponseRecorder { return h.get(pagePath + "?lang=es&team=area-g") },
		"touchpoint.en.html": func(h *harness) *httptest.ResponseRecorder { return h.get(pagePath + "/security") },
		"thanks.es.html": func(h *harness) *httptest.ResponseRecorder {
			return h.get(pagePath + "?lang=es&receipt=0123456789ABCDEFGHJK")
		},
		"errors.es.html": func(h *harness) *httptest.ResponseRecorder {
			return h.postForm(pagePath, url.Values{
				"_id": {id1}, "_language": {"es"}, "_team": {"area-g"}, "security": {"9"}, "trip": {"leisure"}, "used": {"wifi", "none"},
				"comment": {strings.Repeat("ñ", 201)},
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, bare(call(newHarness(t)).Body.Bytes()))
		})
	}
}

func TestPageHeaders(t *testing.T) {
	h := newHarness(t)
	sum := sha256.Sum256([]byte(style))
	for path, script := range map[string]string{
		pagePath: "script-src " + formScript.source + "; connect-src 'self'; ", pagePath + "?receipt=0123456789ABCDEFGHJK": "", pagePath + "/nowhere": "",
	} {
		caching := "no-store"
		if script != "" { // a form
			caching = "private, no-cache"
		}
		w := h.get(path)
		for header, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": caching, "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex", "Set-Cookie": "",
			"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; img-src data:; " + script + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"Content-Length": strconv.Itoa(w.Body.Len()),
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", path, header, got, want)
			}
		}
		body := w.Body.String()
		if strings.Contains(body, "style=") || !strings.Contains(body, style) {
			t.Errorf("%s has inline style, or not its own", path)
		}
		scripts := strings.Count(body, "<script")
		if own := strings.Count(body, `>`+string(formScript.Code)+`</script>`); own != scripts || (scripts == 1) != (script != "") {
			t.Errorf("%s has %d scripts, %d of them its own", path, scripts, own)
		}
		wantNothingAsked(t, path, body)
	}
}

// wantNothingAsked fails the test where a page has anything in it that a browser would ask for by itself, or lacks the icon that
// keeps browsers from asking for one.
func wantNothingAsked(t *testing.T, path, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	icons := 0
	for node := range doc.Descendants() {
		for _, a := range node.Attr {
			asks := a.Key == "src" || a.Key == "srcset" || a.Key == "data" || a.Key == "poster" || a.Key == "background" || a.Key == "href" && node.Data == "link"
			if asks && !strings.HasPrefix(a.Val, "data:") {
				t.Errorf("%s asks for %s", path, a.Val)
			}
			if node.Data == "link" && a.Key == "rel" && a.Val == "icon" {
				icons++
			}
		}
	}
	if icons != 1 {
		t.Errorf("%s has %d icons", path, icons)
	}
}

func TestPageIsSmallOnTheWire(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	base := s.Questions
	s.Questions = nil
	for i := range 50 {
		q := base[i%len(base)]
		q.Name = fmt.Sprintf("%s-%d", q.Name, i)
		s.Questions = append(s.Questions, q)
	}
	h.serve(s)
	r := httptest.NewRequest(http.MethodGet, pagePath, nil)
	r.Header.Set("Accept-Encoding", "br, gzip;q=0.8")
	w := h.do(r)
	if got := w.Header().Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q", got)
	}
	if w.Body.Len() > 14<<10 {
		t.Errorf("a page with 50 questions has %d bytes", w.Body.Len())
	}
	zr, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(zr)
	if err != nil || strings.Count(string(page), "<legend>")+strings.Count(string(page), "<textarea") != 50 {
		t.Errorf("the page is not whole: %v", err)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, GZIP": true, "gzip;q=0": false, "gzip; q=0.5": true, "identity": false, "gzip;q=x": false, "xgzip": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestPageLanguage(t *testing.T) {
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "en"},
		{"?lang=es", "en", "es"},
		{"?lang=ES", "", "es"},
		{"?lang=xx", "", "en"},
		{"?lang=xx", "es-MX, en;q=0.5", "es"},
		{"", "fr, es;q=0.5", "es"},
		{"", "zh", "en"},
		{"", "es;q=nonsense", "en"},
		{"", "xx, es;q=0.5", "es"},
		{"", strings.Repeat("es,", 200), "en"},
	} {
		r := httptest.NewRequest(http.MethodGet, pagePath+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		w := newHarness(t).do(r)
		wantStatus(t, w, http.StatusOK)
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`"`) || w.Header().Get("Content-Language") != c.want {
			t.Errorf("%q, Accept-Language %q: want %s", c.query, c.accept, c.want)
		}
	}
}

// TestPageInALanguageWithoutWords marks whose language each text has.
func TestPageInALanguageWithoutWords(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Languages = append(s.Languages, "ur")
	s.Title["ur"] = "آپ کا سفر کیسا رہا؟"
	h.serve(s)
	body := h.get(pagePath + "?lang=ur").Body.String()
	for _, want := range []string{
		`<html lang="ur" dir="rtl">`, `<body lang="en" dir="ltr">`,
		`<h1><span lang="ur" dir="rtl">آپ کا سفر کیسا رہا؟</span></h1>`,
		`<legend>How likely are you to recommend SFO? <span`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// TestPageFromRightToLeft has the page's words and direction, and marks what the author wrote in another language only.
func TestPageFromRightToLeft(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Languages = append(s.Languages, "ar")
	s.Title["ar"] = "كيف كانت رحلتك؟"
	h.serve(s)
	body := h.get(pagePath + "?lang=ar").Body.String()
	for _, want := range []string{
		`<html lang="ar" dir="rtl">`, `<h1>كيف كانت رحلتك؟</h1>`, arabic.Send,
		`<legend><span lang="en" dir="ltr">How likely are you to recommend SFO?</span> <span class="need">(` + arabic.Required,
		`<span lang="ar" dir="rtl" aria-current="true">العربية</span>`, `lang="es" dir="ltr" hreflang="es">español</a>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "<body lang") {
		t.Error("the page's own words are marked as of another language")
	}
}

func TestPageNotThere(t *testing.T) {
	h := newHarness(t)
	for _, path := range []string{
		"/s/sfo/nothing", "/s/other/passenger", pagePath + "/nowhere", pagePath + "?team=nobody", pagePath + "/security/deeper",
		pagePath + "?receipt=", pagePath + "?receipt=0123456789ABCDEFGHJ%3C", pagePath + "?receipt=0123456789ABCDEFGHJKM", "/s/", "/s/sfo",
	} {
		w := h.get(path)
		wantStatus(t, w, http.StatusNotFound)
		if !strings.Contains(w.Body.String(), english.NotFoundTitle) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if got := h.metricNames(); slices.Contains(got, "cx_survey_page_views_total") {
		t.Errorf("addresses made up by strangers made series: %v", got)
	}
}

func TestPageClosed(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Closed = true
	h.serve(s)
	w := h.get(pagePath + "?lang=es")
	wantStatus(t, w, http.StatusGone)
	if !strings.Contains(w.Body.String(), spanish.ClosedTitle) || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("the page: %s", w.Body)
	}
	w = h.postForm(pagePath, url.Values{"_id": {id1}, "recommend": {"9"}})
	wantStatus(t, w, http.StatusGone)
	wantStatus(t, h.get(pagePath+"?receipt=0123456789ABCDEFGHJK"), http.StatusOK)
	if len(h.stored()) != 0 {
		t.Error("a closed program took an answer")
	}
}

func TestReadingNeverRecords(t *testing.T) {
	h := newHarness(t)
	query := "?_id=" + id1 + "&recommend=9"
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := h.do(httptest.NewRequest(method, pagePath+query, nil))
		wantStatus(t, w, http.StatusOK)
	}
	if len(h.stored()) != 0 {
		t.Error("reading recorded an answer")
	}
	if got := h.counted(h.Server.metrics.views); got != 1 {
		t.Errorf("%v views, want 1: HEAD is none", got)
	}
}

func TestPageHasEveryQuestion(t *testing.T) {
	body := newHarness(t).get(pagePath).Body.String()
	for name, want := range map[string]int{
		`type="radio" name="recommend"`: 11, `type="radio" name="security"`: 5, `type="radio" name="ease"`: 7, `type="radio" name="signs"`: 10,
		`type="radio" name="trip"`: 2, `type="checkbox" name="used"`: 3, `<textarea id="q_comment"`: 1, `maxlength="200"`: 1, "<legend>": 6,
	} {
		if got := strings.Count(body, name); got != want {
			t.Errorf("%s stands %d times, want %d", name, got, want)
		}
	}
	touchpoint := newHarness(t).get(pagePath + "/security").Body.String()
	if got := strings.Count(touchpoint, "<legend>"); got != 1 || !strings.Contains(touchpoint, "About: Security and screening") {
		t.Errorf("the touchpoint's page has %d groups", got)
	}
}

func TestEveryTextFallsBack(t *testing.T) {
	texts := survey.Texts{"en": "Hello"}
	if got := pick(texts, "es", "en", "es"); got != (marked{Text: "Hello", Lang: "en", Dir: "ltr"}) {
		t.Errorf("fallback: %+v", got)
	}
	if got := pick(texts, "en", "en", "en"); got != (marked{Text: "Hello"}) {
		t.Errorf("own language: %+v", got)
	}
	if got := nativeName("xx-nonsense-tag"); got == "" {
		t.Error("a language without a name has no name")
	}
}

// TestMessagesSayWhoseSurvey: who comes by a link that does not work learns what it was for.
func TestMessagesSayWhoseSurvey(t *testing.T) {
	h := newHarness(t)
	body := h.get(pagePath + "?invitation=x").Body.String()
	if want := "<br>Asked by San Francisco International Airport</p>"; !strings.Contains(body, english.LinkInvalidTitle) || !strings.Contains(body, want) {
		t.Errorf("a link that is wrong leads to %s", body)
	}
	if body := h.get("/s/sfo/nothing").Body.String(); strings.Contains(body, "Asked by") {
		t.Errorf("nobody asks, and the page says %s", body)
	}
}

// TestSummaryIsHeadedByWhatIsWrong: where no answer is at fault, nobody is asked to check any.
func TestSummaryIsHeadedByWhatIsWrong(t *testing.T) {
	h := newHarness(t)
	h.registry.Set(programKey, testProgram(testSurvey(), nil))
	body := h.postForm(pagePath, url.Values{"_id": {id1}, "recommend": {"9"}, "_language": {"en"}}).Body.String()
	if strings.Contains(body, english.ErrorTitle) || !strings.Contains(body, `<h2 id="summary">`+english.ErrSaving+`</h2>`) {
		t.Errorf("while the store is away the page says %s", body)
	}
}
