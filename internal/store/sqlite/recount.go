package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// Nothing is kept of completed visits.
	programCounts = `
SELECT touchpoint, unit, question, revision, hour, value, n, retired FROM rollup
WHERE program = ? AND question NOT IN ('@completed', '@seconds')`
	programCounted = `
SELECT touchpoint, unit, question, revision, hour, value FROM counted WHERE program = ?`
)

// balance is what must agree for a count: n = kept + retired.
type balance struct{ n, retired, kept int64 }

// Recount implements store.Store. It reads all that is kept of the program, and holds its counts in memory, nothing else.
func (s *Store) Recount(ctx context.Context, program store.Key) (store.Check, error) {
	var check store.Check
	err := s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		number, err := numberOf(ctx, t, program)
		if err != nil {
			return err
		}
		if err := t.QueryRowContext(ctx, `SELECT count(*) FROM response WHERE program = ?`, number).
			Scan(&check.Responses); err != nil {
			return err
		}
		check.Differences, err = recountProgram(ctx, t, number)
		return err
	})
	if err != nil {
		return store.Check{}, fmt.Errorf("sqlite: recount: %w", err)
	}
	return check, nil
}

// numberOf returns the number of a program, 0 where there is none.
func numberOf(ctx context.Context, t *sql.Tx, key store.Key) (number int64, err error) {
	err = t.QueryRowContext(ctx, `SELECT ifnull(max(id), 0) FROM program WHERE namespace = ? AND name = ?`,
		key.Namespace, key.Name).Scan(&number)
	return number, err
}

// recountProgram returns what does not balance of a program's counts.
func recountProgram(ctx context.Context, t *sql.Tx, program int64) ([]string, error) {
	balances := map[commit.CountKey]balance{}
	if err := readBalances(ctx, t, program, balances); err != nil {
		return nil, err
	}
	if err := recountKept(ctx, t, program, balances); err != nil {
		return nil, err
	}
	return differences(balances), nil
}

func readBalances(ctx context.Context, t *sql.Tx, program int64, balances map[commit.CountKey]balance) error {
	rows, err := t.QueryContext(ctx, programCounts, program)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k commit.CountKey
		var b balance
		if err := rows.Scan(&k.Touchpoint, &k.Unit, &k.Question, &k.Revision, &k.Hour, &k.Value, &b.n, &b.retired); err != nil {
			return err
		}
		balances[k] = b
	}
	return rows.Err()
}

func recountKept(ctx context.Context, t *sql.Tx, program int64, balances map[commit.CountKey]balance) error {
	rows, err := t.QueryContext(ctx, programCounted, program)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k commit.CountKey
		if err := rows.Scan(&k.Touchpoint, &k.Unit, &k.Question, &k.Revision, &k.Hour, &k.Value); err != nil {
			return err
		}
		b := balances[k]
		b.kept++
		balances[k] = b
	}
	return rows.Err()
}

func differences(balances map[commit.CountKey]balance) []string {
	maps.DeleteFunc(balances, func(_ commit.CountKey, b balance) bool { return b.n == b.kept+b.retired })
	keys := slices.SortedFunc(maps.Keys(balances), commit.CompareKeys)
	var out []string
	for _, k := range keys[:min(len(keys), commit.MaxDifferences)] {
		b := balances[k]
		out = append(out, commit.Difference(store.Count{
			Touchpoint: k.Touchpoint, Unit: k.Unit, Question: k.Question, Revision: k.Revision, Hour: k.Hour, Value: k.Value, N: b.n,
		}, b.kept, b.retired))
	}
	return out
}
