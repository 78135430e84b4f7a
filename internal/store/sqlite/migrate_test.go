package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

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
			path := filepath.Join(t.TempDir(), "answers.db")
			db := raw(t, path)
			provider, err := newProvider(db)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(context.Background(), int64(version)); err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, string(data))
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, path, Options{})
			defer s.Close()
			if info, err := s.Info(context.Background()); err != nil || info.SchemaVersion != int64(len(files)) {
				t.Errorf("Info: %v, %v; want version %d", info, err, len(files))
			}
			retired := store.Response{ID: "00000000-0000-4000-8000-000000000003", Digest: [32]byte(bytes.Repeat([]byte{3}, 32))}
			if keeps(t, path, retired) {
				t.Error("the identity of what was retired is in clear")
			}
			// Nor is it left over in the file.
			mustClose(t, s)
			if file, err := os.ReadFile(path); err != nil || bytes.Contains(file, retired.Digest[:]) {
				t.Errorf("the digest of what was retired is in the file, %v", err)
			}
			s = mustOpen(t, path, Options{})
			defer s.Close()
			storetest.Aged(t, s)
			if version >= 3 {
				storetest.AgedInvitations(t, s)
			}
			if version >= 4 {
				storetest.AgedCases(t, s)
			}
		})
	}
}
