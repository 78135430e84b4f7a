package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
)

// snapshot is a transaction that sees one state of the database.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// Append implements store.Store.
func (s *Store) Append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	return s.loop.Append(ctx, responses)
}

// FinishImport implements store.Store.
func (s *Store) FinishImport(ctx context.Context, program store.Key) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", wrap("finish import", err)
	}
	err = s.loop.Do(ctx, func() error {
		prepare := func(ctx context.Context) error {
			if s.writer.programs[program] != 0 {
				return nil
			}
			return s.writer.numberPrograms(ctx, []store.Key{program})
		}
		return s.writer.transact(prepare, func(t *tx) (*pgx.Batch, error) {
			b := t.batch()
			t.check(b)
			if err := t.send(b); err != nil {
				return nil, err
			}
			number := t.programs[program]
			t.changed[number] = true
			b = t.batch()
			b.Queue(`UPDATE program SET import_id = $1 WHERE id = $2`, id.String(), number)
			return b, nil
		})
	})
	if err != nil {
		return "", wrap("finish import", err)
	}
	return id.String(), nil
}

// Info implements store.Store.
func (s *Store) Info(context.Context) (store.Info, error) {
	if s.open.Err() != nil {
		return store.Info{}, store.ErrClosed
	}
	return store.Info{Engine: "PostgreSQL", SchemaVersion: s.version}, nil
}

func wrap(call string, err error) error { return fmt.Errorf("postgres: %s: %w", call, err) }

// reading runs fn with a context that ends with the given one, and when the store closes.
func (s *Store) reading(ctx context.Context, fn func(context.Context) error) error {
	if s.open.Err() != nil {
		return store.ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.open, cancel)()
	err := fn(ctx)
	if err != nil && s.open.Err() != nil {
		return store.ErrClosed
	}
	return err
}

// readBulk runs fn in a transaction that may take long, for some at a time.
func (s *Store) readBulk(ctx context.Context, fn func(context.Context, pgx.Tx) error) error {
	return s.reading(ctx, func(ctx context.Context) error {
		select {
		case s.bulk <- struct{}{}:
			defer func() { <-s.bulk }()
		case <-ctx.Done():
			return ctx.Err()
		}
		return pgx.BeginTxFunc(ctx, s.pool, snapshot, func(t pgx.Tx) error {
			// Who reads may be slow, and a recount takes the time it takes: the context ends them.
			const patience = `SELECT set_config('statement_timeout', '0', true),
				set_config('idle_in_transaction_session_timeout', '0', true)`
			if _, err := t.Exec(ctx, patience); err != nil {
				return err
			}
			return fn(ctx, t)
		})
	})
}

// findProgram returns the number of a program, 0 where there is none.
func findProgram(ctx context.Context, t interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, key store.Key) (id int32, err error) {
	err = t.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM program WHERE namespace = $1 AND name = $2`, key.Namespace, key.Name).
		Scan(&id)
	return id, err
}
