package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// statements of the writer, prepared once.
type statements struct {
	findProgram, addProgram, touch         *sql.Stmt
	addSubmission, findSubmission          *sql.Stmt
	findErased                             *sql.Stmt
	addResponse, addAnswer, addCount       *sql.Stmt
	savepoint, releaseSavepoint, backTrack *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&s.findProgram, `SELECT id FROM program WHERE namespace = ? AND name = ?`},
		{&s.addProgram, `INSERT INTO program (namespace, name) VALUES (?, ?) RETURNING id`},
		{&s.touch, `UPDATE program SET seq = ? WHERE id = ?`},
		{&s.addSubmission, `INSERT INTO submission (program, id, digest, receipt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.findSubmission, `SELECT digest, receipt FROM submission WHERE program = ? AND id = ?`},
		{&s.findErased, `SELECT digest, receipt FROM erased WHERE program = ? AND id = ?`},
		{&s.addResponse, `INSERT INTO response (program, submission, submitted_at, touchpoint, unit, language)
			VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.addAnswer, `INSERT INTO answer (response, question, revision, kind, vals) VALUES (?, ?, ?, ?, ?)`},
		{&s.addCount, `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`},
		{&s.savepoint, `SAVEPOINT response`},
		{&s.releaseSavepoint, `RELEASE response`},
		{&s.backTrack, `ROLLBACK TO response`},
	} {
		stmt, err := conn.PrepareContext(ctx, p.query)
		if err != nil {
			return fmt.Errorf("preparing %q: %w", p.query, err)
		}
		*p.stmt = stmt
	}
	return nil
}

// insertAll inserts every row, or fails.
func (t *tx) insertAll(parts []commit.Part) error {
	for _, p := range parts {
		for i := p.From; i < p.To; i++ {
			r := &p.Rows[i]
			program, err := t.program(r.Program)
			if err != nil {
				return err
			}
			if p.Results[i], err = t.insert(program, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertEach inserts the rows one by one. What is wrong with one fails its own request only; of that one's rows, those
// before it stay.
func (t *tx) insertEach(parts []commit.Part) error {
	for _, p := range parts {
		for i := p.From; i < p.To && p.Err() == nil; i++ {
			r := &p.Rows[i]
			program, err := t.program(r.Program)
			if err != nil {
				return err
			}
			p.Results[i], err = t.tryInsert(program, r)
			if away(err) {
				return err
			}
			if err != nil {
				p.Fail(fmt.Errorf("sqlite: append: response %s: %w", r.ID, err))
			}
		}
	}
	return nil
}

// tryInsert leaves nothing of a row that fails.
func (t *tx) tryInsert(program int64, r *commit.Row) (store.Result, error) {
	if _, err := t.stmts.savepoint.Exec(); err != nil {
		return store.Result{}, err
	}
	result, err := t.insert(program, r)
	if err != nil {
		_, err2 := t.stmts.backTrack.Exec()
		err = errors.Join(err, err2)
	}
	_, err2 := t.stmts.releaseSavepoint.Exec()
	return result, errors.Join(err, err2)
}

// program returns the number of a program, and gives it one if it is new.
func (t *tx) program(key store.Key) (int64, error) {
	if id, ok := t.programs[key]; ok {
		return id, nil
	}
	if id, ok := t.found[key]; ok {
		return id, nil
	}
	var id int64
	err := t.stmts.findProgram.QueryRow(key.Namespace, key.Name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.stmts.addProgram.QueryRow(key.Namespace, key.Name).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("program %s: %w", key, err)
	}
	t.found[key] = id
	return id, nil
}

func (t *tx) insert(program int64, r *commit.Row) (store.Result, error) {
	if result, ok, err := t.compareErased(program, r); ok || err != nil {
		return result, err
	}
	added, err := t.stmts.addSubmission.Exec(program, r.ID[:], r.Digest[:], r.Receipt)
	if err != nil {
		return store.Result{}, err
	}
	if n, err := added.RowsAffected(); err != nil {
		return store.Result{}, err
	} else if n == 0 {
		return t.compare(program, r)
	}
	inserted, err := t.stmts.addResponse.Exec(program, r.ID[:], r.SubmittedAt, r.Touchpoint, r.Unit, r.Language)
	if err != nil {
		return store.Result{}, err
	}
	id, err := inserted.LastInsertId()
	if err != nil {
		return store.Result{}, err
	}
	for _, a := range r.Answers {
		if _, err := t.stmts.addAnswer.Exec(id, a.Question, a.Revision, a.Kind, a.Vals); err != nil {
			return store.Result{}, err
		}
	}
	t.counts.Add(program, r)
	t.touched[program] = true
	return store.Result{Outcome: store.Stored, Receipt: r.Receipt}, nil
}

// compare tells a repeat from a conflict.
func (t *tx) compare(program int64, r *commit.Row) (store.Result, error) {
	var digest []byte
	var receipt string
	if err := t.stmts.findSubmission.QueryRow(program, r.ID[:]).Scan(&digest, &receipt); err != nil {
		return store.Result{}, err
	}
	return commit.Compare(digest, r.Digest[:], receipt), nil
}

// compareErased is compare for what was erased; ok is false where it was not.
func (t *tx) compareErased(program int64, r *commit.Row) (result store.Result, ok bool, err error) {
	tombstone := commit.NewTombstone(r.ID, r.Digest)
	var digest []byte
	var receipt string
	err = t.stmts.findErased.QueryRow(program, tombstone.ID[:]).Scan(&digest, &receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Result{}, false, nil
	}
	return commit.Compare(digest, tombstone.Digest[:], receipt), true, err
}
