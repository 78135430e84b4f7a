package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// countResponses adds to the counts what a list of responses count under, ?3 times. It inserts a count that is missing, so
// that erasure does not cover up what a recount would find.
const countResponses = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, ?3 * count(*), ?2
FROM response_count WHERE response IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`

const (
	byReceipt    = `SELECT id FROM submission WHERE program = ? AND receipt = ?`
	bySubmission = `SELECT id FROM response WHERE program = ? AND submission = ?`
	// eraseRetired makes retired responses erased ones.
	eraseRetired = `UPDATE erased SET retired = 0 WHERE program = ? AND receipt = ?`
	// clock is the time in microseconds since 1970-01-01T00:00Z, exact to the millisecond.
	clock = `SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000`
)

// Erase implements store.Store.
func (s *Store) Erase(ctx context.Context, program store.Key, receipt string) (bool, error) {
	if receipt == "" {
		return false, nil
	}
	var known bool
	err := s.do(ctx, func(t *tx) (err error) {
		known, err = t.erase(program, receipt)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sqlite: erase: %w", err)
	}
	return known, nil
}

func (t *tx) erase(key store.Key, receipt string) (bool, error) {
	ctx := context.Background()
	program, err := t.knownProgram(key)
	if err != nil || program == 0 {
		return false, err
	}
	var now int64
	if err := t.conn.QueryRowContext(ctx, clock).Scan(&now); err != nil {
		return false, err
	}
	if _, err := t.eraseContacts(program, contactReceipt, receipt, time.UnixMicro(now).UTC()); err != nil {
		return false, err
	}
	var id uuid.UUID
	switch err := t.conn.QueryRowContext(ctx, byReceipt, program, receipt).Scan(&id); {
	case errors.Is(err, sql.ErrNoRows):
		erased, err := t.conn.ExecContext(ctx, eraseRetired, program, receipt)
		if err != nil {
			return false, err
		}
		n, err := erased.RowsAffected()
		return n > 0, err
	case err != nil:
		return false, err
	}
	if err := t.eraseResponse(program, id); err != nil {
		return false, err
	}
	return true, t.bury(program, []uuid.UUID{id}, false)
}

// eraseResponse deletes the response of a submission and takes it out of the counts.
func (t *tx) eraseResponse(program int64, submission uuid.UUID) error {
	ctx := context.Background()
	var response int64
	if err := t.conn.QueryRowContext(ctx, bySubmission, program, submission[:]).Scan(&response); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, countResponses, listOf([]int64{response}), t.seq, -1); err != nil {
		return err
	}
	t.touched[program] = true
	_, err := t.conn.ExecContext(ctx, `DELETE FROM response WHERE id = ?`, response)
	return err
}
