package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// workDir is the folder that holds everything that the demo writes. One demo at a time has it.
type workDir string

// Names within the work folder.
const (
	lockName      = "lock"
	processesName = "processes"
	binName       = "bin"
	kubeconfig    = "kubeconfig"
	urls          = "urls"
)

// process is one line of the file that tells the next demo what this one runs.
type process struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Identity string `json:"identity"` // as of identity()
}

func (d workDir) file(name string) string { return filepath.Join(string(d), name) }

// openWorkDir takes the folder for this demo, ends what a former demo left running because it was killed, and empties
// the folder, apart from what was built. release gives the folder back.
func openWorkDir(ctx context.Context, name string, say func(string, ...any)) (dir workDir, release func() error, err error) {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", nil, fmt.Errorf("finding the demo's folder: %w", err)
	}
	dir = workDir(absolute)
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return "", nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	lock := flock.New(dir.file(lockName))
	locked, err := lock.TryLock()
	if err != nil {
		return "", nil, fmt.Errorf("locking the demo's folder: %w", err)
	}
	if !locked {
		return "", nil, fmt.Errorf("another demo runs in %s: end it first (Ctrl-C)", dir)
	}
	if err := errors.Join(dir.endFormer(ctx, say), dir.empty()); err != nil {
		return "", nil, errors.Join(err, lock.Unlock())
	}
	return dir, lock.Unlock, nil
}

// empty removes what a former demo wrote, apart from what was built.
func (d workDir) empty() error {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return fmt.Errorf("emptying the demo's folder: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == lockName || entry.Name() == binName {
			continue
		}
		if err := os.RemoveAll(d.file(entry.Name())); err != nil {
			return fmt.Errorf("emptying the demo's folder: %w", err)
		}
	}
	return nil
}

// record notes a process, so that the next demo can end it if this one cannot.
func (d workDir) record(ctx context.Context, name string, pid int) error {
	who, err := identity(ctx, pid)
	if err != nil {
		return err
	}
	line, err := json.Marshal(process{Name: name, PID: pid, Identity: who})
	if err != nil {
		return fmt.Errorf("noting %s: %w", name, err)
	}
	file, err := os.OpenFile(d.file(processesName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("noting %s: %w", name, err)
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// endFormer ends the processes that a killed demo noted, and only these: a number that belongs to another process by now
// is left alone.
func (d workDir) endFormer(ctx context.Context, say func(string, ...any)) error {
	former, err := d.recorded()
	if err != nil {
		return err
	}
	for _, p := range former {
		who, err := identity(ctx, p.PID)
		if err != nil {
			return err
		}
		if who == "" || who != p.Identity {
			continue
		}
		say("Ending %s (process %d), which a killed demo left.", p.Name, p.PID)
		if err := killGroup(ctx, p.PID); err != nil {
			return fmt.Errorf("ending %s (process %d): %w", p.Name, p.PID, err)
		}
	}
	return nil
}

func (d workDir) recorded() ([]process, error) {
	file, err := os.Open(d.file(processesName))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what a former demo left: %w", err)
	}
	defer file.Close()
	var all []process
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var p process
		if json.Unmarshal(lines.Bytes(), &p) != nil || p.PID <= 1 || p.Identity == "" {
			continue // cut short by the kill: the process it was to name had hardly begun
		}
		all = append(all, p)
	}
	return all, lines.Err()
}

// killGroup kills a process and its group, and returns when it is gone.
func killGroup(ctx context.Context, pid int) error {
	const limit, every = 5 * time.Second, 20 * time.Millisecond
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		who, err := identity(ctx, pid)
		if err != nil || who == "" {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errors.New("it does not end")
		}
	}
}

// write puts a file into the folder in one step: whoever sees it, sees all of it. Only the user can read it.
func (d workDir) write(name string, content []byte) error {
	temporary := d.file("." + name + ".new")
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", d.file(name), err)
	}
	if err := os.Rename(temporary, d.file(name)); err != nil {
		return fmt.Errorf("writing %s: %w", d.file(name), err)
	}
	return nil
}
