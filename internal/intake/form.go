package intake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// The fields of a form that are no answers. Names of questions never begin with "_".
const (
	fieldID       = "_id"
	fieldTeam     = "_team"
	fieldLanguage = "_language"
)

// sentQuery makes the address that forms are sent to another one than their own. Else a browser forgets the form once it is
// sent, and its back button gets a new form, which would be stored as another response.
const sentQuery = "?_sent"

// form is what is filled in on a page: nothing yet, or what was posted.
type form struct {
	id     string
	values url.Values
	// errors by question, and notice about the form as a whole, in the page's words; empty where all is well.
	errors map[string]string
	notice string
	// hints are what the page says that is no fault.
	hints []string
	// step is the index of the part that is shown or was sent.
	step int
	// opened is when the form was first shown; genuine says that its token proves it.
	opened  time.Time
	genuine bool
}

// canonicalID is the form's id as responses have it; empty where it is none.
func (f form) canonicalID() string {
	id, err := uuid.Parse(f.id)
	if err != nil {
		return ""
	}
	return id.String()
}

// submission reads the form's answers. What is not filled in is no answer; what cannot be an answer is passed on as it is
// for Accept to refuse.
func (f form) submission(p page) survey.Submission {
	sub := survey.Submission{
		ID: f.id, Touchpoint: p.touchpoint, Team: p.team, Language: p.language, Answers: map[string]any{}, Contact: f.left(),
	}
	for name, values := range f.values {
		if strings.HasPrefix(name, "_") {
			continue
		}
		q, _ := p.find(name)
		if value, given := formValue(q.Type, values); given {
			sub.Answers[name] = value
		}
	}
	return sub
}

// finished is the submission without answers to questions that are not asked: an answer before them was changed since.
func (f form) finished(p page) survey.Submission {
	sub := f.submission(p)
	if !p.survey.HasConditions() {
		return sub
	}
	progress := p.survey.Progress(p.touchpoint, sub.Answers)
	for _, q := range p.questions {
		if !progress.Asked[q.Name] {
			delete(sub.Answers, q.Name)
		}
	}
	return sub
}

// formValue turns the values of one field into the answer to a question of the type.
func formValue(questionType string, values []string) (any, bool) {
	isBlank := func(v string) bool { return strings.TrimSpace(v) == "" }
	filled := values
	if slices.ContainsFunc(values, isBlank) {
		filled = slices.DeleteFunc(slices.Clone(values), isBlank)
	}
	if len(filled) == 0 {
		return nil, false
	}
	switch v1alpha1.QuestionType(questionType) {
	case v1alpha1.QuestionMultipleChoice:
		return filled, true
	case v1alpha1.QuestionSingleChoice, v1alpha1.QuestionText:
		if len(filled) == 1 {
			return filled[0], true
		}
	default:
		if n, err := strconv.ParseInt(filled[0], 10, 64); err == nil && len(filled) == 1 {
			return n, true
		}
	}
	return filled, true
}

// explain puts what Accept refused into the page's words, beside the questions. What is wrong with something that the
// page does not show means that the form is of another time than the survey.
func (f *form) explain(p page, refused []survey.FieldError) {
	w, _ := p.around()
	f.errors = map[string]string{}
	for _, e := range refused {
		name, _, _ := strings.Cut(strings.TrimPrefix(e.Pointer, "/answers/"), "/")
		q, shown := p.find(name)
		switch {
		case shown && f.errors[name] == "":
			f.errors[name] = w.explain(e.Code, q)
		case shown:
		case e.Pointer == "/contact/address":
			f.errors[fieldContact] = w.ErrAddress
		case e.Pointer == "/contact/consent":
			f.errors[fieldConsent] = w.ErrConsent
		case e.Pointer == "/answers" && e.Code == survey.CodeRequired:
			f.explainEmpty(p, w)
		default:
			f.notice = w.ErrChanged
		}
	}
}

// explainEmpty asks for all that is required, or for anything where nothing is.
func (f *form) explainEmpty(p page, w *words) {
	progress := p.progress(*f)
	var asked []string
	for _, q := range p.questions {
		if !progress.Asked[q.Name] {
			continue
		}
		asked = append(asked, q.Name)
		if q.Required {
			f.errors[q.Name] = w.ErrAnswer
		}
	}
	if len(f.errors) == 0 && len(asked) > 0 {
		f.errors[asked[0]] = w.ErrNothing
	}
}

func (w *words) explain(code string, q survey.Question) string {
	switch code {
	case survey.CodeRequired:
		return w.ErrAnswer
	case survey.CodeLength:
		if q.MaxLength > 0 {
			return w.count(w.ErrLength, int(q.MaxLength))
		}
	case survey.CodeFormat:
		return w.ErrCharacters
	}
	return w.ErrChoice
}

func (p page) find(name string) (survey.Question, bool) {
	for _, q := range p.questions {
		if q.Name == name {
			return q, true
		}
	}
	return survey.Question{}, false
}

