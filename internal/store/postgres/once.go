package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// How ordinary responses are stored by one round trip: each is taken for a new one of a program that is known, and the server
// finds a key taken or divides by zero where that is wrong, which undoes the transaction. Then they are stored the other way, which
// looks before it decides. What must hold is looked at in the order of insert.go: the identities are free, which taking them says;
// then, in a later statement, none of them was erased. A visit that one of them ends is taken out of the counts by the server, which alone
// knows where it had come to. Its taking of the identity kept others from tracking it: see visits.want.

const (
	// storeNew takes the identities, and adds the responses with their answers. $6 is what metaWritten was.
	storeNew = `WITH responses AS (
			INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language, standing, passed, failed)
			SELECT * FROM unnest($7::int[], $8::timestamptz[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[], $14::json[], $15::json[])
		), answers AS (
			INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals)
			SELECT * FROM unnest($16::int[], $17::timestamptz[], $18::uuid[], $19::text[], $20::int[], $21::text[], $22::json[])
		)
		INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[])
		WHERE 1 / coalesce((SELECT xmin::text = $6 FROM meta), false)::int = 1`

	// countNew counts them, under a number that it takes as commit.go says. $10 and $11 are the tombstones that there must not be.
	countNew = `WITH unknown AS MATERIALIZED (
			SELECT 1 / (NOT EXISTS (SELECT FROM unnest($10::int[], $11::bytea[]) AS k (program, id) JOIN erased AS e USING (program, id)))::int
		), held AS MATERIALIZED (` + lockLowerBound + `
		), c AS MATERIALIZED (SELECT nextval('commit_seq') AS number FROM unknown CROSS JOIN held
		), progressed AS (
			INSERT INTO progress (program, slot, seq)
			SELECT k.program, $9::smallint, c.number FROM c CROSS JOIN unnest($12::int[]) AS k (program)
			ON CONFLICT (program, slot) DO UPDATE SET seq = excluded.seq
		)`
	addNew = ` INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, slot, seq, number)
		SELECT k.*, $9::smallint, 1::bigint << 62 | c.number | 63, c.number FROM c CROSS JOIN `
	newCounts  = `unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::bigint[])`
	ontoCounts = ` AS k ON CONFLICT (program, hour, key, slot) DO UPDATE
		SET n = rollup.n + excluded.n, seq = excluded.seq, number = excluded.number`

	countOnly = countNew + addNew + newCounts + ontoCounts
	// countAndEnd ends visits as well.
	countAndEnd = countNew + `, ended AS (
			DELETE FROM visit AS v USING unnest($13::int[], $14::uuid[]) AS k (program, id)
			WHERE v.program = k.program AND v.id = k.id
			RETURNING v.program, v.touchpoint, v.unit, floor(extract(epoch FROM v.started_at) / 3600)::bigint AS hour, v.question
		)` + addNew + `(SELECT * FROM ` + newCounts + `
			UNION ALL SELECT program, touchpoint, unit, '` + store.QuestionUnfinished + `', 1, hour, question, -count(*)
			FROM ended GROUP BY program, touchpoint, unit, hour, question)` + ontoCounts
)

// wary is how many transactions look before they decide after one that was undone: the server logs what it undoes, and who
// sends the same again and again is not to fill its log.
const wary = 64

// undone tells whether the server found that what was taken for granted does not hold.
func undone(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "23505" || e.Code == "22012") // unique violation, division by zero
}

// newcomer is a response that is taken for a new one.
type newcomer struct {
	identity
	*commit.Row
}

// newcomers returns the refs in the order of their identities, nil where they are not all ordinary responses of as many
// identities.
func (w *writer) newcomers(refs []ref) []newcomer {
	out := make([]newcomer, len(refs))
	for i, r := range refs {
		if len(r.Rows) == 0 || r.row().Invitation != uuid.Nil {
			return nil
		}
		out[i] = newcomer{identity{w.programs[r.row().Program], r.row().ID}, r.row()}
	}
	slices.SortFunc(out, func(a, b newcomer) int { return compareIdentities(a.identity, b.identity) })
	for i := range out[1:] {
		if out[i].identity == out[i+1].identity {
			return nil
		}
	}
	return out
}

// insertNew commits the refs by one round trip. It returns false, and stores nothing, where they are no newcomers, or the server
// undid it: then they are to be looked at. Where another connection may mend what went wrong, it also returns false, and unsure:
// they may be stored.
func (w *writer) insertNew(prepare func(context.Context) error, refs []ref) (stored, unsure bool, err error) {
	if w.wary > 0 {
		w.wary--
		return false, false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), w.timeout)
	defer cancel()
	fresh, err := w.ready(ctx)
	if err != nil {
		return false, false, err
	}
	b, err := w.newBatch(ctx, prepare, refs)
	if b != nil && err == nil {
		err = w.conn.SendBatch(ctx, b).Close()
		stored = err == nil
	}
	switch {
	case undone(err):
		w.wary = wary
	case err != nil && (ctx.Err() != nil || fresh && lost(err)):
		return false, false, err
	}
	return stored, err != nil && lost(err), nil
}

// newBatch returns what stores the refs, nil where they are no newcomers. It begins no transaction, and ends none: what comes
// together is one.
func (w *writer) newBatch(ctx context.Context, prepare func(context.Context) error, refs []ref) (*pgx.Batch, error) {
	if err := prepare(ctx); err != nil {
		return nil, err
	}
	rows, counts := w.newcomers(refs), commit.Counts{}
	for _, r := range rows {
		counts.Add(int64(r.program), r.Row)
	}
	if len(counts) == 0 {
		return nil, nil
	}
	b := &pgx.Batch{}
	w.queueNew(b, rows, refs)
	w.queueNewCounts(b, rows, counts)
	return b, nil
}

func (w *writer) queueNew(b *pgx.Batch, rows []newcomer, refs []ref) {
	n := len(rows)
	programs, ids, times := make([]int32, n), make([]pgtype.UUID, n), make([]time.Time, n)
	digests, receipts := make([][]byte, n), make([]string, n)
	for i, r := range rows {
		programs[i], ids[i], times[i] = r.program, uuidOf(r.id), instant(r.SubmittedAt)
		digests[i], receipts[i] = r.Digest[:], r.Receipt
	}
	stored := make([]*commit.Row, n)
	for i, r := range refs {
		stored[i] = r.row()
	}
	args := append(make([]any, 0, 22), programs, ids, digests, receipts, times, w.written)
	args = append(args, w.responseColumns(stored)...)
	b.Queue(storeNew, append(args, w.answerColumns(stored)...)...)
	w.queueCases(b, stored)
}

func (w *writer) queueNewCounts(b *pgx.Batch, rows []newcomer, counts commit.Counts) {
	var started []identity
	buriedIn, buried := make([]int32, len(rows)), make([][]byte, len(rows))
	for i, r := range rows {
		buriedIn[i], buried[i] = r.program, r.Erased[:]
		if r.Started {
			started = append(started, r.identity)
		}
	}
	keys := counts.Sorted()
	var programs []int32
	for _, k := range keys {
		if program := int32(k.Program); len(programs) == 0 || programs[len(programs)-1] != program {
			programs = append(programs, program)
		}
	}
	args := append(countColumns(counts, keys), w.slot, buriedIn, buried, programs)
	if len(started) == 0 {
		b.Queue(countOnly, args...)
		return
	}
	b.Queue(countAndEnd, append(args, programsOf(started), idsOf(started))...)
}
