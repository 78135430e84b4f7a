package sqlite

import (
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// manyStatements are those that responses are stored with, many at a time.
type manyStatements struct {
	findErased, addSubmissions, findVisits many
	addResponses, addAnswers, addCounts    many
}

func newManyStatements(conn *sql.Conn) manyStatements {
	return manyStatements{
		findErased: many{conn: conn, columns: 2, head: `WITH k (program, id) AS (`,
			tail: `) SELECT 1 FROM k CROSS JOIN erased AS e ON e.program = k.program AND e.id = k.id LIMIT 1`},
		addSubmissions: many{conn: conn, columns: 4, head: `INSERT INTO submission (program, id, digest, receipt)`},
		findVisits: many{conn: conn, columns: 2, head: `WITH k (program, id) AS (`,
			tail: `) SELECT v.program, v.id FROM k CROSS JOIN visit AS v ON v.program = k.program AND v.id = k.id`},
		addResponses: many{conn: conn, columns: 10, head: `INSERT INTO response
			(id, program, submission, submitted_at, touchpoint, unit, language, standing, passed, failed)`},
		addAnswers: many{conn: conn, columns: 5, head: `INSERT INTO answer (response, question, revision, kind, vals)`},
		addCounts: many{conn: conn, columns: 9, head: `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)`,
			tail: ` ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`},
	}
}

// incoming is a response on its way in, and where its result goes.
type incoming struct {
	*commit.Row
	program int64
	result  *store.Result
}

// insertResponses stores responses in their order.
func (t *tx) insertResponses(in []incoming) error {
	var stored []incoming
	for _, size := range manySizes {
		for ; len(in) >= size; in = in[size:] {
			some, err := t.take(in[:size])
			if err != nil {
				return err
			}
			stored = append(stored, some...)
		}
	}
	if err := t.finishVisits(stored); err != nil {
		return err
	}
	return t.insertContent(stored)
}

// take takes the identities of as many responses as a statement takes, and has their invitations answered. It returns those
// that are to be stored, and says of the others why they are not. It takes them all for new ones; where one is not, it does so
// with the halves, down to that one.
func (t *tx) take(in []incoming) (stored []incoming, err error) {
	if len(in) == 1 {
		return t.takeOne(in[0])
	}
	fresh, err := t.takeTogether(in)
	if err != nil {
		return nil, err
	}
	if fresh {
		return t.answerInvitations(in)
	}
	first, err := t.take(in[:len(in)/2])
	if err != nil {
		return nil, err
	}
	second, err := t.take(in[len(in)/2:])
	return append(first, second...), err
}

// takeTogether takes the identities of all of the responses by one statement, or none and returns false.
func (t *tx) takeTogether(in []incoming) (fresh bool, err error) {
	var keys, submissions []any
	for _, r := range in {
		keys = append(keys, r.program, r.Erased[:])
		submissions = append(submissions, r.program, r.ID[:], r.Digest[:], r.Receipt)
	}
	fresh = true
	err = t.many.findErased.query(keys, func(*sql.Rows) error {
		fresh = false
		return nil
	})
	if err != nil || !fresh {
		return false, err
	}
	if err = t.many.addSubmissions.exec(submissions); taken(err) {
		return false, nil
	}
	return err == nil, err
}

// taken tells whether a row could not be inserted because its key is taken.
func taken(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY
}

// takeOne is take for one response, which need not be new.
func (t *tx) takeOne(r incoming) (stored []incoming, err error) {
	result, ok, err := t.compareErased(r.program, r.Row)
	if ok || err != nil {
		*r.result = result
		return nil, err
	}
	added, err := t.stmts.addSubmission.Exec(r.program, r.ID[:], r.Digest[:], r.Receipt)
	if err != nil {
		return nil, err
	}
	if n, err := added.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 {
		*r.result, err = t.compare(r.program, r.Row)
		return nil, err
	}
	return t.answerInvitations([]incoming{r})
}

// answerInvitations leaves out the responses whose invitations are spent.
func (t *tx) answerInvitations(in []incoming) (stored []incoming, err error) {
	stored = make([]incoming, 0, len(in))
	for _, r := range in {
		if r.Invitation != uuid.Nil {
			spent, err := t.answer(r.program, r.Row)
			if err != nil {
				return nil, err
			}
			if spent {
				*r.result = store.Result{Outcome: store.Spent}
				continue
			}
		}
		stored = append(stored, r)
	}
	return stored, nil
}

// insertContent adds responses with their answers, and their cases where they open one, and counts them.
func (t *tx) insertContent(in []incoming) error {
	var responses, answers []any
	for _, r := range in {
		t.lastResponse++
		responses = append(responses, t.lastResponse, r.program, r.ID[:], r.SubmittedAt, r.Touchpoint, r.Unit, r.Language,
			string(r.Standing), r.Passed, r.Failed)
		for _, a := range r.Answers {
			answers = append(answers, t.lastResponse, a.Question, int64(a.Revision), a.Kind, a.Vals)
		}
	}
	if err := t.many.addResponses.exec(responses); err != nil {
		return err
	}
	if err := t.many.addAnswers.exec(answers); err != nil {
		return err
	}
	for _, r := range in {
		if r.Case != nil {
			if err := t.openCase(r.program, r.Row); err != nil {
				return err
			}
		}
		t.counts.Add(r.program, r.Row)
		t.touched[r.program] = true
		*r.result = store.Result{Outcome: store.Stored, Receipt: r.Receipt}
	}
	return nil
}

// finishVisits forgets the visits that responses, which are new, end.
func (t *tx) finishVisits(in []incoming) error {
	var keys []any
	for _, r := range in {
		if r.Started {
			keys = append(keys, r.program, r.ID[:])
		}
	}
	type visitor struct {
		program int64
		id      uuid.UUID
	}
	var tracked []visitor
	err := t.many.findVisits.query(keys, func(rows *sql.Rows) error {
		var v visitor
		err := rows.Scan(&v.program, &v.id)
		tracked = append(tracked, v)
		return err
	})
	for _, v := range tracked {
		if err == nil {
			err = t.finishVisit(v.program, v.id)
		}
	}
	return err
}
