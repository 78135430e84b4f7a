package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	addPrograms  = `INSERT INTO program (namespace, name) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`
	findPrograms = `SELECT id, namespace, name FROM program JOIN unnest($1::text[], $2::text[]) AS k (namespace, name)
		USING (namespace, name)`

	// The rows come in the order of the key, so that of two processes that add the same ones, one waits for the other, and
	// never each for the other.
	addSubmissions = `INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[])
		ON CONFLICT DO NOTHING RETURNING program, id`
	findSubmissions = `SELECT s.program, s.id, s.digest, s.receipt
		FROM unnest($1::int[], $2::uuid[]) AS k (program, id) JOIN submission AS s USING (program, id)`
	dropSubmissions = `DELETE FROM submission AS s USING unnest($1::int[], $2::uuid[]) AS k (program, id)
		WHERE s.program = k.program AND s.id = k.id`
	findErased = `SELECT e.program, e.id, e.digest, e.receipt
		FROM unnest($1::int[], $2::bytea[]) AS k (program, id) JOIN erased AS e USING (program, id)`
	addResponses = `INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language)
		SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[])`
	addAnswers = `INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals)
		SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::uuid[], $4::text[], $5::int[], $6::text[], $7::json[])`
)

// errRaced says that another process was in between: the transaction is to be tried again.
var errRaced = errors.New("another process erased a submission that came again")

// identity is the key of a submission.
type identity struct {
	program int32
	id      uuid.UUID
}

func compareIdentities(a, b identity) int {
	return cmp.Or(cmp.Compare(a.program, b.program), bytes.Compare(a.id[:], b.id[:]))
}

// known is what is stored under an identity. Of what was erased, digest is the tombstone's.
type known struct {
	digest  []byte
	receipt string
	erased  bool
}

func (k known) compare(r *commit.Row) store.Result {
	if k.erased {
		tombstone := commit.NewTombstone(r.ID, r.Digest)
		return commit.Compare(k.digest, tombstone.Digest[:], k.receipt)
	}
	return commit.Compare(k.digest, r.Digest[:], k.receipt)
}

// insert commits the rows and sets their results.
func (w *writer) insert(refs []ref) error {
	results := make([]store.Result, len(refs))
	prepare := func(ctx context.Context) error {
		keys := make([]store.Key, len(refs))
		for i, r := range refs {
			keys[i] = r.row().Program
		}
		if err := w.addPrograms(ctx, keys); err != nil {
			return err
		}
		return w.addMonths(ctx, refs)
	}
	err := w.transact(prepare, func(t *tx) (*pgx.Batch, error) { return t.insert(refs, results) })
	if err != nil {
		return err
	}
	for i, r := range refs {
		r.Results[r.i] = results[i]
	}
	return nil
}

// addPrograms learns the numbers of programs, and gives them one where they are new. It does so before the
// transaction, so that no process waits for another's.
func (w *writer) addPrograms(ctx context.Context, keys []store.Key) error {
	missing := map[store.Key]bool{}
	for _, key := range keys {
		if w.programs[key] == 0 {
			missing[key] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var namespaces, names []string
	for _, key := range slices.SortedFunc(maps.Keys(missing), compareKeys) {
		namespaces, names = append(namespaces, key.Namespace), append(names, key.Name)
	}
	if _, err := w.conn.Exec(ctx, addPrograms, namespaces, names); err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	rows, err := w.conn.Query(ctx, findPrograms, namespaces, names)
	if err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	var id int32
	var key store.Key
	_, err = pgx.ForEachRow(rows, []any{&id, &key.Namespace, &key.Name}, func() error {
		w.programs[key] = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("programs: %w", err)
	}
	return nil
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func (t *tx) insert(refs []ref, results []store.Result) (*pgx.Batch, error) {
	first := map[identity]*commit.Row{}
	for _, r := range refs {
		if k := t.identity(r.row()); first[k] == nil {
			first[k] = r.row()
		}
	}
	there, err := t.identify(first)
	if err != nil {
		return nil, err
	}
	var fresh []*commit.Row
	for i, r := range refs {
		row := r.row()
		k := t.identity(row)
		if old, ok := there[k]; ok {
			results[i] = old.compare(row)
			continue
		}
		there[k] = known{digest: row.Digest[:], receipt: row.Receipt}
		results[i] = store.Result{Outcome: store.Stored, Receipt: row.Receipt}
		fresh = append(fresh, row)
	}
	b := t.batch()
	if len(fresh) > 0 {
		t.queueRows(b, fresh)
	}
	return b, nil
}

func (t *tx) identity(r *commit.Row) identity { return identity{t.programs[r.Program], r.ID} }

// identify stores the identities that are new, and returns what is stored under the others.
func (t *tx) identify(rows map[identity]*commit.Row) (map[identity]known, error) {
	keys := slices.SortedFunc(maps.Keys(rows), compareIdentities)
	fresh := map[identity]bool{}
	there := map[identity]known{}
	b := t.batch()
	t.check(b)
	queueSubmissions(b, keys, rows, fresh)
	// A later statement, so that it sees what was erased while the first one waited.
	queueFindErased(b, keys, rows, there)
	if err := t.send(b); err != nil {
		return nil, err
	}
	again := slices.DeleteFunc(slices.Clone(keys), func(k identity) bool { return !fresh[k] || !there[k].erased })
	old := slices.DeleteFunc(slices.Clone(keys), func(k identity) bool { return fresh[k] || there[k].erased })
	b = t.batch()
	if len(again) > 0 {
		b.Queue(dropSubmissions, programsOf(again), idsOf(again))
	}
	if len(old) > 0 {
		b.Queue(findSubmissions, programsOf(old), idsOf(old)).Query(func(rows pgx.Rows) error {
			var k identity
			var v known
			_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id, &v.digest, &v.receipt}, func() error {
				there[k] = known{digest: bytes.Clone(v.digest), receipt: v.receipt}
				return nil
			})
			return err
		})
	}
	if b.Len() > 0 {
		if err := t.send(b); err != nil {
			return nil, err
		}
	}
	for _, k := range old {
		if _, ok := there[k]; !ok {
			// It was erased after the look for what was erased.
			return nil, errRaced
		}
	}
	return there, nil
}

func queueSubmissions(b *pgx.Batch, keys []identity, rows map[identity]*commit.Row, fresh map[identity]bool) {
	var digests [][]byte
	var receipts []string
	var times []time.Time
	for _, k := range keys {
		r := rows[k]
		digests, receipts, times = append(digests, r.Digest[:]), append(receipts, r.Receipt), append(times, instant(r.SubmittedAt))
	}
	b.Queue(addSubmissions, programsOf(keys), idsOf(keys), digests, receipts, times).Query(func(rows pgx.Rows) error {
		var k identity
		_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id}, func() error {
			fresh[k] = true
			return nil
		})
		return err
	})
}

