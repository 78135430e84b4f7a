package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	oldVisits = `SELECT id FROM visit INDEXED BY visit_by_time WHERE program = ? AND started_at < ? ORDER BY started_at LIMIT ?`
	// oldInvitations goes on after what it returned before, because some of those that are old have not expired.
	oldInvitations = `
SELECT invited_at, id FROM invitation INDEXED BY invitation_by_time
WHERE program = ?1 AND (invited_at, id) > (?2, ?3) AND invited_at < ?4 AND expires_at <= ?5 ORDER BY invited_at, id LIMIT ?6`

	// The counts of what is forgotten stay, as those of what is retired. One that is missing is inserted with n = 0, so that
	// nothing covers up what a recount would find.
	foldVisits = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, 0, count(*), 0
FROM visit_count WHERE program = ?1 AND visit IN (SELECT unhex(value) FROM json_each(?2)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET retired = retired + excluded.retired`
	foldInvitations = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq)
SELECT program, touchpoint, unit, question, revision, hour, value, 0, count(*), 0
FROM invitation_count WHERE program = ?1 AND invitation IN (SELECT unhex(value) FROM json_each(?2)) GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT DO UPDATE SET retired = retired + excluded.retired`

	dropVisits      = `DELETE FROM visit WHERE program = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))`
	dropInvitations = `DELETE FROM invitation WHERE program = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))`
)

// Forget implements store.Store.
func (s *Store) Forget(ctx context.Context, program store.Key, visits, invitations, now time.Time) (int64, error) {
	n, err := s.repeat(ctx, func(t *tx) (int, error) { return t.forgetVisits(program, commit.Bound(visits)) })
	if err != nil {
		return n, fmt.Errorf("sqlite: forget: %w", err)
	}
	after := position{at: math.MinInt64}
	m, err := s.repeat(ctx, func(t *tx) (int, error) {
		return t.forgetInvitations(program, &after, commit.Bound(invitations), now.UnixMicro())
	})
	if err != nil {
		return n + m, fmt.Errorf("sqlite: forget: %w", err)
	}
	return n + m, nil
}

func (t *tx) forgetVisits(key store.Key, before int64) (int, error) {
	program, err := t.knownProgram(key)
	if err != nil || program == 0 {
		return 0, err
	}
	rows, err := t.conn.QueryContext(context.Background(), oldVisits, program, before, deleteBatch)
	if err != nil {
		return 0, err
	}
	ids, err := scanIDs(rows)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), t.execEach(program, hexListOf(ids), foldVisits, dropVisits)
}

// position is a place in the order of a time and an identity.
type position struct {
	at int64
	id uuid.UUID
}

// forgetInvitations goes on after the position, and moves it.
func (t *tx) forgetInvitations(key store.Key, after *position, before, expired int64) (int, error) {
	program, err := t.knownProgram(key)
	if err != nil || program == 0 {
		return 0, err
	}
	rows, err := t.conn.QueryContext(context.Background(), oldInvitations, program, after.at, after.id[:], before, expired, deleteBatch)
	if err != nil {
		return 0, err
	}
	found, err := scanPositions(rows)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	*after = found[len(found)-1]
	return len(found), t.execEach(program, hexListOf(idsOf(found)), foldInvitations, dropInvitations)
}

// execEach runs statements on a list of a program.
func (t *tx) execEach(program int64, list string, statements ...string) error {
	for _, statement := range statements {
		if _, err := t.conn.ExecContext(context.Background(), statement, program, list); err != nil {
			return err
		}
	}
	return nil
}

func scanIDs(rows *sql.Rows) (ids []uuid.UUID, err error) {
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func scanPositions(rows *sql.Rows) (found []position, err error) {
	defer rows.Close()
	for rows.Next() {
		var p position
		if err := rows.Scan(&p.at, &p.id); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

func idsOf(found []position) []uuid.UUID {
	out := make([]uuid.UUID, len(found))
	for i, p := range found {
		out[i] = p.id
	}
	return out
}
