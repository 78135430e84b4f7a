package postgres

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// picked is what a store has of cases, and is to have again.
type picked struct {
	Cases   []store.Case
	Notices []store.CaseNotice
}

func pick(t *testing.T, s *Store) (out picked) {
	t.Helper()
	page, err := s.ListCases(context.Background(), program, store.CaseQuery{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, listed := range page.Cases {
		c, err := s.Case(context.Background(), program, listed.ID)
		if err != nil {
			t.Fatal(err)
		}
		out.Cases = append(out.Cases, c)
	}
	if out.Notices, err = s.Notices(context.Background(), program, store.NoticePending, 0, 500, noon.Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRestoredCases restores a dump with cases into a server that runs on, under a store that is open: they are as they were
// then, readers learn of it, and new notices come after those of the dump.
func TestRestoredCases(t *testing.T) {
	ctx := context.Background()
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	for i := range 3 {
		r := answered(i, "1")
		r.Case = opening(r, i)
		mustAppend(t, s, r)
	}
	change := store.CaseChange{ID: answered(1, "1").ID, Version: 1, State: store.CaseContacted, Note: "called", By: "jo", At: noon}
	if _, err := s.ChangeCase(ctx, program, change); err != nil {
		t.Fatal(err)
	}
	want := pick(t, s)
	if len(want.Cases) != 3 || len(want.Notices) != 5 {
		t.Fatalf("before the dump: %+v", want)
	}
	schema := ask(t, dsn, `SELECT current_schema()`)
	dump, err := server.Command("pg_dump", "--host", server.Socket(), "--username", "postgres", "--schema", schema, "postgres").Output()
	if err != nil {
		t.Fatal(err)
	}
	lost := answered(7, "1")
	lost.Case = opening(lost, 7)
	mustAppend(t, s, lost)
	change.Version, change.State = 2, store.CaseInformed
	if _, err := s.ChangeCase(ctx, program, change); err != nil {
		t.Fatal(err)
	}
	before := mustRead(t, s, store.Cursor{}).Next
	conn := connect(t, dsn)
	mustExec(t, conn, "DROP SCHEMA "+schema+" CASCADE")
	hangUp(t, conn)
	restore := server.Command("psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", server.Socket(), "--username", "postgres")
	restore.Stdin = bytes.NewReader(dump)
	if out, err := restore.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(want, pick(t, s)); diff != "" {
		t.Errorf("cases differ after the restore (-want +got):\n%s", diff)
	}
	if page := mustRead(t, s, before); !page.Reset {
		t.Errorf("page for the cursor from before: %+v", page)
	}
	mustAppend(t, s, lost)
	wantKept(t, s, 4)
	got := pick(t, s)
	if n := len(got.Notices); n != 7 || got.Notices[n-1].Seq <= want.Notices[len(want.Notices)-1].Seq {
		t.Errorf("notices after the restore: %+v", got.Notices)
	}
}
