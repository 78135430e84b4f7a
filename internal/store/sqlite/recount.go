package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// maxDifferences bounds what a recount lists.
const maxDifferences = 100

const recount = `
SELECT touchpoint, unit, question, revision, hour, value, sum(n), sum(kept), sum(retired)
FROM (
    SELECT touchpoint, unit, question, revision, hour, value, n, 0 AS kept, retired FROM rollup WHERE program = ?1
    UNION ALL
    SELECT touchpoint, unit, question, revision, hour, value, 0, 1, 0 FROM counted WHERE program = ?1
)
GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> sum(kept) + sum(retired)
ORDER BY 1, 2, 3, 4, 5, 6 LIMIT ?2`

// Recount implements store.Store. It reads every answer of the program.
func (s *Store) Recount(ctx context.Context, program store.Key) (store.Check, error) {
	var check store.Check
	err := s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		var number int64
		if err := t.QueryRowContext(ctx, `SELECT ifnull(max(id), 0) FROM program WHERE namespace = ? AND name = ?`,
			program.Namespace, program.Name).Scan(&number); err != nil {
			return err
		}
		if err := t.QueryRowContext(ctx, `SELECT count(*) FROM response WHERE program = ?`, number).
			Scan(&check.Responses); err != nil {
			return err
		}
		var err error
		check.Differences, err = differences(ctx, t, number)
		return err
	})
	if err != nil {
		return store.Check{}, fmt.Errorf("sqlite: recount: %w", err)
	}
	return check, nil
}

func differences(ctx context.Context, t *sql.Tx, program int64) ([]string, error) {
	rows, err := t.QueryContext(ctx, recount, program, maxDifferences)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var c store.Count
		var kept, retired int64
		if err := rows.Scan(&c.Touchpoint, &c.Unit, &c.Question, &c.Revision, &c.Hour, &c.Value, &c.N, &kept,
			&retired); err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("touchpoint %q, unit %q, question %q revision %d, hour %s, value %q: counted %d, "+
			"recounted %d kept and %d retired", c.Touchpoint, c.Unit, c.Question, c.Revision,
			c.Hour.Time().Format(time.RFC3339), c.Value, c.N, kept, retired))
	}
	return out, rows.Err()
}
