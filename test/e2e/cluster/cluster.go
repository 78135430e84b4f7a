//go:build linux && e2e

// Package cluster gives end-to-end tests one real node with the operator's image on it. They run by 'make e2e' only, which
// builds what they need; hack/node says how the node works.
package cluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/hack/pinned"
)

const (
	// EnvImage names the variable with the image's name and tag.
	EnvImage = "CX_E2E_IMAGE"
	// EnvArchive names the variable with the path of the archive that holds it.
	EnvArchive = "CX_E2E_ARCHIVE"
)

// Cluster is a cluster of one node.
type Cluster struct {
	*node.Node
	// Client has all rights, and knows the operator's kinds and those of Kubernetes.
	Client client.Client
	// Image is the operator's image. The node has it.
	Image string
}

// Start starts a node for a test, and stops it at the test's end. Its logs stay in bin/e2e/TEST/logs.
func Start(t *testing.T) *Cluster {
	t.Helper()
	image, archive := os.Getenv(EnvImage), os.Getenv(EnvArchive)
	if image == "" || archive == "" {
		t.Fatalf("%s and %s are not set: run 'make e2e'", EnvImage, EnvArchive)
	}
	n := StartNode(t)
	if err := n.LoadImage(t.Context(), archive); err != nil {
		t.Fatal(err)
	}
	log.SetLogger(logr.Discard()) // the client would complain that it has none
	c, err := client.New(n.Config(), client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{Node: n, Client: c, Image: image}
}

// StartNode starts a node without the operator's image.
func StartNode(t *testing.T) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), Options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Options are those of the node that StartNode starts.
func Options(t *testing.T) node.Options {
	t.Helper()
	assets, err := pinned.NodeAssets(Root())
	if err != nil {
		t.Fatal(err)
	}
	return node.Options{
		Dir:    filepath.Join(Root(), "bin", "e2e", strings.ReplaceAll(t.Name(), "/", "-")),
		Assets: assets,
		Pause:  filepath.Join(Root(), "hack", "node", "pause"),
		Say:    t.Logf,
	}
}

// Root is the top folder of the checkout.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Kubectl runs kubectl in the checkout and returns what it prints. The test fails where it fails.
func (c *Cluster) Kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return c.Run(t, c.Node.Kubectl(), args...)
}

// Run runs a program in the checkout, with the cluster as the current one of kubectl, and returns its standard output. The
// test fails where the program fails.
func (c *Cluster) Run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := c.Command(t.Context(), name, args...)
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, errors.String())
	}
	return string(out)
}

// Command is a program that is to run in the checkout, with the cluster as the current one of kubectl.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "MAKEFLAGS=")
	return cmd
}

// Await tries again and again until try returns nil, and fails the test with the last error when the limit has passed.
func Await(t *testing.T, what string, limit time.Duration, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	const every = 200 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("after %s still waiting for %s: %v", limit, what, err)
		}
	}
}
