package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// uncount inserts a count that is missing, so that erasure does not cover up what a recount would find.
const uncount = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, -count(*), ?2
FROM counted WHERE response = ?1 GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`

const (
	byReceipt      = `SELECT id, digest FROM submission WHERE program = ? AND receipt = ?`
	bySubmission   = `SELECT id FROM response WHERE program = ? AND submission = ?`
	erasedReceipts = `SELECT count(*) FROM erased WHERE program = ? AND receipt = ?`
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
	var program int64
	err := t.stmts.findProgram.QueryRow(key.Namespace, key.Name).Scan(&program)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var id uuid.UUID
	var digest []byte
	switch err := t.conn.QueryRowContext(ctx, byReceipt, program, receipt).Scan(&id, &digest); {
	case errors.Is(err, sql.ErrNoRows):
		var erased int
		err := t.conn.QueryRowContext(ctx, erasedReceipts, program, receipt).Scan(&erased)
		return erased > 0, err
	case err != nil:
		return false, err
	}
	if err := t.eraseResponse(program, id); err != nil {
		return false, err
	}
	return true, t.bury(program, id, [32]byte(digest), receipt)
}

// eraseResponse deletes the response of a submission and takes it out of the counts, where retention has left it.
func (t *tx) eraseResponse(program int64, submission uuid.UUID) error {
	ctx := context.Background()
	var response int64
	err := t.conn.QueryRowContext(ctx, bySubmission, program, submission[:]).Scan(&response)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, uncount, response, t.seq); err != nil {
		return err
	}
	t.touched[program] = true
	_, err = t.conn.ExecContext(ctx, `DELETE FROM response WHERE id = ?`, response)
	return err
}

// bury puts a tombstone in the place of a submission.
func (t *tx) bury(program int64, id uuid.UUID, digest [32]byte, receipt string) error {
	ctx := context.Background()
	if _, err := t.conn.ExecContext(ctx, `DELETE FROM submission WHERE program = ? AND id = ?`, program, id[:]); err != nil {
		return err
	}
	tombstone := commit.NewTombstone(id, digest)
	_, err := t.conn.ExecContext(ctx, `INSERT INTO erased (program, id, digest, receipt) VALUES (?, ?, ?, ?)`,
		program, tombstone.ID[:], tombstone.Digest[:], receipt)
	return err
}
