package sqlite

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// writer is what the loop, the one goroutine that changes the file, writes with. Its statements run without a context: what
// was begun is finished.
type writer struct {
	store *Store
	conn  *sql.Conn
	stmts statements
	many  manyStatements

	// lastResponse is at least the greatest number that a response ever had.
	lastResponse int64
	// programs has the numbers of the programs that are known to be in the file.
	programs map[store.Key]int64
}

const newest = `SELECT (SELECT ifnull(max(seq), 0) FROM program), (SELECT ifnull(max(id), 0) FROM response)`

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{store: s, conn: conn, many: newManyStatements(conn), programs: map[store.Key]int64{}}
	if err := w.stmts.prepare(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var seq int64
	if err := conn.QueryRowContext(ctx, newest).Scan(&seq, &w.lastResponse); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.seq.Store(seq)
	return w, nil
}

// do has the loop run a change in a transaction of its own.
func (s *Store) do(ctx context.Context, change func(*tx) error) error {
	return s.loop.Do(ctx, func() error { return s.writer.transact(change) })
}

// write commits the parts together.
func (w *writer) write(parts []commit.Part) error {
	err := w.transact(func(t *tx) error { return t.insertAll(parts) })
	if err != nil && !away(err) {
		// One row is at fault: the others must not suffer for it.
		err = w.transact(func(t *tx) error { return t.insertEach(parts) })
	}
	return err
}

// tx is one transaction of the writer.
type tx struct {
	*writer
	seq    int64
	counts commit.Counts
	// found has the programs whose numbers this transaction learned; they are the writer's only after the commit.
	found map[store.Key]int64
	// touched has the programs whose counts or imports changed.
	touched map[int64]bool
}

// transact runs change in a transaction, and shows the feed what it committed. After an error nothing is left of it.
func (w *writer) transact(change func(*tx) error) error {
	t := &tx{
		writer: w, seq: w.store.seq.Load() + 1, counts: commit.Counts{},
		found: map[store.Key]int64{}, touched: map[int64]bool{},
	}
	if _, err := w.stmts.begin.Exec(); err != nil {
		return err
	}
	if err := t.changeAndCommit(change); err != nil {
		// SQLite may have rolled back already, and then says that there is no transaction.
		_ = w.exec("ROLLBACK")
		return err
	}
	w.store.keeper.committed()
	for key, id := range t.found {
		w.programs[key] = id
	}
	if len(t.touched) > 0 {
		w.store.seq.Store(t.seq)
		w.store.updated.Fire()
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
	_, err := t.stmts.commit.Exec()
	return err
}

// writeCounts changes each count once, in the order of the table.
func (t *tx) writeCounts() error {
	var values []any
	for _, k := range t.counts.Sorted() {
		if t.counts[k] == 0 {
			continue
		}
		values = append(values, k.Program, k.Touchpoint, k.Unit, k.Question, int64(k.Revision), int64(k.Hour), k.Value, t.counts[k], t.seq)
		t.touched[k.Program] = true
	}
	return t.many.addCounts.exec(values)
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
