package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of a process's CPU time in /proc, on every Linux that Go knows.
const tick = 10 * time.Millisecond

// cpu returns the CPU time that a process has used.
func cpu(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(string(text))
}

// parseCPU reads the line of /proc/PID/stat. The program's name may have spaces and parentheses.
func parseCPU(stat string) (time.Duration, error) {
	_, rest, ok := cutLast(stat, ")")
	fields := strings.Fields(rest)
	const user, system = 11, 12 // after the name
	if !ok || len(fields) <= system {
		return 0, fmt.Errorf("%q is no line of /proc/PID/stat", stat)
	}
	u, err := strconv.ParseInt(fields[user], 10, 64)
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseInt(fields[system], 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Duration(u+s) * tick, nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// memory returns what a process has in memory now, and had at the most, in bytes.
func memory(pid int) (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	if now, err = statusKiB(string(text), "VmRSS"); err != nil {
		return 0, 0, err
	}
	most, err = statusKiB(string(text), "VmHWM")
	return now, most, err
}

// statusKiB reads a line such as "VmRSS:    1234 kB" of /proc/PID/status, in bytes.
func statusKiB(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/PID/status has no %s", name)
}

// servers returns the process ids of this process's children by the names of their programs.
func servers() (map[string]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		before, after, _ := cutLast(string(text), ")")
		pid, name, _ := strings.Cut(before, " (")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			if found[name], err = strconv.Atoi(pid); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// idle waits until a process has done next to nothing for some time, and returns when it last did something. It disturbs the
// process less than asking it.
func idle(ctx context.Context, pid int, quiet time.Duration) (time.Time, error) {
	const every, busy = 100 * time.Millisecond, 2 * tick
	last := time.Now()
	before, err := cpu(pid)
	if err != nil {
		return last, err
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for time.Since(last) < quiet {
		select {
		case <-ctx.Done():
			return last, context.Cause(ctx)
		case <-ticker.C:
		}
		now, err := cpu(pid)
		if err != nil {
			return last, err
		}
		if now-before >= busy {
			last = time.Now()
		}
		before = now
	}
	return last, nil
}
