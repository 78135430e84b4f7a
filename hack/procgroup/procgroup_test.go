//go:build unix

package procgroup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEnd ends a shell with what it started; ending it once more does nothing.
func TestEnd(t *testing.T) {
	c := exec.Command("/bin/sh", "-c", "sleep 600 & wait")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // it ends by a signal
	}()
	for range 2 {
		if err := End("shell", c.Process.Pid, ended); err != nil {
			t.Error(err)
		}
	}
	// The last of the group is reaped by the machine's first process, at a time of its own.
	for deadline := time.Now().Add(10 * time.Second); !errors.Is(syscall.Kill(-c.Process.Pid, 0), syscall.ESRCH); {
		if time.Now().After(deadline) {
			t.Fatal("the group is still there")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestTail(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, []byte(strings.Repeat("early\n", 2000)+"last\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := Tail(name)
	if strings.Count(got, "\n") != 14 || !strings.HasSuffix(got, "\n  last") {
		t.Errorf("%q", got)
	}
	if got := Tail(name + "x"); !strings.Contains(got, "no such file") {
		t.Errorf("%q", got)
	}
}
