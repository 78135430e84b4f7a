package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// TestRestoreAfterRetention restores a backup of before retention: what was retired since comes back, unless it was erased
// after that. Invitations and visits come back as they were.
func TestRestoreAfterRetention(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	path, backup := filepath.Join(folder, "answers.db"), filepath.Join(folder, "backup.sqlite")
	s := mustOpen(t, path, Options{})
	for i := range 10 {
		mustAppend(t, s, backupResponse("a", i))
	}
	link := store.Invitation{Program: backedUp, ID: storetest.ID("link", 0), InvitedAt: backupDay, ExpiresAt: backupDay.AddDate(0, 0, 30)}
	if _, err := s.Invite(ctx, []store.Invitation{link}, store.Fatigue{}); err != nil {
		t.Fatal(err)
	}
	visit := store.Visit{Program: backedUp, ID: storetest.ID("a", 20), StartedAt: backupDay, Question: "recommend"}
	if err := s.Track(ctx, []store.Visit{visit}); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(ctx, path, backup); err != nil {
		t.Fatal(err)
	}
	want := exported(t, s)
	if n, err := s.Retire(ctx, backedUp, backupDay.Add(5*time.Minute)); err != nil || n != 5 {
		t.Fatalf("Retire: %d, %v", n, err)
	}
	for _, receipt := range []string{"R-a-2", "R-a-7"} {
		if known, err := s.Erase(ctx, backedUp, receipt); err != nil || !known {
			t.Fatalf("Erase: %v, %v", known, err)
		}
	}
	answer := backupResponse("a", 20)
	answer.Invitation, answer.SingleUse, answer.StartedAt = link.ID, true, backupDay
	mustAppend(t, s, answer)
	mustClose(t, s)

	done, err := Restore(ctx, backup, path, backupDay)
	if err != nil || done.Erased != 2 || done.NotErased != nil {
		t.Fatalf("Restore: %+v, %v", done, err)
	}
	s = mustOpen(t, path, Options{})
	defer s.Close()
	for _, i := range []int{2, 7} {
		delete(want, backupResponse("a", i).ID)
	}
	if diff := cmp.Diff(want, exported(t, s)); diff != "" {
		t.Errorf("the restored store differs: %s", diff)
	}
	// The answer that is lost can come again, by the same link.
	if results := mustAppend(t, s, answer); results[0].Outcome != store.Stored {
		t.Errorf("an answer that the backup lacks, sent again: %+v", results)
	}
	other := backupResponse("a", 21)
	other.Invitation, other.SingleUse = link.ID, true
	if results := mustAppend(t, s, other); results[0].Outcome != store.Spent {
		t.Errorf("another answer by the same link: %+v", results)
	}
	mustRecount(t, s, 9)
}
