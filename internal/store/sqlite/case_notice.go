package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// untended says whether there is something for tendNotices to do.
	untended = `SELECT EXISTS (SELECT 1 FROM customer_case INDEXED BY case_untold
	WHERE program = ?1 AND state = 'Open' AND told = 0 AND promised_by <= ?2)
OR EXISTS (SELECT 1 FROM case_notice INDEXED BY notice_delivered WHERE program = ?1 AND state = 'Delivered' AND settled_at <= ?3)`
	untold = `SELECT promised_by, id FROM customer_case INDEXED BY case_untold
WHERE program = ? AND state = 'Open' AND told = 0 AND promised_by <= ? ORDER BY promised_by, id LIMIT ?`
	// addOverdue adds them in the order of the list.
	addOverdue = `INSERT INTO case_notice (program, id, transition, at)
SELECT c.program, c.id, 'Overdue', c.promised_by FROM json_each(?2) AS l CROSS JOIN customer_case AS c
ON c.program = ?1 AND c.id = unhex(l.value)`
	setTold       = `UPDATE customer_case SET told = 1 WHERE program = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))`
	dropDelivered = `DELETE FROM case_notice WHERE seq IN (SELECT seq FROM case_notice INDEXED BY notice_delivered
	WHERE program = ? AND state = 'Delivered' AND settled_at <= ? LIMIT ?)`
	findNotices = `SELECT n.seq, n.id, c.touchpoint, n.transition, n.at, n.state, n.record
FROM case_notice AS n INDEXED BY notice_by_state CROSS JOIN customer_case AS c ON c.program = n.program AND c.id = n.id
WHERE n.program = ? AND n.state = ? AND n.seq > ? ORDER BY n.seq LIMIT ?`
	setNotice = `UPDATE case_notice SET state = ?, record = ?, settled_at = ? WHERE program = ? AND seq = ?`
)

// Notices implements store.Cases. It changes the file only where there is something to change.
func (s *Store) Notices(ctx context.Context, program store.Key, state string, after int64, limit int, now time.Time) (out []store.CaseNotice, err error) {
	if err = commit.CheckNotices(state, limit); err == nil {
		if err = s.tend(ctx, program, now); err == nil {
			out, err = s.notices(ctx, program, state, after, limit)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: notices: %w", err)
	}
	return out, nil
}

// tend writes notices of what is overdue, and deletes those that were delivered long ago.
func (s *Store) tend(ctx context.Context, key store.Key, now time.Time) error {
	at, old := now.UnixMicro(), now.Add(-commit.DeliveredFor).UnixMicro()
	var some bool
	err := s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
		program, err := numberOf(ctx, t, key)
		if err != nil {
			return err
		}
		return t.QueryRowContext(ctx, untended, program, at, old).Scan(&some)
	})
	if err != nil || !some {
		return err
	}
	_, err = s.repeat(ctx, func(t *tx) (int, error) {
		program, err := t.knownProgram(key)
		if err != nil {
			return 0, err
		}
		return t.tendNotices(program, at, old)
	})
	return err
}

// tendNotices returns how much it found to do of what it found more of.
func (t *tx) tendNotices(program, at, old int64) (int, error) {
	ctx := context.Background()
	rows, err := t.conn.QueryContext(ctx, untold, program, at, deleteBatch)
	if err != nil {
		return 0, err
	}
	found, err := scanPositions(rows)
	if err != nil {
		return 0, err
	}
	if err := t.execEach(program, hexListOf(idsOf(found)), addOverdue, setTold); err != nil {
		return 0, err
	}
	dropped, err := t.conn.ExecContext(ctx, dropDelivered, program, old, deleteBatch)
	if err != nil {
		return 0, err
	}
	n, err := dropped.RowsAffected()
	return max(len(found), int(n)), err
}

func (s *Store) notices(ctx context.Context, key store.Key, state string, after int64, limit int) (out []store.CaseNotice, err error) {
	err = s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
		program, err := numberOf(ctx, t, key)
		if err != nil {
			return err
		}
		rows, err := t.QueryContext(ctx, findNotices, program, state, after, limit)
		if err != nil {
			return err
		}
		out, err = scanNotices(rows)
		return err
	})
	return out, err
}

func scanNotices(rows *sql.Rows) (out []store.CaseNotice, err error) {
	defer rows.Close()
	for rows.Next() {
		var n store.CaseNotice
		var id uuid.UUID
		var at int64
		if err := rows.Scan(&n.Seq, &id, &n.Touchpoint, &n.Transition, &at, &n.State, &n.Record); err != nil {
			return nil, err
		}
		n.CaseID, n.At = id.String(), time.UnixMicro(at).UTC()
		out = append(out, n)
	}
	return out, rows.Err()
}

// SettleNotice implements store.Cases. Of a notice that is not there it says store.ErrNotFound.
func (s *Store) SettleNotice(ctx context.Context, program store.Key, seq int64, state string, record []byte, now time.Time) error {
	err := commit.CheckSettled(state, record)
	if err == nil {
		err = s.do(ctx, func(t *tx) error {
			number, err := t.knownProgram(program)
			if err != nil {
				return err
			}
			if len(record) == 0 {
				record = nil
			}
			set, err := t.conn.ExecContext(context.Background(), setNotice, state, record, now.UnixMicro(), number, seq)
			return needRow(set, err, store.ErrNotFound)
		})
	}
	if err != nil {
		return fmt.Errorf("sqlite: settle notice: %w", err)
	}
	return nil
}
