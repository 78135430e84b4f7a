//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// startLimit is how long each part may take until it answers: a few seconds on an idle machine.
	startLimit = 3 * time.Minute
	// cleanLimit is how long the kernel may take to end what a killed run left.
	cleanLimit = 30 * time.Second
	// pollEvery is how often something awaited is looked at.
	pollEvery = 100 * time.Millisecond
	// lockFile keeps a second node from starting: the addresses are the machine's.
	lockFile = "/run/cx-operator-node.lock"
)

// Node is a running node. Its methods may be called by several goroutines.
type Node struct {
	dir       string
	assets    string
	say       func(format string, args ...any)
	lock      *flock.Flock
	processes *processes
	first     int // process id of the first process in the node's namespaces
	config    *rest.Config
	names     *nameServer
}

// Start starts a node and returns when it is Ready, has its volumes and serves names. Where another process on this machine
// runs a node, Start waits for it to end. Cancelling ctx ends the start; a node that was started ends by Stop, or with the
// process.
func Start(ctx context.Context, o Options) (started *Node, err error) {
	n := &Node{assets: o.Assets, say: o.Say}
	if n.say == nil {
		n.say = func(string, ...any) {}
	}
	if n.dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("finding the node's folder: %w", err)
	}
	plugins, err := n.prepare(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Stop())
		}
	}()
	if err != nil {
		return nil, err
	}
	n.say("Starting the node's namespaces in %s", n.dir)
	pause := n.file("bin/pause")
	if err := buildPause(ctx, o.Pause, pause); err != nil {
		return nil, err
	}
	if err := n.isolate(ctx, pause); err != nil {
		return nil, err
	}
	k, err := makeKeys(n.file("keys"), time.Now())
	if err != nil {
		return nil, err
	}
	if err := n.startControlPlane(ctx, k); err != nil {
		return nil, err
	}
	if err := n.startWorker(ctx, k, plugins, pause); err != nil {
		return nil, err
	}
	return n, n.finish(ctx)
}

// prepare takes the machine's lock, and removes what a former run left.
func (n *Node) prepare(ctx context.Context) (plugins string, err error) {
	n.lock = flock.New(lockFile)
	if locked, err := n.lock.TryLock(); err != nil {
		return "", fmt.Errorf("locking %s: %w", lockFile, err)
	} else if !locked {
		n.say("Another process runs a node on this machine: waiting for its end")
		if _, err := n.lock.TryLockContext(ctx, pollEvery); err != nil {
			return "", fmt.Errorf("waiting for another node's end: %w", err)
		}
	}
	if err := n.clean(ctx); err != nil {
		return "", err
	}
	if plugins, err = check(); err != nil {
		return "", err
	}
	if err := os.RemoveAll(n.dir); err != nil {
		return "", fmt.Errorf("emptying the node's folder: %w", err)
	}
	n.processes = newProcesses(n.file("logs"))
	for _, folder := range []string{"bin", "logs", "etcd"} {
		if err := os.MkdirAll(n.file(folder), 0o700); err != nil {
			return "", fmt.Errorf("making the node's folder: %w", err)
		}
	}
	return plugins, makeCgroups(cgroupMount)
}

// clean removes what the kernel does not remove by itself, or not at once, when a node's processes end.
func (n *Node) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	return poll(ctx, "the kernel to end what a former node left", nil, func(ctx context.Context) (bool, error) {
		_ = exec.CommandContext(ctx, "ip", "link", "delete", hostDevice).Run() // mostly there is none
		_, err := os.Stat("/sys/class/net/" + hostDevice)
		return err != nil && removeCgroups(cgroupMount) == nil, nil
	})
}

// finish waits for the Node to be Ready, and gives the cluster what pods and tests expect of one.
func (n *Node) finish(ctx context.Context) error {
	clients, err := kubernetes.NewForConfig(n.config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if err := n.addVolumes(ctx, clients); err != nil {
		return err
	}
	if n.names, err = serveNames(ctx, clients); err != nil {
		return err
	}
	n.say("Waiting for the node to be Ready")
	err = n.await(ctx, "the node to be Ready", func(ctx context.Context) (bool, error) {
		got, err := clients.CoreV1().Nodes().Get(ctx, Name, metav1.GetOptions{})
		return err == nil && isReady(got), nil // until it has registered there is none
	})
	if err != nil {
		return err
	}
	return n.await(ctx, "the default ServiceAccount", func(ctx context.Context) (bool, error) {
		_, err := clients.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil // until a controller has made it there is none
	})
}

// isReady tells whether pods can be placed on the node: a node that has just become ready still has taints.
func isReady(got *corev1.Node) bool {
	for _, taint := range got.Spec.Taints {
		if taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute {
			return false
		}
	}
	for _, condition := range got.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Stop ends the node with everything on it, and returns when it is gone. The folder stays, for its logs. Later calls do
// nothing.
func (n *Node) Stop() error {
	if n.lock == nil {
		return nil
	}
	var errs []error
	if n.names != nil {
		errs = append(errs, n.names.stop())
	}
	if n.processes != nil {
		errs = append(errs, n.processes.stop(), n.clean(context.Background())) // the node may end because the caller's context has
	}
	errs = append(errs, n.lock.Close())
	n.names, n.processes, n.first, n.lock = nil, nil, 0, nil
	return errors.Join(errs...)
}

// Config is a new configuration with all rights.
func (n *Node) Config() *rest.Config { return rest.CopyConfig(n.config) }

// Kubeconfig is the file with the same rights, for programs.
func (n *Node) Kubeconfig() string { return n.file("kubeconfig") }

// Kubectl is the path of kubectl in the version of the cluster.
func (n *Node) Kubectl() string { return filepath.Join(n.assets, "kubectl") }

// LoadImage brings the image for this machine's platform in an archive (OCI layout or docker save) onto the node. Pods name
// it as the archive does, and must not have imagePullPolicy Always, which is the default for the tag latest.
func (n *Node) LoadImage(ctx context.Context, archive string) error {
	absolute, err := filepath.Abs(archive)
	if err != nil {
		return fmt.Errorf("finding the image: %w", err)
	}
	err = command(ctx, "nsenter", n.inside("ctr", "--namespace", "k8s.io", "images", "import", absolute)...)
	if err != nil {
		return fmt.Errorf("loading the image: %w", err)
	}
	return nil
}

// TagImage gives an image of the node's one more name and tag, as pods name images: cx-operator:1.0.0.
func (n *Node) TagImage(ctx context.Context, image, tag string) error {
	// What pods name in short.
	const registry = "docker.io/library/"
	err := command(ctx, "nsenter", n.inside("ctr", "--namespace", "k8s.io", "images", "tag", "--force", registry+image, registry+tag)...)
	if err != nil {
		return fmt.Errorf("naming an image: %w", err)
	}
	return nil
}

// await asks every now and then until check says yes. It ends with an error when check fails, the limit has passed, or one
// of the node's processes has ended.
func (n *Node) await(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return poll(ctx, what, n.processes.died, check)
}

func poll(ctx context.Context, what string, died chan error, check func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		done, err := check(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case err := <-died:
			return fmt.Errorf("waiting for %s: %w", what, err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}
