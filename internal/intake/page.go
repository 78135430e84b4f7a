package intake

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// view is all that a page shows. Which fields are set depends on the page.
type view struct {
	Lang, Dir string // of the page
	// AroundLang and AroundDir are those of the page's own words, where there are none in the page's language.
	AroundLang, AroundDir string
	W                     *words
	Style                 template.CSS
	Title                 string
	Switch                []languageLink
	Logo                  template.URL
	Asker                 string
	// frames are the origins whose pages may show this one; history lets the browser's own back button find it again.
	frames  []string
	history bool

	// Of messages and the thank-you page.
	Heading, Message, Receipt, Another, Erase string
	ThankYou                                  *marked
	Scores                                    []scoreView

	// Of forms.
	Survey        marked
	Asked         string
	About         []string
	Failed        bool
	Notice        string
	Faults        []fault
	Action        string
	FormID, Team  string
	FormToken     string
	Invitation    string
	Trap          string // what a robot wrote where nobody can
	Questions     []questionView
	Privacy       []string
	PrivacyNotice *marked
	Hints         []string
	Contact       *contactView

	// Of forms that are filled in step by step.
	Step, Steps string
	StepTitle   *marked
	Hidden      []hiddenField
	More, Back  bool
	Later       string

	// Of forms with a script.
	Script             *script
	Visits, Touchpoint string
	Bits               int32
	Program, Proof     string
}

type languageLink struct {
	Tag, Dir, Name, Href string
	Current              bool
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
	base, path string // of the program, of this page
	touchpoint string
	team       string
	language   string
	questions  []survey.Question
	parts      []survey.Part
	keys       *keys
	// invitation is the token of the link that the page was opened by, and invited what it says; empty and nil without one.
	invitation string
	invited    *link.Link
}

// pageOf finds the page that a request is for; false if the survey has no such touchpoint.
func pageOf(r *http.Request, served *served) (page, bool) {
	return pageAt(served, r.PathValue("touchpoint"))
}

// pageAt finds the page of a touchpoint.
func pageAt(served *served, touchpoint string) (page, bool) {
	s := served.Survey
	p := page{survey: s, touchpoint: touchpoint, keys: served.keys}
	questions, ok := s.Page(p.touchpoint)
	if !ok {
		return page{}, false
	}
	p.questions = questions
	if p.parts = s.PartsOf(questions); len(p.parts) > 1 && s.AsksContact(p.touchpoint) {
		p.parts = append(p.parts, survey.Part{}) // asked last, by itself, whatever questions are left out
	}
	p.base = "/s/" + url.PathEscape(s.Program.Namespace) + "/" + url.PathEscape(s.Program.Name)
	p.path = p.base
	if p.touchpoint != "" {
		p.path += "/" + url.PathEscape(p.touchpoint)
	}
	return p, true
}

// invite takes the link that the page is opened by. It refuses one that is missing or wrong, and says that there is nothing at
// the address of another touchpoint or team than the link's. Team is the one that the address names.
func (p *page) invite(served *served, token, team string) *problem {
	l, refused := served.invitedBy(token)
	if l == nil {
		return refused
	}
	_, known := p.survey.Units[l.Team]
	if l.Touchpoint != p.touchpoint || team != "" && team != l.Team || l.Team != "" && !known {
		return &notFound
	}
	p.invited, p.invitation = l, token
	if p.team == "" {
		p.team = l.Team
	}
	return nil
}

// expired refuses a link that has expired before the form was opened.
func (p page) expired(f form, now time.Time) *problem {
	if !f.genuine {
		return checkExpiry(p.invited, time.Time{}, now)
	}
	return checkExpiry(p.invited, f.opened, now)
}

// href is the page's address in a language, by the same link or for the same team; query is added where it is not empty.
func (p page) href(lang string, query url.Values) string {
	q := url.Values{"lang": {lang}}
	switch {
	case p.invitation != "":
		q.Set(paramInvitation, p.invitation)
	case p.team != "":
		q.Set("team", p.team)
	}
	for name, values := range query {
		q[name] = values
	}
	return p.path + "?" + q.Encode()
}

