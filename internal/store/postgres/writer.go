package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// writer is what the loop, the one goroutine of this process that changes the database, writes with. It has a connection of
// its own, which has a slot for as long as it lives.
type writer struct {
	store  *Store
	config *pgx.ConnConfig
	// conn is nil before the first connection; after an error it may be closed.
	conn *pgx.Conn
	slot int16

	// programs and months are what is known to be in the database. They are forgotten with the connection, because the
	// database may be another one after that, and when meta was written, because a backup may have been restored: written
	// tells it.
	programs map[store.Key]int32
	months   map[string]bool
	written  string
	timeout  time.Duration
	// wary is how many transactions are still to look before they decide.
	wary int
}

// takeSlot takes the first slot that no other connection has. The lock goes with the connection, so that the slot of a
// process that died is free at once.
const takeSlot = `
SELECT slot FROM generate_series(0, 32767) AS slot
WHERE pg_try_advisory_lock('progress'::regclass::oid::int, slot) LIMIT 1`

// mendSequence makes up for a restore that brought back the tables without their sequence.
const mendSequence = `
SELECT setval('commit_seq', newest.seq) FROM commit_seq, (SELECT max(seq) AS seq FROM progress) AS newest
WHERE newest.seq > commit_seq.last_value`

const metaWritten = `SELECT xmin::text FROM meta`

// planning is what the writer's session sets. All that it joins are a few keys and a table with an index on them: how few
// those are, the server cannot tell, and how large the table has grown it learns late. So it is left no other way, and there is
// no use in its planning each time anew. What comes without a BEGIN is a transaction like that of batch.
var planning = map[string]string{
	"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off", "plan_cache_mode": "force_generic_plan",
	"default_transaction_isolation": "read committed", "default_transaction_read_only": "off",
}

func (w *writer) connect(ctx context.Context) error {
	config := w.config.Copy()
	maps.Copy(config.RuntimeParams, planning)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, takeSlot).Scan(&w.slot); err != nil {
		return errors.Join(fmt.Errorf("taking a slot: %w", err), conn.Close(ctx))
	}
	if _, err := conn.Exec(ctx, mendSequence); err != nil {
		return errors.Join(fmt.Errorf("checking the sequence: %w", err), conn.Close(ctx))
	}
	if err := conn.QueryRow(ctx, metaWritten).Scan(&w.written); err != nil {
		return errors.Join(fmt.Errorf("reading meta: %w", err), conn.Close(ctx))
	}
	w.conn, w.programs, w.months = conn, map[store.Key]int32{}, map[string]bool{}
	return nil
}

func (w *writer) disconnect() error {
	if w.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return w.conn.Close(ctx)
}

// ready connects where there is no connection. fresh is whether it did.
func (w *writer) ready(ctx context.Context) (fresh bool, err error) {
	if w.conn != nil && !w.conn.IsClosed() {
		return false, nil
	}
	return true, w.connect(ctx)
}

// do has the loop run a change in a transaction of its own.
func (s *Store) do(ctx context.Context, change change) error {
	return s.loop.Do(ctx, func() error { return s.writer.transact(nil, change) })
}

// ref is a row of a part, of whichever kind it has. Of invitations it is all of a call.
type ref struct {
	commit.Part
	i int
}

func (r ref) row() *commit.Row { return &r.Rows[r.i] }

// program returns what the ref is of.
func (r ref) program() store.Key {
	switch {
	case len(r.Rows) > 0:
		return r.Rows[r.i].Program
	case len(r.Visits) > 0:
		return r.Visits[r.i].Program
	default:
		return r.Invitations[r.i].Program
	}
}

func (r ref) String() string {
	switch {
	case len(r.Rows) > 0:
		return "response " + r.Rows[r.i].ID.String()
	case len(r.Visits) > 0:
		return "visit " + r.Visits[r.i].ID.String()
	default:
		return "invitations"
	}
}

// write commits the parts together.
func (w *writer) write(parts []commit.Part) error {
	var refs []ref
	for _, p := range parts {
		if len(p.Invitations) > 0 {
			refs = append(refs, ref{p, p.From})
			continue
		}
		for i := p.From; i < p.To; i++ {
			refs = append(refs, ref{p, i})
		}
	}
	return w.writeRefs(refs)
}

