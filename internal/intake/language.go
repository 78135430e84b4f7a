package intake

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// maxAcceptLanguage is how much of an Accept-Language header is read, in bytes. Browsers send less than 100.
const maxAcceptLanguage = 256

// marked is a text with its language, where that is not the language of the text around it.
type marked struct {
	Text string
	// Lang and Dir are empty where the text around has them already.
	Lang, Dir string
}

// pageLanguage chooses one of the survey's languages: the one asked for, else the best by Accept-Language, else the
// default.
func pageLanguage(s *survey.Survey, asked, acceptLanguage string) string {
	for _, tag := range s.Languages {
		if strings.EqualFold(tag, asked) {
			return tag
		}
	}
	tags := make([]language.Tag, 0, len(s.Languages))
	for _, tag := range s.Languages {
		tags = append(tags, language.Make(tag))
	}
	if best := negotiate(language.NewMatcher(tags), acceptLanguage); best >= 0 && best < len(s.Languages) {
		return s.Languages[best]
	}
	return s.DefaultLanguage
}

// negotiate returns the index of the language that fits best, or -1.
func negotiate(m language.Matcher, acceptLanguage string) int {
	wanted := acceptedLanguages(acceptLanguage)
	if len(wanted) == 0 {
		return -1
	}
	_, index, confidence := m.Match(wanted...)
	if confidence < language.High {
		return -1
	}
	return index
}

// acceptedLanguages reads an Accept-Language header, the most wanted first. What is no language that CLDR knows is passed
// over: the reader's other languages still count.
func acceptedLanguages(header string) []language.Tag {
	if len(header) > maxAcceptLanguage {
		return nil
	}
	var known []string
	for part := range strings.SplitSeq(header, ",") {
		if _, _, err := language.ParseAcceptLanguage(part); err == nil {
			known = append(known, part)
		}
	}
	tags, _, err := language.ParseAcceptLanguage(strings.Join(known, ","))
	if err != nil {
		return nil
	}
	return tags
}

// requestWords are the words for a page that belongs to no survey.
func requestWords(r *http.Request) words {
	if i := negotiate(wordsMatcher, r.Header.Get("Accept-Language")); i >= 0 {
		return allWords[i]
	}
	return english
}

// direction in which a language is written.
func direction(tag string) string {
	script, _ := language.Make(tag).Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg":
		return "rtl"
	}
	return "ltr"
}

// nativeName is what a language is called in itself.
func nativeName(tag string) string {
	if name := display.Self.Name(language.Make(tag)); name != "" {
		return name
	}
	return tag
}

// pick returns the text in the language, else in the default language, marked where its language is not around.
func pick(t survey.Texts, tag, fallback, around string) marked {
	text, ok := t[tag]
	if !ok {
		tag, text = fallback, t[fallback]
	}
	if tag == around {
		return marked{Text: text}
	}
	return marked{Text: text, Lang: tag, Dir: direction(tag)}
}
