package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// open opens a work folder and returns what it said.
func open(t *testing.T, folder string) (workDir, func() error, string) {
	t.Helper()
	var said bytes.Buffer
	say := &console{err: &said, now: time.Now}
	dir, release, err := openWorkDir(t.Context(), folder, say.step)
	if err != nil {
		t.Fatal(err)
	}
	return dir, release, said.String()
}

func TestWorkDirBeginsEmpty(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", ".demo")
	dir, release, _ := open(t, folder)
	for _, name := range []string{"data/answers.db", "bin/cx-operator", urls} {
		if err := os.MkdirAll(filepath.Dir(dir.file(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := dir.write(name, []byte("x")); err != nil && !strings.Contains(name, "/") {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir.file(name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := openWorkDir(t.Context(), folder, t.Logf); err == nil || !strings.Contains(err.Error(), "another demo runs") {
		t.Errorf("a second demo at the same time: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}

	_, release, said := open(t, folder)
	defer func() { _ = release() }()
	if said != "" {
		t.Errorf("nothing was left running, but: %s", said)
	}
	for name, want := range map[string]bool{"data": false, urls: false, "bin/cx-operator": true} {
		if _, err := os.Stat(dir.file(name)); os.IsNotExist(err) == want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWorkDirEndsWhatWasLeft leaves one process that the folder names and one whose number now belongs to somebody else.
func TestWorkDirEndsWhatWasLeft(t *testing.T) {
	folder := t.TempDir()
	dir, release, _ := open(t, folder)
	left, other := sleeper(t), sleeper(t)
	if err := dir.record(t.Context(), "left", left.Process.Pid); err != nil {
		t.Fatal(err)
	}
	who, err := identity(t.Context(), other.Process.Pid)
	if err != nil || who == "" {
		t.Fatalf("%q, %v", who, err)
	}
	lines, err := os.ReadFile(dir.file(processesName))
	if err != nil {
		t.Fatal(err)
	}
	foreign := `{"name":"other","pid":` + itoa(other.Process.Pid) + `,"identity":"` + who + `9"}` + "\n"
	if err := os.WriteFile(dir.file(processesName), []byte(string(lines)+foreign+`{"name":"cut`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}

	_, release, said := open(t, folder)
	defer func() { _ = release() }()
	if !strings.Contains(said, "Ending left") || strings.Contains(said, "other") {
		t.Errorf("it said: %s", said)
	}
	var exit *exec.ExitError
	if err := left.Wait(); !errors.As(err, &exit) {
		t.Errorf("what was left ended with %v", err)
	}
	if now, err := identity(t.Context(), other.Process.Pid); err != nil || now != who {
		t.Errorf("the other process: %q, %v", now, err)
	}
}

func TestIdentityOfNobody(t *testing.T) {
	gone := sleeper(t)
	pid := gone.Process.Pid
	if err := gone.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = gone.Wait() // it was killed
	if who, err := identity(t.Context(), pid); who != "" || err != nil {
		t.Errorf("%q, %v", who, err)
	}
}

// sleeper is a process in a group of its own that does nothing.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "sleep", "600")
	command.SysProcAttr = childAttributes()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) })
	return command
}