// around returns the page's own words and the language that they are in: the page's, or a near one that has such words.
func (p page) around() (*words, string) {
	t := tongueOf(p.language)
	return t.words, t.around
}

// text returns an author's text in the page's language.
func (p page) text(t survey.Texts) marked {
	_, around := p.around()
	return pick(t, p.language, p.survey.DefaultLanguage, around)
}

// frame is what every page of a survey shows.
func (p page) frame() view {
	w, around := p.around()
	v := view{Lang: p.language, Dir: direction(p.language), W: w, Style: themed(p.survey.Branding), Survey: p.text(p.survey.Title)}
	v.Logo, v.Asker, v.frames = logo(p.survey.Branding), p.survey.Asker, p.survey.FrameAncestors
	v.Asked = fmt.Sprintf(w.AskedByf, p.survey.Asker)
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
		links = append(links, languageLink{Tag: tag, Dir: direction(tag), Name: nativeName(tag), Href: p.href(tag, query), Current: tag == p.language})
	}
	return links
}

// form returns the page with its form as f says it was filled in.
func (p page) form(f form) view {
	v := p.frame()
	v.Switch = p.languageSwitch(f.link(p))
	for _, subject := range []string{p.survey.Touchpoints[p.touchpoint].DisplayName, p.survey.Units[p.team]} {
		if subject != "" {
			v.About = append(v.About, fmt.Sprintf(v.W.Aboutf, subject))
		}
	}
	v.Action, v.FormID, v.Team = p.path+sentQuery, f.id, p.team
	v.FormToken, v.Invitation = p.token(f), p.invitation
	if f.values.Get(fieldTrap) != "" {
		v.Trap = "x"
	}
	p.scripted(&v, f)
	v.Privacy = []string{
		fmt.Sprintf(v.W.PrivacyWhof, p.survey.Asker),
		v.W.count(v.W.PrivacyDays, int(p.survey.RetentionDays)),
		v.W.count(v.W.PrivacyGroups, int(p.survey.MinimumCell)),
	}
	if len(p.survey.PrivacyNotice) > 0 {
		notice := p.text(p.survey.PrivacyNotice)
		v.PrivacyNotice = &notice
	}
	v.Notice, v.Hints = f.notice, f.hints
	progress := p.progress(f)
	for _, q := range p.parts[f.step].Questions {
		if !progress.Asked[q.Name] {
			continue
		}
		shown := p.question(q, f)
		v.Questions = append(v.Questions, shown)
		if shown.Error != "" {
			v.Faults = append(v.Faults, fault{ID: shown.ID, Question: shown.Text, Text: shown.Error})
		}
	}
	p.addContact(&v, f)
	v.Failed = v.Notice != "" || len(v.Faults) > 0
	p.stepped(&v, f, progress)
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
func (w *words) message(p problem) (heading, text string) {
	switch p.reason {
	case notFound.reason:
		return w.NotFoundTitle, w.NotFoundText
	case closed.reason:
		return w.ClosedTitle, w.ClosedText
	case notInvited.reason:
		return w.NotInvitedTitle, w.NotInvitedText
	case linkInvalid.reason:
		return w.LinkInvalidTitle, w.LinkInvalidText
	case linkExpired.reason:
		return w.LinkExpiredTitle, w.LinkExpiredText
	case linkUsed.reason:
		return w.LinkUsedTitle, w.LinkUsedText
	case tooLarge.reason:
		return w.TooLargeTitle, w.TooLargeText
	case tooMany.reason:
		return w.TooManyTitle, w.count(w.TooManyText, p.retrySeconds())
	case malformed.reason, unsupported.reason, timedOut.reason, methodNotAllowed.reason:
		return w.CannotReadTitle, w.CannotReadText
	default:
		return w.UnavailableTitle, w.UnavailableText
	}
}
