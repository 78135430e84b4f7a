package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// retireBatch bounds the responses that one transaction deletes, and so how long it keeps appends waiting.
const retireBatch = 256

const expired = `
SELECT r.id FROM program AS p CROSS JOIN response AS r INDEXED BY response_by_time ON r.program = p.id
WHERE p.namespace = ? AND p.name = ? AND r.submitted_at < ? ORDER BY r.submitted_at LIMIT ?`

// foldRetired inserts a count that is missing with n = 0, so that retention does not cover up what a recount would find.
const foldRetired = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, 0, count(*), 0
FROM counted WHERE response IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET retired = retired + excluded.retired`

// Retire implements store.Store.
func (s *Store) Retire(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	// A time is stored rounded down, so the bound is rounded up.
	bound := before.Add(time.Microsecond - 1).UnixMicro()
	for total := int64(0); ; {
		var n int
		err := s.do(ctx, func(t *tx) (err error) {
			n, err = t.retire(program, bound)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("sqlite: retire: %w", err)
		}
		total += int64(n)
		if n < retireBatch {
			return total, nil
		}
	}
}

// retire deletes the oldest responses, with their answers, and returns how many.
func (t *tx) retire(program store.Key, bound int64) (int, error) {
	ctx := context.Background()
	ids, err := t.expired(program, bound)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	if _, err := t.conn.ExecContext(ctx, foldRetired, string(list)); err != nil {
		return 0, err
	}
	_, err = t.conn.ExecContext(ctx, `DELETE FROM response WHERE id IN (SELECT value FROM json_each(?))`, string(list))
	return len(ids), err
}

func (t *tx) expired(program store.Key, bound int64) ([]int64, error) {
	rows, err := t.conn.QueryContext(context.Background(), expired, program.Namespace, program.Name, bound, retireBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
