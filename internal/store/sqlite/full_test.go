package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

var program = store.Key{Namespace: "airport", Name: "passengers"}

// wordy returns a response of a few kilobytes.
func wordy(n int) store.Response {
	id := storetest.ID("wordy", n)
	return store.Response{
		Program: program, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id[:8],
		SubmittedAt: time.Unix(int64(n)*600, 0),
		Answers: []store.Answer{
			{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}},
			{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{strings.Repeat("word ", 1000)}},
		},
	}
}

// TestDatabaseFull sets a limit to the file's pages, which fails a commit in its middle as a full disk does.
func TestDatabaseFull(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{BatchSize: 16})
	defer s.Close()
	limit := func(pages int) {
		err := s.do(context.Background(), func(t *tx) error {
			return t.exec(fmt.Sprint("PRAGMA max_page_count = ", pages))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fillAndRecover(t, s, lib.SQLITE_FULL, func() { limit(400) }, func() { limit(1 << 30) })
}

// TestWriteLimit has the system refuse to let any file grow: here the log cannot be written.
func TestWriteLimit(t *testing.T) {
	const inner = "SQLITE_TEST_WRITE_LIMIT"
	if os.Getenv(inner) == "" {
		// The limit is the process's, so it gets one of its own.
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteLimit$", "-test.v")
		cmd.Env = append(os.Environ(), inner+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // then the write itself fails
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{BatchSize: 16})
	defer s.Close()
	fillAndRecover(t, s, lib.SQLITE_IOERR,
		func() { limit(syscall.Rlimit{Cur: 1 << 20, Max: before.Max}) }, func() { limit(before) })
}

// fillAndRecover has many callers store more than the limit allows, and then, without the limit, all of it again.
func fillAndRecover(t *testing.T, s *Store, code int, set, lift func()) {
	t.Helper()
	const n = 500
	set()
	stored := make([]bool, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			_, err := s.Append(context.Background(), []store.Response{wordy(i)})
			var e *driver.Error
			if stored[i] = err == nil; !stored[i] && (!errors.As(err, &e) || e.Code()&0xff != code || !away(err)) {
				t.Errorf("response %d: %v, want the database's error %d", i, err, code)
			}
		})
	}
	group.Wait()
	failed := 0
	for i := range stored {
		if !stored[i] {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("the limit stopped nothing")
	}
	t.Logf("%d of %d responses failed", failed, n)
	wantKept(t, s, n-failed)

	lift()
	for i := range n {
		results, err := s.Append(context.Background(), []store.Response{wordy(i)})
		if err != nil {
			t.Fatalf("response %d after recovery: %v", i, err)
		}
		if want := map[bool]store.Outcome{true: store.Repeated, false: store.Stored}[stored[i]]; results[0].Outcome != want {
			t.Errorf("response %d after recovery: %v, want %v", i, results[0].Outcome, want)
		}
	}
	wantKept(t, s, n)
}

func wantKept(t *testing.T, s *Store, n int) {
	t.Helper()
	check, err := s.Recount(context.Background(), program)
	if err != nil || check.Responses != int64(n) || len(check.Differences) > 0 {
		t.Errorf("Recount: %+v, %v; want %d responses", check, err, n)
	}
}
