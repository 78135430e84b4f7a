package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// maxDifferences bounds what a recount lists.
const maxDifferences = 100

const (
	programCounts = `
SELECT touchpoint, unit, question, revision, hour, value, n, retired FROM rollup WHERE program = ?`
	programCounted = `
SELECT touchpoint, unit, question, revision, hour, value FROM counted WHERE program = ?`
)

// balance is what must agree for a count: n = kept + retired.
type balance struct{ n, retired, kept int64 }

// Recount implements store.Store. It reads every answer of the program, and holds its counts in memory, not its answers.
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
		balances := map[countKey]balance{}
		if err := readBalances(ctx, t, number, balances); err != nil {
			return err
		}
		if err := recountKept(ctx, t, number, balances); err != nil {
			return err
		}
		check.Differences = differences(balances)
		return nil
	})
	if err != nil {
		return store.Check{}, fmt.Errorf("sqlite: recount: %w", err)
	}
	return check, nil
}

func readBalances(ctx context.Context, t *sql.Tx, program int64, balances map[countKey]balance) error {
	rows, err := t.QueryContext(ctx, programCounts, program)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k countKey
		var b balance
		if err := rows.Scan(&k.touchpoint, &k.unit, &k.question, &k.revision, &k.hour, &k.value, &b.n, &b.retired); err != nil {
			return err
		}
		balances[k] = b
	}
	return rows.Err()
}

func recountKept(ctx context.Context, t *sql.Tx, program int64, balances map[countKey]balance) error {
	rows, err := t.QueryContext(ctx, programCounted, program)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k countKey
		if err := rows.Scan(&k.touchpoint, &k.unit, &k.question, &k.revision, &k.hour, &k.value); err != nil {
			return err
		}
		b := balances[k]
		b.kept++
		balances[k] = b
	}
	return rows.Err()
}

func differences(balances map[countKey]balance) []string {
	maps.DeleteFunc(balances, func(_ countKey, b balance) bool { return b.n == b.kept+b.retired })
	keys := slices.SortedFunc(maps.Keys(balances), compareKeys)
	var out []string
	for _, k := range keys[:min(len(keys), maxDifferences)] {
		b := balances[k]
		out = append(out, fmt.Sprintf("touchpoint %q, unit %q, question %q revision %d, hour %s, value %q: counted %d, "+
			"recounted %d kept and %d retired", k.touchpoint, k.unit, k.question, k.revision,
			k.hour.Time().Format(time.RFC3339), k.value, b.n, b.kept, b.retired))
	}
	return out
}
