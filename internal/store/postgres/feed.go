package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Updated implements store.Feed: the channel is closed after the next commit, of this process or, when it is heard of, of
// another, that changed counts or ended an import. What another commits while this process has no connection may go unheard.
func (s *Store) Updated() <-chan struct{} { return s.updated.Wait() }

// Changes implements store.Feed. A page ends with a commit, so it can have more counts than the limit, by what one commit
// changed, and by what is committed while a transaction is under way.
func (s *Store) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	var page store.Changes
	err := s.reading(ctx, func(ctx context.Context) error {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		horizon, err := readHorizon(ctx, conn.Conn())
		if err != nil {
			return err
		}
		return pgx.BeginTxFunc(ctx, conn, snapshot, func(t pgx.Tx) error {
			p := pageReader{ctx: ctx, tx: t, horizon: horizon, end: lastPossible}
			page, err = p.read(since, limit)
			return err
		})
	})
	if err != nil {
		return store.Changes{}, wrap("changes", err)
	}
	return page, nil
}

const (
	lastNumber = `SELECT last_value FROM commit_seq`
	// lowerBounds are the low halves of what transactions under way have locked.
	lowerBounds = `SELECT objid::bigint FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 1 AND classid = 'commit_seq'::regclass::oid
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
)

// readHorizon returns the number up to which every commit has ended: see commit.go for why. It comes before the snapshot.
func readHorizon(ctx context.Context, conn *pgx.Conn) (int64, error) {
	b := &pgx.Batch{}
	var last int64
	var bounds []int64
	b.Queue(lastNumber).QueryRow(func(row pgx.Row) error { return row.Scan(&last) })
	b.Queue(lowerBounds).Query(func(rows pgx.Rows) (err error) {
		bounds, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return 0, fmt.Errorf("horizon: %w", err)
	}
	horizon := last
	for _, low := range bounds {
		horizon = min(horizon, whole(last, low))
	}
	return horizon, nil
}

// whole returns the number near another whose low half is given.
func whole(near, low int64) int64 { return near + int64(int32(uint32(low)-uint32(near))) }

// epoch changes with meta.epoch; when the row of meta is written, as a restored dump does (xmin is the transaction that wrote
// it); and with the server's start, which is when its files can have been replaced by a copy. So every restored backup is
// noticed but one: tables that were written over by hand, without meta, in a server that runs. See RenewEpoch.
const epoch = `SELECT meta.epoch || '.' || meta.xmin || '.' || extract(epoch FROM pg_postmaster_start_time()) FROM meta`

// RenewEpoch has every reader of the feed start anew. Who writes the tables over in a running server, other than by restoring
// a dump of them all, calls it afterwards.
func (s *Store) RenewEpoch(ctx context.Context) error {
	id, err := uuid.NewRandom()
	if err == nil {
		_, err = s.pool.Exec(ctx, `UPDATE meta SET epoch = $1`, id.String())
	}
	if err != nil {
		return wrap("renewing the epoch", err)
	}
	s.changed()
	return nil
}

// pageReader reads one page in one snapshot: the counts of the commits after since, up to end.
type pageReader struct {
	ctx                 context.Context
	tx                  pgx.Tx
	horizon, since, end int64
}

func (p *pageReader) read(since store.Cursor, limit int) (store.Changes, error) {
	var current string
	var newest, safe int64
	b := &pgx.Batch{}
	b.Queue(epoch).QueryRow(func(row pgx.Row) error { return row.Scan(&current) })
	b.Queue(`SELECT coalesce(max(seq), 0), coalesce(max(seq) FILTER (WHERE seq <= $1), 0) FROM progress`, p.horizon).
		QueryRow(func(row pgx.Row) error { return row.Scan(&newest, &safe) })
	if err := p.tx.SendBatch(p.ctx, b).Close(); err != nil {
		return store.Changes{}, err
	}
	page := store.Changes{Reset: since.Epoch != current || since.Seq < 0 || since.Seq > newest}
	if !page.Reset {
		p.since = since.Seq
	}
	page.Next = store.Cursor{Epoch: current, Seq: max(p.since, safe)}
	if p.since == newest {
		return page, nil
	}
	if err := p.findEnd(limit, &page); err != nil {
		return store.Changes{}, err
	}
	if err := p.readCounts(&page); err != nil {
		return store.Changes{}, err
	}
	return page, p.readImports(&page)
}

// What changed after $1 is in two parts of the index: see commit.go.
const (
	changedSeldom = ` FROM rollup WHERE seq > $1 AND seq < 1::bigint << 62`
	changedOften  = ` FROM rollup WHERE seq > (1::bigint << 62 | $1) AND number > $1`

	pageEnd = `SELECT number FROM (
			(SELECT seq AS number` + changedSeldom + ` ORDER BY seq LIMIT $2)
			UNION ALL (SELECT number` + changedOften + ` ORDER BY seq, number LIMIT $2)
		) AS first ORDER BY number OFFSET $2 - 1 LIMIT 1`
	moreThan = `SELECT EXISTS (SELECT` + changedSeldom + `) OR EXISTS (SELECT` + changedOften + `)
		OR EXISTS (SELECT FROM progress WHERE seq > $1)`
)

// findEnd ends the page with the commit that the limit falls into, unless it is the last or beyond the horizon: a page that
// goes beyond the horizon has all that there is, because no cursor could lead on from its end.
func (p *pageReader) findEnd(limit int, page *store.Changes) error {
	var ends []int64
	rows, err := p.tx.Query(p.ctx, pageEnd, p.since, max(1, limit))
	if err == nil {
		ends, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	if err != nil || len(ends) == 0 || ends[0] > p.horizon {
		return err
	}
	if err := p.tx.QueryRow(p.ctx, moreThan, ends[0]).Scan(&page.More); err != nil || !page.More {
		return err
	}
	p.end, page.Next.Seq = ends[0], ends[0]
	return nil
}

// changedCounts sums a changed count over its slots, of which several can have changed it.
const changedCounts = `
WITH changed AS (
    SELECT *, seq AS changed_by` + changedSeldom + ` AND seq <= $2
    UNION ALL SELECT *, number` + changedOften + ` AND number <= $2 AND seq <= (1::bigint << 62 | $2 | 63)
)
SELECT p.namespace, p.name, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value, c.changed_by,
    (SELECT sum(s.n)::bigint FROM rollup AS s WHERE s.program = c.program AND s.hour = c.hour AND s.key = c.key)
FROM changed AS c JOIN program AS p ON p.id = c.program ORDER BY c.changed_by`

func (p *pageReader) readCounts(page *store.Changes) error {
	rows, err := p.tx.Query(p.ctx, changedCounts, p.since, p.end)
	if err != nil {
		return err
	}
	told := map[store.Count]bool{}
	var c store.Count
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&c.Program.Namespace, &c.Program.Name, &c.Touchpoint, &c.Unit, &c.Question,
		&c.Revision, &c.Hour, &c.Value, &seq, &c.N}, func() error {
		if !told[c] {
			told[c] = true
			page.Counts = append(page.Counts, c)
		}
		// Numbers can be missing from progress, which has only the last of each slot.
		if seq <= p.horizon {
			page.Next.Seq = max(page.Next.Seq, seq)
		}
		return nil
	})
	return err
}

// readImports adds the imports of the programs whose newest commit is in the page. An import goes with the program's newest
// commit, not with its own, because a count that it added to moves on to the page of the next commit that adds to it. So an
// import is told again with every later change of its program, and never too early.
func (p *pageReader) readImports(page *store.Changes) error {
	rows, err := p.tx.Query(p.ctx, `SELECT p.namespace, p.name, p.import_id::text
		FROM program AS p JOIN progress ON progress.program = p.id WHERE p.import_id IS NOT NULL
		GROUP BY p.id HAVING max(progress.seq) > $1 AND max(progress.seq) <= $2`, p.since, p.end)
	if err != nil {
		return err
	}
	var key store.Key
	var id string
	_, err = pgx.ForEachRow(rows, []any{&key.Namespace, &key.Name, &id}, func() error {
		if page.Imports == nil {
			page.Imports = map[store.Key]string{}
		}
		page.Imports[key] = id
		return nil
	})
	return err
}