func queueFindErased(b *pgx.Batch, keys []identity, rows map[identity]*commit.Row, there map[identity]known) {
	type buried struct {
		program int32
		id      [32]byte
	}
	byTombstone := map[buried]identity{}
	var ids [][]byte
	for _, k := range keys {
		id := commit.NewTombstone(k.id, rows[k].Digest).ID
		byTombstone[buried{k.program, id}] = k
		ids = append(ids, id[:])
	}
	b.Queue(findErased, programsOf(keys), ids).Query(func(rows pgx.Rows) error {
		var program int32
		var id, digest []byte
		var receipt string
		_, err := pgx.ForEachRow(rows, []any{&program, &id, &digest, &receipt}, func() error {
			k := byTombstone[buried{program, [32]byte(id)}]
			there[k] = known{digest: bytes.Clone(digest), receipt: receipt, erased: true}
			return nil
		})
		return err
	})
}

// queueRows adds responses with their answers, and counts them.
func (t *tx) queueRows(b *pgx.Batch, rows []*commit.Row) {
	var r struct {
		programs                      []int32
		times                         []time.Time
		ids                           []pgtype.UUID
		touchpoints, units, languages []string
	}
	var a struct {
		programs               []int32
		times                  []time.Time
		ids                    []pgtype.UUID
		questions, kinds, vals []string
		revisions              []int32
	}
	for _, row := range rows {
		program, at, id := t.programs[row.Program], instant(row.SubmittedAt), pgtype.UUID{Bytes: row.ID, Valid: true}
		r.programs, r.times, r.ids = append(r.programs, program), append(r.times, at), append(r.ids, id)
		r.touchpoints, r.units = append(r.touchpoints, row.Touchpoint), append(r.units, row.Unit)
		r.languages = append(r.languages, row.Language)
		for _, answer := range row.Answers {
			a.programs, a.times, a.ids = append(a.programs, program), append(a.times, at), append(a.ids, id)
			a.questions, a.revisions = append(a.questions, answer.Question), append(a.revisions, answer.Revision)
			a.kinds, a.vals = append(a.kinds, answer.Kind), append(a.vals, answer.Vals)
		}
		t.counts.Add(int64(program), row)
	}
	b.Queue(addResponses, r.programs, r.times, r.ids, r.touchpoints, r.units, r.languages)
	b.Queue(addAnswers, a.programs, a.times, a.ids, a.questions, a.revisions, a.kinds, a.vals)
}

func programsOf(keys []identity) []int32 {
	out := make([]int32, len(keys))
	for i, k := range keys {
		out[i] = k.program
	}
	return out
}

func idsOf(keys []identity) []pgtype.UUID {
	out := make([]pgtype.UUID, len(keys))
	for i, k := range keys {
		out[i] = pgtype.UUID{Bytes: k.id, Valid: true}
	}
	return out
}

// instant is what a row's SubmittedAt stands for.
func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
