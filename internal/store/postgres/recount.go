package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// recount leaves out what nothing is kept of.
const recount = `
SELECT touchpoint, unit, question, revision, hour, value, sum(n)::bigint, sum(kept)::bigint, sum(retired)::bigint
FROM (
    SELECT touchpoint, unit, question, revision, hour, value, n, 0 AS kept, retired FROM rollup
    WHERE program = $1 AND question NOT IN ('@completed', '@seconds')
    UNION ALL
    SELECT touchpoint, unit, question, revision, hour, value, 0, 1, 0 FROM counted WHERE program = $1
    UNION ALL
    SELECT touchpoint, unit, question, revision, hour, value, 0, 1, 0 FROM invitation_count WHERE program = $1
    UNION ALL
    SELECT touchpoint, unit, question, revision, hour, value, 0, 1, 0 FROM visit_count WHERE program = $1
    UNION ALL
    SELECT touchpoint, unit, question, revision, hour, value, 0, 1, 0 FROM case_count WHERE program = $1
) AS both_ways
GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> sum(kept) + sum(retired)
ORDER BY 1, 2, 3, 4, 5, 6 LIMIT $2`

// Recount implements store.Store. It reads all that is kept of the program.
func (s *Store) Recount(ctx context.Context, program store.Key) (store.Check, error) {
	var check store.Check
	err := s.readBulk(ctx, func(ctx context.Context, t pgx.Tx) error {
		number, err := findProgram(ctx, t, program)
		if err != nil || number == 0 {
			return err
		}
		if err := t.QueryRow(ctx, `SELECT count(*) FROM response WHERE program = $1`, number).Scan(&check.Responses); err != nil {
			return err
		}
		check.Differences, err = differences(ctx, t, number)
		return err
	})
	if err != nil {
		return store.Check{}, wrap("recount", err)
	}
	return check, nil
}

func differences(ctx context.Context, t pgx.Tx, program int32) ([]string, error) {
	rows, err := t.Query(ctx, recount, program, commit.MaxDifferences)
	if err != nil {
		return nil, err
	}
	var out []string
	var c store.Count
	var kept, retired int64
	_, err = pgx.ForEachRow(rows, []any{&c.Touchpoint, &c.Unit, &c.Question, &c.Revision, &c.Hour, &c.Value, &c.N, &kept,
		&retired}, func() error {
		out = append(out, commit.Difference(c, kept, retired))
		return nil
	})
	return out, err
}
