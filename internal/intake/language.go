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
	if len(s.Languages) < 2 || len(acceptLanguage) > maxAcceptLanguage {
		return s.DefaultLanguage
	}
	best := choices.get(choice{strings.Join(s.Languages, " "), acceptLanguage}, choose)
	if best >= 0 && best < len(s.Languages) {
		return s.Languages[best]
	}
	return s.DefaultLanguage
}

// choice of one of a survey's languages, with blanks between, by Accept-Language. Few browsers send something that others do
// not, and to find out what fits costs more than the rest of a page.
type choice struct{ languages, acceptLanguage string }

var choices = memo[choice, int]{size: 2000}

// choose returns the index of the language that fits best, or -1.
func choose(c choice) int {
	var tags []language.Tag
	for tag := range strings.SplitSeq(c.languages, " ") {
		tags = append(tags, language.Make(tag))
	}
	return negotiate(language.NewMatcher(tags), c.acceptLanguage)
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
func requestWords(r *http.Request) *words {
	if i := negotiate(wordsMatcher, r.Header.Get("Accept-Language")); i >= 0 {
		return &allWords[i]
	}
	return &allWords[0]
}

// tongue is what pages need to know of a language.
type tongue struct {
	// direction in which it is written, and what it is called in itself.
	direction, name string
	// words of pages in the language, and the language that these are in: the same, or a near one that has such words.
	words  *words
	around string
}

// tongues has few entries: surveys choose from the languages of the world, and visitors from those of a survey.
var tongues = memo[string, tongue]{size: 1000}

func tongueOf(tag string) tongue { return tongues.get(tag, newTongue) }

func newTongue(tag string) tongue {
	made := language.Make(tag)
	t := tongue{direction: "ltr", name: display.Self.Name(made), words: wordsFor(made), around: tag}
	if t.name == "" {
		t.name = tag
	}
	script, _ := made.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg":
		t.direction = "rtl"
	}
	has, _ := language.Make(t.words.Tag).Base()
	if wants, _ := made.Base(); wants != has {
		t.around = t.words.Tag
	}
	return t
}

// direction in which a language is written.
func direction(tag string) string { return tongueOf(tag).direction }

// nativeName is what a language is called in itself.
func nativeName(tag string) string { return tongueOf(tag).name }

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
