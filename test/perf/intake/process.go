package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one that serves at an address.
type process struct {
	address string
	cmd     *exec.Cmd
	said    *output
	ended   chan error
}

// output is what a process says. It is safe for concurrent use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) Bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.b.Bytes())
}

// launch starts the process.
func (p *process) launch(cmd *exec.Cmd) error {
	p.cmd, p.said, p.ended = cmd, &output{}, make(chan error, 1)
	cmd.Stderr = p.said
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { p.ended <- cmd.Wait() }()
	return nil
}

// stopWithin bounds how long a process may take to end in order.
const stopWithin = time.Minute

// stop ends the process in order. What it had to complain of is an error.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	patience := time.NewTimer(stopWithin)
	defer patience.Stop()
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("%s ended with %w:\n%s", filepath.Base(p.cmd.Path), err, lastLines(string(p.said.Bytes())))
		}
		return nil
	case <-patience.C:
		return errors.Join(fmt.Errorf("%s does not end", p.cmd.Path), p.cmd.Process.Kill(), <-p.ended)
	}
}

// usage is what a process has taken so far.
type usage struct {
	// cpu is user and system time.
	cpu time.Duration
	// resident is what is in memory now and peak the most that was, in bytes, code and files included.
	resident, peak int64
	// own is what of the resident memory is the process's own, not a file's.
	own int64
}

func (p *process) usage() (usage, error) { return usageOf(p.cmd.Process.Pid) }

func usageOf(pid int) (usage, error) {
	cpu, err := cpuOf(pid, false)
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return usage{}, err
	}
	u := usage{cpu: cpu}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &u.resident, "VmHWM": &u.peak, "RssAnon": &u.own}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return usage{}, err
		}
		*into = kib << 10
	}
	return u, nil
}

// forgetPeak has the peak of a process's memory begin anew.
func forgetPeak(pid int) error {
	const peak = "5" // see proc(5), clear_refs
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0); err != nil {
		return fmt.Errorf("the peak of the memory is kept from the start: %w", err)
	}
	return nil
}

// ticksPerSecond is the unit of times in /proc, which is the same on every Linux.
const ticksPerSecond = 100

// cpuOf reads the time that a process has taken, with that of its children that have ended if asked.
func cpuOf(pid int, ended bool) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may have spaces.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const utime, stime, cutime, cstime = 11, 12, 13, 14
	if len(fields) <= cstime {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	wanted := []int{utime, stime}
	if ended {
		wanted = append(wanted, cutime, cstime)
	}
	var ticks int64
	for _, i := range wanted {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// familyCPU is the time that a process and its children have taken.
func familyCPU(pid int) (time.Duration, error) {
	sum, err := cpuOf(pid, true)
	if err != nil {
		return 0, err
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, text := range strings.Fields(string(children)) {
		child, err := strconv.Atoi(text)
		if err != nil {
			return 0, err
		}
		if cpu, err := cpuOf(child, false); err == nil { // otherwise it has ended meanwhile
			sum += cpu
		}
	}
	return sum, nil
}
