package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// contactLocks is how many locks stand for all contacts: a transaction takes no more, however many it invites, because the
// server has room for few thousands.
const contactLocks = 256

const (
	lockContacts = `SELECT pg_advisory_xact_lock('invitation'::regclass::oid::int, k) FROM unnest($1::int[]) AS k`
	// takeInvitations locks those that are there, and puts rows without content in the place of those that are not. The
	// update is for the lock: it changes nothing.
	takeInvitations = `INSERT INTO invitation (program, id, touchpoint, unit, invited_at, expires_at, skip)
		SELECT program, id, '', '', 'epoch', 'epoch', '' FROM unnest($1::int[], $2::uuid[]) AS k (program, id)
		ON CONFLICT (program, id) DO UPDATE SET skip = invitation.skip
		RETURNING program, id, digest, contact, touchpoint, unit, invited_at, expires_at, skip, answered_on`
	// pasts comes after the locks of the contacts.
	pasts = `SELECT i.contact, p.namespace, i.program, max(i.invited_at) FILTER (WHERE i.skip = ''), max(i.answered_on)
		FROM invitation AS i JOIN program AS p ON p.id = i.program WHERE i.contact = ANY ($1::bytea[]) GROUP BY 1, 2, 3`
	setInvitations = `UPDATE invitation AS i SET digest = k.digest, contact = k.contact, touchpoint = k.touchpoint, unit = k.unit,
			invited_at = k.invited_at, expires_at = k.expires_at, skip = k.skip, answered_on = k.answered_on
		FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::int[])
			AS k (program, id, digest, contact, touchpoint, unit, invited_at, expires_at, skip, answered_on)
		WHERE i.program = k.program AND i.id = k.id`
	dropInvitations = `DELETE FROM invitation AS i USING unnest($1::int[], $2::uuid[]) AS k (program, id)
		WHERE i.program = k.program AND i.id = k.id`
)

// Invite implements store.Store.
func (s *Store) Invite(ctx context.Context, invitations []store.Invitation, f store.Fatigue) ([]store.InviteResult, error) {
	return s.loop.Invite(ctx, invitations, f)
}

// link is what is stored of an invitation. digest is nil where it is not known, but was answered; answeredOn too where
// there is none.
type link struct {
	digest, contact      []byte
	touchpoint, unit     string
	invitedAt, expiresAt time.Time
	skip                 string
	answeredOn           *int32
	changed              bool
}

// made tells whether the invitation was made, not skipped.
func (l *link) made() bool { return l.digest != nil && l.skip == "" }

// past is what a person has behind them in a program.
type past struct {
	namespace string
	program   int32
	commit.Past
}

// links are the invitations of a transaction: the ones that it makes, and the ones that its responses answer.
type links struct {
	*tx
	keys     keySet
	contacts map[[32]byte]bool
	known    map[identity]*link
	pasts    map[[32]byte][]*past
}

func newLinks(t *tx) *links {
	return &links{tx: t, keys: keySet{}, contacts: map[[32]byte]bool{}, known: map[identity]*link{}, pasts: map[[32]byte][]*past{}}
}

func (l *links) want(invitations []commit.Invitation) {
	for _, i := range invitations {
		l.keys[identity{l.programs[i.Program], i.ID}] = true
		if i.Contact != nil {
			l.contacts[[32]byte(i.Contact)] = true
		}
	}
}

func (l *links) take(b *pgx.Batch) {
	if len(l.contacts) > 0 {
		l.takeContacts(b)
	}
	keys := l.keys.sorted()
	if len(keys) == 0 {
		return
	}
	b.Queue(takeInvitations, programsOf(keys), idsOf(keys)).Query(func(rows pgx.Rows) error {
		var k identity
		var s link
		_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id, &s.digest, &s.contact, &s.touchpoint, &s.unit, &s.invitedAt, &s.expiresAt,
			&s.skip, &s.answeredOn}, func() error {
			one := s
			one.digest, one.contact, one.answeredOn = bytes.Clone(s.digest), bytes.Clone(s.contact), clone(s.answeredOn)
			l.known[k] = &one
			return nil
		})
		return err
	})
}

// takeContacts locks contacts, in the order of the locks, and then finds what they have behind them.
func (l *links) takeContacts(b *pgx.Batch) {
	locks := map[int32]bool{}
	var contacts [][]byte
	for c := range l.contacts {
		sum := sha256.Sum256(c[:])
		locks[int32(sum[0])%contactLocks] = true
		contacts = append(contacts, bytes.Clone(c[:]))
	}
	b.Queue(lockContacts, slices.Sorted(maps.Keys(locks)))
	b.Queue(pasts, contacts).Query(func(rows pgx.Rows) error {
		var contact []byte
		var p past
		var invitedAt *time.Time
		var answeredOn *int32
		_, err := pgx.ForEachRow(rows, []any{&contact, &p.namespace, &p.program, &invitedAt, &answeredOn}, func() error {
			one := past{namespace: p.namespace, program: p.program}
			if invitedAt != nil {
				one.invited(invitedAt.UnixMicro())
			}
			if answeredOn != nil {
				one.answered(*answeredOn)
			}
			l.pasts[[32]byte(contact)] = append(l.pasts[[32]byte(contact)], &one)
			return nil
		})
		return err
	})
}

func clone(n *int32) *int32 {
	if n == nil {
		return nil
	}
	return new(*n)
}

