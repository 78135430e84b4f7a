package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

var (
	backedUp  = store.Key{Namespace: "airport", Name: "passengers"}
	backupDay = time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC)
)

func backupResponse(series string, n int) store.Response {
	id := storetest.ID(series, n)
	return store.Response{
		Program: backedUp, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: fmt.Sprintf("R-%s-%d", series, n),
		Touchpoint: "security", SubmittedAt: backupDay.Add(time.Duration(n) * time.Minute),
		Answers: []store.Answer{{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{fmt.Sprint(n % 11)}}},
	}
}

func mustAppend(t *testing.T, s store.Store, responses ...store.Response) []store.Result {
	t.Helper()
	results, err := s.Append(context.Background(), responses)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return results
}

func mustClose(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, s store.Store) map[string]store.Response {
	t.Helper()
	all := map[string]store.Response{}
	if err := s.Export(context.Background(), backedUp, func(r store.Response) error {
		all[r.ID] = r
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func mustRecount(t *testing.T, s store.Store, responses int) {
	t.Helper()
	check, err := s.Recount(context.Background(), backedUp)
	if err != nil || len(check.Differences) > 0 || check.Responses != int64(responses) {
		t.Errorf("recount: %+v, %v; want %d responses", check, err, responses)
	}
}

// TestBackupDuringLoad makes backups while answers come in: each has at least what was acknowledged when it began and
// nothing that was not sent, its counts equal a recount, and a store that is opened on it takes repeats for repeats.
func TestBackupDuringLoad(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "answers.db")
	s := mustOpen(t, path, Options{})
	defer s.Close()
	const writers, each, backups = 3, 400, 4
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				r := backupResponse(fmt.Sprint("load", w), i)
				if results, err := s.Append(context.Background(), []store.Response{r}); err != nil || results[0].Outcome != store.Stored {
					t.Errorf("Append: %v, %v", results, err)
					return
				}
				mu.Lock()
				acknowledged[r.ID] = true
				mu.Unlock()
			}
		})
	}
	for b := range backups {
		mu.Lock()
		before := make([]string, 0, len(acknowledged))
		for id := range acknowledged {
			before = append(before, id)
		}
		mu.Unlock()
		to := filepath.Join(folder, fmt.Sprintf("backup-%d.sqlite", b))
		contents, err := Backup(t.Context(), path, to)
		if err != nil {
			t.Fatalf("Backup: %v", err)
		}
		copied := mustOpen(t, to, Options{})
		have := exported(t, copied)
		if contents.Responses != int64(len(have)) || len(have) < len(before) {
			t.Errorf("the backup has %d responses and says %d; %d were acknowledged before", len(have), contents.Responses, len(before))
		}
		for _, id := range before {
			r, ok := have[id]
			if !ok {
				t.Fatalf("response %s was acknowledged before the backup and is not in it", id)
			}
			if results := mustAppend(t, copied, r); results[0].Outcome != store.Repeated {
				t.Fatalf("a repeat is %+v in the backup", results)
			}
		}
		mustRecount(t, copied, len(have))
		mustClose(t, copied)
	}
	group.Wait()
	mustRecount(t, s, writers*each)
	wantOnly(t, folder, "answers.db", "backup-")
}

