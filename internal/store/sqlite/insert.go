package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
)

// statements of the writer, prepared once.
type statements struct {
	findProgram, addProgram, touch         *sql.Stmt
	addSubmission, findSubmission          *sql.Stmt
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
func (t *tx) insertAll(parts []part) error {
	for _, p := range parts {
		for i := p.from; i < p.to; i++ {
			r := &p.rows[i]
			program, err := t.program(r.program)
			if err != nil {
				return err
			}
			if p.results[i], err = t.insert(program, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertEach inserts the rows one by one. What is wrong with one fails its own request only; of that one's rows, those
// before it stay.
func (t *tx) insertEach(parts []part) error {
	for _, p := range parts {
		for i := p.from; i < p.to && p.err == nil; i++ {
			r := &p.rows[i]
			program, err := t.program(r.program)
			if err != nil {
				return err
			}
			p.results[i], err = t.tryInsert(program, r)
			if away(err) {
				return err
			}
			if err != nil {
				p.err = fmt.Errorf("sqlite: append: response %s: %w", r.id, err)
			}
		}
	}
	return nil
}

// tryInsert leaves nothing of a row that fails.
func (t *tx) tryInsert(program int64, r *row) (store.Result, error) {
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

func (t *tx) insert(program int64, r *row) (store.Result, error) {
	added, err := t.stmts.addSubmission.Exec(program, r.id[:], r.digest[:], r.receipt)
	if err != nil {
		return store.Result{}, err
	}
	if n, err := added.RowsAffected(); err != nil {
		return store.Result{}, err
	} else if n == 0 {
		return t.compare(program, r)
	}
	inserted, err := t.stmts.addResponse.Exec(program, r.id[:], r.submittedAt, r.touchpoint, r.unit, r.language)
	if err != nil {
		return store.Result{}, err
	}
	id, err := inserted.LastInsertId()
	if err != nil {
		return store.Result{}, err
	}
	for _, a := range r.answers {
		if _, err := t.stmts.addAnswer.Exec(id, a.question, a.revision, a.kind, a.vals); err != nil {
			return store.Result{}, err
		}
	}
	t.counts.add(program, r)
	t.touched[program] = true
	return store.Result{Outcome: store.Stored, Receipt: r.receipt}, nil
}

// compare tells a repeat from a conflict.
func (t *tx) compare(program int64, r *row) (store.Result, error) {
	var digest []byte
	var receipt string
	if err := t.stmts.findSubmission.QueryRow(program, r.id[:]).Scan(&digest, &receipt); err != nil {
		return store.Result{}, err
	}
	if !bytes.Equal(digest, r.digest[:]) {
		return store.Result{Outcome: store.Conflict}, nil
	}
	return store.Result{Outcome: store.Repeated, Receipt: receipt}, nil
}
