package intake

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// words are the page's own words in one language; what a program's authors wrote is not among them. Fields that end in f
// are formats for fmt; all languages use the same verbs in the same order, with indexes where a language needs another.
type words struct {
	Tag string // of the language

	Languages string // names the language switch
	AskedByf  string // team
	Aboutf    string // touchpoint or team
	Required  string
	Optional  string
	ChooseAny string
	AtMost    forms  // number of characters
	Endsf     string // lowest value, its meaning, highest value, its meaning
	Send      string

	NPSLow, NPSHigh, CSATLow, CSATHigh, CESLow, CESHigh, RatingLow, RatingHigh string

	ErrorPrefix   string
	ErrorTitle    string
	ErrAnswer     string // a required question without an answer
	ErrNothing    string // no answer at all
	ErrChoice     string
	ErrLength     forms // number of characters
	ErrCharacters string
	ErrChanged    string // the form is of another time than the survey
	ErrUsed       string // the form was sent before with other answers
	ErrSaving     string
	ErrTooMany    forms // seconds

	Thanks, ThanksText, Receipt, ReceiptHelp, Another string

	Privacy       string
	PrivacyWhof   string // team
	PrivacyDays   forms  // days
	PrivacyGroups forms  // size of the smallest group that is shown

	ClosedTitle, ClosedText           string
	NotFoundTitle, NotFoundText       string
	TooLargeTitle, TooLargeText       string
	TooManyTitle                      string
	TooManyText                       forms // seconds
	CannotReadTitle, CannotReadText   string
	UnavailableTitle, UnavailableText string

	Next, Back       string
	Stepf            string // number of the step, how many there are
	Later, LaterHelp string // the link to come back by
	Prefilled        string // the link that was followed has an answer
	PrefillUnfit     string

	Score, ScoreHelp string
	ScoreScalef      string // score, lowest and highest that there can be

	EraseTitle, EraseText, EraseSend string
	EraseDoneTitle, EraseDone        string
	ErrReceipt, ErrErase             string

	NotInvitedTitle, NotInvitedText   string
	LinkInvalidTitle, LinkInvalidText string
	LinkExpiredTitle, LinkExpiredText string
	LinkUsedTitle, LinkUsedText       string
	LeaveEmpty                        string // of a field that only robots fill in
	Wait                              string // while the page works for its proof

	Contact, ContactText           string // about the field for an address
	ContactAddress, ContactRequest string // its label, and that of the box that asks for contact
	ContactConsentf                string // who keeps the address
	ContactDays                    forms  // days after which it is deleted
	ErrAddress, ErrConsent         string
}

// allWords has English first: it stands in where a language has no words of its own.
var allWords = []words{
	english, spanish, german, french, italian, portuguese, dutch, polish, japanese, chinese, arabic, hindi,
}

var wordsMatcher = newWordsMatcher()

func newWordsMatcher() language.Matcher {
	var tags []language.Tag
	for _, w := range allWords {
		tags = append(tags, language.MustParse(w.Tag))
	}
	return language.NewMatcher(tags)
}

// wordsFor returns the words for a page in the language.
func wordsFor(tag language.Tag) *words {
	_, index, confidence := wordsMatcher.Match(tag)
	if confidence < language.High {
		return &allWords[0]
	}
	return &allWords[index]
}

// forms are a text that has a number in it, by the plural categories that CLDR has for whole numbers in the language;
// %d stands for the number where the form does not say it in words.
type forms struct{ one, two, few, many, other string }

// form returns the text for a category; empty where the language has none.
func (f forms) form(category plural.Form) string {
	switch category {
	case plural.One:
		return f.one
	case plural.Two:
		return f.two
	case plural.Few:
		return f.few
	case plural.Many:
		return f.many
	default:
		return f.other
	}
}

// count returns the text for a number of 0 or more.
func (w *words) count(f forms, n int) string {
	category := plural.Cardinal.MatchPlural(language.Make(w.Tag), n, 0, 0, 0, 0)
	return strings.Replace(f.form(category), "%d", strconv.Itoa(n), 1)
}
