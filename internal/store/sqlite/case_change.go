package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	addCase = `INSERT INTO customer_case (program, id, touchpoint, language, reasons, state, opened_at, promised_by, submission, receipt,
	contact, contact_hash, retention_days) VALUES (?, ?, ?, ?, ?, 'Open', ?, ?, ?, ?, ?, ?, ?)`
	addOpened = `INSERT INTO case_notice (program, id, transition, at) VALUES (?, ?, 'Opened', ?)`

	setCase = `UPDATE customer_case SET state = ?, contacted_at = ?, resolved_at = ?, informed_at = ?, plan = ?, version = ?, expires_at = ?
WHERE program = ? AND id = ? AND version = ?`
	dropContact = `UPDATE customer_case SET contact = NULL, contact_hash = NULL, receipt = NULL, contact_erased_at = ?
WHERE program = ? AND id = ?`
	// dropNotes empties what people wrote about somebody whose contact is erased: it is about that person as well.
	dropNotes = `UPDATE case_event SET note = '' WHERE program = ? AND id = ? AND note <> ''`
	addEvent  = `INSERT INTO case_event (program, id, version, at, actor, state, note) VALUES (?, ?, ?, ?, ?, ?, ?)`
	trimEvent = `DELETE FROM case_event WHERE program = ?1 AND id = ?2 AND version <= (
	SELECT version FROM case_event WHERE program = ?1 AND id = ?2 ORDER BY version DESC LIMIT 1 OFFSET ?3)`

	// Those by a receipt or a hash name their index: else the planner could read all of a program.
	withContact    = `SELECT ` + caseColumns + ` FROM customer_case AS c `
	contactReceipt = withContact + `INDEXED BY case_by_receipt WHERE c.program = ?1 AND c.receipt = ?2 LIMIT ?3`
	contactHash    = withContact + `INDEXED BY case_by_contact WHERE c.program = ?1 AND c.contact_hash = ?2 LIMIT ?3`
	contactOf      = withContact + `WHERE c.program = ?1 AND c.id = ?2 AND c.contact IS NOT NULL LIMIT ?3`
	contactExpired = withContact + `INDEXED BY case_expiring WHERE c.program = ?1 AND c.expires_at <= ?2 ORDER BY c.expires_at LIMIT ?3`

	// leaveCases parts cases from submissions that are deleted; their contacts expire at once.
	leaveCases = `UPDATE customer_case SET submission = NULL, expires_at = CASE WHEN contact IS NULL THEN NULL ELSE 0 END
WHERE program = ?1 AND submission IN (SELECT unhex(value) FROM json_each(?2))`
)

// openCase opens the case of a new response.
func (t *tx) openCase(program int64, r *commit.Row) error {
	c := r.Case
	_, err := t.stmts.addCase.Exec(program, c.ID[:], r.Touchpoint, r.Language, c.Reasons, r.SubmittedAt, c.PromisedBy, r.ID[:], r.Receipt,
		c.Contact, c.ContactHash, c.RetentionDays)
	if err != nil {
		return fmt.Errorf("opening case %s: %w", c.ID, err)
	}
	_, err = t.stmts.addOpened.Exec(program, c.ID[:], r.SubmittedAt)
	return err
}

// ChangeCase implements store.Cases.
func (s *Store) ChangeCase(ctx context.Context, program store.Key, c store.CaseChange) (out store.Case, err error) {
	change, err := commit.NewCaseChange(c)
	if err == nil {
		err = s.do(ctx, func(t *tx) (err error) {
			out, err = t.changeCase(program, change)
			return err
		})
	}
	if err != nil {
		return store.Case{}, fmt.Errorf("sqlite: change case: %w", err)
	}
	out.Program = program
	return out, nil
}

func (t *tx) changeCase(key store.Key, c *commit.CaseChange) (store.Case, error) {
	ctx := context.Background()
	program, err := t.knownProgram(key)
	if err != nil {
		return store.Case{}, err
	}
	before, err := recordOf(ctx, t.conn, program, c.ID)
	if err != nil {
		return store.Case{}, err
	}
	after := before
	event, err := after.Change(c)
	if err != nil {
		return store.Case{}, err
	}
	if err := t.setCase(program, &before, &after, &event); err != nil {
		return store.Case{}, err
	}
	after, err = readCase(ctx, t.conn, program, c.ID)
	return after.Case, err
}

