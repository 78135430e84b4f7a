package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	findInvitation = `
SELECT digest, skip, touchpoint, unit, invited_at, expires_at, answered_on FROM invitation WHERE program = ? AND id = ?`

	// addInvitation keeps the day of the answer of one that was not known.
	addInvitation = `
INSERT INTO invitation (program, id, digest, contact, touchpoint, unit, invited_at, expires_at, skip)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET digest = excluded.digest, contact = excluded.contact, touchpoint = excluded.touchpoint,
	unit = excluded.unit, invited_at = excluded.invited_at, expires_at = excluded.expires_at, skip = excluded.skip`

	// addSpent remembers an invitation that is not known: of the answer's time, the day alone.
	addSpent = `
INSERT INTO invitation (program, id, touchpoint, unit, invited_at, expires_at, skip, answered_on)
VALUES (?, ?, '', '', ?, ?, '', ?)`

	// pasts returns a contact's past in a program, and in a namespace.
	pasts = `
SELECT max(CASE WHEN i.program = ?3 AND i.skip = '' THEN i.invited_at END), max(CASE WHEN i.program = ?3 THEN i.answered_on END),
       max(CASE WHEN i.skip = '' THEN i.invited_at END), max(i.answered_on)
FROM invitation AS i INDEXED BY invitation_by_contact CROSS JOIN program AS p ON p.id = i.program
WHERE i.contact = ?1 AND p.namespace = ?2`
)

// Invite implements store.Store.
func (s *Store) Invite(ctx context.Context, invitations []store.Invitation, f store.Fatigue) ([]store.InviteResult, error) {
	return s.loop.Invite(ctx, invitations, f)
}

// invitation is what is stored of one.
type invitation struct {
	// digest is nil where the invitation is not known, but was answered.
	digest               []byte
	skip                 string
	touchpoint, unit     string
	invitedAt, expiresAt int64
	answeredOn           *int64
}

// made tells whether the invitation was made, not skipped.
func (i *invitation) made() bool { return i.digest != nil && i.skip == "" }

// findInvitation returns nil where there is none.
func (t *tx) findInvitation(program int64, id uuid.UUID) (*invitation, error) {
	var i invitation
	err := t.stmts.findInvitation.QueryRow(program, id[:]).Scan(
		&i.digest, &i.skip, &i.touchpoint, &i.unit, &i.invitedAt, &i.expiresAt, &i.answeredOn)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &i, err
}

func (t *tx) invite(program int64, i *commit.Invitation, f store.Fatigue) (store.InviteResult, error) {
	old, err := t.findInvitation(program, i.ID)
	if err != nil {
		return store.InviteResult{}, err
	}
	if old != nil && old.digest != nil {
		return i.Compare(old.digest, commit.ParseSkip(old.skip), old.invitedAt, old.expiresAt), nil
	}
	skip, err := t.tired(program, i, f)
	if err != nil {
		return store.InviteResult{}, err
	}
	var contact any // a nil slice is not NULL
	if i.Contact != nil {
		contact = i.Contact
	}
	_, err = t.stmts.addInvitation.Exec(program, i.ID[:], i.Digest[:], contact, i.Touchpoint, i.Unit, i.InvitedAt, i.ExpiresAt, skip.String())
	if err != nil {
		return store.InviteResult{}, err
	}
	key := commit.CountKey{Program: program, Touchpoint: i.Touchpoint, Unit: i.Unit, Hour: i.Hour}
	if skip != (store.Skip{}) {
		t.count(key, store.QuestionSkipped, skip.String(), 1)
		return i.Result(skip), nil
	}
	t.count(key, store.QuestionInvited, "", 1)
	if old != nil {
		t.count(key, store.QuestionAnswered, "", 1)
	}
	return i.Result(skip), nil
}

// tired says whether the contact of an invitation is to be left alone, and why.
func (t *tx) tired(program int64, i *commit.Invitation, f store.Fatigue) (store.Skip, error) {
	if i.Contact == nil || f == (store.Fatigue{}) {
		return store.Skip{}, nil
	}
	var inProgram, inNamespace commit.Past
	err := t.stmts.pasts.QueryRow(i.Contact, i.Program.Namespace, program).Scan(
		&inProgram.InvitedAt, &inProgram.AnsweredOn, &inNamespace.InvitedAt, &inNamespace.AnsweredOn)
	if err != nil {
		return store.Skip{}, err
	}
	return commit.Tired(f, i.InvitedAt, inProgram, inNamespace), nil
}

// answer notes that the invitation of a response, which is new, was answered. Where it may not be, because it is spent, the
// response's identity is taken back.
func (t *tx) answer(program int64, r *commit.Row) (spent bool, err error) {
	i, err := t.findInvitation(program, r.Invitation)
	switch {
	case err != nil:
		return false, err
	case i == nil && r.SingleUse:
		_, err := t.stmts.addSpent.Exec(program, r.Invitation[:], r.Day.Micros(), r.Day.Micros()+commit.SpentFor.Microseconds(), r.Day)
		return false, err
	case i == nil:
		return false, nil
	case i.answeredOn != nil && r.SingleUse:
		_, err := t.stmts.dropSubmission.Exec(program, r.ID[:])
		return true, err
	case i.answeredOn != nil && *i.answeredOn >= int64(r.Day):
		return false, nil
	}
	if i.answeredOn == nil && i.made() {
		key := commit.CountKey{Program: program, Touchpoint: i.touchpoint, Unit: i.unit, Hour: hourOf(i.invitedAt)}
		t.count(key, store.QuestionAnswered, "", 1)
	}
	_, err = t.stmts.answered.Exec(r.Day, program, r.Invitation[:])
	return false, err
}

// count adds to the count of a pseudo-question.
func (t *tx) count(key commit.CountKey, question, value string, n int64) {
	t.counts.AddPseudo(key, question, value, n)
	t.touched[key.Program] = true
}

// hourOf returns the hour of a time in microseconds since 1970-01-01T00:00Z.
func hourOf(micros int64) store.Hour { return store.HourOf(time.UnixMicro(micros)) }
