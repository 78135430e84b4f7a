package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cx-operator/cx-operator/hack/procgroup"
)

// children are the processes that the demo runs, in the order in which they were started. Only the main goroutine starts
// them: the kernel's promise to kill a child with its parent is about the thread that started it.
type children struct {
	dir    workDir
	failed context.CancelCauseFunc // called when one ends that should not
	fallen chan *child             // gets one that ended though it should not, if it is to be started again
	all    []*child
}

// child is one process.
type child struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	ended   chan struct{} // closed once the process was waited for

	mu       sync.Mutex
	expected bool // stop was called
	kept     bool // keep was called
	err      error
}

// start runs a program whose output goes to NAME.log of the work folder.
func (c *children) start(ctx context.Context, name, path string, args ...string) (*child, error) {
	log, err := os.OpenFile(c.dir.file(name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", name, err)
	}
	defer log.Close() // the child has its own
	// Not ended with the context, but by stop, in order.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	started := &child{name: name, logFile: log.Name(), cmd: cmd, ended: make(chan struct{})}
	c.all = append(c.all, started)
	go c.watch(started)
	if err := c.dir.record(ctx, name, cmd.Process.Pid); err != nil {
		return nil, err
	}
	return started, nil
}

func (c *children) watch(p *child) {
	err := p.cmd.Wait()
	p.mu.Lock()
	expected, kept := p.expected, p.kept
	p.err = err
	p.mu.Unlock()
	close(p.ended)
	switch {
	case expected:
	case kept:
		c.fallen <- p
	default:
		c.failed(p.failure())
	}
}

// keep has a process that ends by itself from now on sent to fallen, instead of ending the demo. One at most is kept.
func (c *children) keep(p *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = true
}

// again starts a process that fell, with the arguments it had.
func (c *children) again(ctx context.Context, fallen *child) (*child, error) {
	c.all = slices.DeleteFunc(c.all, func(p *child) bool { return p == fallen })
	return c.start(ctx, fallen.name, fallen.cmd.Path, fallen.cmd.Args[1:]...)
}

// failure says that the process ended by itself, with the end of its log.
func (p *child) failure() error {
	return fmt.Errorf("%s ended (%s); the end of %s:\n%s", p.name, p.how(), p.logFile, procgroup.Tail(p.logFile))
}

// how says how the process ended.
func (p *child) how() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// stop ends all children, the last started first, and returns when they are gone.
func (c *children) stop() error {
	var errs []error
	for i := len(c.all) - 1; i >= 0; i-- {
		errs = append(errs, c.all[i].stop())
	}
	c.all = nil
	return errors.Join(errs...)
}

func (p *child) stop() error {
	p.mu.Lock()
	p.expected = true
	p.mu.Unlock()
	select {
	case <-p.ended:
		return nil
	default:
	}
	return procgroup.End(p.name, p.cmd.Process.Pid, p.ended)
}

// executable finds a program in a folder.
func executable(dir, name string) (string, bool) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