// setCase gives a case another content, but for its contact, moves its counts, and adds to its history where there is an event.
func (t *tx) setCase(program int64, before, after *commit.CaseRecord, event *store.CaseEvent) error {
	ctx, id := context.Background(), uuid.MustParse(after.ID)
	set, err := t.conn.ExecContext(ctx, setCase, string(after.State), orNull(after.ContactedAt), orNull(after.ResolvedAt),
		orNull(after.InformedAt), after.Plan, after.Version, orNull(after.ExpiresAt), program, id[:], before.Version)
	if err := needRow(set, err, store.ErrChanged); err != nil {
		return err
	}
	t.counts.AddCase(program, &before.Case, -1)
	t.counts.AddCase(program, &after.Case, 1)
	if event == nil {
		return nil
	}
	if _, err := t.conn.ExecContext(ctx, addEvent, program, id[:], after.Version, event.At.UnixMicro(), event.By, string(event.State),
		event.Note); err != nil {
		return err
	}
	// The opening, which is not stored, counts as one.
	_, err = t.conn.ExecContext(ctx, trimEvent, program, id[:], commit.MaxEvents-1)
	return err
}

// needRow wants a statement to have changed a row, and returns none where it did not.
func needRow(result sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return none
	}
	return nil
}

// EraseContacts implements store.Cases.
func (s *Store) EraseContacts(ctx context.Context, program store.Key, receipt string, hash []byte, id string, at time.Time) (n int64, err error) {
	whom, none, err := commit.NewWhom(receipt, hash, id)
	if err == nil && !none {
		n, err = s.eraseContacts(ctx, program, whom, at)
	}
	if err != nil {
		return n, fmt.Errorf("sqlite: erase contacts: %w", err)
	}
	return n, nil
}

func (s *Store) eraseContacts(ctx context.Context, program store.Key, whom commit.Whom, at time.Time) (int64, error) {
	at, err := commit.Micros(at)
	if err != nil {
		return 0, err
	}
	query, arg := contactOf, any(whom.ID[:])
	switch {
	case whom.Receipt != "":
		query, arg = contactReceipt, whom.Receipt
	case len(whom.Hash) > 0:
		query, arg = contactHash, whom.Hash
	}
	return s.repeat(ctx, func(t *tx) (int, error) {
		number, err := t.knownProgram(program)
		if err != nil {
			return 0, err
		}
		return t.eraseContacts(number, query, arg, at)
	})
}

// ExpireContacts implements store.Cases.
func (s *Store) ExpireContacts(ctx context.Context, program store.Key, now time.Time) (n int64, err error) {
	now, err = commit.Micros(now)
	if err == nil {
		n, err = s.repeat(ctx, func(t *tx) (int, error) {
			number, err := t.knownProgram(program)
			if err != nil {
				return 0, err
			}
			return t.eraseContacts(number, contactExpired, now.UnixMicro(), now)
		})
	}
	if err != nil {
		return n, fmt.Errorf("sqlite: expire contacts: %w", err)
	}
	return n, nil
}

// eraseContacts erases the contacts of some of the cases that a query finds, and returns how many.
func (t *tx) eraseContacts(program int64, query string, arg any, at time.Time) (int, error) {
	ctx := context.Background()
	found, err := records(ctx, t.conn, query, program, arg, deleteBatch)
	if err != nil {
		return 0, err
	}
	for _, before := range found {
		after := before
		event := after.EraseContact(at)
		id := uuid.MustParse(after.ID)
		if _, err := t.conn.ExecContext(ctx, dropNotes, program, id[:]); err != nil {
			return 0, err
		}
		if err := t.setCase(program, &before, &after, event); err != nil {
			return 0, err
		}
		if _, err := t.conn.ExecContext(ctx, dropContact, at.UnixMicro(), program, id[:]); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
