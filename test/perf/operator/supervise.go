package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// envFolder has the folder of the process that measures. Whoever starts the bench starts another process, which removes what
// that one leaves however it ends.
const envFolder = "BENCH_OPERATOR_FOLDER"

// supervise runs this program once more, in a folder for all that it keeps, and returns its exit code when nothing of it is left:
// no process and, unless it failed by itself, no file.
func supervise(folder string) (code int, err error) {
	own := folder == ""
	if own {
		if folder, err = os.MkdirTemp(os.Getenv("BENCH_DIR"), "bench-operator-"); err != nil {
			return 1, err
		}
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return 1, err
	}
	temporary := filepath.Join(folder, "tmp")
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return 1, err
	}
	if err := adoptOrphans(); err != nil {
		return 1, err
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	cmd := exec.Command(self, os.Args[1:]...) // #nosec G204 -- itself
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), envFolder+"="+folder, "TMPDIR="+temporary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it hears of signals here alone
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	for {
		select {
		case <-told:
			stopped = true
			// An error is that it has ended, which is heard of next.
			_ = cmd.Process.Signal(syscall.SIGTERM)
			continue
		case err = <-ended:
		}
		break
	}
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		code = max(1, failed.ExitCode()) // -1 is a signal
	case err != nil:
		return 1, err
	}
	if err := endOrphans(); err != nil {
		return 1, err
	}
	return code, tidy(folder, own, code == 0 || stopped)
}

// tidy removes what was kept: all of it, or all but what tells why the bench failed.
func tidy(folder string, own, all bool) error {
	if all && own {
		return os.RemoveAll(folder)
	}
	heavy := []string{filepath.Join(folder, "tmp"), filepath.Join(folder, operatorProcess)}
	for _, pattern := range []string{"etcd", "data"} {
		found, err := filepath.Glob(filepath.Join(folder, "cluster-*", pattern))
		if err != nil {
			return err
		}
		heavy = append(heavy, found...)
	}
	var err error
	for _, path := range heavy {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// endOrphans kills the processes that the one which measured has left to this one, and those that they leave.
func endOrphans() error {
	for {
		left, err := servers()
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		for name, pid := range left {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("ending %s: %w", name, err)
			}
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil && !errors.Is(err, syscall.ECHILD) {
				return fmt.Errorf("waiting for %s: %w", name, err)
			}
		}
	}
}
