package intake

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// trackTimeout is how long a page waits at most until it is kept how far somebody came. Nobody is held up for that.
const trackTimeout = 500 * time.Millisecond

// The fields of a visit's beacon, besides those of the form.
const (
	fieldTouchpoint = "touchpoint"
	fieldQuestion   = "question"
)

// visitsPath is the address at which pages tell how far somebody came.
func (p page) visitsPath() string { return p.base + "/" + survey.VisitsPage }

// postVisit takes note that somebody fills in a page: which question was changed, never how it was answered. The answer tells
// nothing but that the request could be read.
func (s *Server) postVisit(w http.ResponseWriter, r *http.Request) {
	wait, allowed := s.allow(s.pages, r)
	served, ok := s.program(r)
	if !ok {
		writeProblem(w, noProgram)
		return
	}
	if !allowed {
		writeProblem(w, tooMany.because("This client sends too many requests.").after(wait))
		return
	}
	values, refused := s.readForm(w, r)
	if refused != nil {
		writeProblem(w, *refused)
		return
	}
	p, ok := pageAt(served, values.Get(fieldTouchpoint))
	if ok && !served.Survey.Closed {
		p.team = values.Get(fieldTeam)
		f := form{id: values.Get(fieldID), values: values}
		p.open(&f, values.Get(fieldForm), s.clock())
		s.track(r.Context(), served, p, f, values.Get(fieldQuestion))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// track keeps how far the form has come: to a question of the page. That it fails is told nobody but the log.
func (s *Server) track(ctx context.Context, served *served, p page, f form, question string) {
	started, ok := f.started(s.clock())
	position := slices.IndexFunc(p.survey.Questions, func(q survey.Question) bool { return q.Name == question })
	_, asked := p.find(question)
	if !ok || !asked || position < 0 || f.values.Get(fieldTrap) != "" || served.Store == nil {
		return
	}
	if _, known := p.survey.Units[p.team]; !known {
		p.team = ""
	}
	ctx, cancel := context.WithTimeout(ctx, trackTimeout)
	defer cancel()
	err := served.Store.Track(ctx, []store.Visit{{
		Program: served.key, ID: f.canonicalID(), Touchpoint: p.touchpoint, Unit: p.team,
		StartedAt: started, Question: question, Position: position,
	}})
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrBusy) && !errors.Is(err, store.ErrClosed) {
		s.fault(err)
	}
}

// reached returns the last question in the survey's order that the form answers or, where it answers none, the first that the
// page asks.
func (p page) reached(f form) string {
	given := f.submission(p).Answers
	progress := p.progress(f)
	first, last := "", ""
	for _, q := range p.questions {
		if !progress.Asked[q.Name] {
			continue
		}
		if first == "" {
			first = q.Name
		}
		if _, answered := given[q.Name]; answered {
			last = q.Name
		}
	}
	if last == "" {
		return first
	}
	return last
}
