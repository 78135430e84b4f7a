package intake

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// The fields of a form that is filled in step by step. All answers so far travel with the form: the server keeps nothing
// of a form that was not sent.
const (
	fieldStep = "_step"
	fieldGo   = "_go"
	goBack    = "back"
)

// maxLink is the longest address to come back by, in bytes; a longer one is not offered. Mail programs and chats cut
// longer ones.
const maxLink = 2000

// reserved are the names in a page's address that are no questions, whatever questions there are.
var reserved = []string{"lang", "team", "receipt", paramInvitation}

type hiddenField struct{ Name, Value string }

// progress judges the form's answers so far.
func (p page) progress(f form) survey.Progress {
	return p.survey.Progress(p.touchpoint, f.submission(p).Answers)
}

// asks says whether a part has a question that is asked, or asks for a contact.
func (p page) asks(part int, progress survey.Progress) bool {
	return p.asksContact(part) || slices.ContainsFunc(p.parts[part].Questions, func(q survey.Question) bool { return progress.Asked[q.Name] })
}

// next returns the first part from an index on that asks something.
func (p page) next(from int, progress survey.Progress) (int, bool) {
	for i := from; i < len(p.parts); i++ {
		if p.asks(i, progress) {
			return i, true
		}
	}
	return 0, false
}

// previous returns the last part before an index that asks something, or the first of all.
func (p page) previous(before int, progress survey.Progress) int {
	for i := before - 1; i > 0; i-- {
		if p.asks(i, progress) {
			return i
		}
	}
	return 0
}

// count returns the number of the step that a part is, and how many steps there are: those that ask something, and those of
// which the answers to come decide. So the number of steps may fall on the way, but never rise.
func (p page) count(at int, progress survey.Progress) (number, all int) {
	for i, part := range p.parts {
		open := i > at && slices.ContainsFunc(part.Questions, func(q survey.Question) bool { return p.undecided(q, at) })
		if i != at && !open && !p.asks(i, progress) {
			continue
		}
		all++
		if i <= at {
			number = all
		}
	}
	return number, all
}

// undecided says whether the question's condition depends, directly or not, on the part at the index or a later one.
func (p page) undecided(q survey.Question, at int) bool {
	if q.ShowWhen == nil {
		return false
	}
	return slices.ContainsFunc(q.ShowWhen.Refers(), func(name string) bool {
		i := p.partOf(name)
		return i >= at || i >= 0 && slices.ContainsFunc(p.parts[i].Questions, func(other survey.Question) bool {
			return other.Name == name && p.undecided(other, at)
		})
	})
}

// partOf returns the index of the part that has the question, or -1.
func (p page) partOf(question string) int {
	return slices.IndexFunc(p.parts, func(part survey.Part) bool {
		return slices.ContainsFunc(part.Questions, func(q survey.Question) bool { return q.Name == question })
	})
}

// readStep takes from a posted form which part it is of; false where it does not say, as a form of one part does not.
func (p page) readStep(f *form, values url.Values) bool {
	step, err := strconv.Atoi(values.Get(fieldStep))
	if err != nil || step < 0 || step >= len(p.parts) || len(p.parts) < 2 {
		return false
	}
	f.step = step
	return true
}

// turn answers a posted part with another one: the part before, the same one with what is wrong, or the next. It returns
// false where there is no further part, so that the form is finished.
func (s *Server) turn(w http.ResponseWriter, r *http.Request, served *served, p page, f form) bool {
	progress := p.progress(f)
	if f.values.Get(fieldGo) == goBack {
		s.track(r.Context(), served, p, f, p.reached(f))
		f.step = p.previous(f.step, progress)
		s.showStep(w, r, p, f)
		return true
	}
	var wrong []survey.FieldError
	for _, q := range p.parts[f.step].Questions {
		wrong = append(wrong, progress.Errors[q.Name]...)
	}
	if len(wrong) > 0 {
		f.explain(p, wrong)
		s.metrics.reject(served.key, invalid, 1)
		s.track(r.Context(), served, p, f, p.reached(f))
		s.showAgain(w, r, p, f, invalid)
		return true
	}
	next, more := p.next(f.step+1, progress)
	if more {
		s.track(r.Context(), served, p, f, p.reached(f))
		f.step = next
		s.showStep(w, r, p, f)
	}
	return more
}

