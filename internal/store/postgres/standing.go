package postgres

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// chosen are the conditions of a choice on a response; the parameters are those of choiceArgs.
	chosen = `r.program = $1 AND r.submitted_at >= $2 AND r.submitted_at < $3 AND r.standing <> $4
		AND ($5::text IS NULL OR r.touchpoint = $5) AND ($6::text IS NULL OR r.unit = $6) AND ($7::text = '' OR r.standing = $7)
		AND ($8::text = '' OR EXISTS (SELECT FROM json_array_elements_text(r.failed) AS f (value) WHERE f.value = $8))`

	countChosen = `SELECT count(*) FROM response AS r WHERE ` + chosen
	chosenAfter = `SELECT r.submitted_at, r.submission FROM response AS r WHERE ` + chosen + `
		AND (r.submitted_at, r.submission) > ($2, $9) ORDER BY r.submitted_at, r.submission LIMIT $10`
	// chosenOf returns which of some responses are chosen.
	chosenOf = `SELECT k.at, k.id FROM unnest($9::timestamptz[], $10::uuid[]) AS k (at, id) CROSS JOIN LATERAL (
			SELECT FROM response AS r WHERE ` + chosen + ` AND r.submitted_at = k.at AND r.submitted_at BETWEEN $11 AND $12 AND r.submission = k.id LIMIT 1
		) AS r`
	findTimes = `SELECT submitted_at, id FROM submission WHERE program = $1 AND id = ANY ($2::uuid[]) ORDER BY submitted_at, id`

	giveStanding = `UPDATE response AS r SET standing = $6 FROM` + ofSelected
)

func choiceArgs(program int32, c commit.Choice, more ...any) []any {
	return append([]any{program, boundary(c.From), boundary(c.Before), string(c.Becomes), c.Touchpoint, c.Unit, string(c.Is), c.Failed}, more...)
}

// boundary returns a time, or the beginning or the end of all.
func boundary(micros int64) pgtype.Timestamptz {
	switch micros {
	case math.MinInt64:
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	case math.MaxInt64:
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	default:
		return pgtype.Timestamptz{Time: instant(micros), Valid: true}
	}
}

// SetStanding implements store.Store. It looks for responses beside the writer, and changes some in each of its
// transactions, after another look at these.
func (s *Store) SetStanding(ctx context.Context, program store.Key, sel store.Selection, to store.Standing, dryRun bool) (int64, error) {
	c, err := commit.NewChoice(sel, to)
	if err != nil {
		return 0, wrap("set standing", err)
	}
	var n int64
	switch {
	case len(c.IDs) > 0:
		n, err = s.setOf(ctx, program, c, dryRun)
	case dryRun:
		n, err = s.countChosen(ctx, program, c)
	default:
		n, err = s.setAll(ctx, program, c)
	}
	if err != nil {
		return n, wrap("set standing", err)
	}
	return n, nil
}

// countChosen counts what would change.
func (s *Store) countChosen(ctx context.Context, key store.Key, c commit.Choice) (n int64, err error) {
	err = s.readBulk(ctx, func(ctx context.Context, t pgx.Tx) error {
		program, err := findProgram(ctx, t, key)
		if err != nil || program == 0 {
			return err
		}
		return t.QueryRow(ctx, countChosen, choiceArgs(program, c)...).Scan(&n)
	})
	return n, err
}

// setOf changes responses that are named, in the order of time, or counts how many would change.
func (s *Store) setOf(ctx context.Context, key store.Key, c commit.Choice, dryRun bool) (total int64, err error) {
	var named selected
	err = s.readBulk(ctx, func(ctx context.Context, t pgx.Tx) error {
		program, err := findProgram(ctx, t, key)
		if err != nil || program == 0 {
			return err
		}
		if named, err = collect(ctx, t, program, findTimes, []any{program, uuids(c.IDs)}); err != nil || !dryRun || len(named.ids) == 0 {
			return err
		}
		found, err := named.choose(ctx, t, c)
		total = int64(len(found.ids))
		return err
	})
	if err != nil || dryRun {
		return total, err
	}
	for from := 0; from < len(named.ids); from += deleteBatch {
		to := min(from+deleteBatch, len(named.ids))
		n, err := s.setSome(ctx, key, c, selected{times: named.times[from:to], ids: named.ids[from:to]})
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// setAll goes through the responses in the order of time.
func (s *Store) setAll(ctx context.Context, key store.Key, c commit.Choice) (total int64, err error) {
	from, id := boundary(c.From), pgtype.UUID{Valid: true}
	if c.From != math.MinInt64 {
		from = boundary(c.From - 1) // nobody comes after it and before the first
	}
	for {
		found, err := s.chosenAfter(ctx, key, c, from, id)
		if err != nil || len(found.ids) == 0 {
			return total, err
		}
		n, err := s.setSome(ctx, key, c, found)
		if total += n; err != nil {
			return total, err
		}
		last := len(found.ids) - 1
		from, id = pgtype.Timestamptz{Time: found.times[last], Valid: true}, found.ids[last]
	}
}

func (s *Store) chosenAfter(ctx context.Context, key store.Key, c commit.Choice, from pgtype.Timestamptz, id pgtype.UUID) (found selected, err error) {
	err = s.readBulk(ctx, func(ctx context.Context, t pgx.Tx) error {
		program, err := findProgram(ctx, t, key)
		if err != nil || program == 0 {
			return err
		}
		args := choiceArgs(program, c, id, deleteBatch)
		args[1] = from
		found, err = collect(ctx, t, program, chosenAfter, args)
		return err
	})
	return found, err
}

// setSome changes those of a few responses that are chosen, and still there.
func (s *Store) setSome(ctx context.Context, key store.Key, c commit.Choice, some selected) (n int64, err error) {
	err = s.do(ctx, func(t *tx) (*pgx.Batch, error) {
		n = 0
		program, err := t.lock(key)
		if err != nil || program == 0 {
			return nil, err
		}
		some.program = program
		found, err := some.choose(t.ctx, t.conn, c)
		if err != nil || len(found.ids) == 0 {
			return nil, err
		}
		n = int64(len(found.ids))
		b := t.batch()
		t.number(b, program)
		found.exec(b, countResponses, t.slot, -1)
		found.exec(b, giveStanding, string(c.Becomes))
		found.exec(b, countResponses, t.slot, 1)
		return b, nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// choose returns which of them a choice is of.
func (s *selected) choose(ctx context.Context, q querier, c commit.Choice) (selected, error) {
	return collect(ctx, q, s.program, chosenOf, choiceArgs(s.program, c, s.args()[1:]...))
}

func collect(ctx context.Context, q querier, program int32, query string, args []any) (selected, error) {
	found := selected{program: program}
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return found, err
	}
	var at time.Time
	var id pgtype.UUID
	_, err = pgx.ForEachRow(rows, []any{&at, &id}, func() error {
		found.add(at, id)
		return nil
	})
	return found, err
}

func uuids(ids []uuid.UUID) []pgtype.UUID {
	out := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		out[i] = pgtype.UUID{Bytes: id, Valid: true}
	}
	return out
}
