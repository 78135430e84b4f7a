package sqlite

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestOpenMakesPrivateFiles(t *testing.T) {
	// Characters that a URL gives a meaning are only a name here.
	folder := filepath.Join(t.TempDir(), "a b", "50%?mode=memory#x&y")
	path := filepath.Join(folder, "answers.db")
	s := mustOpen(t, path, Options{})
	if _, err := s.Append(context.Background(), []store.Response{wordy(1)}); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			names = append(names, d.Name())
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", p, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "answers.db answers.db-shm answers.db-wal answers.db.lock" {
		t.Errorf("files: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// All is in the one file after Close.
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		t.Errorf("the log has %d bytes after Close", info.Size())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{})
	defer s.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("after opening a readable file: %v, %v", info, err)
	}
	wantKept(t, s, 1)
}

func TestOpenThroughALink(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "answers.db"), filepath.Join(folder, "link.db")
	s := mustOpen(t, path, Options{})
	defer s.Close()
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	wantLocked(t, link)
}

func TestPragmas(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{})
	defer s.Close()
	ctx := context.Background()
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0", "secure_delete": "1",
		"temp_store":   "2",
		"busy_timeout": "10000",
	} {
		var got string
		if err := s.writer.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("PRAGMA %s of the writer is %q, %v; want %q", pragma, got, err, want)
		}
	}
	if _, err := s.bulk.Exec(`DELETE FROM rollup`); err == nil {
		t.Error("a reader can write")
	}
}

func TestOpenRefusesANewerFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.db")
	if err := mustOpen(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	mustExec(t, db, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, too: a failed opening must let go of the lock
		if _, err := Open(context.Background(), path, Options{}); err == nil || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("Open of a newer file: %v", err)
		}
	}
}

func TestOpenFailsClearly(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "not-a-database")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"another file":      file,
		"a folder":          folder,
		"a file as folder":  filepath.Join(file, "answers.db"),
		"a name too long":   filepath.Join(folder, strings.Repeat("x", 300)),
		"a lock not opened": lockedByFolder(t, folder),
	} {
		if s, err := Open(context.Background(), path, Options{}); err == nil || s != nil || !strings.HasPrefix(err.Error(), "sqlite: ") {
			t.Errorf("Open of %s: %v, %v", name, s, err)
		}
	}
}

// lockedByFolder returns a path whose lock file cannot be made.
func lockedByFolder(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "blocked.db")
	if err := os.Mkdir(path+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEpochOfABackup puts an older copy of the file in place: a reader with a cursor from before must start anew, even when
// as many commits were made since.
func TestEpochOfABackup(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "answers.db")
	add := func(s *Store, n int) store.Cursor {
		t.Helper()
		if _, err := s.Append(ctx, []store.Response{wordy(n)}); err != nil {
			t.Fatal(err)
		}
		page, err := s.Changes(ctx, store.Cursor{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		return page.Next
	}
	s := mustOpen(t, path, Options{})
	add(s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{})
	before := add(s, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{})
	defer s.Close()
	if after := add(s, 3); after.Seq != before.Seq || after.Epoch == before.Epoch {
		t.Errorf("cursors %v and %v, want the same commit of other epochs", before, after)
	}
	if page, err := s.Changes(ctx, before, 100); err != nil || !page.Reset || len(page.Counts) != 2 {
		t.Errorf("page for the cursor from before: %+v, %v", page, err)
	}
}

// TestEpochOfAVacuumedCopy puts a copy in place that was made with VACUUM INTO while the store was open.
func TestEpochOfAVacuumedCopy(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "answers.db")
	s := mustOpen(t, path, Options{})
	add := func(n int) {
		t.Helper()
		if _, err := s.Append(ctx, []store.Response{wordy(n)}); err != nil {
			t.Fatal(err)
		}
	}
	add(1)
	db := raw(t, path)
	mustExec(t, db, `VACUUM INTO ?`, path+".copy")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	add(2)
	page, err := s.Changes(ctx, store.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	before := page.Next
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".copy", path); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{})
	defer s.Close()
	wantKept(t, s, 1)
	add(3)
	if page, err = s.Changes(ctx, before, 100); err != nil || !page.Reset || page.Next.Seq != before.Seq || len(page.Counts) != 2 {
		t.Errorf("page for the cursor from before: %+v, %v", page, err)
	}
	wantKept(t, s, 2)
}