func (p *past) invited(at int64) { p.InvitedAt = later(p.InvitedAt, &at) }

func (p *past) answered(on int32) {
	day := int64(on)
	p.AnsweredOn = later(p.AnsweredOn, &day)
}

// later returns the later of two times, nil for never.
func later(a, b *int64) *int64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// invite makes an invitation, or skips it, or tells what became of it before.
func (l *links) invite(i *commit.Invitation, f store.Fatigue) store.InviteResult {
	program := l.programs[i.Program]
	s := l.known[identity{program, i.ID}]
	if s.digest != nil {
		return i.Compare(s.digest, commit.ParseSkip(s.skip), s.invitedAt.UnixMicro(), s.expiresAt.UnixMicro())
	}
	skip := l.tired(program, i, f)
	*s = link{
		digest: i.Digest[:], contact: i.Contact, touchpoint: i.Touchpoint, unit: i.Unit, invitedAt: instant(i.InvitedAt),
		expiresAt: instant(i.ExpiresAt), skip: skip.String(), answeredOn: s.answeredOn, changed: true,
	}
	l.remember(program, i, s)
	key := commit.CountKey{Program: int64(program), Touchpoint: i.Touchpoint, Unit: i.Unit, Hour: i.Hour}
	if skip != (store.Skip{}) {
		l.counts.AddPseudo(key, store.QuestionSkipped, s.skip, 1)
		return i.Result(skip)
	}
	l.counts.AddPseudo(key, store.QuestionInvited, "", 1)
	if s.answeredOn != nil {
		l.counts.AddPseudo(key, store.QuestionAnswered, "", 1)
	}
	return i.Result(skip)
}

// tired says whether the contact of an invitation is to be left alone, and why.
func (l *links) tired(program int32, i *commit.Invitation, f store.Fatigue) store.Skip {
	if i.Contact == nil {
		return store.Skip{}
	}
	var inProgram, inNamespace commit.Past
	for _, p := range l.pasts[[32]byte(i.Contact)] {
		if p.namespace != i.Program.Namespace {
			continue
		}
		if p.program == program {
			inProgram = p.Past
		}
		inNamespace.InvitedAt = later(inNamespace.InvitedAt, p.InvitedAt)
		inNamespace.AnsweredOn = later(inNamespace.AnsweredOn, p.AnsweredOn)
	}
	return commit.Tired(f, i.InvitedAt, inProgram, inNamespace)
}

// remember adds an invitation to what its contact has behind them.
func (l *links) remember(program int32, i *commit.Invitation, s *link) {
	if i.Contact == nil {
		return
	}
	contact := [32]byte(i.Contact)
	n := slices.IndexFunc(l.pasts[contact], func(p *past) bool { return p.program == program })
	if n < 0 {
		n = len(l.pasts[contact])
		l.pasts[contact] = append(l.pasts[contact], &past{namespace: i.Program.Namespace, program: program})
	}
	p := l.pasts[contact][n]
	if s.skip == "" {
		p.invited(i.InvitedAt)
	}
	if s.answeredOn != nil {
		p.answered(*s.answeredOn)
	}
}

// answer notes that the invitation of a response, which is new, was answered, and returns false where it may not be, because
// it is spent.
func (l *links) answer(program int32, r *commit.Row) bool {
	s := l.known[identity{program, r.Invitation}]
	unknown := s.digest == nil && s.answeredOn == nil
	switch {
	case unknown && !r.SingleUse:
		return true
	case s.answeredOn != nil && r.SingleUse:
		return false
	case s.answeredOn != nil && *s.answeredOn >= int32(r.Day):
		return true
	}
	if unknown {
		s.invitedAt, s.expiresAt = instant(r.Day.Micros()), instant(r.Day.Micros()+commit.SpentFor.Microseconds())
	}
	if s.answeredOn == nil && s.made() {
		key := commit.CountKey{Program: int64(program), Touchpoint: s.touchpoint, Unit: s.unit, Hour: store.HourOf(s.invitedAt)}
		l.counts.AddPseudo(key, store.QuestionAnswered, "", 1)
	}
	s.answeredOn, s.changed = new(int32(r.Day)), true
	return true
}

// write changes those that were made or answered, and deletes those that never were.
func (l *links) write(b *pgx.Batch) {
	var changed, gone []identity
	for _, k := range l.keys.sorted() {
		switch s := l.known[k]; {
		case s.changed:
			changed = append(changed, k)
		case s.digest == nil && s.answeredOn == nil:
			gone = append(gone, k)
		}
	}
	if len(gone) > 0 {
		b.Queue(dropInvitations, programsOf(gone), idsOf(gone))
	}
	if len(changed) > 0 {
		l.queueChanged(b, changed)
	}
}

func (l *links) queueChanged(b *pgx.Batch, keys []identity) {
	var digests, contacts [][]byte
	var touchpoints, units, skips []string
	var invited, expires []time.Time
	var answered []*int32
	for _, k := range keys {
		s := l.known[k]
		digests, contacts = append(digests, s.digest), append(contacts, s.contact)
		touchpoints, units, skips = append(touchpoints, s.touchpoint), append(units, s.unit), append(skips, s.skip)
		invited, expires, answered = append(invited, s.invitedAt), append(expires, s.expiresAt), append(answered, s.answeredOn)
	}
	b.Queue(setInvitations, programsOf(keys), idsOf(keys), digests, contacts, touchpoints, units, invited, expires, skips, answered)
}
