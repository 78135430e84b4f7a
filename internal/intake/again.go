package intake

import (
	"net/http"

	"github.com/google/uuid"
)

// refuseForm shows the form again where sending it again can help.
func (s *Server) refuseForm(w http.ResponseWriter, r *http.Request, p page, f form, why problem) {
	if why.reason == linkUsed.reason {
		s.showProblem(w, r, why, "message", p.message(why))
		return
	}
	s.showAgain(w, r, p, f, why)
}

// showAgain shows the form as it was filled in, with what is wrong in the page's words.
func (s *Server) showAgain(w http.ResponseWriter, r *http.Request, p page, f form, why problem) {
	words, _ := p.around()
	switch why.reason {
	case tooMany.reason:
		f.notice = words.count(words.ErrTooMany, why.retrySeconds())
	case conflict.reason:
		f.notice = words.ErrUsed
		f.id = ""
	case unavailable.reason:
		f.notice = words.ErrSaving
	}
	if p.invited != nil {
		p.team = p.invited.Team
	}
	if _, known := p.survey.Units[p.team]; !known {
		p.team = ""
	}
	if uuid.Validate(f.id) != nil && !s.renew(w, r, &f) {
		return
	}
	v := p.form(f)
	v.history = f.history()
	s.showProblem(w, r, why, "form", v)
}
