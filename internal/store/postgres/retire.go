package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// retireBatch bounds the responses that one transaction deletes, and so how long it keeps appends waiting.
const retireBatch = 256

const (
	// One transaction at a time deletes a program's answers: what it counts is then what it deletes.
	lockProgram = `SELECT pg_advisory_xact_lock('response'::regclass::oid::int, $1)`
	expired     = `SELECT submitted_at, submission FROM response WHERE program = $1 AND submitted_at < $2
		ORDER BY submitted_at, submission LIMIT $3`

	// doomed are the responses to be deleted. The bounds of submitted_at are for the choice of partitions.
	doomed          = ` program = $1 AND submitted_at >= $2 AND submitted_at <= $3 AND submission = ANY ($4::uuid[])`
	doomedCounts    = doomed + ` AND answered_at >= $2 AND answered_at <= $3`
	deleteAnswers   = `DELETE FROM answer WHERE` + doomed
	deleteResponses = `DELETE FROM response WHERE` + doomed

	// foldRetired inserts a count that is missing with n = 0, so that retention does not cover up what a recount would find.
	foldRetired = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
		SELECT program, touchpoint, unit, question, revision, hour, value, $5::smallint, 0, count(*), 0 FROM counted WHERE` + doomedCounts + `
		GROUP BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET retired = rollup.retired + excluded.retired`
)

// deletion names responses of a program: all that are in ids, between two times.
type deletion struct {
	program  int32
	from, to time.Time
	ids      []pgtype.UUID
}

// queue deletes the responses with their answers, after fold, which has their counts and one more argument.
func (d deletion) queue(b *pgx.Batch, fold string, argument any) {
	b.Queue(fold, d.program, d.from, d.to, d.ids, argument)
	b.Queue(deleteAnswers, d.program, d.from, d.to, d.ids)
	b.Queue(deleteResponses, d.program, d.from, d.to, d.ids)
}

// Retire implements store.Store. It also drops the partitions that have become empty.
func (s *Store) Retire(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	// A time is stored rounded down, so the bound is rounded up.
	bound := instant(before.Add(time.Microsecond - 1).UnixMicro())
	for total := int64(0); ; {
		var n int
		err := s.do(ctx, func(t *tx) (b *pgx.Batch, err error) {
			n, b, err = t.retire(program, bound)
			return b, err
		})
		if err != nil {
			return total, wrap("retire", err)
		}
		total += int64(n)
		if n < retireBatch {
			return total, s.dropAfter(ctx, bound, total)
		}
	}
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
func (t *tx) retire(key store.Key, bound time.Time) (int, *pgx.Batch, error) {
	program, err := findProgram(t.ctx, t.conn, key)
	if err != nil || program == 0 {
		return 0, nil, err
	}
	d := deletion{program: program}
	b := t.batch()
	b.Queue(lockProgram, program)
	b.Queue(expired, program, bound, retireBatch).Query(func(rows pgx.Rows) error {
		var id pgtype.UUID
		_, err := pgx.ForEachRow(rows, []any{&d.to, &id}, func() error {
			if len(d.ids) == 0 {
				d.from = d.to
			}
			d.ids = append(d.ids, id)
			return nil
		})
		return err
	})
	if err := t.send(b); err != nil || len(d.ids) == 0 {
		return 0, nil, err
	}
	b = t.batch()
	d.queue(b, foldRetired, t.slot)
	return len(d.ids), b, nil
}

const (
	byReceipt       = `SELECT id, digest, submitted_at FROM submission WHERE program = $1 AND receipt = $2 LIMIT 1 FOR UPDATE`
	erasedByReceipt = `SELECT EXISTS (SELECT FROM erased WHERE program = $1 AND receipt = $2)`
	deleteIdentity  = `DELETE FROM submission WHERE program = $1 AND id = $2`
	addErased       = `INSERT INTO erased (program, id, digest, receipt) VALUES ($1, $2, $3, $4)`

	// uncount inserts a count that is missing, so that erasure does not cover up what a recount would find.
	uncount = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, seq)
		SELECT program, touchpoint, unit, question, revision, hour, value, $5::smallint, -count(*), currval('commit_seq')
		FROM counted WHERE` + doomedCounts + `
		GROUP BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET n = rollup.n + excluded.n, seq = excluded.seq`
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
	program, err := findProgram(t.ctx, t.conn, key)
	if err != nil || program == 0 {
		return false, nil, err
	}
	var id pgtype.UUID
	var digest []byte
	var at time.Time
	erased := false
	b := t.batch()
	b.Queue(lockProgram, program)
	b.Queue(byReceipt, program, receipt).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&id, &digest, &at}, func() error { return nil })
		return err
	})
	b.Queue(erasedByReceipt, program, receipt).QueryRow(func(row pgx.Row) error { return row.Scan(&erased) })
	if err := t.send(b); err != nil || !id.Valid {
		return erased, nil, err
	}
	tombstone := commit.NewTombstone(id.Bytes, [32]byte(digest))
	t.changed[program], t.numbered = true, true
	b = t.batch()
	number(b)
	deletion{program, at, at, []pgtype.UUID{id}}.queue(b, uncount, t.slot)
	b.Queue(deleteIdentity, program, id)
	b.Queue(addErased, program, tombstone.ID[:], tombstone.Digest[:], receipt)
	return true, b, nil
}