// showStep shows a part of a form. Nothing is stored yet.
func (s *Server) showStep(w http.ResponseWriter, r *http.Request, p page, f form) {
	if uuid.Validate(f.id) != nil && !s.renew(w, r, &f) {
		return
	}
	v := p.form(f)
	v.history = f.history()
	s.render(w, r, http.StatusOK, "form", v)
}

// toFault moves to the first part with something wrong.
func (f *form) toFault(p page) {
	for i, part := range p.parts {
		if slices.ContainsFunc(part.Questions, func(q survey.Question) bool { return f.errors[q.Name] != "" }) {
			f.step = i
			return
		}
	}
	if f.errors[fieldContact] != "" || f.errors[fieldConsent] != "" {
		f.step = len(p.parts) - 1
	}
}

// stepped adds to a form's page what it needs to be one of several steps.
func (p page) stepped(v *view, f form, progress survey.Progress) {
	if len(p.parts) < 2 {
		return
	}
	if title := p.parts[f.step].Title; len(title) > 0 {
		text := p.text(title)
		v.StepTitle = &text
	}
	v.Step = strconv.Itoa(f.step)
	if number, all := p.count(f.step, progress); all > 1 {
		v.Steps = fmt.Sprintf(v.W.Stepf, number, all)
		v.Title = v.Steps + " – " + v.Title
		v.More = number < all
	}
	v.Back = f.step > 0
	for _, q := range p.questions {
		if slices.ContainsFunc(v.Questions, func(shown questionView) bool { return shown.Name == q.Name }) {
			continue
		}
		for _, value := range f.values[q.Name] {
			v.Hidden = append(v.Hidden, hiddenField{q.Name, value})
		}
	}
	if link := p.href(p.language, f.link(p)); v.Back && len(link) <= maxLink {
		v.Later = link
	}
}

// link returns the part of an address that brings the form back: the step, the form's id so that it is stored once, its token so
// that it is still known when it was opened, and the answers that were chosen. Texts are left out: what people write has no place in an address.
func (f form) link(p page) url.Values {
	query := url.Values{}
	if f.step > 0 {
		query.Set(fieldStep, strconv.Itoa(f.step))
		query.Set(fieldID, f.id)
		if token := p.token(f); token != "" {
			query.Set(fieldForm, token)
		}
	}
	for _, q := range p.questions {
		if value, given := formValue(q.Type, f.values[q.Name]); given && prefillable(q) && len(survey.CheckAnswer(q, value)) == 0 {
			query[q.Name] = f.values[q.Name]
		}
	}
	return query
}

// prefillable says whether an address may answer the question.
func prefillable(q survey.Question) bool {
	return q.Type != string(v1alpha1.QuestionText) && !slices.Contains(reserved, q.Name)
}

// prefill returns a form with the answers of an address chosen. They are shown, and count only once the form is sent. What
// is no answer to its question is left out, and a hint says so.
func (p page) prefill(query url.Values) form {
	f := form{values: url.Values{}}
	w, _ := p.around()
	unfit := false
	for _, q := range p.questions {
		value, given := formValue(q.Type, query[q.Name])
		switch {
		case !given || !prefillable(q):
		case len(survey.CheckAnswer(q, value)) > 0:
			unfit = true
		default:
			f.values[q.Name] = query[q.Name]
		}
	}
	at := 0
	if p.readStep(&f, query) {
		at = f.step
		if id := query.Get(fieldID); uuid.Validate(id) == nil {
			f.id = id
		}
	} else if len(f.values) > 0 {
		f.hints = append(f.hints, w.Prefilled)
	}
	if unfit {
		f.hints = append(f.hints, w.PrefillUnfit)
	}
	if !p.survey.HasConditions() { // every part asks something
		f.step = at
		return f
	}
	progress := p.progress(f)
	if next, ok := p.next(at, progress); ok {
		f.step = next
	} else {
		f.step = p.previous(at, progress)
	}
	return f
}
