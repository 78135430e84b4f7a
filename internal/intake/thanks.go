package intake

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// fieldScore is the part of a thank-you page's address that has a score: NAME:TENTHS. The score stands in the address since
// nothing that was answered can be read back from the store by a page; it is of the reader's own answers alone.
const fieldScore = "_score"

type scoreView struct {
	Title marked
	Text  string
}

// thanksAddress is the address of the thank-you page of a stored response. It leads nowhere by the link that the response came
// by.
func (p page) thanksAddress(receipt string, scores []survey.Score) string {
	var space [256]byte
	address := append(append(space[:0], p.path...), '?')
	for _, score := range scores {
		address = append(append(address, fieldScore+"="...), url.QueryEscape(score.Name+":"+strconv.Itoa(score.Tenths))...)
		address = append(address, '&')
	}
	address = append(append(address, "lang="...), url.QueryEscape(p.language)...)
	address = append(append(address, "&receipt="...), receipt...)
	if p.team != "" {
		address = append(append(address, "&team="...), url.QueryEscape(p.team)...)
	}
	return string(address)
}

// thanks returns the page that follows a stored response. It can be loaded again: it records nothing.
func (p page) thanks(receipt string, scores []string) view {
	v := p.frame()
	v.Heading, v.Message = v.W.Thanks, v.W.ThanksText
	v.Title = v.Heading
	v.Receipt = groupReceipt(receipt)
	if !p.survey.Access.Signed { // another answer needs another link
		v.Another = p.href(p.language, nil)
	}
	v.Erase = p.erasePath() + "?" + url.Values{"lang": {p.language}, fieldReceipt: {receipt}}.Encode()
	if len(p.survey.ThankYou) > 0 {
		text := p.text(p.survey.ThankYou)
		v.ThankYou = &text
	}
	query := url.Values{"receipt": {receipt}}
	for _, given := range scores {
		if score, ok := p.readScore(given); ok {
			v.Scores = append(v.Scores, p.score(score, v.W))
			query.Add(fieldScore, given)
		}
	}
	v.Switch = p.languageSwitch(query)
	return v
}

// readScore reads a score from an address. One that the survey could not have given is none, so that an address made up by a
// stranger puts nothing else on a page.
func (p page) readScore(s string) (survey.Score, bool) {
	name, digits, _ := strings.Cut(s, ":")
	tenths, err := strconv.Atoi(digits)
	if err != nil {
		return survey.Score{}, false
	}
	return p.survey.ScoreOf(name, tenths)
}

func (p page) score(s survey.Score, w *words) scoreView {
	v := scoreView{Title: marked{Text: w.Score}}
	if len(s.Title) > 0 {
		v.Title = p.text(s.Title)
	}
	v.Text = fmt.Sprintf(w.ScoreScalef, decimal(w.Tag, s.Tenths), strconv.Itoa(s.Min), strconv.Itoa(s.Max))
	return v
}

// decimal writes tenths in the manner of a language, in the digits that the page's scales have.
func decimal(tag string, tenths int) string {
	latin, err := language.Make(tag).SetTypeForKey("nu", "latn")
	if err != nil {
		latin = language.Make(tag)
	}
	return message.NewPrinter(latin).Sprint(number.Decimal(float64(tenths)/10, number.MaxFractionDigits(1)))
}
