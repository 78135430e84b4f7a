package postgres

import (
	"context"
	"math"
	"slices"
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
	// chosenOf returns which of some submissions are chosen.
	chosenOf = `SELECT s.submitted_at, s.id FROM submission AS s CROSS JOIN LATERAL (
			SELECT FROM response AS r WHERE ` + chosen + ` AND r.submitted_at = s.submitted_at AND r.submission = s.id LIMIT 1
		) AS r WHERE s.program = $1 AND s.id = ANY ($9::uuid[])`

	giveStanding = `UPDATE response AS r SET standing = $4 FROM unnest($2::timestamptz[], $3::uuid[]) AS k (at, id)
		WHERE r.program = $1 AND r.submitted_at = k.at AND r.submission = k.id`
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
	case dryRun:
		n, err = s.countChosen(ctx, program, c)
	case len(c.IDs) > 0:
		n, err = s.setOf(ctx, program, c)
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
		if len(c.IDs) == 0 {
			return t.QueryRow(ctx, countChosen, choiceArgs(program, c)...).Scan(&n)
		}
		found, err := choose(ctx, t, program, chosenOf, c, uuids(c.IDs))
		n = int64(len(found.ids))
		return err
	})
	return n, err
}

// setOf changes responses that are named.
func (s *Store) setOf(ctx context.Context, key store.Key, c commit.Choice) (total int64, err error) {
	for ids := range slices.Chunk(c.IDs, deleteBatch) {
		n, err := s.setSome(ctx, key, c, uuids(ids))
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
		n, err := s.setSome(ctx, key, c, found.ids)
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

// setSome changes those of a few submissions that are chosen, and still there.
func (s *Store) setSome(ctx context.Context, key store.Key, c commit.Choice, ids []pgtype.UUID) (n int64, err error) {
	err = s.do(ctx, func(t *tx) (*pgx.Batch, error) {
		n = 0
		program, err := t.lock(key)
		if err != nil || program == 0 {
			return nil, err
		}
		found, err := choose(t.ctx, t.conn, program, chosenOf, c, ids)
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

func choose(ctx context.Context, q querier, program int32, query string, c commit.Choice, more ...any) (selected, error) {
	return collect(ctx, q, program, query, choiceArgs(program, c, more...))
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
