//go:build linux

package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"github.com/cx-operator/cx-operator/hack/procgroup"
)

// processes are those that the node runs, in the order in which they were started. The kernel kills them when the thread
// that started them ends, so one thread starts them all, and it lives as long as they do.
type processes struct {
	logs  string // folder for NAME.log
	tasks chan func()
	died  chan error // gets the first that ended though nobody asked it to

	mu  sync.Mutex
	all []*process
}

type process struct {
	name  string
	flags uintptr
	log   string
	cmd   *exec.Cmd
	ended chan struct{} // closed once the process was waited for

	mu       sync.Mutex
	expected bool
}

func newProcesses(logs string) *processes {
	p := &processes{logs: logs, tasks: make(chan func()), died: make(chan error, 1)}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for task := range p.tasks {
			task()
		}
	}()
	return p
}

// start runs a program whose output goes to NAME.log. Its namespaces are new where flags (CLONE_NEW...) say so.
func (p *processes) start(flags uintptr, name, path string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(p.logs, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", name, err)
	}
	defer log.Close() // the process has its own
	started := &process{
		name: name, flags: flags, log: log.Name(), ended: make(chan struct{}),
		cmd: exec.Command(path, args...), //nolint:noctx // stop ends it, in order
	}
	started.cmd.Stdout, started.cmd.Stderr = log, log
	started.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: flags}
	result := make(chan error)
	p.tasks <- func() { result <- started.cmd.Start() }
	if err := <-result; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.mu.Lock()
	p.all = append(p.all, started)
	p.mu.Unlock()
	go p.watch(started)
	return started, nil
}

func (p *processes) watch(each *process) {
	err := each.cmd.Wait()
	each.mu.Lock()
	expected := each.expected
	each.mu.Unlock()
	close(each.ended)
	if expected {
		return
	}
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	select {
	case p.died <- fmt.Errorf("%s ended (%s); the end of %s:\n%s", each.name, how, each.log, procgroup.Tail(each.log)):
	default: // one has been told of already
	}
}

// signal sends a signal to a process of that name, with all that it started in its group.
func (p *processes) signal(name string, s syscall.Signal) error {
	each, err := p.find(name)
	if err != nil {
		return err
	}
	if err := syscall.Kill(-each.cmd.Process.Pid, s); err != nil {
		return fmt.Errorf("sending %v to %s: %w", s, name, err)
	}
	return nil
}

// kill ends a process at once, and returns when it is gone. It stays known, for restart.
func (p *processes) kill(name string) error {
	each, err := p.find(name)
	if err != nil {
		return err
	}
	each.mu.Lock()
	each.expected = true
	each.mu.Unlock()
	if err := syscall.Kill(-each.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing %s: %w", name, err)
	}
	<-each.ended
	return nil
}

// restart starts a process that has ended as it was started before. One that runs is left alone.
func (p *processes) restart(name string) error {
	former, err := p.find(name)
	if err != nil {
		return err
	}
	select {
	case <-former.ended:
	default:
		return nil
	}
	p.mu.Lock()
	p.all = slices.DeleteFunc(p.all, func(each *process) bool { return each == former })
	p.mu.Unlock()
	_, err = p.start(former.flags, name, former.cmd.Path, former.cmd.Args[1:]...)
	return err
}

func (p *processes) find(name string) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, each := range p.all {
		if each.name == name {
			return each, nil
		}
	}
	return nil, fmt.Errorf("the node runs no %q", name)
}

// stop ends all, the last started first, and returns when they are gone. Later calls do nothing.
func (p *processes) stop() error {
	p.mu.Lock()
	all := p.all
	p.all = nil
	p.mu.Unlock()
	for _, each := range all { // before any ends: they end when what they talk to does
		each.mu.Lock()
		each.expected = true
		each.mu.Unlock()
	}
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		errs = append(errs, all[i].stop())
	}
	return errors.Join(errs...)
}

func (each *process) stop() error {
	return procgroup.End(each.name, each.cmd.Process.Pid, each.ended)
}
