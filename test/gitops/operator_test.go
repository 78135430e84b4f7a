// Package gitops tests how the operator's kinds behave under Git: nothing to change at a second apply, and a status that Argo CD and
// Flux read rightly. The objects that Argo CD's and Flux's own code judge, in config/argocd, are recorded here from the operator at
// work: run "go test ./test/gitops -update" to record them anew.
package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) {
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	os.Exit(testenv.Start(m))
}

// patience is how long something may take that is under way, on a small machine that runs other tests beside.
const patience = time.Minute

// site is an API server, and an operator that is built from this checkout and can be started and stopped.
type site struct {
	t      *testing.T
	c      client.Client
	dir    string // holds the kubeconfig, the binary and the answers
	intake string // base address of the pages
	run    *exec.Cmd
	log    bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	c, err := client.New(testenv.New(t), client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, c: c, dir: t.TempDir()}
	if err := os.WriteFile(s.kubeconfig(), testenv.KubeConfig(t), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", s.binary(), ".")
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the operator's log:\n%s", s.log.String())
		}
	})
	return s
}

func (s *site) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }
func (s *site) binary() string     { return filepath.Join(s.dir, "cx-operator") }

// start runs the operator's manager, with more flags, until stop.
func (s *site) start(flags ...string) {
	s.t.Helper()
	intake, probes := freeAddress(s.t), freeAddress(s.t)
	s.intake = "http://" + intake
	s.run = exec.Command(s.binary(), append([]string{ // #nosec G204 -- built above
		"manager", "--kubeconfig=" + s.kubeconfig(), "--leader-elect=false", "--data-dir=" + filepath.Join(s.dir, "data"),
		"--metrics-bind-address=0", "--health-probe-bind-address=" + probes, "--intake-bind-address=" + intake, "--public-url=" + s.intake,
	}, flags...)...)
	s.run.Env = append(os.Environ(), "POD_NAMESPACE=default")
	s.run.Stderr = &s.log
	if err := s.run.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the operator and waits for it.
func (s *site) stop() {
	if s.run == nil {
		return
	}
	run := s.run
	s.run = nil
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Errorf("ending the operator: %v", err)
	}
	if err := run.Wait(); err != nil {
		s.t.Errorf("the operator ended: %v", err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// kubectl runs the pinned kubectl and returns what it prints, its exit code with it.
func (s *site) kubectl(stdin []byte, args ...string) (string, error) {
	s.t.Helper()
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig=" + s.kubeconfig()}, args...)...)
	cmd.Dir = testenv.Root()
	cmd.Env = append(os.Environ(), "HOME="+s.dir)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// eventually waits until the check has no error.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, errors.Join(err, fmt.Errorf("after %s", patience)))
		}
	}
}
