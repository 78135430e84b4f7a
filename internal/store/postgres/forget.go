package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	oldVisits = `SELECT started_at, id FROM visit WHERE program = $1 AND started_at < $2 AND position >= 0 ORDER BY started_at, id LIMIT $3`
	// oldInvitations goes on after what it returned before, because some of those that are old have not expired.
	oldInvitations = `SELECT invited_at, id FROM invitation
		WHERE program = $1 AND (invited_at, id) > ($2, $3) AND invited_at < $4 AND expires_at <= $5 ORDER BY invited_at, id LIMIT $6`

	// Both are taken in the order of their keys, as by who stores. Since they were found, another one may have ended or moved.
	holdVisits = `SELECT started_at, id FROM visit
		WHERE program = $1 AND id = ANY ($2::uuid[]) AND started_at < $3 AND position >= 0 ORDER BY id FOR UPDATE`
	holdInvitations = `SELECT invited_at, id FROM invitation
		WHERE program = $1 AND id = ANY ($2::uuid[]) AND invited_at < $3 AND expires_at <= $4 ORDER BY id FOR UPDATE`

	// The counts of what is forgotten stay, as those of what is retired. One that is missing is inserted with n = 0, so that
	// nothing covers up what a recount would find.
	foldVisits = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
		SELECT program, touchpoint, unit, question, revision, hour, value, $3::smallint, 0, count(*), 0
		FROM visit_count WHERE program = $1 AND visit = ANY ($2::uuid[]) GROUP BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET retired = rollup.retired + excluded.retired`
	foldInvitations = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
		SELECT program, touchpoint, unit, question, revision, hour, value, $3::smallint, 0, count(*), 0
		FROM invitation_count WHERE program = $1 AND invitation = ANY ($2::uuid[]) GROUP BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET retired = rollup.retired + excluded.retired`
	forgetVisits      = `DELETE FROM visit WHERE program = $1 AND id = ANY ($2::uuid[])`
	forgetInvitations = `DELETE FROM invitation WHERE program = $1 AND id = ANY ($2::uuid[])`
)

// Forget implements store.Store.
func (s *Store) Forget(ctx context.Context, program store.Key, visits, invitations, now time.Time) (int64, error) {
	n, err := s.forgetVisits(ctx, program, instant(commit.Bound(visits)))
	if err != nil {
		return n, wrap("forget", err)
	}
	m, err := s.forgetInvitations(ctx, program, instant(commit.Bound(invitations)), instant(now.UnixMicro()))
	if err != nil {
		return n + m, wrap("forget", err)
	}
	return n + m, nil
}

func (s *Store) forgetVisits(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	return s.repeat(ctx, program, func(t *tx, program int32) (step, *pgx.Batch, error) {
		found, err := collect(t.ctx, t.conn, program, oldVisits, []any{program, before, deleteBatch})
		if err != nil || len(found.ids) == 0 {
			return step{}, nil, err
		}
		held, err := collect(t.ctx, t.conn, program, holdVisits, []any{program, found.ids, before})
		if err != nil {
			return step{}, nil, err
		}
		return step{found: len(found.ids), changed: len(held.ids)}, t.forget(held, foldVisits, forgetVisits), nil
	})
}

func (s *Store) forgetInvitations(ctx context.Context, program store.Key, before, expired time.Time) (int64, error) {
	at, id := boundary(math.MinInt64), pgtype.UUID{Valid: true}
	return s.repeat(ctx, program, func(t *tx, program int32) (step, *pgx.Batch, error) {
		found, err := collect(t.ctx, t.conn, program, oldInvitations, []any{program, at, id, before, expired, deleteBatch})
		if err != nil || len(found.ids) == 0 {
			return step{}, nil, err
		}
		held, err := collect(t.ctx, t.conn, program, holdInvitations, []any{program, found.ids, before, expired})
		if err != nil {
			return step{}, nil, err
		}
		last := len(found.ids) - 1
		next := func() { at, id = pgtype.Timestamptz{Time: found.times[last], Valid: true}, found.ids[last] }
		return step{len(found.ids), len(held.ids), next}, t.forget(held, foldInvitations, forgetInvitations), nil
	})
}

// forget returns the statements that delete what is held, and keep its counts.
func (t *tx) forget(held selected, fold, forget string) *pgx.Batch {
	b := t.batch()
	b.Queue(fold, held.program, held.ids, t.slot)
	b.Queue(forget, held.program, held.ids)
	return b
}
