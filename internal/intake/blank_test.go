package intake

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// TestBlankForm: a form that is put together from parts is, byte for byte, the form that is rendered.
func TestBlankForm(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*survey.Survey, *Program)
		kept   int
	}{
		"plain":      {func(*survey.Survey, *Program) {}, 5},
		"no keys":    {func(_ *survey.Survey, p *Program) { p.Tokens.Sign = "" }, 5},
		"work":       {func(s *survey.Survey, _ *Program) { s.Access.ProofBits = 8 }, 5},
		"steps":      {func(s *survey.Survey, _ *Program) { s.Steps = []survey.Step{{Questions: []string{"recommend"}}} }, 5},
		"one tongue": {func(s *survey.Survey, _ *Program) { s.Languages = s.Languages[:1] }, 4},
		"frames":     {func(s *survey.Survey, _ *Program) { s.FrameAncestors = []string{"https://example.org"} }, 5},
		"contact": {func(s *survey.Survey, _ *Program) {
			s.Contact, s.FollowUps = &survey.Contact{}, map[string]survey.FollowUp{"": {RetentionDays: 90}}
		}, 5},
		"closed": {func(s *survey.Survey, _ *Program) { s.Closed = true }, 0},
		"signed": {func(s *survey.Survey, _ *Program) { s.Access.Signed = true }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, blank := blankHarness(t, "", c.change), blankHarness(t, name, c.change)
			for _, path := range []string{
				pagePath, pagePath, pagePath + "?lang=es", pagePath + "?team=area-g", pagePath + "/security", pagePath,
				pagePath + "/security?lang=es&team=area-a", pagePath + "?recommend=9", pagePath + "?recommend=99", pagePath + "?lang=xx", pagePath,
			} {
				for _, coding := range []string{"", "gzip"} {
					want, got := blankPage(t, rendered, path, coding), blankPage(t, blank, path, coding)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s %s (-rendered +put together):\n%s", path, coding, diff)
					}
				}
			}
			if kept := len(blank.blanks.results); kept != c.kept {
				t.Errorf("%d forms are kept, want %d", kept, c.kept)
			}
			if kept := len(rendered.blanks.results); kept != 0 {
				t.Errorf("%d forms of a survey that was not compiled are kept", kept)
			}
		})
	}
}

// blankHarness serves the changed survey under the digest.
func blankHarness(t *testing.T, digest string, change func(*survey.Survey, *Program)) *harness {
	t.Helper()
	h := newHarness(t)
	s := testSurvey()
	p := testProgram(s, h.store)
	change(s, &p)
	s.Hash = digest
	h.registry.Set(s.Program, p)
	return h
}

// answered is an answer, unpacked.
type answered struct {
	Status int
	Header http.Header
	Body   string
}

func blankPage(t *testing.T, h *harness, path, coding string) answered {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", coding)
	w := h.do(r)
	a := answered{Status: w.Code, Header: w.Header().Clone(), Body: w.Body.String()}
	if coding == "" {
		return a
	}
	zr, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	a.Body = string(body)
	a.Header.Del("Content-Length") // that of a stream that was packed in parts is another one
	return a
}

// TestBlankFormOfTheSurveyAsItIs: a survey that has changed shows another page.
func TestBlankFormOfTheSurveyAsItIs(t *testing.T) {
	h := newHarness(t)
	for _, title := range []string{"First title", "Second title"} {
		s := testSurvey()
		s.Title["en"], s.Hash = title, "digest of "+title
		h.serve(s)
		for range 2 {
			if body := h.get(pagePath).Body.String(); !strings.Contains(body, "<h1>"+title+"</h1>") {
				t.Errorf("the page is not that of %q", title)
			}
		}
	}
}

