package sqlite

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "answers.db")
	storetest.Crash(t,
		func(tb storetest.TB) store.Store { return mustOpen(tb, path, Options{}) },
		func(series string) *exec.Cmd { return child(series, path) })
}

func TestImport(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "answers.db"), Options{})
	defer s.Close()
	storetest.Import(t, s, importSize)
}

func TestLockOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.db")
	holder := child("hold", path)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	wantLocked(t, path)
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Wait(); err == nil {
		t.Fatal("the other process ended by itself")
	}

	s := mustOpen(t, path, Options{})
	wantLocked(t, path)
	wantChildSays(t, path, "locked\n")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantChildSays(t, path, "open\n")
}

func wantLocked(t *testing.T, path string) {
	t.Helper()
	if s, err := Open(context.Background(), path, Options{}); !errors.Is(err, store.ErrLocked) || s != nil {
		t.Errorf("Open of a store in use: %v, %v", s, err)
	}
}

func wantChildSays(t *testing.T, path, want string) {
	t.Helper()
	if out, err := child("try", path).Output(); err != nil || string(out) != want {
		t.Errorf("the other process said %q, %v; want %q", out, err, want)
	}
}
