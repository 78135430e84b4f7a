package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// chosen are the conditions of a choice on a response, but for the beginning of its time, ?2; the parameters are those of
	// choiceArgs.
	chosen = `r.program = ?1 AND r.submitted_at < ?3 AND r.standing <> ?4
	AND (?5 IS NULL OR r.touchpoint = ?5) AND (?6 IS NULL OR r.unit = ?6) AND (?7 = '' OR r.standing = ?7)
	AND (?8 = '' OR EXISTS (SELECT 1 FROM json_each(r.failed) AS f WHERE f.value = ?8))`

	countChosen = `SELECT count(*) FROM response AS r INDEXED BY response_by_time WHERE r.submitted_at >= ?2 AND ` + chosen
	// chosenAfter returns those that come after a position, which stands for the beginning: a second lower bound could have
	// the planner choose that one, and read all from the beginning each time.
	chosenAfter = `SELECT r.submitted_at, r.submission FROM response AS r INDEXED BY response_by_time
WHERE (r.submitted_at, r.submission) > (?2, ?9) AND ` + chosen + ` ORDER BY r.submitted_at, r.submission LIMIT ?10`
	// chosenOf returns which of a list of submissions are chosen.
	chosenOf = `SELECT r.id FROM json_each(?9) AS l CROSS JOIN response AS r INDEXED BY response_by_submission
WHERE r.submission = unhex(l.value) AND r.submitted_at >= ?2 AND ` + chosen

	giveStanding = `UPDATE response SET standing = ? WHERE id IN (SELECT value FROM json_each(?))`
)

func choiceArgs(program int64, c commit.Choice, more ...any) []any {
	return append([]any{program, c.From, c.Before, string(c.Becomes), c.Touchpoint, c.Unit, string(c.Is), c.Failed}, more...)
}

// SetStanding implements store.Store. It looks for responses beside the writer, and changes some in each of its
// transactions, after another look at these.
func (s *Store) SetStanding(ctx context.Context, program store.Key, sel store.Selection, to store.Standing, dryRun bool) (int64, error) {
	c, err := commit.NewChoice(sel, to)
	if err != nil {
		return 0, fmt.Errorf("sqlite: set standing: %w", err)
	}
	var n int64
	switch {
	case dryRun:
		n, err = s.countChosen(ctx, program, c)
	case len(c.IDs) > 0:
		n, err = s.setOf(ctx, program, c)
	default:
		n, err = s.setAll(ctx, program, c)
	}
	if err != nil {
		return n, fmt.Errorf("sqlite: set standing: %w", err)
	}
	return n, nil
}

// countChosen counts what would change.
func (s *Store) countChosen(ctx context.Context, key store.Key, c commit.Choice) (n int64, err error) {
	err = s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		program, err := numberOf(ctx, t, key)
		if err != nil {
			return err
		}
		if len(c.IDs) == 0 {
			return t.QueryRowContext(ctx, countChosen, choiceArgs(program, c)...).Scan(&n)
		}
		rows, err := t.QueryContext(ctx, chosenOf, choiceArgs(program, c, hexListOf(c.IDs))...)
		if err != nil {
			return err
		}
		found, err := scanNumbers(rows)
		n = int64(len(found))
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// setOf changes responses that are named.
func (s *Store) setOf(ctx context.Context, key store.Key, c commit.Choice) (total int64, err error) {
	for ids := range slices.Chunk(c.IDs, deleteBatch) {
		n, err := s.setSome(ctx, key, c, ids)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// setAll goes through the responses in the order of time.
func (s *Store) setAll(ctx context.Context, key store.Key, c commit.Choice) (total int64, err error) {
	for after := (position{at: max(c.From, math.MinInt64+1) - 1}); ; {
		found, err := s.chosenAfter(ctx, key, c, after)
		if err != nil || len(found) == 0 {
			return total, err
		}
		n, err := s.setSome(ctx, key, c, idsOf(found))
		if total += n; err != nil {
			return total, err
		}
		after = found[len(found)-1]
	}
}

func (s *Store) chosenAfter(ctx context.Context, key store.Key, c commit.Choice, after position) (found []position, err error) {
	err = s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		program, err := numberOf(ctx, t, key)
		if err != nil {
			return err
		}
		c.From = after.at
		rows, err := t.QueryContext(ctx, chosenAfter, choiceArgs(program, c, after.id[:], deleteBatch)...)
		if err != nil {
			return err
		}
		found, err = scanPositions(rows)
		return err
	})
	return found, err
}

// setSome changes those of a few submissions that are chosen, and still there.
func (s *Store) setSome(ctx context.Context, key store.Key, c commit.Choice, ids []uuid.UUID) (n int64, err error) {
	err = s.do(ctx, func(t *tx) error {
		program, err := t.knownProgram(key)
		if err != nil || program == 0 {
			return err
		}
		rows, err := t.conn.QueryContext(context.Background(), chosenOf, choiceArgs(program, c, hexListOf(ids))...)
		if err != nil {
			return err
		}
		found, err := scanNumbers(rows)
		if err != nil || len(found) == 0 {
			return err
		}
		n = int64(len(found))
		return t.giveStanding(program, listOf(found), c.Becomes)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// giveStanding moves responses from the counts that they are in to those that they will be in.
func (t *tx) giveStanding(program int64, responses string, to store.Standing) error {
	ctx := context.Background()
	if _, err := t.conn.ExecContext(ctx, countResponses, responses, t.seq, -1); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, giveStanding, string(to), responses); err != nil {
		return err
	}
	t.touched[program] = true
	_, err := t.conn.ExecContext(ctx, countResponses, responses, t.seq, 1)
	return err
}

func scanNumbers(rows *sql.Rows) (numbers []int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}
