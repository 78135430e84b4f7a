//go:build linux && e2e

// Package node tests the node itself: that it runs what a pod needs, and that a killed run leaves nothing that matters.
package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

// A run that is killed ends with all its processes, and the next one starts in the same folder.
func TestAKilledRunLeavesNothing(t *testing.T) {
	options := cluster.Options(t)
	program := filepath.Join(t.TempDir(), "up")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./hack/node/up")
	build.Dir = cluster.Root()
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	run := exec.CommandContext(t.Context(), program, "-dir", options.Dir)
	run.Dir = cluster.Root()
	said, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		t.Log(lines.Text())
		if strings.Contains(lines.Text(), "Ready. In another shell") {
			break
		}
	}
	if got := running(t, options.Dir); len(got) < 5 {
		t.Fatalf("only %d processes of the node were found: %v", len(got), got)
	}
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait() // it was killed
	cluster.Await(t, "the kernel to end the processes of a killed run", 20*time.Second, func(context.Context) error {
		if left := running(t, options.Dir); len(left) > 0 {
			return fmt.Errorf("still there: %v", left)
		}
		return nil
	})

	began := time.Now()
	n := cluster.StartNode(t)
	t.Logf("Ready again after %s", time.Since(began))
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	checkGone(t, options.Dir)
}

// running lists the processes whose command line names the node's folder.
func running(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || filepath.Dir(file) == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue // it has ended meanwhile
		}
		words := strings.Split(string(content), "\x00")
		if strings.Contains(string(content), dir+"/") {
			found = append(found, filepath.Base(words[0]))
		}
	}
	return found
}

func checkGone(t *testing.T, dir string) {
	t.Helper()
	if left := running(t, dir); len(left) > 0 {
		t.Errorf("processes: %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		t.Errorf("mounts of %s are left:\n%s", dir, mounts)
	}
	if devices, err := net.Interfaces(); err != nil {
		t.Fatal(err)
	} else {
		for _, device := range devices {
			if strings.HasPrefix(device.Name, "cx-node") {
				t.Errorf("the device %s is left", device.Name)
			}
		}
	}
	groups, err := filepath.Glob("/sys/fs/cgroup/*/cx-node")
	if err != nil || len(groups) > 0 {
		t.Errorf("control groups are left: %v, %v", groups, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Errorf("the folder cannot be removed, so something holds it: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}
