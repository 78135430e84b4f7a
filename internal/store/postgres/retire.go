package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// deleteBatch bounds what one transaction deletes or changes, and so how long it keeps appends waiting.
const deleteBatch = 256

const (
	// One transaction at a time deletes or changes what is stored of a program: what it counts is then what it deletes.
	lockProgram = `SELECT pg_advisory_xact_lock('response'::regclass::oid::int, $1)`
	expired     = `SELECT submitted_at, submission, standing = 'suspect' FROM response WHERE program = $1 AND submitted_at < $2
		ORDER BY submitted_at, submission LIMIT $3`

	// countsOf are the counts of some responses. The offset keeps PostgreSQL from making a join of what is a look-up for each.
	// The times limit each table by itself, because that is how it chooses their partitions: once by all, before it plans.
	countsOf = ` FROM unnest($2::timestamptz[], $3::uuid[]) AS k (at, id) CROSS JOIN LATERAL (
			SELECT * FROM counted AS c
			WHERE c.program = $1 AND c.submission = k.id AND c.submitted_at = k.at AND c.submitted_at BETWEEN $4 AND $5
			AND c.answered_at = k.at AND c.answered_at BETWEEN $4 AND $5 OFFSET 0
		) AS c `
	groupCounts = ` GROUP BY c.program, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET `
	// countResponses adds the counts, times $7. It inserts a count that is missing, so that erasure does not cover up what a
	// recount would find.
	countResponses = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, seq)
		SELECT c.program, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value, $6::smallint, $7::int * count(*), currval('commit_seq')` +
		countsOf + groupCounts + `n = rollup.n + excluded.n, seq = excluded.seq`
	uncountSuspects = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, seq)
		SELECT c.program, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value, $6::smallint, -count(*), currval('commit_seq')` +
		countsOf + `WHERE c.question = '@suspect'` + groupCounts + `n = rollup.n + excluded.n, seq = excluded.seq`
	// foldRetired inserts a count that is missing with n = 0, so that retention does not cover up what a recount would find.
	foldRetired = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
		SELECT c.program, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value, $6::smallint, 0, count(*), 0` +
		countsOf + `WHERE c.question <> '@suspect'` + groupCounts + `retired = rollup.retired + excluded.retired`

	// ofSelected are some rows of r.
	ofSelected = ` unnest($2::timestamptz[], $3::uuid[]) AS k (at, id)
		WHERE r.program = $1 AND r.submitted_at = k.at AND r.submitted_at BETWEEN $4 AND $5 AND r.submission = k.id`
	deleteAnswers   = `DELETE FROM answer AS r USING` + ofSelected
	deleteResponses = `DELETE FROM response AS r USING` + ofSelected

	// buryIdentities puts tombstones in the place of submissions: what commit.NewTombstone makes.
	buryIdentities = `WITH gone AS (
			DELETE FROM submission WHERE program = $1 AND id = ANY ($2::uuid[]) RETURNING program, id, digest, receipt
		) INSERT INTO erased (program, id, digest, receipt)
		SELECT program, sha256('id'::bytea || uuid_send(id)), sha256('digest'::bytea || uuid_send(id) || digest), receipt FROM gone`
)

// selected are responses of a program, by when they were submitted and their identities.
type selected struct {
	program int32
	times   []time.Time
	ids     []pgtype.UUID
}

func (s *selected) add(at time.Time, id pgtype.UUID) {
	s.times, s.ids = append(s.times, at), append(s.ids, id)
}

// args are those of a statement on them: the program, the times and identities, the first and the last of the times, and more.
func (s *selected) args(more ...any) []any {
	return append([]any{s.program, s.times, s.ids, slices.MinFunc(s.times, time.Time.Compare), slices.MaxFunc(s.times, time.Time.Compare)}, more...)
}

// exec queues a statement on them, with more arguments.
func (s *selected) exec(b *pgx.Batch, statement string, more ...any) {
	b.Queue(statement, s.args(more...)...)
}

// delete queues their deletion, identities included. Their cases stay, and know them no more.
func (s *selected) delete(b *pgx.Batch) {
	b.Queue(leaveCases, s.program, s.ids)
	s.exec(b, deleteAnswers)
	s.exec(b, deleteResponses)
	b.Queue(buryIdentities, s.program, s.ids)
}

// step is what one transaction of several did: it found some, and changed those that were still as it had found them. next,
// which may be nil, is called when that is committed.
type step struct {
	found, changed int
	next           func()
}

// repeat has the loop run a change of a program, each time in a transaction of its own that holds the program's lock, until
// it finds less than deleteBatch, and returns how much it changed in all.
func (s *Store) repeat(ctx context.Context, key store.Key, change func(t *tx, program int32) (step, *pgx.Batch, error)) (total int64, err error) {
	for {
		var last step
		err := s.do(ctx, func(t *tx) (b *pgx.Batch, err error) {
			last = step{}
			program, err := t.lock(key)
			if err != nil || program == 0 {
				return nil, err
			}
			last, b, err = change(t, program)
			return b, err
		})
		if err != nil {
			return total, err
		}
		total += int64(last.changed)
		if last.found < deleteBatch {
			return total, nil
		}
		if last.next != nil {
			last.next()
		}
	}
}

// lock begins the transaction, if it has not begun, and locks a program against others that delete or change what it has. It
// returns its number, 0 where there is none.
func (t *tx) lock(key store.Key) (int32, error) {
	program, err := findProgram(t.ctx, t.conn, key)
	if err != nil || program == 0 {
		return 0, err
	}
	b := t.batch()
	b.Queue(lockProgram, program)
	return program, t.send(b)
}

// Retire implements store.Store. It also drops the partitions that have become empty.
func (s *Store) Retire(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	bound := instant(commit.Bound(before))
	total, err := s.repeat(ctx, program, func(t *tx, program int32) (step, *pgx.Batch, error) {
		n, b, err := t.retire(program, bound)
		return step{found: n, changed: n}, b, err
	})
	if err != nil {
		return total, wrap("retire", err)
	}
	return total, s.dropAfter(ctx, bound, total)
}

// dropAfter drops empty partitions, where something was deleted.
func (s *Store) dropAfter(ctx context.Context, bound time.Time, deleted int64) error {
	if deleted == 0 {
		return nil
	}
	err := s.reading(ctx, func(ctx context.Context) error { return s.dropMonths(ctx, bound) })
	if err != nil && !errors.Is(err, store.ErrClosed) {
		return wrap("retire", err)
	}
	return nil
}

// retire deletes the oldest responses, with their answers, and returns how many.
func (t *tx) retire(program int32, bound time.Time) (int, *pgx.Batch, error) {
	doomed, suspects := selected{program: program}, false
	rows, err := t.conn.Query(t.ctx, expired, program, bound, deleteBatch)
	if err != nil {
		return 0, nil, err
	}
	var at time.Time
	var id pgtype.UUID
	var suspect bool
	if _, err := pgx.ForEachRow(rows, []any{&at, &id, &suspect}, func() error {
		doomed.add(at, id)
		suspects = suspects || suspect
		return nil
	}); err != nil || len(doomed.ids) == 0 {
		return 0, nil, err
	}
	b := t.batch()
	doomed.exec(b, foldRetired, t.slot)
	if suspects {
		t.number(b, program)
		doomed.exec(b, uncountSuspects, t.slot)
	}
	doomed.delete(b)
	return len(doomed.ids), b, nil
}

// number gives the transaction its number, before a statement that changes counts of a program with it.
func (t *tx) number(b *pgx.Batch, program int32) {
	t.changed[program], t.numbered = true, true
	number(b)
}

const (
	byReceipt       = `SELECT id, submitted_at FROM submission WHERE program = $1 AND receipt = $2 LIMIT 1 FOR UPDATE`
	erasedByReceipt = `SELECT EXISTS (SELECT FROM erased WHERE program = $1 AND receipt = $2)`
)

// Erase implements store.Store.
func (s *Store) Erase(ctx context.Context, program store.Key, receipt string) (bool, error) {
	if receipt == "" {
		return false, nil
	}
	var known bool
	err := s.do(ctx, func(t *tx) (b *pgx.Batch, err error) {
		known, b, err = t.erase(program, receipt)
		return b, err
	})
	if err != nil {
		return false, wrap("erase", err)
	}
	return known, nil
}

func (t *tx) erase(key store.Key, receipt string) (bool, *pgx.Batch, error) {
	program, err := t.lock(key)
	if err != nil || program == 0 {
		return false, nil, err
	}
	doomed, erased := selected{program: program}, false
	var cases []commit.CaseRecord
	var now time.Time
	b := t.batch()
	b.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	b.Queue(contactReceipt, program, receipt, deleteBatch).Query(into(&cases))
	b.Queue(byReceipt, program, receipt).Query(func(rows pgx.Rows) error {
		var at time.Time
		var id pgtype.UUID
		_, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
			doomed.add(at, id)
			return nil
		})
		return err
	})
	b.Queue(erasedByReceipt, program, receipt).QueryRow(func(row pgx.Row) error { return row.Scan(&erased) })
	if err := t.send(b); err != nil {
		return false, nil, err
	}
	b = t.batch()
	t.dropContacts(b, program, cases, now)
	if len(doomed.ids) == 0 {
		return erased, b, nil
	}
	t.number(b, program)
	doomed.exec(b, countResponses, t.slot, -1)
	doomed.delete(b)
	return true, b, nil
}
