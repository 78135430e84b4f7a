package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Append implements store.Store.
func (s *Store) Append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	return s.loop.Append(ctx, responses)
}

// FinishImport implements store.Store.
func (s *Store) FinishImport(ctx context.Context, program store.Key) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("sqlite: finish import: %w", err)
	}
	err = s.do(ctx, func(t *tx) error {
		number, err := t.program(program)
		if err != nil {
			return err
		}
		t.touched[number] = true
		_, err = t.conn.ExecContext(context.Background(), `UPDATE program SET import_id = ? WHERE id = ?`, id.String(), number)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sqlite: finish import: %w", err)
	}
	return id.String(), nil
}

// Info implements store.Store.
func (s *Store) Info(context.Context) (store.Info, error) {
	if s.reading.Err() != nil {
		return store.Info{}, store.ErrClosed
	}
	return store.Info{Engine: "SQLite", SchemaVersion: s.version}, nil
}

// Close implements store.Store. What was accepted is committed; reads under way are cut off with store.ErrClosed.
func (s *Store) Close() error { return s.close() }

func (s *Store) shutdown() error {
	s.loop.Stop()
	s.stopReading()
	kept := s.keeper.stop()
	// A reader that has not let go of the log yet leaves some of it for the next opening; nothing is lost.
	err := s.writer.exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	if err = errors.Join(kept, err, s.writer.conn.Close(), s.release()); err != nil {
		return fmt.Errorf("sqlite: closing: %w", err)
	}
	return nil
}

// release closes what was opened, and then unlocks. The lock file stays: who deletes it could delete another's lock.
func (s *Store) release() error {
	var errs []error
	for _, db := range []*sql.DB{s.feed, s.bulk, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Unlock())...)
}

// read runs fn in a transaction that sees one state of the file. It ends with the context, and when the store closes.
func (s *Store) read(ctx context.Context, db *sql.DB, fn func(context.Context, *sql.Tx) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.reading, cancel)()
	err := s.readTx(ctx, db, fn)
	if err != nil && s.reading.Err() != nil {
		return store.ErrClosed
	}
	return err
}

func (s *Store) readTx(ctx context.Context, db *sql.DB, fn func(context.Context, *sql.Tx) error) error {
	t, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	if err := fn(ctx, t); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	return t.Commit()
}

// ignoreDone drops the error of a transaction that its context has rolled back before.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
