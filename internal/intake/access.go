package intake

import (
	"context"
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// fieldInvitation carries a link's token through a form; paramInvitation is where an address has it.
const (
	fieldInvitation = "_invitation"
	paramInvitation = "invitation"
)

// LinkGrace is how long after its expiry a link is good for a form that was opened before.
const LinkGrace = 24 * time.Hour

// keys are what the tokens of a program's links and forms are made with.
type keys struct {
	link link.Key
	form link.FormKey
}

// newKeys returns nil where the program has no token to derive them from.
func newKeys(p Program) *keys {
	if p.Tokens.Sign == "" {
		return nil
	}
	of := p.Survey.Program
	return &keys{link.NewKey(p.Tokens.Sign, of.Namespace, of.Name), link.NewFormKey(p.Tokens.Sign, of.Namespace, of.Name)}
}

// invitedBy reads the token of the link that somebody answers by: nil without one, where the program does not need it. It does
// not look at the expiry.
func (s *served) invitedBy(token string) (*link.Link, *problem) {
	if token == "" {
		if s.Survey.Access.Signed {
			p := notInvited.because("The program takes answers through the links of its invitations only.")
			return nil, &p
		}
		return nil, nil
	}
	if s.keys == nil {
		p := unavailable.because("Links cannot be checked now: the program's token sign is missing.").after(retryAway)
		return nil, &p
	}
	l, err := s.keys.link.Parse(token)
	if err != nil {
		p := linkInvalid.because("The invitation's token is not whole, or not one of this program.")
		return nil, &p
	}
	return &l, nil
}

// checkExpiry refuses a link that has expired. Opened is when the form was opened, zero where there is none: who began in time
// may finish.
func checkExpiry(l *link.Link, opened, now time.Time) *problem {
	inTime := l == nil || now.Before(l.ExpiresAt)
	begun := !inTime && !opened.IsZero() && opened.Before(l.ExpiresAt) && now.Before(l.ExpiresAt.Add(LinkGrace))
	if inTime || begun {
		return nil
	}
	p := linkExpired.because("The link was good until " + l.ExpiresAt.UTC().Format(time.RFC3339) + ".")
	return &p
}

// spentTimeout is how long a page waits at most until it is known whether its link was answered before.
const spentTimeout = 500 * time.Millisecond

// spent refuses to open a form by a link of single use that was answered before: who fills it in would do so for nothing. Where
// the store cannot tell in time, sending the form tells.
func (s *Server) spent(ctx context.Context, served *served, l *link.Link) *problem {
	if l == nil || !l.SingleUse || served.Store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, spentTimeout)
	defer cancel()
	answered, err := served.Store.Answered(ctx, served.key, l.ID)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		s.fault(err)
	}
	if err != nil || !answered {
		return nil
	}
	p := linkUsed.because("The link can be answered once, and was.")
	return &p
}

// fixedBy gives a submission the touchpoint and team of its link, and refuses others.
func fixedBy(l *link.Link, sub *survey.Submission) []survey.FieldError {
	if l == nil {
		return nil
	}
	var wrong []survey.FieldError
	for _, f := range []struct {
		name  string
		given *string
		fixed string
	}{{"touchpoint", &sub.Touchpoint, l.Touchpoint}, {"team", &sub.Team, l.Team}} {
		if *f.given != "" && *f.given != f.fixed {
			wrong = append(wrong, survey.FieldError{Pointer: "/" + f.name, Code: conflict.reason, Detail: "the invitation is for another " + f.name + "; leave it out"})
		}
		*f.given = f.fixed
	}
	return wrong
}
