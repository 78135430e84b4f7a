package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// Who changes cases locks their rows: one at a time, or many with the program's lock held (see lockProgram). So nobody waits
// for who waits for him.
const (
	addCases = `INSERT INTO customer_case (program, id, touchpoint, language, reasons, opened_at, promised_by, submission, receipt,
			contact, contact_hash, retention_days)
		SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::uuid[],
			$9::text[], $10::bytea[], $11::bytea[], $12::int[])`
	addOpened = `INSERT INTO case_notice (program, id, transition, at)
		SELECT k.program, k.id, 'Opened', k.at FROM unnest($1::int[], $2::uuid[], $3::timestamptz[]) AS k (program, id, at)`

	holdCase = findCase + ` FOR UPDATE`
	setCase  = `UPDATE customer_case SET state = $4, contacted_at = $5, resolved_at = $6, informed_at = $7, plan = $8, version = $9,
		expires_at = $10 WHERE program = $1 AND id = $2 AND version = $3`
	dropContact = `UPDATE customer_case SET contact = NULL, contact_hash = NULL, receipt = NULL, contact_erased_at = $3
		WHERE program = $1 AND id = $2`
	// dropNotes empties what people wrote about somebody whose contact is erased: it is about that person as well.
	dropNotes = `UPDATE case_event SET note = '' WHERE program = $1 AND id = $2 AND note <> ''`
	addEvent  = `INSERT INTO case_event (program, id, version, at, actor, state, note) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	trimEvent = `DELETE FROM case_event WHERE program = $1 AND id = $2 AND version <= (
		SELECT version FROM case_event WHERE program = $1 AND id = $2 ORDER BY version DESC LIMIT 1 OFFSET $3)`

	withContact    = `SELECT ` + caseColumns + ` FROM customer_case AS c WHERE c.program = $1 AND `
	contactReceipt = withContact + `c.receipt = $2 LIMIT $3 FOR UPDATE`
	contactHash    = withContact + `c.contact_hash = $2 LIMIT $3 FOR UPDATE`
	contactOf      = withContact + `c.id = $2 AND c.contact IS NOT NULL LIMIT $3 FOR UPDATE`
	contactExpired = withContact + `c.expires_at <= $2 ORDER BY c.expires_at LIMIT $3 FOR UPDATE`

	// leaveCases parts cases from submissions that are deleted; their contacts expire at once.
	leaveCases = `UPDATE customer_case SET submission = NULL, expires_at = CASE WHEN contact IS NULL THEN NULL ELSE to_timestamp(0) END
		WHERE program = $1 AND submission = ANY ($2::uuid[])`
)

// queueCases opens the cases of new responses; most open none.
func (w *writer) queueCases(b *pgx.Batch, rows []*commit.Row) {
	var programs, days []int32
	var ids, submissions []pgtype.UUID
	var touchpoints, languages, reasons, receipts []string
	var opened, promised []time.Time
	var contacts, hashes [][]byte
	for _, r := range rows {
		c := r.Case
		if c == nil {
			continue
		}
		programs, ids, submissions = append(programs, w.programs[r.Program]), append(ids, uuidOf(c.ID)), append(submissions, uuidOf(r.ID))
		touchpoints, languages = append(touchpoints, r.Touchpoint), append(languages, r.Language)
		reasons, receipts = append(reasons, c.Reasons), append(receipts, r.Receipt)
		opened, promised = append(opened, instant(r.SubmittedAt)), append(promised, instant(c.PromisedBy))
		contacts, hashes, days = append(contacts, c.Contact), append(hashes, c.ContactHash), append(days, c.RetentionDays)
	}
	if len(ids) == 0 {
		return
	}
	b.Queue(addCases, programs, ids, touchpoints, languages, reasons, opened, promised, submissions, receipts, contacts, hashes, days)
	b.Queue(addOpened, programs, ids, opened)
}

// verdict tells an error of a change, which is no error of the database: nothing is to be tried again.
func verdict(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrBackward)
}

// ChangeCase implements store.Cases.
func (s *Store) ChangeCase(ctx context.Context, program store.Key, c store.CaseChange) (out store.Case, err error) {
	change, err := commit.NewCaseChange(c)
	if err != nil {
		return store.Case{}, wrap("change case", err)
	}
	var refused error
	err = s.do(ctx, func(t *tx) (_ *pgx.Batch, err error) {
		out, err = t.changeCase(program, change)
		if refused = nil; verdict(err) {
			refused, err = err, nil
		}
		return nil, err
	})
	if err = errors.Join(err, refused); err != nil {
		return store.Case{}, wrap("change case", err)
	}
	out.Program = program
	return out, nil
}

func (t *tx) changeCase(key store.Key, c *commit.CaseChange) (store.Case, error) {
	program, err := findProgram(t.ctx, t.conn, key)
	if err != nil {
		return store.Case{}, err
	}
	var found []commit.CaseRecord
	b := t.batch()
	b.Queue(holdCase, program, uuidOf(c.ID)).Query(into(&found))
	if err := t.send(b); err != nil {
		return store.Case{}, err
	}
	if len(found) == 0 {
		return store.Case{}, store.ErrNotFound
	}
	after := found[0]
	event, err := after.Change(c)
	if err != nil {
		return store.Case{}, err
	}
	b = t.batch()
	t.setCase(b, program, &found[0], &after, &event)
	if err := t.send(b); err != nil {
		return store.Case{}, err
	}
	return complete(t.ctx, t.conn, program, after)
}

// into returns what collects the rows of a query for caseColumns.
func into(found *[]commit.CaseRecord) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*found, err = pgx.CollectRows(rows, scanCase)
		return err
	}
}

// setCase gives a case another content, but for its contact, moves its counts, and adds to its history where there is an event.
func (t *tx) setCase(b *pgx.Batch, program int32, before, after *commit.CaseRecord, event *store.CaseEvent) {
	id := uuidOf(uuid.MustParse(after.ID))
	b.Queue(setCase, program, id, before.Version, string(after.State), orNull(after.ContactedAt), orNull(after.ResolvedAt),
		orNull(after.InformedAt), after.Plan, after.Version, orNull(after.ExpiresAt)).Exec(needRow(store.ErrChanged))
	t.counts.AddCase(int64(program), &before.Case, -1)
	t.counts.AddCase(int64(program), &after.Case, 1)
	if event == nil {
		return
	}
	b.Queue(addEvent, program, id, after.Version, event.At, event.By, string(event.State), event.Note)
	// The opening, which is not stored, counts as one.
	b.Queue(trimEvent, program, id, commit.MaxEvents-1)
}

// needRow wants a statement to have changed a row, and returns none where it did not.
func needRow(none error) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return none
		}
		return nil
	}
}

// EraseContacts implements store.Cases.
func (s *Store) EraseContacts(ctx context.Context, program store.Key, receipt string, hash []byte, id string, at time.Time) (n int64, err error) {
	whom, none, err := commit.NewWhom(receipt, hash, id)
	if err == nil && !none {
		query, arg := contactOf, any(uuidOf(whom.ID))
		switch {
		case whom.Receipt != "":
			query, arg = contactReceipt, whom.Receipt
		case len(whom.Hash) > 0:
			query, arg = contactHash, whom.Hash
		}
		n, err = s.eraseContacts(ctx, program, query, arg, at)
	}
	if err != nil {
		return n, wrap("erase contacts", err)
	}
	return n, nil
}

// ExpireContacts implements store.Cases.
func (s *Store) ExpireContacts(ctx context.Context, program store.Key, now time.Time) (int64, error) {
	n, err := s.eraseContacts(ctx, program, contactExpired, now, now)
	if err != nil {
		return n, wrap("expire contacts", err)
	}
	return n, nil
}

// eraseContacts erases the contacts of the cases that a query finds, some in each of its transactions.
func (s *Store) eraseContacts(ctx context.Context, key store.Key, query string, arg any, at time.Time) (int64, error) {
	at, err := commit.Micros(at)
	if err != nil {
		return 0, err
	}
	return s.repeat(ctx, key, func(t *tx, program int32) (step, *pgx.Batch, error) {
		found, err := records(t.ctx, t.conn, query, program, arg, deleteBatch)
		if err != nil || len(found) == 0 {
			return step{}, nil, err
		}
		b := t.batch()
		t.dropContacts(b, program, found, at)
		return step{found: len(found), changed: len(found)}, b, nil
	})
}

// dropContacts erases the contacts of cases that are held.
func (t *tx) dropContacts(b *pgx.Batch, program int32, held []commit.CaseRecord, at time.Time) {
	for _, before := range held {
		after := before
		id := uuidOf(uuid.MustParse(after.ID))
		b.Queue(dropNotes, program, id)
		t.setCase(b, program, &before, &after, after.EraseContact(at))
		b.Queue(dropContact, program, id, at)
	}
}
