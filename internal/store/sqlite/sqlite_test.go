package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]Options{
		"default": {},
		"small":   {QueueLength: 40, BatchSize: 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Harness { return newHarness(t, o) })
		})
	}
}

func newHarness(t *testing.T, o Options) storetest.Harness {
	path := filepath.Join(t.TempDir(), "store", "answers.db")
	return storetest.Harness{
		Open:   func(tb storetest.TB) store.Store { return mustOpen(tb, path, o) },
		Queue:  cmp.Or(o.QueueLength, commit.DefaultQueueLength),
		Hold:   func(tb storetest.TB) func() { return hold(tb, path) },
		Damage: func(tb storetest.TB, program store.Key) { damage(tb, path, program) },
		Keeps:  func(tb storetest.TB, r store.Response) bool { return keeps(tb, path, r) },
	}
}

func mustOpen(tb storetest.TB, path string, o Options) *Store {
	tb.Helper()
	s, err := Open(context.Background(), path, o)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	return s
}

// raw opens the file beside the store, as an administrator might.
func raw(tb storetest.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		tb.Fatalf("opening the file: %v", err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func mustExec(tb storetest.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

func hold(tb storetest.TB, path string) (release func()) {
	tb.Helper()
	db := raw(tb, path)
	mustExec(tb, db, "BEGIN IMMEDIATE")
	return func() {
		tb.Helper()
		mustExec(tb, db, "ROLLBACK")
		if err := db.Close(); err != nil {
			tb.Fatalf("closing the file: %v", err)
		}
	}
}

func damage(tb storetest.TB, path string, program store.Key) {
	tb.Helper()
	db := raw(tb, path)
	mustExec(tb, db, `UPDATE rollup SET n = n + 1
		WHERE (program, touchpoint, unit, question, revision, hour, value) = (
			SELECT program, touchpoint, unit, question, revision, hour, value FROM rollup
			WHERE program = (SELECT id FROM program WHERE namespace = ? AND name = ?) LIMIT 1
		)`, program.Namespace, program.Name)
	if err := db.Close(); err != nil {
		tb.Fatalf("closing the file: %v", err)
	}
}

// keeps looks at every column of bytes.
func keeps(tb storetest.TB, path string, r store.Response) (found bool) {
	tb.Helper()
	db := raw(tb, path)
	id := uuid.MustParse(r.ID)
	err := db.QueryRow(`SELECT EXISTS (SELECT 1 FROM submission WHERE id = ?1 OR digest = ?2)
		OR EXISTS (SELECT 1 FROM response WHERE submission = ?1)
		OR EXISTS (SELECT 1 FROM erased WHERE id IN (?1, ?2) OR digest IN (?1, ?2))
		OR EXISTS (SELECT 1 FROM visit WHERE id = ?1)
		OR EXISTS (SELECT 1 FROM customer_case WHERE submission = ?1)`, id[:], r.Digest[:]).Scan(&found)
	if err = errors.Join(err, db.Close()); err != nil {
		tb.Fatalf("looking for a response: %v", err)
	}
	return found
}
