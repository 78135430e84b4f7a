//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// isolate starts the first process of the node's namespaces and lays the cable to them. When that process ends, the kernel
// ends all others there, and the network devices and mounts are gone.
func (n *Node) isolate(ctx context.Context, pause string) error {
	const flags = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID
	first, err := n.processes.start(flags, "first", pause)
	if err != nil {
		return err
	}
	n.first = first.cmd.Process.Pid
	if err := n.mounts(ctx); err != nil {
		return fmt.Errorf("preparing the node's mounts: %w", err)
	}
	if err := n.cable(ctx); err != nil {
		return fmt.Errorf("preparing the node's network: %w", err)
	}
	return nil
}

// mounts gives the node a view of the files in which folders that containerd and kubelet insist on are its own. Mounts made
// on either side stay there, and those of kubelet reach the containers.
func (n *Node) mounts(ctx context.Context) error {
	steps := [][]string{
		{"mount", "--make-rprivate", "/"},
		{"mount", "--make-rshared", "/"},
		{"mount", "-t", "proc", "proc", "/proc"},
		{"mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"},
	}
	for target, source := range map[string]string{
		"/var/lib/kubelet":    n.file("kubelet"),
		"/var/log/pods":       n.file("logs/pods"),
		"/var/log/containers": n.file("logs/containers"),
	} {
		for _, folder := range []string{target, source} { // on the machine itself the target stays empty
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		steps = append(steps, []string{"mount", "--bind", source, target}, []string{"mount", "--make-rshared", target})
	}
	return n.insideAll(ctx, steps)
}

// cable connects the machine with the node, and sends what is for pods and Services there.
func (n *Node) cable(ctx context.Context) error {
	outside := [][]string{
		{"link", "add", hostDevice, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(n.first)},
		{"address", "add", HostAddress + "/30", "dev", hostDevice},
		{"link", "set", hostDevice, "up"},
	}
	for _, args := range outside {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	err := n.insideAll(ctx, [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "address", "add", Address + "/30", "dev", "eth0"},
		{"ip", "link", "set", "eth0", "up"},
		// So that a question to a name server or registry outside fails at once, and not after a while.
		{"ip", "route", "add", "unreachable", "default"},
		{"sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"},
	})
	if err != nil {
		return err
	}
	for _, to := range []string{podRange, serviceRange} {
		if err := command(ctx, "ip", "route", "add", to, "via", Address); err != nil {
			return err
		}
	}
	return nil
}

// inside is the command line that runs a program in the node's namespaces.
func (n *Node) inside(args ...string) []string {
	return append([]string{"--target", strconv.Itoa(n.first), "--mount", "--net", "--pid", "--"}, args...)
}

func (n *Node) insideAll(ctx context.Context, steps [][]string) error {
	for _, step := range steps {
		if err := command(ctx, "nsenter", n.inside(step...)...); err != nil {
			return err
		}
	}
	return nil
}

// startInside starts a program in the node's namespaces.
func (n *Node) startInside(part Part, path string, args ...string) error {
	_, err := n.processes.start(0, string(part), "nsenter", n.inside(append([]string{path}, args...)...)...)
	return err
}

func (n *Node) file(name string) string { return filepath.Join(n.dir, name) }