// writeRefs commits the rows together. If one is at fault, it commits the halves apart, down to that one: the others must
// not suffer for it. Of a call that failed, no more rows are written.
func (w *writer) writeRefs(refs []ref) error {
	refs = slices.DeleteFunc(refs, func(r ref) bool { return r.Err() != nil })
	if len(refs) == 0 {
		return nil
	}
	err := w.insert(refs)
	if err == nil || away(err) {
		return err
	}
	if len(refs) == 1 {
		refs[0].Fail(fmt.Errorf("%s: %s: %w", refs[0].Name, refs[0], err))
		return nil
	}
	half := len(refs) / 2
	second := slices.Clone(refs[half:])
	if err := w.writeRefs(refs[:half]); err != nil {
		return err
	}
	return w.writeRefs(second)
}

// tx is one transaction of the writer.
type tx struct {
	*writer
	ctx   context.Context
	begun bool
	// committing is true once the server may have been told to commit.
	committing bool
	// numbered is true once the transaction has its number.
	numbered bool
	// counts is what the transaction adds to the counts, changed the programs whose counts or imports it changed
	// otherwise.
	counts  commit.Counts
	changed map[int32]bool
}

// change does a transaction's work, but for the statements of the batch that it returns, which go to the server together
// with the commit; nil for none.
type change func(*tx) (last *pgx.Batch, err error)

// transact runs prepare, which may be nil and changes what can stay when the rest fails, then change in a transaction, and
// shows the feed what it committed. After an error nothing is left of change, unless the connection broke while the server
// committed. What another connection can mend, or trying again, is tried once more.
func (w *writer) transact(prepare func(context.Context) error, change change) error {
	ctx, cancel := context.WithTimeout(context.Background(), w.timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		fresh, t, err := w.attempt(ctx, prepare, change)
		if err == nil {
			if len(t.changed) > 0 {
				w.store.changed()
			}
			return nil
		}
		if errors.Is(err, errRestored) {
			err = errors.Join(err, w.disconnect())
		}
		again := clashed(err) || errors.Is(err, errRestored) || missingPartition(err) || lost(err) && !fresh && !t.committing
		if attempt > 1 || !again {
			return err
		}
		clear(w.months)
	}
}

func (w *writer) attempt(ctx context.Context, prepare func(context.Context) error, change change) (fresh bool, t *tx, err error) {
	t = &tx{writer: w, ctx: ctx, counts: commit.Counts{}, changed: map[int32]bool{}}
	if fresh, err = w.ready(ctx); err != nil {
		return true, t, err
	}
	if prepare != nil {
		if err := prepare(ctx); err != nil {
			return fresh, t, err
		}
	}
	if err := t.changeAndCommit(change); err != nil {
		return fresh, t, errors.Join(err, t.rollback())
	}
	return fresh, t, nil
}

func (t *tx) changeAndCommit(change change) error {
	last, err := change(t)
	if err != nil {
		return err
	}
	if last == nil {
		last = t.batch()
	}
	return t.commit(last)
}

// batch returns a batch of statements of the transaction. The first begins it.
func (t *tx) batch() *pgx.Batch {
	b := &pgx.Batch{}
	if !t.begun {
		t.begun = true
		b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	}
	return b
}

func (t *tx) send(b *pgx.Batch) error { return t.conn.SendBatch(t.ctx, b).Close() }

// errRestored says that what the writer knows of the database may be wrong: the transaction is to be tried again.
var errRestored = errors.New("meta was written meanwhile, as by the restore of a backup")

// check fails with errRestored where it is due. It comes before anything is written that depends on what is known.
func (t *tx) check(b *pgx.Batch) {
	b.Queue(metaWritten).QueryRow(func(row pgx.Row) error {
		var written string
		if err := row.Scan(&written); err != nil {
			return err
		}
		if written != t.written {
			return errRestored
		}
		return nil
	})
}

// rollback leaves the connection without a transaction, or closed.
func (t *tx) rollback() error {
	if !t.begun || t.conn.IsClosed() {
		return nil
	}
	if _, err := t.conn.Exec(t.ctx, "ROLLBACK"); err != nil {
		return errors.Join(err, t.disconnect())
	}
	return nil
}
