package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// TestTheLogIsTakenBesideTheWriter writes more log than the writer would let be, and looks how much of it there ever was.
func TestTheLogIsTakenBesideTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.db")
	s := mustOpen(t, path, Options{})
	defer mustClose(t, s)
	s.keeper.long = 4096 // 16 MiB
	var written, most int64
	for n := 0; written < 96<<20; n++ {
		mustAppend(t, s, []store.Response{storetest.BenchResponse(n)}...)
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, info.Size())
		written += 8 * 4096 // of the log, at least: the answer's pages, and those of its counts
	}
	if most > 48<<20 {
		t.Errorf("the log grew to %d MiB: only the writer took it", most>>20)
	}
	var logged, taken int64
	if err := s.keeper.db.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(new(int), &logged, &taken); err != nil || logged != taken {
		t.Errorf("%d pages are logged and %d taken, %v", logged, taken, err)
	}
}
