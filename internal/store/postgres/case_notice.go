package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// untended says whether there is something for tend to do.
	untended = `SELECT EXISTS (SELECT FROM customer_case WHERE program = $1 AND state = 'Open' AND NOT told AND promised_by <= $2)
		OR EXISTS (SELECT FROM case_notice WHERE program = $1 AND state = 'Delivered' AND settled_at <= $3)`
	// holdUntold finds what nobody was told of, and holds it: since it was found, a case may have been contacted.
	holdUntold = `SELECT promised_by, id FROM customer_case
		WHERE program = $1 AND state = 'Open' AND NOT told AND promised_by <= $2 ORDER BY promised_by, id LIMIT $3 FOR UPDATE`
	addOverdue = `INSERT INTO case_notice (program, id, transition, at)
		SELECT $1, k.id, 'Overdue', k.at FROM unnest($2::timestamptz[], $3::uuid[]) AS k (at, id) ORDER BY k.at, k.id`
	setTold       = `UPDATE customer_case SET told = true WHERE program = $1 AND id = ANY ($2::uuid[])`
	dropDelivered = `DELETE FROM case_notice WHERE seq = ANY (ARRAY(
		SELECT seq FROM case_notice WHERE program = $1 AND state = 'Delivered' AND settled_at <= $2 LIMIT $3))`
	findNotices = `SELECT n.seq, n.id, c.touchpoint, n.transition, n.at, n.state, n.record
		FROM case_notice AS n JOIN customer_case AS c ON c.program = n.program AND c.id = n.id
		WHERE n.program = $1 AND n.state = $2 AND n.seq > $3 ORDER BY n.seq LIMIT $4`
	setNotice = `UPDATE case_notice SET state = $1, record = $2, settled_at = $3 WHERE program = $4 AND seq = $5`
)

// Notices implements store.Cases. It changes the database only where there is something to change.
func (s *Store) Notices(ctx context.Context, program store.Key, state string, after int64, limit int, now time.Time) (out []store.CaseNotice, err error) {
	if err = commit.CheckNotices(state, limit); err == nil {
		if err = s.tend(ctx, program, instant(now.UnixMicro())); err == nil {
			out, err = s.notices(ctx, program, state, after, limit)
		}
	}
	if err != nil {
		return nil, wrap("notices", err)
	}
	return out, nil
}

// tend writes notices of what is overdue, and deletes those that were delivered long ago. One process does so at a time.
func (s *Store) tend(ctx context.Context, key store.Key, now time.Time) error {
	old := now.Add(-commit.DeliveredFor)
	var some bool
	err := s.readCases(ctx, key, func(ctx context.Context, t pgx.Tx, program int32) error {
		return t.QueryRow(ctx, untended, program, now, old).Scan(&some)
	})
	if err != nil || !some {
		return err
	}
	_, err = s.repeat(ctx, key, func(t *tx, program int32) (step, *pgx.Batch, error) {
		dropped, err := t.conn.Exec(t.ctx, dropDelivered, program, old, deleteBatch)
		if err != nil {
			return step{}, nil, err
		}
		late, err := collect(t.ctx, t.conn, program, holdUntold, []any{program, now, deleteBatch})
		if err != nil {
			return step{}, nil, err
		}
		b := t.batch()
		if len(late.ids) > 0 {
			b.Queue(addOverdue, program, late.times, late.ids)
			b.Queue(setTold, program, late.ids)
		}
		return step{found: max(len(late.ids), int(dropped.RowsAffected()))}, b, nil
	})
	return err
}

func (s *Store) notices(ctx context.Context, key store.Key, state string, after int64, limit int) (out []store.CaseNotice, err error) {
	err = s.readCases(ctx, key, func(ctx context.Context, t pgx.Tx, program int32) error {
		rows, err := t.Query(ctx, findNotices, program, state, after, limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanNotice)
		return err
	})
	return out, err
}

func scanNotice(row pgx.CollectableRow) (n store.CaseNotice, err error) {
	var id pgtype.UUID
	err = row.Scan(&n.Seq, &id, &n.Touchpoint, &n.Transition, &n.At, &n.State, &n.Record)
	n.CaseID, n.At = uuid.UUID(id.Bytes).String(), n.At.UTC()
	return n, err
}

// SettleNotice implements store.Cases. Of a notice that is not there it says store.ErrNotFound.
func (s *Store) SettleNotice(ctx context.Context, program store.Key, seq int64, state string, record []byte, now time.Time) error {
	if err := commit.CheckSettled(state, record); err != nil {
		return wrap("settle notice", err)
	}
	if len(record) == 0 {
		record = nil
	}
	var refused error
	err := s.do(ctx, func(t *tx) (*pgx.Batch, error) {
		refused = nil
		number, err := findProgram(t.ctx, t.conn, program)
		if err != nil {
			return nil, err
		}
		b := t.batch()
		b.Queue(setNotice, state, record, instant(now.UnixMicro()), number, seq).Exec(func(set pgconn.CommandTag) error {
			if set.RowsAffected() == 0 {
				refused = store.ErrNotFound
			}
			return nil
		})
		return b, nil
	})
	if err = errors.Join(err, refused); err != nil {
		return wrap("settle notice", err)
	}
	return nil
}