// showForm answers GET and HEAD: an empty form, or the thank-you page of a receipt.
func (s *Server) showForm(w http.ResponseWriter, r *http.Request) {
	if wait, ok := s.allow(s.pages, r); !ok {
		s.showMessage(w, r, tooMany.after(wait))
		return
	}
	served, ok := s.program(r)
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	query := r.URL.Query()
	p, ok := s.page(r, served, query.Get("lang"), query.Get("team"))
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	if query.Has("receipt") {
		s.showThanks(w, r, p, query)
		return
	}
	if p.survey.Closed {
		s.showProblem(w, r, closed, "message", p.message(closed))
		return
	}
	refused := p.invite(served, query.Get(paramInvitation), query.Get("team"))
	f := p.prefill(query)
	p.open(&f, query.Get(fieldForm), s.clock())
	if refused == nil {
		refused = p.expired(f, s.clock())
	}
	if refused == nil {
		refused = s.spent(r.Context(), served, p.invited)
	}
	if refused != nil {
		s.showProblem(w, r, *refused, "message", p.message(*refused))
		return
	}
	if f.id == "" && !s.renew(w, r, &f) {
		return
	}
	if r.Method == http.MethodGet {
		s.metrics.view(served.key)
	}
	if s.showBlank(w, r, p, f) {
		return
	}
	v := p.form(f)
	// The browser's back button must find this form and not a new one, or what was sent is sent as another response.
	v.history = true
	s.render(w, r, http.StatusOK, "form", v)
}

// renew gives the form a new id, or answers 500 and returns false.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, f *form) bool {
	id, err := newID(s.rand)
	if err != nil {
		s.fault(err)
		s.showMessage(w, r, internal)
		return false
	}
	f.id = id
	return true
}

func (s *Server) showThanks(w http.ResponseWriter, r *http.Request, p page, query url.Values) {
	receipt := query.Get("receipt")
	if !isReceipt(receipt) {
		s.showMessage(w, r, notFound)
		return
	}
	s.render(w, r, http.StatusOK, "thanks", p.thanks(receipt, query[fieldScore]))
}

// page finds the page, language and team that a request is for; false if the program lacks the touchpoint or team.
func (s *Server) page(r *http.Request, served *served, lang, team string) (page, bool) {
	p, ok := pageOf(r, served)
	if !ok {
		return page{}, false
	}
	if _, known := served.Survey.Units[team]; team != "" && !known {
		return page{}, false
	}
	p.team = team
	p.language = pageLanguage(served.Survey, lang, r.Header.Get("Accept-Language"))
	return p, true
}

// postForm takes a filled-in form: 303 to the thank-you page, or the form again with what is wrong.
func (s *Server) postForm(w http.ResponseWriter, r *http.Request) {
	wait, allowed := s.allow(s.submissions, r)
	served, ok := s.program(r)
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	values, refused := s.readForm(w, r)
	if refused != nil {
		s.metrics.reject(served.key, *refused, 1)
		s.showMessage(w, r, *refused)
		return
	}
	entered := served.gate.enter(r.Context())
	if entered {
		defer served.gate.leave()
	}
	p, f, ok := s.posted(r, served, values)
	if !ok {
		s.showMessage(w, r, notFound)
		return
	}
	if !entered {
		s.showBusy(w, r, served, p, f)
		return
	}
	if refused = s.admit(served, &p, &f); refused != nil {
		s.metrics.reject(served.key, *refused, 1)
		s.showProblem(w, r, *refused, "message", p.message(*refused))
		return
	}
	if !allowed {
		// The answers are shown again: whoever shares an address with many must not have to type them twice.
		s.metrics.reject(served.key, tooMany, 1)
		s.showAgain(w, r, p, f, tooMany.after(wait))
		return
	}
	// A form made by hand may have no id: it is taken, but a repeat of it cannot be known.
	if f.id == "" && !s.renew(w, r, &f) {
		return
	}
	if p.readStep(&f, values) && s.turn(w, r, served, p, f) {
		return
	}
	s.take(w, r, served, p, f)
}

// take accepts and saves a form that may be sent now.
func (s *Server) take(w http.ResponseWriter, r *http.Request, served *served, p page, f form) {
	now := s.clock()
	sub := f.finished(p)
	errors := fixedBy(p.invited, &sub)
	response, wrong := p.survey.Accept(sub, survey.Rules{Now: now})
	if errors = append(errors, wrong...); len(errors) > 0 {
		f.explain(p, errors)
		f.toFault(p)
		s.metrics.reject(served.key, invalid, 1)
		s.track(r.Context(), served, p, f, p.reached(f))
		s.showAgain(w, r, p, f, invalid)
		return
	}
	p.judge(f, &response, now)
	var result store.Result
	refused := s.openCase(served, &response, sub.Contact)
	if refused == nil {
		result, refused = s.save(r.Context(), served, response)
	}
	if refused != nil {
		s.metrics.reject(served.key, *refused, 1)
		s.refuseForm(w, r, p, f, *refused)
		return
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Location"] = []string{p.thanksAddress(result.Receipt, p.survey.Scores(response))}
	w.WriteHeader(http.StatusSeeOther)
}

// admit says whether the posted form may be sent at all: the program is open, and the link that it came by is good.
func (s *Server) admit(served *served, p *page, f *form) *problem {
	if p.survey.Closed {
		return &closed
	}
	// A team that is posted beside the link's is left for the checks of the answers to refuse.
	refused := p.invite(served, f.values.Get(fieldInvitation), "")
	p.open(f, f.values.Get(fieldForm), s.clock())
	if refused == nil {
		refused = p.expired(*f, s.clock())
	}
	return refused
}

// posted finds the page and the form that were posted. A team or language that the program lost in the meantime is left
// out of the page, so that the form can be sent again; its loss is told by Accept through the form's notice.
func (s *Server) posted(r *http.Request, served *served, values url.Values) (page, form, bool) {
	f := form{id: values.Get(fieldID), values: values}
	p, ok := s.page(r, served, values.Get(fieldLanguage), "")
	if !ok {
		return page{}, form{}, false
	}
	p.team = values.Get(fieldTeam)
	return p, f, true
}
