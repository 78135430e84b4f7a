package survey

import (
	"strings"
	"unicode/utf8"
)

// maxContact is the longest contact, in characters: the longest address of electronic mail.
const maxContact = 254

// Invitation is what a program asks for to get a link.
type Invitation struct {
	// ID is a UUID made by the caller; the same ID again is the same invitation.
	ID string `json:"id"`
	// Contact is whom the link is for; nil for a link that is nobody's own.
	Contact *string `json:"contact,omitempty"`
	// Touchpoint and Team (a Team of the namespace) that the answer will be for, and Language of the page; may be empty.
	Touchpoint string `json:"touchpoint,omitempty"`
	Team       string `json:"team,omitempty"`
	Language   string `json:"language,omitempty"`
	// ValidDays that the link is good for; nil for as many as the program says, which are also the most.
	ValidDays *int32 `json:"validDays,omitempty"`
	// SingleUse says whether the link can be answered once; nil for yes exactly where there is a Contact.
	SingleUse *bool `json:"singleUse,omitempty"`
}

// Once says whether the link can be answered once.
func (in Invitation) Once() bool {
	if in.SingleUse == nil {
		return in.Contact != nil
	}
	return *in.SingleUse
}

// Personal says whether the invitation is kept and counted: it is somebody's own, or can be answered once. Others are links
// that are shared.
func (in Invitation) Personal() bool { return in.Contact != nil || in.Once() }

// DecodeInvitation reads an invitation from JSON as DecodeStrict does.
func DecodeInvitation(body []byte) (Invitation, error) {
	var in Invitation
	if err := DecodeStrict(body, &in); err != nil {
		return Invitation{}, err
	}
	return in, nil
}

// AcceptInvitation checks an invitation against the survey. It returns it with ID in lower case and Language canonical, or
// everything that is wrong, in a stable order.
func (s *Survey) AcceptInvitation(in Invitation) (Invitation, []FieldError) {
	c := checker{survey: s}
	in.ID = c.id(in.ID)
	if in.Contact != nil {
		c.contact(*in.Contact)
	}
	in.Touchpoint, in.Team, in.Language = c.touchpoint(in.Touchpoint), c.team(in.Team), c.language(in.Language)
	if most := s.LinkDays(); in.ValidDays != nil && (*in.ValidDays < 1 || *in.ValidDays > most) {
		c.refuse("/validDays", CodeRange, "must be an integer from 1 to %d", most)
	}
	if len(c.errors) > 0 {
		return Invitation{}, c.errors
	}
	return in, nil
}

func (c *checker) contact(contact string) {
	switch length := utf8.RuneCountInString(contact); {
	case strings.TrimSpace(contact) == "":
		c.refuse("/contact", CodeRequired, "must not be empty; leave it out for a link that is nobody's own")
	case length > maxContact:
		c.refuse("/contact", CodeLength, "must have at most %d characters", maxContact)
	}
}

// LinkDays is how many days a link is good for at most.
func (s *Survey) LinkDays() int32 {
	if s.Access.LinkDays == 0 { // compiled before there were links
		return defaultLinkDays
	}
	return s.Access.LinkDays
}
