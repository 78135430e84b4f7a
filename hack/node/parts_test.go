//go:build linux

package node

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What was killed starts again with the same arguments, and neither counts as having died by itself.
func TestKillAndRestart(t *testing.T) {
	p := newProcesses(t.TempDir())
	out := filepath.Join(t.TempDir(), "out")
	if _, err := p.start(0, "part", "sh", "-c", `echo "$0" >>"$1"; exec sleep 1000`, "hello", out); err != nil {
		t.Fatal(err)
	}
	said := func(times int) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) {
			content, _ := os.ReadFile(out)
			return strings.Count(string(content), "hello\n") == times, nil
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := poll(ctx, "the first start", p.died, said(1)); err != nil {
		t.Fatal(err)
	}
	first := p.all[0]
	if err := p.restart("part"); err != nil || p.all[0] != first {
		t.Fatalf("restart of what runs: %v, want that nothing happens", err)
	}
	if err := p.kill("part"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(first.cmd.Process.Pid, 0); err == nil {
		t.Error("it still runs")
	}
	if err := p.kill("part"); err != nil {
		t.Errorf("killing what is dead: %v", err)
	}
	if err := p.restart("part"); err != nil {
		t.Fatal(err)
	}
	if err := poll(ctx, "the second start", p.died, said(2)); err != nil {
		t.Fatal(err)
	}
	if len(p.all) != 1 {
		t.Errorf("%d processes are known, want 1", len(p.all))
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{p.kill("part"), p.restart("part"), p.signal("part", syscall.SIGSTOP), p.freeze(t.Context(), "part")} {
		if err == nil || !strings.Contains(err.Error(), `runs no "part"`) {
			t.Errorf("error = %v, want that there is none", err)
		}
	}
}

// A program of many threads that are all busy stands still once it is frozen, and goes on after the thaw.
func TestFreeze(t *testing.T) {
	p := newProcesses(t.TempDir())
	beats := filepath.Join(t.TempDir(), "beats")
	started, err := p.start(0, "part", "sh", "-c", "for i in 1 2 3 4; do while :; do echo >> "+beats+"; done & done; wait")
	if err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(beats)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	grows := func() error {
		before := size()
		return poll(ctx, "beats", p.died, func(context.Context) (bool, error) { return size() > before, nil })
	}
	if err := grows(); err != nil {
		t.Fatal(err)
	}
	if err := p.freeze(ctx, "part"); err != nil {
		t.Fatal(err)
	}
	frozen := size()
	for range 20 {
		if still, err := stopped(started.cmd.Process.Pid); !still || err != nil || size() != frozen {
			t.Fatalf("stopped is %v, %v, and %d bytes have become %d", still, err, frozen, size())
		}
	}
	if err := p.signal("part", syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := grows(); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if _, err := stopped(1 << 30); err == nil {
		t.Error("a program that is not there is said to stand still or run")
	}
}

func TestContainerProcesses(t *testing.T) {
	mount := t.TempDir()
	pods := filepath.Join(mount, cgroupRoot, "kubepods")
	put(t, filepath.Join(mount, "cgroup.controllers"), "memory")
	put(t, filepath.Join(pods, "podx", "aaa", "cgroup.procs"), "12\n13\n")
	put(t, filepath.Join(pods, "burstable", "pody", "bbb", "cgroup.procs"), "14\n")
	put(t, filepath.Join(pods, "burstable", "pody", "ccc", "cgroup.procs"), "")
	for _, tt := range []struct {
		id      string
		want    []int
		problem string
	}{
		{id: "containerd://aaa", want: []int{12, 13}},
		{id: "containerd://bbb", want: []int{14}},
		{id: "containerd://ccc", problem: "has no processes"},
		{id: "containerd://ddd", problem: "does not run"},
		{id: "aaa", problem: "no container's id"},
		{id: "containerd://", problem: "no container's id"},
		{id: "containerd://*", problem: "no container's id"}, // it would hit another's
	} {
		got, err := containerProcesses(mount, tt.id)
		if tt.problem == "" && (err != nil || !slices.Equal(got, tt.want)) {
			t.Errorf("%s: %v, %v, want %v", tt.id, got, err, tt.want)
		}
		if tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%s: error = %v, want %q", tt.id, err, tt.problem)
		}
	}
}

// Only addresses reach the command line of iptables.
func TestCutWantsAddresses(t *testing.T) {
	n := &Node{}
	for _, pair := range [][2]string{{"10.0.0.1", "any"}, {"--flush", "10.0.0.1"}, {"10.0.0.1", "fd00::1"}, {"", "10.0.0.1"}} {
		if _, err := n.Cut(t.Context(), pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "no IPv4 address") {
			t.Errorf("%q: error = %v, want that it is no address", pair, err)
		}
	}
}

func TestEmptyFolder(t *testing.T) {
	folder := t.TempDir()
	put(t, filepath.Join(folder, "a", "b"), "x")
	put(t, filepath.Join(folder, ".hidden"), "x")
	if err := emptyFolder(folder); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
