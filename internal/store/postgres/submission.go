package postgres

import (
	"bytes"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	addSubmissions = `INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[])
		ON CONFLICT DO NOTHING RETURNING program, id`
	findSubmissions = `SELECT s.program, s.id, s.digest, s.receipt
		FROM unnest($1::int[], $2::uuid[]) AS k (program, id) JOIN submission AS s USING (program, id)`
	setSubmissions = `UPDATE submission AS s SET digest = k.digest, receipt = k.receipt, submitted_at = k.submitted_at
		FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[]) AS k (program, id, digest, receipt, submitted_at)
		WHERE s.program = k.program AND s.id = k.id`
	dropSubmissions = `DELETE FROM submission AS s USING unnest($1::int[], $2::uuid[]) AS k (program, id)
		WHERE s.program = k.program AND s.id = k.id`
	findErased = `SELECT e.program, e.id, e.digest, e.receipt
		FROM unnest($1::int[], $2::bytea[]) AS k (program, id) JOIN erased AS e USING (program, id)`
)

// known is what is stored under an identity. Of what was erased or retired, digest is the tombstone's.
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

// submissions are the identities of the responses of a transaction, and of those that its visits may end with.
type submissions struct {
	keys keySet
	// first is the first response that came under an identity: its identity is taken with its content.
	first map[identity]*commit.Row
	// fresh are the identities that the transaction took, because they were free.
	fresh keySet
	// there is what is stored, by this transaction or before; stored is what it stored.
	there  map[identity]known
	stored map[identity]*commit.Row
}

func newSubmissions() *submissions {
	return &submissions{
		keys: keySet{}, first: map[identity]*commit.Row{}, fresh: keySet{}, there: map[identity]known{}, stored: map[identity]*commit.Row{},
	}
}

func (s *submissions) want(k identity, r *commit.Row) {
	if !s.keys[k] {
		s.keys[k], s.first[k] = true, r
	}
}

// take takes the identities that are free, and finds what was erased: in a later statement, so that it sees what was while
// the first one waited.
func (s *submissions) take(b *pgx.Batch) {
	keys := s.keys.sorted()
	if len(keys) == 0 {
		return
	}
	queueContent(b, addSubmissions, keys, s.first).Query(func(rows pgx.Rows) error {
		var k identity
		_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id}, func() error {
			s.fresh[k] = true
			return nil
		})
		return err
	})
	s.findErased(b, keys)
}

// look finds what is stored under the identities that were not free. Another process may delete it at any moment, and
// leaves a tombstone, which a later statement sees then.
func (s *submissions) look(t *tx) error {
	old := slices.DeleteFunc(s.keys.sorted(), func(k identity) bool { return s.fresh[k] || s.there[k].erased })
	if len(old) == 0 {
		return nil
	}
	b := t.batch()
	b.Queue(findSubmissions, programsOf(old), idsOf(old)).Query(func(rows pgx.Rows) error {
		var k identity
		var v known
		_, err := pgx.ForEachRow(rows, []any{&k.program, &k.id, &v.digest, &v.receipt}, func() error {
			s.there[k] = known{digest: bytes.Clone(v.digest), receipt: v.receipt}
			return nil
		})
		return err
	})
	s.findErased(b, old)
	return t.send(b)
}

func (s *submissions) findErased(b *pgx.Batch, keys []identity) {
	type buried struct {
		program int32
		id      [32]byte
	}
	byTombstone := map[buried]identity{}
	var ids [][]byte
	for _, k := range keys {
		id := s.first[k].Erased
		byTombstone[buried{k.program, id}] = k
		ids = append(ids, id[:])
	}
	b.Queue(findErased, programsOf(keys), ids).Query(func(rows pgx.Rows) error {
		var program int32
		var id, digest []byte
		var receipt string
		_, err := pgx.ForEachRow(rows, []any{&program, &id, &digest, &receipt}, func() error {
			k := byTombstone[buried{program, [32]byte(id)}]
			s.there[k] = known{digest: bytes.Clone(digest), receipt: receipt, erased: true}
			return nil
		})
		return err
	})
}

// add notes that a response is stored.
func (s *submissions) add(k identity, r *commit.Row) {
	s.there[k] = known{digest: r.Digest[:], receipt: r.Receipt}
	s.stored[k] = r
}

// write gives identities up that were taken for nothing, and others the content of the response that was stored under them
// where that is not the first one that came.
func (s *submissions) write(b *pgx.Batch) {
	var free, other []identity
	for _, k := range s.fresh.sorted() {
		switch r := s.stored[k]; r {
		case nil:
			free = append(free, k)
		case s.first[k]:
		default:
			other = append(other, k)
		}
	}
	if len(free) > 0 {
		b.Queue(dropSubmissions, programsOf(free), idsOf(free))
	}
	if len(other) > 0 {
		queueContent(b, setSubmissions, other, s.stored)
	}
}

// queueContent queues a statement that has identities and what is stored under them.
func queueContent(b *pgx.Batch, statement string, keys []identity, rows map[identity]*commit.Row) *pgx.QueuedQuery {
	var digests [][]byte
	var receipts []string
	var times []time.Time
	for _, k := range keys {
		r := rows[k]
		digests, receipts, times = append(digests, r.Digest[:]), append(receipts, r.Receipt), append(times, instant(r.SubmittedAt))
	}
	return b.Queue(statement, programsOf(keys), idsOf(keys), digests, receipts, times)
}
