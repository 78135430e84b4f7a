package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// TestMigrations fills the tables of every version so far as a program of that version would, and opens them.
func TestMigrations(t *testing.T) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	for version := 1; version <= len(files); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			data, err := os.ReadFile(fmt.Sprintf("testdata/versions/%05d.sql", version))
			if err != nil {
				t.Fatalf("every version needs its data: %v", err)
			}
			dsn := newSchema(t, server)
			migrateTo(t, dsn, int64(version))
			conn := connect(t, dsn)
			if _, err := conn.PgConn().Exec(context.Background(), string(data)).ReadAll(); err != nil {
				t.Fatal(err)
			}
			hangUp(t, conn)
			s := mustOpen(t, dsn, Options{})
			defer mustClose(t, s)
			if info, err := s.Info(context.Background()); err != nil || info.SchemaVersion != int64(len(files)) {
				t.Errorf("Info: %v, %v; want version %d", info, err, len(files))
			}
			retired := store.Response{ID: "00000000-0000-4000-8000-000000000003", Digest: [32]byte(bytes.Repeat([]byte{3}, 32))}
			if keeps(t, dsn, retired) {
				t.Error("the identity of what was retired is in clear")
			}
			storetest.Aged(t, s)
			if version >= 2 {
				storetest.AgedInvitations(t, s)
			}
		})
	}
}

func migrateTo(t *testing.T, dsn string, version int64) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(context.Background(), version); err != nil {
		t.Fatal(err)
	}
}

// TestNewerTables opens tables that a newer program has expanded, and then contracted.
func TestNewerTables(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	mustAppend(t, s, answered(1, "1"))
	mustClose(t, s)
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	mustExec(t, conn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	mustExec(t, conn, `ALTER TABLE submission ADD COLUMN later text DEFAULT 'x'`)
	mustExec(t, conn, `ALTER TABLE response ADD COLUMN later text`)

	s = mustOpen(t, dsn, Options{})
	mustAppend(t, s, answered(2, "1"))
	wantKept(t, s, 2)
	if info, err := s.Info(context.Background()); err != nil || info.SchemaVersion != 99 {
		t.Errorf("Info: %v, %v; want the tables' version", info, err)
	}
	// A program of the version before works on while they are expanded.
	mustExec(t, conn, `ALTER TABLE answer ADD COLUMN later text`)
	mustExec(t, conn, `ALTER TABLE response ADD COLUMN later_still text`)
	mustAppend(t, s, answered(3, "1"))
	if n := len(exportAll(t, s)); n != 3 {
		t.Errorf("Export has %d responses, want 3", n)
	}
	mustClose(t, s)

	mustExec(t, conn, `UPDATE meta SET oldest = 98`)
	for range 2 {
		if s, err := Open(context.Background(), dsn, Options{}); s != nil || err == nil || !strings.Contains(err.Error(), "needs version 98") &&
			!strings.Contains(err.Error(), "knows version 98") {
			t.Errorf("Open of tables that need a newer program: %v, %v", s, err)
		}
	}
}
