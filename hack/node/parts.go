//go:build linux

package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/client-go/rest"
)

// Part is a program of the node that faults can hit.
type Part string

// The parts.
const (
	Etcd              Part = "etcd"
	APIServer         Part = "kube-apiserver"
	ControllerManager Part = "kube-controller-manager"
	Scheduler         Part = "kube-scheduler"
	Containerd        Part = "containerd"
	Kubelet           Part = "kubelet"
	Proxy             Part = "kube-proxy"
)

const etcdAddress = "http://" + HostAddress + ":2379"

// Kill ends parts as kill -9 does, and returns when they are gone. Containers survive the end of containerd.
func (n *Node) Kill(parts ...Part) error {
	var errs []error
	for _, part := range parts {
		errs = append(errs, n.processes.kill(string(part)))
	}
	return errors.Join(errs...)
}

// Restart starts parts that were killed, in the given order, each after the one before answers. etcd still has what it had:
// its files outlive it.
func (n *Node) Restart(ctx context.Context, parts ...Part) error {
	for _, part := range parts {
		if err := n.processes.restart(string(part)); err != nil {
			return err
		}
		if err := n.awaitPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) awaitPart(ctx context.Context, part Part) error {
	return n.await(ctx, string(part)+" to answer", func(ctx context.Context) (bool, error) { return n.answers(ctx, part), nil })
}

// answers tells whether a part is healthy by its own account.
func (n *Node) answers(ctx context.Context, part Part) bool {
	// These make certificates for themselves, and what they say is not secret.
	selfSigned := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // see above
	switch part {
	case Etcd:
		return answersOK(ctx, http.DefaultClient, etcdAddress+"/health")
	case APIServer:
		client, err := rest.HTTPClientFor(n.config)
		return err == nil && answersOK(ctx, client, n.config.Host+"/readyz")
	case ControllerManager:
		return answersOK(ctx, selfSigned, "https://"+HostAddress+":10257/healthz")
	case Scheduler:
		return answersOK(ctx, selfSigned, "https://"+HostAddress+":10259/healthz")
	case Containerd:
		return command(ctx, "nsenter", n.inside("ctr", "version")...) == nil
	case Kubelet:
		return answersOK(ctx, http.DefaultClient, "http://"+Address+":10248/healthz")
	case Proxy:
		return answersOK(ctx, http.DefaultClient, "http://"+Address+":10256/healthz")
	default:
		return false
	}
}

// Signal sends a signal to the processes of a container, by its id as a pod's status has it (containerd://...): SIGKILL is a
// crash that nobody announced, SIGSTOP a process that hangs.
func (n *Node) Signal(containerID string, s syscall.Signal) error {
	pids, err := containerProcesses(cgroupMount, containerID)
	if err != nil {
		return err
	}
	var errs []error
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("sending %v to container %s: %w", s, containerID, err))
		}
	}
	return errors.Join(errs...)
}

// containerProcesses finds the processes of a container by its control group, whose name is the container's.
func containerProcesses(mount, containerID string) ([]int, error) {
	_, id, ok := strings.Cut(containerID, "://")
	if !ok || id == "" || strings.ContainsAny(id, `/*?[\`) {
		return nil, fmt.Errorf("%q is no container's id: want containerd:// and the id", containerID)
	}
	all, err := hierarchies(mount)
	if err != nil {
		return nil, err
	}
	for _, pattern := range []string{"pod*", "*/pod*"} { // of guaranteed pods, and of others
		files, err := filepath.Glob(filepath.Join(all[0], cgroupRoot, "kubepods", pattern, id, "cgroup.procs"))
		if err != nil {
			return nil, fmt.Errorf("finding container %s: %w", id, err)
		}
		if len(files) == 0 {
			continue
		}
		content, err := os.ReadFile(files[0])
		if err != nil {
			return nil, fmt.Errorf("finding the processes of container %s: %w", id, err)
		}
		return processIDs(string(content))
	}
	return nil, fmt.Errorf("container %s does not run", id)
}

func processIDs(lines string) ([]int, error) {
	var pids []int
	for line := range strings.FieldsSeq(lines) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			return nil, fmt.Errorf("reading process ids: %w", err)
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		return nil, errors.New("the container has no processes")
	}
	return pids, nil
}