// wantOnly wants no file in a folder but those of stores with these beginnings.
func wantOnly(t *testing.T, folder string, prefixes ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		known := false
		for _, p := range prefixes {
			known = known || strings.HasPrefix(e.Name(), p)
		}
		if !known || strings.HasSuffix(e.Name(), ".partial") || strings.Contains(e.Name(), ".restoring") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

func TestRestore(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	path, backup := filepath.Join(folder, "answers.db"), filepath.Join(folder, "backup.sqlite")
	s := mustOpen(t, path, Options{})
	for i := range 20 {
		mustAppend(t, s, backupResponse("before", i))
	}
	if _, err := Backup(ctx, path, backup); err != nil {
		t.Fatal(err)
	}
	want := exported(t, s)
	// What comes after the backup: as many answers again, and one person who wants theirs gone.
	for i := range 20 {
		mustAppend(t, s, backupResponse("after", i))
	}
	if known, err := s.Erase(ctx, backedUp, "R-before-7"); err != nil || !known {
		t.Fatalf("Erase: %v, %v", known, err)
	}
	page, err := s.Changes(ctx, store.Cursor{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(ctx, backup, path, backupDay); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("Restore of a store in use: %v", err)
	}
	later := exported(t, s)
	mustClose(t, s)

	done, err := Restore(ctx, backup, path, backupDay)
	if err != nil {
		t.Fatalf("Restore: %v", err)
	}
	if done.Responses != 20 || done.Erased != 1 || done.NotErased != nil || done.Aside != path+".replaced-20261121T100000Z" {
		t.Errorf("%+v", done)
	}
	s = mustOpen(t, path, Options{})
	gone := backupResponse("before", 7)
	delete(want, gone.ID)
	if diff := cmp.Diff(want, exported(t, s)); diff != "" {
		t.Errorf("the restored store differs from the backup: %s", diff)
	}
	mustRecount(t, s, 19)
	if results := mustAppend(t, s, backupResponse("before", 3)); results[0].Outcome != store.Repeated || results[0].Receipt != "R-before-3" {
		t.Errorf("a repeat after the restore: %+v", results)
	}
	if results := mustAppend(t, s, backupResponse("after", 3)); results[0].Outcome != store.Stored {
		t.Errorf("an answer that the backup lacks, sent again: %+v", results)
	}
	if results := mustAppend(t, s, gone); results[0].Outcome == store.Stored {
		t.Error("an erased answer comes back")
	}
	next, err := s.Changes(ctx, page.Next, 1000)
	if err != nil || !next.Reset || next.Next.Epoch == page.Next.Epoch {
		t.Errorf("a reader from before is not told to start anew: %+v, %v", next, err)
	}
	mustClose(t, s)

	aside := mustOpen(t, done.Aside, Options{})
	if diff := cmp.Diff(later, exported(t, aside)); diff != "" {
		t.Errorf("the replaced file is not whole: %s", diff)
	}
	mustClose(t, aside)
	wantOnly(t, folder, "answers.db", "backup.sqlite")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

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

// A file that was cut off in the middle of its work, with commits in the log alone, is moved aside whole; so is one that
// is damaged, and the restore says that erasures are not known.
func TestRestoreOverWreck(t *testing.T) {
	folder := t.TempDir()
	source, backup := filepath.Join(folder, "source.db"), filepath.Join(folder, "backup.sqlite")
	s := mustOpen(t, source, Options{})
	mustAppend(t, s, backupResponse("a", 1))
	if _, err := Backup(t.Context(), source, backup); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		mustAppend(t, s, backupResponse("b", i))
	}
	crashed := filepath.Join(folder, "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		copyTo(t, source+suffix, crashed+suffix)
	}
	mustClose(t, s)

	done, err := Restore(t.Context(), backup, crashed, backupDay)
	if err != nil || done.NotErased != nil {
		t.Fatalf("Restore: %+v, %v", done, err)
	}
	wantResponses(t, crashed, 1)
	wantResponses(t, done.Aside, 31)

	damaged := filepath.Join(folder, "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	done, err = Restore(t.Context(), backup, damaged, backupDay)
	if err != nil || done.NotErased == nil {
		t.Fatalf("Restore: %+v, %v", done, err)
	}
	wantResponses(t, damaged, 1)
	if kept, err := os.ReadFile(done.Aside); err != nil || !strings.HasPrefix(string(kept), "not a database") {
		t.Errorf("the damaged file is not kept: %v", err)
	}

	fresh := filepath.Join(folder, "new", "store.db")
	if done, err = Restore(t.Context(), backup, fresh, backupDay); err != nil || done.Aside != "" {
		t.Fatalf("Restore where there was none: %+v, %v", done, err)
	}
	wantResponses(t, fresh, 1)
}

func wantResponses(t *testing.T, path string, n int) {
	t.Helper()
	s := mustOpen(t, path, Options{})
	mustRecount(t, s, n)
	mustClose(t, s)
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is no sound backup is neither made nor restored, and what is there stays as it is.
func TestBackupRefusals(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "answers.db")
	s := mustOpen(t, path, Options{})
	mustAppend(t, s, backupResponse("a", 1), backupResponse("a", 2))
	backup := filepath.Join(folder, "backup.sqlite")
	if _, err := Backup(t.Context(), path, backup); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), path, backup); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a backup is overwritten: %v", err)
	}
	if _, err := Backup(t.Context(), filepath.Join(folder, "none"), filepath.Join(folder, "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a backup of nothing: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Backup(ended, path, filepath.Join(folder, "y")); err == nil {
		t.Error("a backup that was cancelled is made")
	}
	if _, err := Inspect(t.Context(), path); err == nil || !strings.Contains(err.Error(), "-wal is beside it") {
		t.Errorf("a store in use is taken for a backup: %v", err)
	}
	damage(t, path, backedUp)
	if _, err := Backup(t.Context(), path, filepath.Join(folder, "z")); err == nil || !strings.Contains(err.Error(), "do not equal its responses") {
		t.Errorf("a backup of a store whose counts are wrong: %v", err)
	}
	mustClose(t, s)
	wantOnly(t, folder, "answers.db", "backup.sqlite")

	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(folder, "cut")
	torn := append([]byte{}, whole...)
	copy(torn[len(torn)/2:], strings.Repeat("x", 4096))
	other := filepath.Join(folder, "other")
	db, err := sql.Open("sqlite", dsn(other, nil))
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, `CREATE TABLE a (b)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	otherContent, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": {}, "cut off": whole[:len(whole)-5000], "torn": torn, "no database": []byte("hello"), "of another program": otherContent,
	} {
		if err := os.WriteFile(cut, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), cut, path, backupDay); err == nil {
			t.Errorf("a backup that is %s is restored", name)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(kept) {
			t.Errorf("%s: the store has changed: %v", name, err)
		}
	}
}
