package intake

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const day = 24 * time.Hour

// invitedAnswer is what a program is told of an invitation that it asked for: the link, or why there is none.
type invitedAnswer struct {
	ID        string   `json:"id"`
	URL       string   `json:"url,omitempty"`
	ExpiresAt string   `json:"expiresAt,omitempty"`
	Skipped   *skipped `json:"skipped,omitempty"`
}

// skipped says why somebody was not invited.
type skipped struct {
	Scope  string `json:"scope"`
	Reason string `json:"reason"`
}

// inviter makes the links of one program.
type inviter struct {
	server *Server
	served *served
	// base is what the links begin with.
	base string
}

// invited is what became of one invitation: an answer with its status, or a problem.
type invited struct {
	answer  invitedAnswer
	status  int
	problem *problem
}

func refusedInvitation(p problem) invited { return invited{problem: &p} }

// inviter answers with a problem and returns false where the request may not make links.
func (s *Server) inviter(w http.ResponseWriter, r *http.Request) (*inviter, bool) {
	served, ok := s.program(r)
	if !ok {
		writeProblem(w, noProgram)
		return nil, false
	}
	if served.keys == nil {
		writeProblem(w, unavailable.because("Links cannot be made: the program has no token sign.").after(retryAway))
		return nil, false
	}
	if !s.requireToken(w, r, served.signDigest, "sign") {
		return nil, false
	}
	if served.Survey.Closed {
		writeProblem(w, closed.because("The program is closed."))
		return nil, false
	}
	return &inviter{s, served, s.publicBase(r)}, true
}

// publicBase is what absolute addresses begin with: the configured one, else the one that the request was sent to.
func (s *Server) publicBase(r *http.Request) string {
	if s.config.PublicURL != "" {
		return strings.TrimSuffix(s.config.PublicURL, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// postInvitation makes one link.
func (s *Server) postInvitation(w http.ResponseWriter, r *http.Request) {
	in, ok := s.inviter(w, r)
	if !ok {
		return
	}
	if refused := checkMediaType(r, mediaJSON); refused != nil {
		writeProblem(w, *refused)
		return
	}
	body, refused := readBody(w, r, s.config.MaxBody)
	if refused != nil {
		writeProblem(w, *refused)
		return
	}
	asked, refused := in.read(body)
	if refused != nil {
		writeProblem(w, *refused)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.config.QueueTimeout)
	defer cancel()
	made, err := in.invite(ctx, []survey.Invitation{asked})
	switch {
	case err != nil:
		writeProblem(w, s.storeProblem(ctx, err))
	case made[0].problem != nil:
		writeProblem(w, *made[0].problem)
	default:
		writeJSON(w, made[0].status, mediaJSON, made[0].answer)
	}
}

// read reads and checks one invitation.
func (in *inviter) read(body []byte) (survey.Invitation, *problem) {
	asked, err := survey.DecodeInvitation(body)
	if err != nil {
		p := malformed.because(err.Error())
		return asked, &p
	}
	asked, wrong := in.served.Survey.AcceptInvitation(asked)
	if len(wrong) > 0 {
		p := invalid.because("No link was made. Each field that is wrong is named in errors.").with(wrong...)
		return asked, &p
	}
	if asked.Contact != nil && len(in.served.ContactKey) == 0 {
		p := unavailable.because("Nobody can be invited by a contact now: the store has no key for contacts.").after(retryAway)
		return asked, &p
	}
	return asked, nil
}

// invite makes links, in order; those that are kept in one call of the store. The error is the store's.
func (in *inviter) invite(ctx context.Context, asked []survey.Invitation) ([]invited, error) {
	now := in.server.clock().UTC()
	results := make([]invited, len(asked))
	var personal []store.Invitation
	var places []int
	for i, a := range asked {
		if a.Personal() {
			personal, places = append(personal, in.kept(a, now)), append(places, i)
			continue
		}
		results[i] = in.link(a, link.Link{ExpiresAt: in.expiry(a, now)}, http.StatusCreated)
	}
	if len(personal) == 0 {
		return results, nil
	}
	if in.served.Store == nil {
		return nil, store.ErrClosed
	}
	kept, err := in.served.Store.Invite(ctx, personal, fatigue(in.served.Survey.Access))
	if err != nil {
		return nil, err
	}
	for i, result := range kept {
		results[places[i]] = in.result(asked[places[i]], result)
	}
	return results, nil
}

// expiry is in whole seconds, as links say it.
func (in *inviter) expiry(a survey.Invitation, now time.Time) time.Time {
	days := in.served.Survey.LinkDays()
	if a.ValidDays != nil {
		days = *a.ValidDays
	}
	return now.Add(time.Duration(days) * day).Truncate(time.Second)
}

// kept is the invitation as the store keeps it: of the contact, a keyed hash.
func (in *inviter) kept(a survey.Invitation, now time.Time) store.Invitation {
	var contact []byte
	if a.Contact != nil {
		contact = link.HashContact(in.served.ContactKey, in.served.key.Namespace, *a.Contact)
	}
	return store.Invitation{
		Program: in.served.key, ID: a.ID, Digest: a.Digest(contact), Contact: contact,
		Touchpoint: a.Touchpoint, Unit: a.Team, InvitedAt: now.Truncate(time.Microsecond), ExpiresAt: in.expiry(a, now),
	}
}

// result is what the store said, as it is told.
func (in *inviter) result(a survey.Invitation, r store.InviteResult) invited {
	switch {
	case r.Outcome == store.Conflict:
		return refusedInvitation(conflict.because("No link was made. A new invitation needs a new id.").with(
			survey.FieldError{Pointer: "/id", Code: conflict.reason, Detail: "another invitation was made under this id"}))
	case r.Skip != (store.Skip{}):
		return invited{answer: invitedAnswer{ID: a.ID, Skipped: &skipped{r.Skip.Scope, r.Skip.Reason}}, status: http.StatusOK}
	case r.Outcome == store.Repeated:
		return in.link(a, link.Link{ExpiresAt: r.ExpiresAt, SingleUse: a.Once(), Recorded: true}, http.StatusOK)
	default:
		return in.link(a, link.Link{ExpiresAt: r.ExpiresAt, SingleUse: a.Once(), Recorded: true}, http.StatusCreated)
	}
}

// link signs a link and writes its address.
func (in *inviter) link(a survey.Invitation, l link.Link, status int) invited {
	l.ID, l.Touchpoint, l.Team = a.ID, a.Touchpoint, a.Team
	token, err := in.served.keys.link.Sign(l)
	if err != nil {
		in.server.fault(err)
		return refusedInvitation(internal)
	}
	p, ok := pageAt(in.served, a.Touchpoint)
	if !ok {
		in.server.fault(errors.New("an invitation was accepted for a page that is not there"))
		return refusedInvitation(internal)
	}
	query := url.Values{paramInvitation: {token}}
	if a.Language != "" {
		query.Set("lang", a.Language)
	}
	return invited{status: status, answer: invitedAnswer{
		ID: a.ID, URL: in.base + p.path + "?" + query.Encode(), ExpiresAt: l.ExpiresAt.UTC().Format(time.RFC3339),
	}}
}

// fatigue is how long people are left alone.
func fatigue(a survey.Access) store.Fatigue {
	cooldown := func(c survey.Cooldown) store.Cooldown {
		return store.Cooldown{AfterInvitation: time.Duration(c.AfterInvitation) * day, AfterAnswer: time.Duration(c.AfterAnswer) * day}
	}
	return store.Fatigue{Program: cooldown(a.Program), Namespace: cooldown(a.Namespace)}
}
