//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	threads, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	if err != nil {
		return false, fmt.Errorf("finding threads: %w", err)
	}
	found := false
	for _, file := range threads {
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it has ended
			continue
		}
		if err != nil {
			return false, fmt.Errorf("reading the state of a thread: %w", err)
		}
		// The name, in parentheses, may have anything in it: what follows are the state, the parent and the group.
		fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		if found = true; !strings.Contains("TtZX", fields[0]) {
			return false, nil
		}
	}
	if !found {
		return false, fmt.Errorf("no thread of the process group %d is there", group)
	}
	return true, nil
}
