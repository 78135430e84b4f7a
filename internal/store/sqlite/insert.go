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
	begin, commit                          *sql.Stmt
	findProgram, addProgram, touch         *sql.Stmt
	addSubmission, findSubmission          *sql.Stmt
	dropSubmission, findErased             *sql.Stmt
	findInvitation, addInvitation, pasts   *sql.Stmt
	addSpent, answered                     *sql.Stmt
	finished, findVisit, addVisit          *sql.Stmt
	moveVisit, dropVisit                   *sql.Stmt
	addCase, addOpened                     *sql.Stmt
	savepoint, releaseSavepoint, backTrack *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.commit, `COMMIT`},
		{&s.findProgram, `SELECT id FROM program WHERE namespace = ? AND name = ?`},
		{&s.addProgram, `INSERT INTO program (namespace, name) VALUES (?, ?) RETURNING id`},
		{&s.touch, `UPDATE program SET seq = ? WHERE id = ?`},
		{&s.addSubmission, `INSERT INTO submission (program, id, digest, receipt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.findSubmission, `SELECT digest, receipt FROM submission WHERE program = ? AND id = ?`},
		{&s.dropSubmission, `DELETE FROM submission WHERE program = ? AND id = ?`},
		{&s.findErased, `SELECT digest, receipt FROM erased WHERE program = ? AND id = ?`},
		{&s.findInvitation, findInvitation}, {&s.addInvitation, addInvitation}, {&s.pasts, pasts},
		{&s.addSpent, addSpent}, {&s.answered, `UPDATE invitation SET answered_on = ? WHERE program = ? AND id = ?`},
		{&s.finished, finished}, {&s.findVisit, findVisit}, {&s.addVisit, addVisit}, {&s.moveVisit, moveVisit}, {&s.dropVisit, dropVisit},
		{&s.addCase, addCase}, {&s.addOpened, addOpened},
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

// insertAll stores all of the parts, or fails: first what is no response, then the responses together.
func (t *tx) insertAll(parts []commit.Part) error {
	var in []incoming
	for _, p := range parts {
		if len(p.Rows) == 0 {
			if err := t.insertSome(p, p.From, p.To); err != nil {
				return err
			}
			continue
		}
		for i := p.From; i < p.To; i++ {
			program, err := t.program(programOf(p, i))
			if err != nil {
				return err
			}
			in = append(in, incoming{&p.Rows[i], program, &p.Results[i]})
		}
	}
	return t.insertResponses(in)
}

// insertSome stores what a part has from one place up to another.
func (t *tx) insertSome(p commit.Part, from, to int) error {
	for i := from; i < to; i++ {
		program, err := t.program(programOf(p, i))
		if err != nil {
			return err
		}
		switch {
		case len(p.Rows) > 0:
			err = t.insertResponses([]incoming{{&p.Rows[i], program, &p.Results[i]}})
		case len(p.Visits) > 0:
			err = t.track(program, &p.Visits[i])
		default:
			p.Invited[i], err = t.invite(program, &p.Invitations[i], p.Fatigue)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func programOf(p commit.Part, i int) store.Key {
	switch {
	case len(p.Rows) > 0:
		return p.Rows[i].Program
	case len(p.Visits) > 0:
		return p.Visits[i].Program
	default:
		return p.Invitations[i].Program
	}
}

// insertEach stores responses and visits one by one, and the invitations of a call together. What is wrong with one fails
// its own call only; of that one's responses and visits, those before it stay.
func (t *tx) insertEach(parts []commit.Part) error {
	for _, p := range parts {
		step := 1
		if len(p.Invitations) > 0 {
			step = len(p.Invitations)
		}
		for i := p.From; i < p.To && p.Err() == nil; i += step {
			err := t.tryInsert(p, i, i+step)
			if away(err) {
				return err
			}
			if err != nil {
				p.Fail(fmt.Errorf("%s: %s: %w", p.Name, describe(p, i), err))
			}
		}
	}
	return nil
}

func describe(p commit.Part, i int) string {
	switch {
	case len(p.Rows) > 0:
		return "response " + p.Rows[i].ID.String()
	case len(p.Visits) > 0:
		return "visit " + p.Visits[i].ID.String()
	default:
		return "invitations"
	}
}

// tryInsert is insertSome, which leaves nothing of them if it fails, but the numbers of their programs.
func (t *tx) tryInsert(p commit.Part, from, to int) error {
	for i := from; i < to; i++ {
		if _, err := t.program(programOf(p, i)); err != nil {
			return err
		}
	}
	if _, err := t.stmts.savepoint.Exec(); err != nil {
		return err
	}
	counts := t.counts
	t.counts = commit.Counts{}
	err := t.insertSome(p, from, to)
	if err != nil {
		_, err2 := t.stmts.backTrack.Exec()
		err = errors.Join(err, err2)
	} else {
		counts.Merge(t.counts)
	}
	t.counts = counts
	_, err2 := t.stmts.releaseSavepoint.Exec()
	return errors.Join(err, err2)
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

// knownProgram returns the number of a program, 0 if it is new.
func (t *tx) knownProgram(key store.Key) (id int64, err error) {
	err = t.stmts.findProgram.QueryRow(key.Namespace, key.Name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
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
	var digest []byte
	var receipt string
	err = t.stmts.findErased.QueryRow(program, r.Erased[:]).Scan(&digest, &receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Result{}, false, nil
	}
	tombstone := commit.NewTombstone(r.ID, r.Digest)
	return commit.Compare(digest, tombstone.Digest[:], receipt), true, err
}
