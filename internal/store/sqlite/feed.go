package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Updated implements store.Feed: the channel is closed after the next commit that changed counts or ended an import.
func (s *Store) Updated() <-chan struct{} { return s.updated.Wait() }

// Changes implements store.Feed. A page ends with a commit, so it can have more counts than the limit, by what one commit
// changed.
func (s *Store) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	if s.reading.Err() != nil {
		return store.Changes{}, store.ErrClosed
	}
	if since == (store.Cursor{Epoch: s.epoch, Seq: s.seq.Load()}) {
		return store.Changes{Next: since}, nil
	}
	var page store.Changes
	err := s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
		var err error
		page, err = readPage(ctx, t, store.Cursor{Epoch: s.epoch, Seq: since.Seq}, limit, since.Epoch != s.epoch)
		return err
	})
	if err != nil {
		return store.Changes{}, fmt.Errorf("sqlite: changes: %w", err)
	}
	return page, nil
}

func readPage(ctx context.Context, t *sql.Tx, since store.Cursor, limit int, reset bool) (store.Changes, error) {
	var newest int64
	if err := t.QueryRowContext(ctx, `SELECT ifnull(max(seq), 0) FROM program`).Scan(&newest); err != nil {
		return store.Changes{}, err
	}
	if reset || since.Seq < 0 || since.Seq > newest {
		reset, since.Seq = true, 0
	}
	page := store.Changes{Reset: reset, Next: store.Cursor{Epoch: since.Epoch, Seq: newest}}
	if err := readCounts(ctx, t, since.Seq, limit, &page); err != nil {
		return store.Changes{}, err
	}
	return page, readImports(ctx, t, since.Seq, &page)
}

// changedCounts starts from the index of commits: there are few programs, and the planner must not start from them.
const changedCounts = `
SELECT p.namespace, p.name, c.touchpoint, c.unit, c.question, c.revision, c.hour, c.value, c.n, c.seq
FROM rollup AS c INDEXED BY rollup_by_seq CROSS JOIN program AS p ON p.id = c.program
WHERE c.seq > ? ORDER BY c.seq`

func readCounts(ctx context.Context, t *sql.Tx, since int64, limit int, page *store.Changes) (err error) {
	rows, err := t.QueryContext(ctx, changedCounts, since)
	if err != nil {
		return err
	}
	defer rows.Close()
	last := since
	for rows.Next() {
		var c store.Count
		var seq int64
		if err := rows.Scan(&c.Program.Namespace, &c.Program.Name, &c.Touchpoint, &c.Unit, &c.Question, &c.Revision,
			&c.Hour, &c.Value, &c.N, &seq); err != nil {
			return err
		}
		if len(page.Counts) >= max(1, limit) && seq != last {
			page.More, page.Next.Seq = true, last
			return nil
		}
		page.Counts = append(page.Counts, c)
		last = seq
	}
	return rows.Err()
}

// readImports adds the imports of the programs whose newest commit is in the page. An import goes with the program's
// newest commit, not with its own, because a count that it added to moves on to the page of the next commit that adds to
// it. So an import is told again with every later change of its program, and never too early.
func readImports(ctx context.Context, t *sql.Tx, since int64, page *store.Changes) error {
	rows, err := t.QueryContext(ctx, `SELECT namespace, name, import_id FROM program
		WHERE import_id IS NOT NULL AND seq > ? AND seq <= ?`, since, page.Next.Seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key store.Key
		var id string
		if err := rows.Scan(&key.Namespace, &key.Name, &id); err != nil {
			return err
		}
		if page.Imports == nil {
			page.Imports = map[store.Key]string{}
		}
		page.Imports[key] = id
	}
	return rows.Err()
}
