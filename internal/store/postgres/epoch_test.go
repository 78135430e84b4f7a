package postgres

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

func exportAll(t *testing.T, s *Store) []store.Response {
	t.Helper()
	var out []store.Response
	err := s.Export(context.Background(), program, func(r store.Response) error {
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatalf("Export: %v", err)
	}
	return out
}

// wantRestored wants a reader to start anew whose cursor is from before a restore, even when as many commits were made since.
// The backup has the first response, the second was lost with the restore, the third came after it.
func wantRestored(t *testing.T, s *Store, before store.Cursor) {
	t.Helper()
	mustAppend(t, s, answered(3, "3"))
	page := mustRead(t, s, before)
	if page.Next.Seq != before.Seq || page.Next.Epoch == before.Epoch {
		t.Errorf("cursors %v and %v, want the same commit of other epochs", before, page.Next)
	}
	if !page.Reset || len(page.Counts) != 2 {
		t.Errorf("page for the cursor from before: %+v", page)
	}
	wantKept(t, s, 2)
	if page := mustRead(t, s, page.Next); page.Reset {
		t.Errorf("the page after the reset is another: %+v", page)
	}
}

// TestRestoredDump restores a dump into a server that runs on, under a store that is open.
func TestRestoredDump(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(1, "1"))
	schema := ask(t, dsn, `SELECT current_schema()`)
	dump, err := server.Command("pg_dump", "--host", server.Socket(), "--username", "postgres", "--schema", schema, "postgres").Output()
	if err != nil {
		t.Fatal(err)
	}
	// A program that is not in the backup: the next one gets its number.
	other := answered(2, "2")
	other.Program.Name = "tenants"
	mustAppend(t, s, other)
	before := mustRead(t, s, store.Cursor{}).Next
	conn := connect(t, dsn)
	mustExec(t, conn, "DROP SCHEMA "+schema+" CASCADE")
	if _, err := s.Append(context.Background(), []store.Response{answered(4, "1")}); err == nil || !away(err) {
		t.Errorf("Append without tables: %v", err)
	}
	restore := server.Command("psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", server.Socket(), "--username", "postgres")
	restore.Stdin = bytes.NewReader(dump)
	if out, err := restore.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mustExec(t, conn, `INSERT INTO `+schema+`.program (namespace, name) VALUES ('another', 'program')`)
	hangUp(t, conn)
	wantRestored(t, s, before)
	mustAppend(t, s, other)
	if got := ask(t, dsn, `SELECT name FROM program JOIN progress ON program = id ORDER BY seq DESC LIMIT 1`); got != "tenants" {
		t.Errorf("a response of %q was stored for %q", other.Program.Name, got)
	}
}

// TestRestoredFiles puts a copy of the server's files in place, as of a volume's snapshot: nothing in them tells.
func TestRestoredFiles(t *testing.T) {
	server, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s := mustOpen(t, newSchema(t, server), Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(1, "1"))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	backup := filepath.Join(filepath.Dir(server.Data()), "backup")
	must(server.Shutdown())
	must(exec.Command("cp", "-a", server.Data(), backup).Run())
	must(server.Restart())
	// The connections are gone, but not the store.
	mustAppend(t, s, answered(2, "2"))
	before := mustRead(t, s, store.Cursor{}).Next
	must(server.Kill())
	must(os.RemoveAll(server.Data()))
	must(exec.Command("cp", "-a", backup, server.Data()).Run())
	must(server.Restart())
	wantRestored(t, s, before)
}

// TestRestoredByHand writes the tables over without meta, which nothing tells but who does it.
func TestRestoredByHand(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(1, "1"))
	mustAppend(t, s, answered(2, "2"))
	before := mustRead(t, s, store.Cursor{}).Next
	conn := connect(t, dsn)
	for _, table := range []string{"rollup", "progress", "answer", "response", "submission"} {
		mustExec(t, conn, `DELETE FROM `+table)
	}
	mustExec(t, conn, `SELECT setval('commit_seq', 0)`)
	hangUp(t, conn)
	updated := s.Updated()
	if err := s.RenewEpoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-updated
	mustAppend(t, s, answered(1, "1"))
	wantRestored(t, s, before)
}

// TestRestoredWithoutSequence brings back tables whose sequence begins anew.
func TestRestoredWithoutSequence(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	for i := range 5 {
		mustAppend(t, s, answered(i, "1"))
	}
	cursor := mustRead(t, s, store.Cursor{}).Next
	mustClose(t, s)
	conn := connect(t, dsn)
	mustExec(t, conn, `SELECT setval('commit_seq', 0)`)
	hangUp(t, conn)
	s = mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(5, "1"))
	if page := mustRead(t, s, cursor); page.Reset || len(page.Counts) != 1 || page.Counts[0].N != 6 || page.Next.Seq <= cursor.Seq {
		t.Errorf("page after the restore: %+v", page)
	}
}
