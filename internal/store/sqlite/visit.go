package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	// finished returns a row where the response of a visit is stored, or was.
	finished = `
SELECT 1 FROM submission WHERE program = ?1 AND id = ?2
UNION ALL SELECT 1 FROM erased WHERE program = ?1 AND id = ?3 LIMIT 1`
	findVisit = `SELECT touchpoint, unit, started_at, question, position FROM visit WHERE program = ? AND id = ?`
	addVisit  = `INSERT INTO visit (program, id, touchpoint, unit, started_at, question, position) VALUES (?, ?, ?, ?, ?, ?, ?)`
	moveVisit = `UPDATE visit SET question = ?, position = ? WHERE program = ? AND id = ?`
	dropVisit = `DELETE FROM visit WHERE program = ? AND id = ? RETURNING touchpoint, unit, started_at, question, position`
)

// Track implements store.Store.
func (s *Store) Track(ctx context.Context, visits []store.Visit) error {
	return s.loop.Track(ctx, visits)
}

// visit is what is stored of one.
type visit struct {
	touchpoint, unit string
	startedAt        int64
	question         string
	position         int32
}

// scanVisit returns nil where there is none.
func scanVisit(row *sql.Row) (*visit, error) {
	var v visit
	err := row.Scan(&v.touchpoint, &v.unit, &v.startedAt, &v.question, &v.position)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &v, err
}

// key says where a visit is counted.
func (v *visit) key(program int64) commit.CountKey {
	return commit.CountKey{Program: program, Touchpoint: v.touchpoint, Unit: v.unit, Hour: hourOf(v.startedAt)}
}

func (t *tx) track(program int64, v *commit.Visit) error {
	var one int
	switch err := t.stmts.finished.QueryRow(program, v.ID[:], v.Erased[:]).Scan(&one); {
	case err == nil:
		return nil
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	old, err := scanVisit(t.stmts.findVisit.QueryRow(program, v.ID[:]))
	switch {
	case err != nil:
		return err
	case old == nil:
		key := commit.CountKey{Program: program, Touchpoint: v.Touchpoint, Unit: v.Unit, Hour: v.Hour}
		t.count(key, store.QuestionUnfinished, v.Question, 1)
		_, err := t.stmts.addVisit.Exec(program, v.ID[:], v.Touchpoint, v.Unit, v.StartedAt, v.Question, v.Position)
		return err
	case old.position >= v.Position:
		return nil
	}
	t.count(old.key(program), store.QuestionUnfinished, old.question, -1)
	t.count(old.key(program), store.QuestionUnfinished, v.Question, 1)
	_, err = t.stmts.moveVisit.Exec(v.Question, v.Position, program, v.ID[:])
	return err
}

// finishVisit forgets the visit that a new response ends, if it was tracked: it is unfinished no more.
func (t *tx) finishVisit(program int64, id uuid.UUID) error {
	v, err := scanVisit(t.stmts.dropVisit.QueryRow(program, id[:]))
	if v != nil && err == nil {
		t.count(v.key(program), store.QuestionUnfinished, v.question, -1)
	}
	return err
}
