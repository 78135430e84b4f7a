//go:build unix

// Package procgroup ends the process groups that the demo and the node run, and shows the end of their logs.
package procgroup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// patience is how long a process may take to end by itself. Nothing is lost by killing it: what it keeps is thrown away.
const patience = 10 * time.Second

// End asks the process group pid to end, kills after 10 s whatever is left of it, and returns when ended is closed: once the
// group's first process was waited for. The error names the process.
func End(name string, pid int, ended <-chan struct{}) error {
	if err := signal(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("ending %s: %w", name, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	// Whatever it started, and itself if it does not listen.
	if err := signal(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", name, err)
	}
	<-ended
	return nil
}

// signal tells a process group; that there is none any more is no fault.
func signal(pid int, s syscall.Signal) error {
	if err := syscall.Kill(-pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Tail returns the last 15 lines of a log, of its last 8 KiB at most, indented for an error message; or why it cannot be read.
func Tail(name string) string {
	const most, lines = 8192, 15
	file, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > most {
		if _, err := file.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	content, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}
