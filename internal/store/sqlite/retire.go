package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// deleteBatch bounds what one transaction deletes or changes, and so how long it keeps appends waiting.
const deleteBatch = 256

const expired = `
SELECT id, submission FROM response INDEXED BY response_by_time WHERE program = ? AND submitted_at < ? ORDER BY submitted_at LIMIT ?`

const (
	// foldRetired inserts a count that is missing with n = 0, so that retention does not cover up what a recount would find.
	foldRetired = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, 0, count(*), 0
FROM response_count WHERE question <> '@suspect' AND response IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET retired = retired + excluded.retired`

	uncountSuspects = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, -count(*), ?2
FROM response_count WHERE question = '@suspect' AND response IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`

	dropResponses = `DELETE FROM response WHERE id IN (SELECT value FROM json_each(?))`
)

// Retire implements store.Store.
func (s *Store) Retire(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	total, err := s.repeat(ctx, func(t *tx) (int, error) { return t.retire(program, commit.Bound(before)) })
	if err != nil {
		return total, fmt.Errorf("sqlite: retire: %w", err)
	}
	return total, nil
}

// repeat has the loop run a change, each time in a transaction of its own, until it has changed less than deleteBatch, and
// returns how much it changed in all.
func (s *Store) repeat(ctx context.Context, change func(*tx) (int, error)) (total int64, err error) {
	for {
		var n int
		err := s.do(ctx, func(t *tx) (err error) {
			n, err = change(t)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int64(n)
		if n < deleteBatch {
			return total, nil
		}
	}
}

// retire deletes the oldest responses, with their answers, and returns how many.
func (t *tx) retire(key store.Key, bound int64) (int, error) {
	ctx := context.Background()
	program, err := t.knownProgram(key)
	if err != nil || program == 0 {
		return 0, err
	}
	responses, submissions, err := t.expired(program, bound)
	if err != nil || len(responses) == 0 {
		return 0, err
	}
	list := listOf(responses)
	if _, err := t.conn.ExecContext(ctx, foldRetired, list); err != nil {
		return 0, err
	}
	suspects, err := t.conn.ExecContext(ctx, uncountSuspects, list, t.seq)
	if err != nil {
		return 0, err
	}
	if n, err := suspects.RowsAffected(); err != nil {
		return 0, err
	} else if n > 0 {
		t.touched[program] = true
	}
	if _, err := t.conn.ExecContext(ctx, dropResponses, list); err != nil {
		return 0, err
	}
	return len(responses), t.bury(program, submissions, true)
}

func (t *tx) expired(program, bound int64) (responses []int64, submissions []uuid.UUID, err error) {
	rows, err := t.conn.QueryContext(context.Background(), expired, program, bound, deleteBatch)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var submission uuid.UUID
		if err := rows.Scan(&id, &submission); err != nil {
			return nil, nil, err
		}
		responses, submissions = append(responses, id), append(submissions, submission)
	}
	return responses, submissions, rows.Err()
}
