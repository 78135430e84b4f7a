package commit

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// MaxInvitations bounds one Invite.
const MaxInvitations = 1000

// SpentFor is for how long a store remembers, after the day of the answer, that a single-use invitation was answered which it
// did not know. No link is good for that long.
const SpentFor = 400 * 24 * time.Hour

// Invitation is a store.Invitation as a writer needs it.
type Invitation struct {
	Program store.Key
	ID      uuid.UUID
	Digest  [32]byte
	// Contact is nil for none.
	Contact          []byte
	Touchpoint, Unit string
	// InvitedAt and ExpiresAt are in microseconds since 1970-01-01T00:00Z; InvitedAt lies in Hour.
	InvitedAt, ExpiresAt int64
	Hour                 store.Hour
}

// NewInvitations refuses what could be stored but not be read back as it was.
func NewInvitations(invitations []store.Invitation) ([]Invitation, error) {
	if len(invitations) > MaxInvitations {
		return nil, fmt.Errorf("%d invitations are more than %d", len(invitations), MaxInvitations)
	}
	out := make([]Invitation, len(invitations))
	for i, v := range invitations {
		var err error
		if out[i], err = newInvitation(v); err != nil {
			return nil, fmt.Errorf("invitation %d: %w", i, err)
		}
	}
	return out, nil
}

func newInvitation(v store.Invitation) (Invitation, error) {
	id, err := parseID(v.ID)
	if err != nil {
		return Invitation{}, err
	}
	if id == uuid.Nil {
		return Invitation{}, errors.New("the nil UUID stands for no invitation")
	}
	if len(v.Contact) != 0 && len(v.Contact) != 32 {
		return Invitation{}, fmt.Errorf("a contact of %d bytes is not a hash of 32", len(v.Contact))
	}
	if err := allUTF8(v.Program.Namespace, v.Program.Name, v.Touchpoint, v.Unit); err != nil {
		return Invitation{}, err
	}
	out := Invitation{
		Program: v.Program, ID: id, Digest: v.Digest, Touchpoint: v.Touchpoint, Unit: v.Unit,
		InvitedAt: v.InvitedAt.UnixMicro(), ExpiresAt: v.ExpiresAt.UnixMicro(), Hour: store.HourOf(v.InvitedAt),
	}
	if len(v.Contact) > 0 {
		out.Contact = bytes.Clone(v.Contact)
	}
	return out, nil
}

// Result is what becomes of an invitation that is new.
func (i *Invitation) Result(skip store.Skip) store.InviteResult {
	return invited(store.Stored, skip, i.InvitedAt, i.ExpiresAt)
}

// Compare tells a repeat from a conflict: the other arguments are of the invitation that was stored.
func (i *Invitation) Compare(digest []byte, skip store.Skip, invitedAt, expiresAt int64) store.InviteResult {
	if !bytes.Equal(digest, i.Digest[:]) {
		return store.InviteResult{Outcome: store.Conflict}
	}
	return invited(store.Repeated, skip, invitedAt, expiresAt)
}

func invited(o store.Outcome, skip store.Skip, at, expires int64) store.InviteResult {
	return store.InviteResult{
		Outcome: o, Skip: skip, InvitedAt: time.UnixMicro(at).UTC(), ExpiresAt: time.UnixMicro(expires).UTC(),
	}
}

// ParseSkip reads what Skip.String returned.
func ParseSkip(s string) store.Skip {
	scope, reason, _ := strings.Cut(s, "/")
	return store.Skip{Scope: scope, Reason: reason}
}

// Past is what a store knows of a contact: when it was last invited, in microseconds since 1970-01-01T00:00Z, and on which
// Day it last answered; nil for never. Skipped invitations are none.
type Past struct{ InvitedAt, AnsweredOn *int64 }

// Tired says whether a contact is to be left alone at a time, in microseconds, and why, after its past in the program and in
// the namespace. A cooldown is over when it has lasted exactly as long as it should.
func Tired(f store.Fatigue, at int64, program, namespace Past) store.Skip {
	if reason := tired(f.Program, at, program); reason != "" {
		return store.Skip{Scope: "program", Reason: reason}
	}
	if reason := tired(f.Namespace, at, namespace); reason != "" {
		return store.Skip{Scope: "namespace", Reason: reason}
	}
	return store.Skip{}
}

func tired(c store.Cooldown, at int64, p Past) string {
	if c.AfterInvitation > 0 && p.InvitedAt != nil && at < *p.InvitedAt+c.AfterInvitation.Microseconds() {
		return "invited"
	}
	if c.AfterAnswer > 0 && p.AnsweredOn != nil && at < Day(*p.AnsweredOn).Micros()+c.AfterAnswer.Microseconds() {
		return "answered"
	}
	return ""
}

// Visit is a store.Visit as a writer needs it.
type Visit struct {
	Program store.Key
	ID      uuid.UUID
	// Erased is the ID of the response's tombstone, should it have one.
	Erased           [32]byte
	Touchpoint, Unit string
	// StartedAt is in microseconds since 1970-01-01T00:00Z, and lies in Hour.
	StartedAt int64
	Hour      store.Hour
	Question  string
	Position  int32
}

// NewVisit refuses what could be stored but not be read back as it was.
func NewVisit(v store.Visit) (Visit, error) {
	id, err := parseID(v.ID)
	if err != nil {
		return Visit{}, err
	}
	if err := allUTF8(v.Program.Namespace, v.Program.Name, v.Touchpoint, v.Unit, v.Question); err != nil {
		return Visit{}, err
	}
	if v.Position < 0 || v.Position > math.MaxInt32 {
		return Visit{}, fmt.Errorf("position %d is not 0 or more", v.Position)
	}
	return Visit{
		Program: v.Program, ID: id, Erased: NewTombstone(id, [32]byte{}).ID, Touchpoint: v.Touchpoint, Unit: v.Unit,
		StartedAt: v.StartedAt.UnixMicro(), Hour: store.HourOf(v.StartedAt), Question: v.Question, Position: int32(v.Position),
	}, nil
}

func allUTF8(texts ...string) error {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%q is not UTF-8", s)
		}
	}
	return nil
}
