package intake

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"golang.org/x/text/language"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// view is all that a page shows. Which fields are set depends on the page.
type view struct {
	Lang, Dir string // of the page
	// AroundLang and AroundDir are those of the page's own words, where there are none in the page's language.
	AroundLang, AroundDir string
	W                     words
	Style                 template.CSS
	Title                 string
	Switch                []languageLink

	// Of messages and the thank-you page.
	Heading, Message, Receipt, Another string

	// Of forms.
	Survey        marked
	Asked         string
	About         []string
	Failed        bool
	Notice        string
	Faults        []fault
	Action        string
	FormID, Team  string
	Questions     []questionView
	Privacy       []string
	PrivacyNotice *marked
}

type languageLink struct {
	Tag, Name, Href string
	Current         bool
}

// fault is one line of the error summary, with a link to the field.
type fault struct {
	ID       string
	Question marked
	Text     string
}

// page is one page of a survey, asked for in one language and perhaps for one team.
type page struct {
	survey     *survey.Survey
	path       string
	touchpoint string
	team       string
	language   string
	questions  []survey.Question
}

// pageOf finds the page that a request is for; false if the survey has no such touchpoint.
func pageOf(r *http.Request, s *survey.Survey) (page, bool) {
	p := page{survey: s, touchpoint: r.PathValue("touchpoint")}
	questions, ok := s.Page(p.touchpoint)
	if !ok {
		return page{}, false
	}
	p.questions = questions
	p.path = "/s/" + url.PathEscape(s.Program.Namespace) + "/" + url.PathEscape(s.Program.Name)
	if p.touchpoint != "" {
		p.path += "/" + url.PathEscape(p.touchpoint)
	}
	return p, true
}

// href is the page's address in a language, for the same team; query is added where it is not empty.
func (p page) href(lang string, query url.Values) string {
	q := url.Values{"lang": {lang}}
	if p.team != "" {
		q.Set("team", p.team)
	}
	for name, values := range query {
		q[name] = values
	}
	return p.path + "?" + q.Encode()
}

// around returns the page's own words and the language that they are in: the page's where there are such words.
func (p page) around() (words, string) {
	w := wordsFor(language.Make(p.language))
	_, _, confidence := wordsMatcher.Match(language.Make(p.language))
	if confidence < language.High {
		return w, w.Tag
	}
	return w, p.language
}

// text returns an author's text in the page's language.
func (p page) text(t survey.Texts) marked {
	_, around := p.around()
	return pick(t, p.language, p.survey.DefaultLanguage, around)
}

// frame is what every page of a survey shows.
func (p page) frame() view {
	w, around := p.around()
	v := view{Lang: p.language, Dir: direction(p.language), W: w, Style: template.CSS(style), Survey: p.text(p.survey.Title)}
	if around != p.language {
		v.AroundLang, v.AroundDir = around, direction(around)
	}
	v.Title = v.Survey.Text
	return v
}

func (p page) languageSwitch(query url.Values) []languageLink {
	if len(p.survey.Languages) < 2 {
		return nil
	}
	links := make([]languageLink, 0, len(p.survey.Languages))
	for _, tag := range p.survey.Languages {
		links = append(links, languageLink{Tag: tag, Name: nativeName(tag), Href: p.href(tag, query), Current: tag == p.language})
	}
	return links
}

// form returns the page with its form as f says it was filled in.
func (p page) form(f form) view {
	v := p.frame()
	v.Switch = p.languageSwitch(nil)
	v.Asked = fmt.Sprintf(v.W.AskedByf, p.survey.Asker)
	for _, subject := range []string{p.survey.Touchpoints[p.touchpoint].DisplayName, p.survey.Units[p.team]} {
		if subject != "" {
			v.About = append(v.About, fmt.Sprintf(v.W.Aboutf, subject))
		}
	}
	v.Action, v.FormID, v.Team = p.path, f.id, p.team
	v.Privacy = []string{
		fmt.Sprintf(v.W.PrivacyWhof, p.survey.Asker),
		v.W.kept(p.survey.RetentionDays),
		fmt.Sprintf(v.W.PrivacyGroupsf, p.survey.MinimumCell),
	}
	if len(p.survey.PrivacyNotice) > 0 {
		notice := p.text(p.survey.PrivacyNotice)
		v.PrivacyNotice = &notice
	}
	v.Notice = f.notice
	for _, q := range p.questions {
		shown := p.question(q, f)
		v.Questions = append(v.Questions, shown)
		if shown.Error != "" {
			v.Faults = append(v.Faults, fault{ID: shown.first(), Question: shown.Text, Text: shown.Error})
		}
	}
	v.Failed = v.Notice != "" || len(v.Faults) > 0
	return v
}

// thanks returns the page that follows a stored response. It can be loaded again: it records nothing.
func (p page) thanks(receipt string) view {
	v := p.frame()
	v.Heading, v.Message = v.W.Thanks, v.W.ThanksText
	v.Title = v.Heading
	v.Receipt = groupReceipt(receipt)
	v.Another = p.href(p.language, nil)
	v.Switch = p.languageSwitch(url.Values{"receipt": {receipt}})
	return v
}

// message returns a page of the survey that says one thing.
func (p page) message(pr problem) view {
	v := p.frame()
	v.Heading, v.Message = v.W.message(pr)
	v.Title = v.Heading
	return v
}

// message is the heading and text of a page that says only what went wrong.
func (w words) message(p problem) (heading, text string) {
	switch p.reason {
	case notFound.reason:
		return w.NotFoundTitle, w.NotFoundText
	case closed.reason:
		return w.ClosedTitle, w.ClosedText
	case tooLarge.reason:
		return w.TooLargeTitle, w.TooLargeText
	case tooMany.reason:
		return w.TooManyTitle, fmt.Sprintf(w.TooManyTextf, p.retrySeconds())
	case malformed.reason, unsupported.reason, timedOut.reason, methodNotAllowed.reason:
		return w.CannotReadTitle, w.CannotReadText
	default:
		return w.UnavailableTitle, w.UnavailableText
	}
}
