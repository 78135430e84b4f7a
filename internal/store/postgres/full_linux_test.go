package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// wordyResponses is how many responses fill a disk, each with wordyBytes of text that does not compress.
const (
	wordyResponses = 800
	wordyBytes     = 40_000
)

func wordy(n int) store.Response {
	r := answered(n, "9")
	noise := make([]byte, wordyBytes*3/4)
	random := rand.NewChaCha8(sha256.Sum256([]byte(r.ID)))
	_, _ = random.Read(noise) // it never fails
	r.Answers = append(r.Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{base64.StdEncoding.EncodeToString(noise)}})
	return r
}

// TestFilesFull lets no file of the server grow any more, as a quota does: the transaction fails, and the server goes on.
func TestFilesFull(t *testing.T) {
	server, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stopLater(t, server)
	limit := func(bytes uint64) {
		t.Helper()
		if err := server.LimitFiles(bytes); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, newSchema(t, server), Options{BatchSize: 16})
	defer mustClose(t, s)
	limit(17 << 20) // a segment of its log has 16 MB
	fillAndRecover(t, s, func() { limit(0) })
}

// TestDiskFull has a server whose file system is full: it refuses what needs room, or goes down because its log has none, and
// is started again when there is room. Who may not mount a file system has TestFilesFull alone.
func TestDiskFull(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgfull") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}()
	err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=120m,mode=0777")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("needs the right to mount a file system, as root has; TestFilesFull fills a server up without it")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 40<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := pgtest.Start(pgtest.Options{Dir: dir, Durable: true, Settings: map[string]string{"min_wal_size": "32MB", "max_wal_size": "48MB"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s := mustOpen(t, newSchema(t, server), Options{BatchSize: 16})
	defer mustClose(t, s)
	fillAndRecover(t, s, func() {
		if err := errors.Join(os.Remove(ballast), server.Kill(), server.Restart()); err != nil {
			t.Fatal(err)
		}
	})
}

func stopLater(t *testing.T, server *pgtest.Server) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log:\n%s", server.Log())
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// fillAndRecover has many callers store more than there is room for, and then, with more room, all of it again.
func fillAndRecover(t *testing.T, s *Store, lift func()) {
	t.Helper()
	acknowledged := make([]bool, wordyResponses)
	var refused sync.Once
	var group sync.WaitGroup
	const callers = 16
	for c := range callers {
		group.Go(func() {
			for i := c; i < wordyResponses; i += callers {
				_, err := s.Append(context.Background(), []store.Response{wordy(i)})
				if acknowledged[i] = err == nil; err != nil && !away(err) {
					t.Errorf("response %d: %v", i, err)
				}
				var e *pgconn.PgError
				if errors.As(err, &e) {
					refused.Do(func() { t.Logf("the first of these: %v", e) })
				}
			}
		})
	}
	group.Wait()
	lost := 0
	for _, ok := range acknowledged {
		if !ok {
			lost++
		}
	}
	if lost == 0 || lost == wordyResponses {
		t.Fatalf("%d of %d responses were refused", lost, wordyResponses)
	}
	t.Logf("%d of %d responses were refused", lost, wordyResponses)
	lift()
	for i := range wordyResponses {
		results, err := s.Append(context.Background(), []store.Response{wordy(i)})
		if err != nil {
			t.Fatalf("response %d with more room: %v", i, err)
		}
		if acknowledged[i] && results[0].Outcome != store.Repeated {
			t.Errorf("response %d was acknowledged, and is %v", i, results[0].Outcome)
		}
	}
	wantKept(t, s, wordyResponses)
	seen := map[string]bool{}
	for _, r := range exportAll(t, s) {
		seen[r.ID] = true
	}
	for i := range wordyResponses {
		if !seen[storetest.ID("answered", i)] {
			t.Errorf("response %d is not there", i)
		}
	}
}
