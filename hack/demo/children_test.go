package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func family(t *testing.T) (*children, context.Context) {
	t.Helper()
	ctx, failed := context.WithCancelCause(t.Context())
	t.Cleanup(func() { failed(nil) })
	return &children{dir: workDir(t.TempDir()), failed: failed}, ctx
}

func TestChildrenStop(t *testing.T) {
	c, ctx := family(t)
	// The shell waits for a child of its own, which must end as well.
	p, err := c.start(ctx, "shell", "/bin/sh", "-c", "sleep 600 & echo up; wait")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	// Its child is a zombie until init has asked how it ended.
	err = (&console{err: io.Discard, now: time.Now}).await(t.Context(), time.Minute, func(context.Context) ([]string, error) {
		if err := syscall.Kill(-p.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
			return []string{"the group to go"}, nil
		}
		return nil, nil
	})
	if err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Errorf("an ordered end counts as a failure: %v", context.Cause(ctx))
	}
	if err := c.stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func TestChildrenFail(t *testing.T) {
	c, ctx := family(t)
	if _, err := c.start(ctx, "broken", "/bin/sh", "-c", "echo one; echo 'no such flag' >&2; exit 3"); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	err := context.Cause(ctx)
	if err == nil || !strings.Contains(err.Error(), "broken ended (exit status 3)") || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("%v", err)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if _, err := c.start(ctx, "absent", filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestAwait(t *testing.T) {
	var out strings.Builder
	c := &console{err: &out, now: time.Now}
	tries := 0
	err := c.await(t.Context(), time.Minute, func(context.Context) ([]string, error) {
		tries++
		if tries < 3 {
			return []string{"a"}, nil
		}
		return nil, nil
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
	err = c.await(t.Context(), time.Millisecond, func(context.Context) ([]string, error) { return []string{"a", "b", "c", "d", "e"}, nil })
	if !errors.Is(err, errTooLate) || !strings.Contains(err.Error(), "a, b, c and 2 more") {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	if err := c.await(t.Context(), time.Minute, func(context.Context) ([]string, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	if err := c.await(ctx, time.Minute, func(context.Context) ([]string, error) { return []string{"a"}, nil }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestConsole(t *testing.T) {
	now := time.Unix(100, 0)
	var out strings.Builder
	c := &console{err: &out, now: func() time.Time { return now }, began: now}
	c.waiting("x")
	if out.Len() > 0 {
		t.Errorf("a short wait is worth no line: %q", out.String())
	}
	now = now.Add(6 * time.Second)
	c.waiting(strings.Repeat("long", 100))
	c.step("done with %d", 3)
	got := strings.Split(out.String(), "\n")
	if len(got) != 3 || len(got[0]) > 130 || got[1] != "[  6.0s] done with 3" {
		t.Errorf("%q", got)
	}
}

func TestConsoleOnATerminal(t *testing.T) {
	var out strings.Builder
	c := &console{err: &out, now: time.Now, terminal: true}
	c.waiting("x")
	c.step("next")
	if got := out.String(); !strings.HasPrefix(got, "\r\033[K         waiting for x\r\033[K[") {
		t.Errorf("%q", got)
	}
}

func TestIsSet(t *testing.T) {
	for value, want := range map[string]bool{"": false, "0": false, "false": false, "No": false, "1": true, "true": true, "yes": true} {
		if got := isSet(value); got != want {
			t.Errorf("isSet(%q) = %t", value, got)
		}
	}
}

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(t.Context(), 5)
	if err != nil || len(ports) != 5 {
		t.Fatal(ports, err)
	}
	seen := map[int]bool{}
	for _, port := range ports {
		if port < 1 || port > 65535 || seen[port] {
			t.Errorf("%v", ports)
		}
		seen[port] = true
	}
}

// A kept process that is killed is handed over to be started again, as it was; the demo goes on.
func TestChildrenAgain(t *testing.T) {
	c, ctx := family(t)
	c.fallen = make(chan *child, 1)
	first, err := c.start(ctx, "sleeper", "/bin/sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	c.keep(first)
	if err := syscall.Kill(first.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	fallen := <-c.fallen
	if fallen != first || !strings.Contains(fallen.failure().Error(), "signal: killed") {
		t.Errorf("fallen: %v", fallen.failure())
	}
	second, err := c.again(ctx, fallen)
	if err != nil {
		t.Fatal(err)
	}
	if second.cmd.Process.Pid == first.cmd.Process.Pid || strings.Join(second.cmd.Args, " ") != "/bin/sleep 600" || len(c.all) != 1 {
		t.Errorf("again: %v, %d children", second.cmd.Args, len(c.all))
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Errorf("the demo ended: %v", context.Cause(ctx))
	}
}
