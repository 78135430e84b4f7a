package intake

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

var verbs = regexp.MustCompile(`%[a-z]`)

// TestWordsAreWhole: every language has every word, with the same numbers and names in it, and none is left in English.
func TestWordsAreWhole(t *testing.T) {
	if len(allWords) < 10 {
		t.Errorf("%d languages", len(allWords))
	}
	want := wordFields(english)
	for _, w := range allWords {
		rightToLeft := direction(w.Tag) == "rtl"
		if rightToLeft != (w.Tag == "ar") {
			t.Errorf("%s: right to left: %v", w.Tag, rightToLeft)
		}
		for name, text := range wordFields(w) {
			if strings.Contains(name, ".") {
				continue // TestPluralForms
			}
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s: %s is %q", w.Tag, name, text)
			}
			if diff := cmp.Diff(verbs.FindAllString(want[name], -1), verbs.FindAllString(text, -1)); diff != "" {
				t.Errorf("%s: %s has other verbs than English:\n%s", w.Tag, name, diff)
			}
			if strings.Contains(text, "%") != strings.HasSuffix(name, "f") {
				t.Errorf("%s: the name %s does not say whether it is a format", w.Tag, name)
			}
			same := []string{"Endsf", "ErrorPrefix", "Receipt", "Privacy", "Score"} // may be the same word
			if w.Tag != "en" && text == want[name] && !slices.Contains(same, name) {
				t.Errorf("%s: %s is English: %s", w.Tag, name, text)
			}
		}
	}
}

// TestPluralForms: a text with a number has the forms that CLDR has for whole numbers in the language, and no others.
func TestPluralForms(t *testing.T) {
	names := map[plural.Form]string{plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	for _, w := range allWords {
		needed := map[string]bool{}
		for n := 1; n <= 10_000; n++ {
			needed[names[plural.Cardinal.MatchPlural(language.Make(w.Tag), n, 0, 0, 0, 0)]] = true
		}
		for field, text := range wordFields(w) {
			name, form, counted := strings.Cut(field, ".")
			if !counted {
				continue
			}
			if needed[form] != (text != "") {
				t.Errorf("%s: %s of %s is %q, needed: %v", w.Tag, form, name, text, needed[form])
			}
			// One number may have its form to itself and say it in words: 1, or 2.
			if inWords := form == "one" || form == "two"; text != "" && !inWords && strings.Count(text, "%d") != 1 {
				t.Errorf("%s: %s of %s does not say the number: %s", w.Tag, form, name, text)
			}
		}
	}
	// A form that holds for several numbers must say which: in these languages "one" is not 1 alone.
	for _, w := range []words{french, hindi} {
		if got := w.count(w.PrivacyDays, 0); !strings.Contains(got, "0") {
			t.Errorf("%s: no days: %s", w.Tag, got)
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		w    words
		f    forms
		n    int
		want string
	}{
		{english, english.AtMost, 1, "At most one character."},
		{english, english.AtMost, 2, "At most 2 characters."},
		{german, german.PrivacyDays, 1, "Ihre Antworten werden einen Tag lang aufbewahrt und dann gelöscht."},
		{polish, polish.AtMost, 1, "Najwyżej 1 znak."},
		{polish, polish.AtMost, 3, "Najwyżej 3 znaki."},
		{polish, polish.AtMost, 12, "Najwyżej 12 znaków."},
		{polish, polish.AtMost, 22, "Najwyżej 22 znaki."},
		{polish, polish.AtMost, 100, "Najwyżej 100 znaków."},
		{arabic, arabic.AtMost, 2, "حرفان على الأكثر."},
		{arabic, arabic.AtMost, 7, "7 أحرف على الأكثر."},
		{arabic, arabic.AtMost, 20, "20 حرفًا على الأكثر."},
		{arabic, arabic.AtMost, 100, "100 حرف على الأكثر."},
		{japanese, japanese.AtMost, 1, "1文字以内。"},
	} {
		if got := c.w.count(c.f, c.n); got != c.want {
			t.Errorf("%s, %d: %s, want %s", c.w.Tag, c.n, got, c.want)
		}
	}
	for _, w := range allWords {
		for n := 3; n <= 4000; n++ {
			for _, f := range []forms{w.AtMost, w.ErrLength, w.ErrTooMany, w.PrivacyDays, w.PrivacyGroups, w.TooManyText} {
				if got := w.count(f, n); !strings.Contains(got, strconv.Itoa(n)) {
					t.Fatalf("%s: %d: %s", w.Tag, n, got)
				}
			}
		}
	}
}

// TestEveryLanguageIsShown asks for the page in each language, by ?lang= and by what the browser wants.
func TestEveryLanguageIsShown(t *testing.T) {
	h := newHarness(t)
	s := testSurvey()
	s.Languages = nil
	for _, w := range allWords {
		s.Languages = append(s.Languages, w.Tag)
		s.Title[w.Tag] = "Title in " + w.Tag
	}
	h.serve(s)
	for _, w := range allWords {
		for _, r := range []string{"?lang=" + w.Tag, ""} {
			request := httptest.NewRequest("GET", pagePath+r, nil)
			request.Header.Set("Accept-Language", "xx, "+w.Tag+";q=0.9, q;nonsense")
			body := h.do(request).Body.String()
			for _, want := range []string{
				`<html lang="` + w.Tag + `" dir="` + direction(w.Tag) + `">`, ">" + w.Send + "<", `aria-current="true">` + nativeName(w.Tag) + "<",
			} {
				if !strings.Contains(body, want) {
					t.Errorf("%s %q: the page has no %s", w.Tag, r, want)
				}
			}
			if strings.Contains(body, "<body lang") {
				t.Errorf("%s: the page's words are in another language", w.Tag)
			}
		}
	}
}

// TestNearWords: a language without words of its own gets those of one that its readers understand, marked as such.
func TestNearWords(t *testing.T) {
	for tag, want := range map[string]string{
		"pt-BR": "pt-BR", "en-GB": "en-GB", "gl": "es", "af": "nl", "ur": "en", "zh-Hant": "en", "sw": "en",
	} {
		_, got := page{language: tag}.around()
		if got != want {
			t.Errorf("the words for %s are in %s, want %s", tag, got, want)
		}
	}
}
