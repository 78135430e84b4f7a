//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// Freeze stops parts from running until Thaw: connections to them stay, and nothing answers. It returns when they have stopped,
// which a busy program does some time after it is told to.
func (n *Node) Freeze(ctx context.Context, parts ...Part) error {
	for _, part := range parts {
		if err := n.processes.freeze(ctx, string(part)); err != nil {
			return err
		}
	}
	return nil
}

// Thaw lets parts run on.
func (n *Node) Thaw(parts ...Part) error {
	var errs []error
	for _, part := range parts {
		errs = append(errs, n.processes.signal(string(part), syscall.SIGCONT))
	}
	return errors.Join(errs...)
}

func (p *processes) freeze(ctx context.Context, name string) error {
	each, err := p.find(name)
	if err != nil {
		return err
	}
	if err := p.signal(name, syscall.SIGSTOP); err != nil {
		return err
	}
	return poll(ctx, name+" to stop", p.died, func(context.Context) (bool, error) { return stopped(each.cmd.Process.Pid) })
}

// stopped tells whether no thread of a process group runs.
func stopped(group int) (bool, error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return false, fmt.Errorf("finding processes: %w", err)
	}
	found := false
	for _, process := range all {
		stat, err := process.Stat()
		if ended(err) || err == nil && stat.PGRP != group {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("reading the state of a process: %w", err)
		}
		found = true
		if still, err := standsStill(process); !still || err != nil {
			return false, err
		}
	}
	if !found {
		return false, fmt.Errorf("no process of the group %d is there", group)
	}
	return true, nil
}

// standsStill tells whether no thread of a process runs.
func standsStill(process procfs.Proc) (bool, error) {
	threads, err := procfs.AllThreads(process.PID)
	if err != nil && !ended(err) {
		return false, fmt.Errorf("finding threads: %w", err)
	}
	for _, thread := range threads {
		stat, err := thread.Stat()
		if ended(err) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("reading the state of a thread: %w", err)
		}
		if !strings.Contains("TtZX", stat.State) { // stopped, traced, or ended and not yet waited for
			return false, nil
		}
	}
	return true, nil
}

func ended(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) }