// TestBlankFormOfALink: a page of somebody's own link is theirs alone, whoever opened the page before.
func TestBlankFormOfALink(t *testing.T) {
	h := blankHarness(t, "linked", func(*survey.Survey, *Program) {})
	for _, id := range []string{id1, id2} {
		for _, team := range []string{"", "area-g"} {
			token, err := linkKey.Sign(link.Link{ID: id, Team: team, ExpiresAt: now.Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			plain := blankPage(t, h, pagePath+"?invitation="+token, "")
			packed := blankPage(t, h, pagePath+"?invitation="+token, "gzip")
			for _, page := range []answered{plain, packed} {
				if n := strings.Count(page.Body, token); n != 2 || strings.Count(page.Body, "invitation=") != 1 || !strings.HasSuffix(page.Body, "</html>\n") {
					t.Errorf("the link stands %d times on its page, want 2: in a field and the address in the other language", n)
				}
				if strings.Contains(page.Body, "Boarding area G") != (team != "") {
					t.Errorf("the page of team %q is not its own", team)
				}
			}
		}
	}
	if kept := len(h.blanks.results); kept != 2 {
		t.Errorf("%d forms are kept", kept)
	}
}

func TestNewBlankForm(t *testing.T) {
	values := [3]string{"<id>", "<token>", ""}
	for page, want := range map[string]string{
		"no id":              "",
		"\x00<id>":           "",
		"\x07<id>":           "",
		"<id>":               "|0||",
		"a<id>b<token>c":     "a|0|b|1|c|",
		"<token><id><token>": "|1||0||1||",
	} {
		got := ""
		if b := newBlankForm([]byte(page), values); b != nil {
			for _, p := range b.pieces {
				got += string(p.text) + "|"
				if p.value >= 0 {
					got += strconv.Itoa(p.value) + "|"
				}
			}
		}
		if got != want {
			t.Errorf("%q is cut as %q, want %q", page, got, want)
		}
	}
}

// TestFillers: four bytes in a row, the least that a packer refers to, stand once in all of them.
func TestFillers(t *testing.T) {
	stood := map[string]bool{}
	for value := range 3 {
		f := filler(value, maxFiller)
		for i := range len(f) - 3 {
			if four := string(f[i : i+4]); stood[four] {
				t.Fatalf("%q stands twice", four)
			} else {
				stood[four] = true
			}
		}
		for _, b := range f {
			if b >= fillerEnd {
				t.Fatalf("%d is in a filler", b)
			}
		}
	}
}

// TestBlankFormOfRepeatedValues: values that stand several times on a page are packed once, whatever their length, and what is put in
// their place stands wherever they did.
func TestBlankFormOfRepeatedValues(t *testing.T) {
	referred := 0
	for length := 1; length <= maxFiller+40; length++ {
		first := [3]string{strings.Repeat("i", 36), strings.Repeat("t", 30), strings.Repeat("v", length)}
		var page strings.Builder
		page.WriteString("<id " + first[0] + ">")
		for i := range 12 {
			page.WriteString("<a href=\"/s?lang=" + strconv.Itoa(i) + "&amp;invitation=" + first[2] + "\" lang=\"" + strconv.Itoa(i) + "\">")
		}
		page.WriteString(strings.Repeat("A text between. ", 50) + first[1] + "\n" + first[2] + "\">" + first[0] + "</html>\n")
		b := newBlankForm([]byte(page.String()), first)
		next := [3]string{strings.Repeat("0123456789ab", 3), strings.Repeat("a<id", 8)[:30], strings.Repeat("0a1b2c3d4e5f6", 40)[:length]}
		want := strings.NewReplacer(first[0], next[0], first[1], next[1], first[2], next[2]).Replace(page.String())
		if length < 3 { // the letter alone stands in words, too
			want = ""
		}
		var plain, packed bytes.Buffer
		b.append(&plain, next)
		b.appendPacked(&packed, next)
		size := packed.Len()
		zr, err := gzip.NewReader(&packed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(zr)
		if err != nil || !bytes.Equal(got, plain.Bytes()) || want != "" && plain.String() != want {
			t.Fatalf("a value of %d bytes: %v\n%s\nis packed as\n%s", length, err, plain.String(), got)
		}
		if size < 3*length+400 {
			referred++
		}
	}
	if referred < maxFiller-40 {
		t.Errorf("values of %d lengths are packed once", referred)
	}
}

// TestBlankFormIsSound: a page that does not unpack to what it is, is found out.
func TestBlankFormIsSound(t *testing.T) {
	b := newBlankForm([]byte("a<id>b<id>c"), [3]string{"<id>"})
	if !b.isSound() {
		t.Error("a page that is sound is not")
	}
	b.pieces[1].again = !b.pieces[1].again
	if b.isSound() {
		t.Error("a page without a value is sound")
	}
}

// TestBlankFormFits: a value of another length is put into no page, whose references would be wrong.
func TestBlankFormFits(t *testing.T) {
	b := newBlankForm([]byte("a<id>b"), [3]string{"<id>"})
	if !b.fits([3]string{"1234", "any", "any"}) || b.fits([3]string{"123"}) {
		t.Error("it is not the length that counts")
	}
}
