package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/cx-operator/cx-operator/internal/store"
)

// writer is the one goroutine that changes the file. Its statements run without a context: what was begun is finished.
type writer struct {
	store   *Store
	conn    *sql.Conn
	stmts   statements
	jobs    chan job
	closing chan struct{}
	stopped chan struct{}

	// programs has the numbers of the programs that are known to be in the file.
	programs map[store.Key]int64
}

// job is a change other than an Append, in a transaction of its own.
type job struct {
	run  func(*tx) error
	done chan error
}

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		store: s, conn: conn, jobs: make(chan job),
		closing: make(chan struct{}), stopped: make(chan struct{}), programs: map[store.Key]int64{},
	}
	if err := w.stmts.prepare(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var seq int64
	if err := conn.QueryRowContext(ctx, `SELECT ifnull(max(seq), 0) FROM program`).Scan(&seq); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.seq.Store(seq)
	return w, nil
}

// run works until the store closes, and then until nothing waits. Appends and jobs take turns.
func (w *writer) run() {
	defer close(w.stopped)
	for {
		worked := w.writeBatch()
		select {
		case j := <-w.jobs:
			w.runJob(j)
			continue
		default:
		}
		if worked {
			continue
		}
		select {
		case j := <-w.jobs:
			w.runJob(j)
		case <-w.store.queue.ready:
		case <-w.closing:
			for w.writeBatch() {
			}
			return
		}
	}
}

// do has the writer run a job and waits for its end, whatever becomes of the context once the job has begun.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := job{run: run, done: make(chan error, 1)}
	select {
	case w.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return store.ErrClosed
	}
}

func (w *writer) runJob(j job) { j.done <- w.transact(j.run) }

// writeBatch commits what waits and tells whether there was something.
func (w *writer) writeBatch() bool {
	parts := w.store.queue.take()
	if len(parts) == 0 {
		return false
	}
	err := w.transact(func(t *tx) error { return t.insertAll(parts) })
	if err != nil && !away(err) {
		// One response is at fault: the others must not suffer for it.
		err = w.transact(func(t *tx) error { return t.insertEach(parts) })
	}
	if err != nil {
		err = fmt.Errorf("sqlite: append: %w", err)
	}
	w.store.queue.finish(parts, err)
	return true
}

// tx is one transaction of the writer.
type tx struct {
	*writer
	seq    int64
	counts counts
	// found has the programs whose numbers this transaction learned; they are the writer's only after the commit.
	found map[store.Key]int64
	// touched has the programs whose counts or imports changed.
	touched map[int64]bool
}

// transact runs change in a transaction, and shows the feed what it committed. After an error nothing is left of it.
func (w *writer) transact(change func(*tx) error) error {
	t := &tx{
		writer: w, seq: w.store.seq.Load() + 1, counts: counts{},
		found: map[store.Key]int64{}, touched: map[int64]bool{},
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := t.changeAndCommit(change); err != nil {
		// SQLite may have rolled back already, and then says that there is no transaction.
		_ = w.exec("ROLLBACK")
		return err
	}
	for key, id := range t.found {
		w.programs[key] = id
	}
	if len(t.touched) > 0 {
		w.store.seq.Store(t.seq)
		w.store.updated.fire()
	}
	return nil
}

func (t *tx) changeAndCommit(change func(*tx) error) error {
	if err := change(t); err != nil {
		return err
	}
	if err := t.writeCounts(); err != nil {
		return err
	}
	for id := range t.touched {
		if _, err := t.stmts.touch.Exec(t.seq, id); err != nil {
			return err
		}
	}
	return t.exec("COMMIT")
}

func (w *writer) exec(query string) error {
	_, err := w.conn.ExecContext(context.Background(), query)
	return err
}

// away tells whether an error says that the database cannot be written now, rather than that what was to be written is at
// fault. What is not known is taken for the latter, because that is safe: it costs a second try.
func away(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_CANTOPEN,
		lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_PROTOCOL, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return true
	}
	return false
}
