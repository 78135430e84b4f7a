package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes puts a child into a process group of its own, so that Ctrl-C reaches the demo alone and the demo ends
// its children in order, and lets the kernel kill the child when the demo dies without having done so.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// followGoRun makes the demo end with "go run", which does not pass a SIGTERM on to what it runs.
func followGoRun() error {
	if !startedByGo() {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0); err != nil {
		return fmt.Errorf("asking to end together with go run: %w", err)
	}
	return nil
}

// startedByGo tells "go run" from a shell, make or a person.
func startedByGo() bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	return err == nil && strings.TrimSpace(string(name)) == "go"
}

// identity tells one process from a later one of the same number: the boot and the clock tick at which it started.
// It is empty where no such process runs.
func identity(_ context.Context, pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at process %d: %w", pid, err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("reading the identity of this boot: %w", err)
	}
	started, zombie, err := parseStat(stat)
	if err != nil {
		return "", fmt.Errorf("looking at process %d: %w", pid, err)
	}
	if zombie {
		return "", nil // it has ended, only nobody asked how
	}
	return strings.TrimSpace(string(boot)) + "/" + started, nil
}

// parseStat reads /proc/PID/stat (proc(5)): field 3 is the state, field 22 the start time. Field 2 is the program's name
// in parentheses and may itself hold spaces and parentheses.
func parseStat(stat []byte) (started string, zombie bool, err error) {
	_, rest, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 20 {
		return "", false, fmt.Errorf("unexpected content %q", stat)
	}
	return fields[19], fields[0] == "Z", nil
}
