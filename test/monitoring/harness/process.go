package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/hack/procgroup"
)

// startLimit is how long a server may take until it is ready, on a machine that does other things.
const startLimit = time.Minute

// Process is a program that a test runs.
type Process struct {
	name, log string
	cmd       *exec.Cmd
	ended     chan struct{} // closed once the process was waited for
}

// Start runs a program whose output goes to NAME.log of a folder. It ends with the test, if not before, and its log is
// shown where the test failed.
func Start(t testing.TB, dir, name, path string, env []string, args ...string) *Process {
	t.Helper()
	p := &Process{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the program has its own
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the test, which then ends it
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is for the log
		close(p.ended)
	}()
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, procgroup.Tail(p.log))
		}
	})
	return p
}

// Stop ends the program, and does nothing where it has ended.
func (p *Process) Stop() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	return procgroup.End(p.name, p.cmd.Process.Pid, p.ended)
}

// awaitOK waits until an address answers 200, or the program ends.
func (p *Process) awaitOK(t testing.TB, address string) {
	t.Helper()
	Eventually(t, startLimit, p.name+" answers", func() error {
		p.mustRun(t)
		return answers(t.Context(), address)
	})
}

// mustRun fails the test where the program has ended.
func (p *Process) mustRun(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("%s ended:\n%s", p.name, procgroup.Tail(p.log))
	default:
	}
}

func answers(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// Eventually asks again and again until the check has no error, and fails the test with the last one when the limit has
// passed.
func Eventually(t testing.TB, limit time.Duration, what string, check func() error) {
	t.Helper()
	const every = 200 * time.Millisecond
	deadline, ticker := time.NewTimer(limit), time.NewTicker(every)
	defer deadline.Stop()
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended before this: %s: %v", what, err)
		case <-deadline.C:
			t.Fatalf("not within %s: %s: %v", limit, what, err)
		}
	}
}

// Port returns a port of the loopback address that is free now.
func Port(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// Address returns an address of this machine that is not the loopback, which Kubernetes does not take for the address of a
// Service's backend.
func Address(t testing.TB) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	t.Fatalf("this machine has no IPv4 address but the loopback, which no Service of Kubernetes may lead to: %v", all)
	return ""
}

func write(t testing.TB, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(fmt.Errorf("writing %s: %w", path, err))
	}
	return path
}
