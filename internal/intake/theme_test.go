package intake

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// branded is the survey with a logo of the size and with colours, as Compile makes them.
func branded(t *testing.T, logoSize int) *survey.Survey {
	t.Helper()
	picture := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, logoSize*3/4-30)...)
	_, _ = rand.Read(picture[8:])
	program := &v1alpha1.SurveyProgram{Spec: v1alpha1.SurveyProgramSpec{DisplayName: "x", Survey: v1alpha1.Survey{
		DefaultLanguage: "en", Title: v1alpha1.LocalizedText{"en": "x"},
		Questions: []v1alpha1.Question{{Name: "q", Type: v1alpha1.QuestionCSAT, Text: v1alpha1.LocalizedText{"en": "x"}}},
		Branding: &v1alpha1.Branding{
			Logo:  "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture),
			Light: &v1alpha1.Colors{AccentColor: "#8a1f5c", BackgroundColor: "#fff8f0"},
		},
	}}}
	compiled, problems := survey.Compile(program, nil, nil)
	if compiled == nil {
		t.Fatal(problems)
	}
	s := testSurvey()
	s.Branding = compiled.Branding
	return s
}

func TestBrandedPage(t *testing.T) {
	h := newHarness(t)
	s := branded(t, 1000)
	s.FrameAncestors = []string{"https://*.example.org", "https://www.example.com"}
	h.serve(s)
	w := h.get(pagePath)
	body := w.Body.String()
	css := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)[1]
	sum := sha256.Sum256([]byte(css))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; script-src " + formScript.source + "; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors https://*.example.org https://www.example.com"
	if got := w.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %s\nwant %s", got, want)
	}
	for _, want := range []string{
		`<img class="logo" src="data:image/png;base64,iVBORw0KGg`, `alt="San Francisco International Airport"`, "--accent:#8a1f5c", "--ground:#fff8f0", "prefers-color-scheme:dark){:root{",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "ZgotmplZ") {
		t.Error("the template took the logo or the style for unsafe")
	}
	if plain := newHarness(t).get(pagePath).Header().Get("Content-Security-Policy"); !strings.HasSuffix(plain, "frame-ancestors 'none'") {
		t.Errorf("without branding: %s", plain)
	}
}

// wire is how many bytes a page has on the wire, with its headers. Nothing else is asked for.
func (h *harness) wire(path string) int {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := h.do(r)
	wantStatus(h.t, w, http.StatusOK)
	var header bytes.Buffer
	_ = w.Header().Write(&header)
	wantNothingAsked(h.t, path, h.get(path).Body.String())
	return w.Body.Len() + header.Len()
}

// TestBrandedPageIsSmallOnTheWire: with the largest logo, 50 questions, a link and work to do a page is still below 14 KB.
func TestBrandedPageIsSmallOnTheWire(t *testing.T) {
	h := newHarness(t)
	s := branded(t, 6000)
	if n := len(s.Branding.Logo); n > 6000 || n < 5900 {
		t.Fatalf("the logo has %d characters", n)
	}
	base := s.Questions
	s.Questions = nil
	for i := range 50 {
		q := base[i%len(base)]
		q.Name = fmt.Sprintf("%s-%d", q.Name, i)
		s.Questions = append(s.Questions, q)
	}
	long := strings.Repeat("x", 63)
	s.Touchpoints[long], s.Units[long] = survey.Touchpoint{DisplayName: "x"}, "y"
	for _, q := range s.Questions {
		s.Touchpoints[long] = survey.Touchpoint{DisplayName: "x", Questions: append(s.Touchpoints[long].Questions, q.Name)}
	}
	token := tokenOf(t, link.Link{ID: id2, Touchpoint: long, Team: long, ExpiresAt: now.Add(time.Hour), SingleUse: true, Recorded: true})
	for name, c := range map[string]struct {
		path string
		bits int32
	}{"plain": {pagePath, 0}, "by a long link": {pagePath + "/" + long + "?invitation=" + token, 0}, "with work": {pagePath + "/" + long + "?invitation=" + token, 22}} {
		s.Access.ProofBits = c.bits
		h.serve(s)
		n := h.wire(c.path)
		if t.Logf("%s: %d bytes", name, n); n > 14<<10 {
			t.Errorf("%s: %d bytes are too many", name, n)
		}
	}
	h.serve(testSurvey())
	t.Logf("without branding, 7 questions: %d bytes", h.wire(pagePath))
}
