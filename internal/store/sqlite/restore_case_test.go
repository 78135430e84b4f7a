package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// backupCase returns a response with a case.
func backupCase(n int) store.Response {
	r := backupResponse("case", n)
	hash := [32]byte{byte(n)}
	r.Case = &store.CaseOpening{
		ID: storetest.ID("the case", n), Reasons: []string{"Detractor"}, PromisedBy: backupDay.Add(48 * time.Hour),
		Contact: fmt.Appendf(nil, "sealed contact %d", n), ContactHash: hash[:], RetentionDays: 30,
	}
	return r
}

func mustCase(t *testing.T, s store.Store, n int) store.Case {
	t.Helper()
	c, err := s.Case(context.Background(), backedUp, backupCase(n).Case.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRestoreCases restores a backup with cases: they come back as they were, but for contacts that were erased since.
func TestRestoreCases(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	path, backup := filepath.Join(folder, "answers.db"), filepath.Join(folder, "backup.sqlite")
	s := mustOpen(t, path, Options{})
	for i := range 5 {
		mustAppend(t, s, backupCase(i))
	}
	change := store.CaseChange{ID: mustCase(t, s, 4).ID, Version: 1, State: store.CaseContacted, Note: "called", By: "jo", At: backupDay}
	if _, err := s.ChangeCase(ctx, backedUp, change); err != nil {
		t.Fatal(err)
	}
	want := []store.Case{mustCase(t, s, 3), mustCase(t, s, 4)}
	if contents, err := Backup(ctx, path, backup); err != nil || contents.Responses != 5 {
		t.Fatalf("Backup: %+v, %v", contents, err)
	}
	hour := backupDay.Add(time.Hour)
	if n, err := s.EraseContacts(ctx, backedUp, "R-case-0", nil, "", hour); err != nil || n != 1 {
		t.Fatalf("EraseContacts: %d, %v", n, err)
	}
	// One whose response is retired before its contact is erased, and one whose response is erased.
	if n, err := s.Retire(ctx, backedUp, backupDay.Add(2*time.Minute)); err != nil || n != 2 {
		t.Fatalf("Retire: %d, %v", n, err)
	}
	if n, err := s.ExpireContacts(ctx, backedUp, hour); err != nil || n != 1 {
		t.Fatalf("ExpireContacts: %d, %v", n, err)
	}
	if known, err := s.Erase(ctx, backedUp, "R-case-2"); err != nil || !known {
		t.Fatalf("Erase: %t, %v", known, err)
	}
	change.Version, change.State = 2, store.CaseInformed
	if _, err := s.ChangeCase(ctx, backedUp, change); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, backupCase(9))
	gone := mustCase(t, s, 2).ContactErasedAt
	mustClose(t, s)
	if done, err := Restore(ctx, backup, path, backupDay); err != nil || done.Erased != 1 || done.NotErased != nil {
		t.Fatalf("Restore: %+v, %v", done, err)
	}
	s = mustOpen(t, path, Options{})
	if diff := cmp.Diff(want, []store.Case{mustCase(t, s, 3), mustCase(t, s, 4)}); diff != "" {
		t.Errorf("cases differ (-want +got):\n%s", diff)
	}
	for i, at := range []time.Time{hour, hour, gone} {
		if c := mustCase(t, s, i); c.Contact != nil || !c.ContactErasedAt.Equal(at) || c.State != store.CaseResolved {
			t.Errorf("a contact that was erased at %s came back: %+v", at, c)
		}
	}
	mustRecount(t, s, 4)
	if notices, err := s.Notices(ctx, backedUp, store.NoticePending, 0, 500, backupDay); err != nil || len(notices) != 5 {
		t.Errorf("%d notices, %v", len(notices), err)
	}
	mustClose(t, s)
	// What is erased is not left over in the file.
	if file, err := os.ReadFile(path); err != nil || bytes.Contains(file, []byte("sealed contact 0")) || !bytes.Contains(file, []byte("sealed contact 3")) {
		t.Errorf("the file has contacts that were erased, or lacks others: %v", err)
	}
}
