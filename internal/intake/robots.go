package intake

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// The fields of a form by which people are told from robots.
const (
	// fieldForm is the form's token.
	fieldForm = "_form"
	// fieldProof is the nonce of the work that the page's script has done.
	fieldProof = "_proof"
	// fieldTrap is filled in by robots alone: nobody sees it.
	fieldTrap = "_website"
)

// The checks, as a stored response names them.
const (
	checkHoneypot = "honeypot"
	checkLink     = "link"
	checkPage     = "page"
	checkProof    = "proof"
	checkTime     = "time"
)

// maxVisit is how long ago a page was opened at most of which it is told how people filled it in. The figures do not look back
// further.
const maxVisit = 30 * 24 * time.Hour

// verdict is what the checks said of a response.
type verdict struct{ passed, failed []string }

func (v *verdict) check(name string, passed bool) {
	if passed {
		v.passed = append(v.passed, name)
		return
	}
	v.failed = append(v.failed, name)
}

// of puts what the checks said, and the link, into a response.
func (v verdict) of(r *store.Response, l *link.Link) {
	if l != nil {
		v.check(checkLink, true)
		r.SingleUse = l.SingleUse
		if l.Recorded {
			r.Invitation = l.ID
		}
	}
	slices.Sort(v.passed)
	slices.Sort(v.failed)
	r.Passed, r.Failed = v.passed, v.failed
	if len(r.Failed) > 0 {
		r.Standing = store.StandingSuspect
	}
}

// worked checks the proof of work for the response, where the program asks for one.
func (v *verdict) worked(s *survey.Survey, response, nonce string) {
	if bits := s.Access.ProofBits; bits > 0 {
		v.check(checkProof, link.Proven(int(bits), s.Program.Namespace, s.Program.Name, response, nonce))
	}
}

// judge puts into a response from a page what is known of how it came about. A suspect response ends no visit.
func (p page) judge(f form, r *store.Response, now time.Time) {
	v := verdict{passed: make([]string, 0, 4)}
	v.check(checkHoneypot, f.values.Get(fieldTrap) == "")
	if p.keys != nil {
		v.check(checkPage, f.genuine)
	}
	if least := time.Duration(p.survey.Access.MinimumSeconds) * time.Second; least > 0 && f.genuine {
		v.check(checkTime, now.Sub(f.opened) >= least)
	}
	v.worked(p.survey, r.ID, f.values.Get(fieldProof))
	v.of(r, p.invited)
	if started, ok := f.started(now); ok && r.Standing != store.StandingSuspect {
		r.StartedAt = started
	}
}

// open says when the form was opened: by its token or, without a right one, now.
func (p page) open(f *form, token string, now time.Time) {
	f.opened, f.genuine = now, false
	if p.keys == nil {
		return
	}
	if opened, ok := p.keys.form.Opened(link.Form{ID: f.id, Touchpoint: p.touchpoint, Team: p.team}, token); ok {
		f.opened, f.genuine = opened, true
	}
}

// token returns the form's token; empty where the program has no keys.
func (p page) token(f form) string {
	if p.keys == nil {
		return ""
	}
	return p.keys.form.Sign(link.Form{ID: f.id, Touchpoint: p.touchpoint, Team: p.team}, f.opened)
}

// started returns when the visit began that the form belongs to; false where that is not known, or is not told any more.
// Another replica's clock may be ahead.
func (f form) started(now time.Time) (time.Time, bool) {
	if !f.genuine || now.Sub(f.opened) > maxVisit {
		return time.Time{}, false
	}
	if f.opened.After(now) {
		return now, true
	}
	return f.opened, true
}

// proven returns the proof of work that the form has shown, empty for none that counts.
func (p page) proven(f form) string {
	nonce, of := f.values.Get(fieldProof), p.survey.Program
	id, err := uuid.Parse(f.id)
	if err != nil || !link.Proven(int(p.survey.Access.ProofBits), of.Namespace, of.Name, id.String(), nonce) {
		return ""
	}
	return nonce
}
