// Package testenv gives tests a real Kubernetes API server with this project's CRDs.
//
// There is one control plane (etcd and kube-apiserver) per test package. It starts with the first
// test that asks for it and ends with the package:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }
//
//	func TestSomething(t *testing.T) {
//		cfg := testenv.New(t)
//		namespace := testenv.Namespace(t)
//		...
//	}
//
// No controller of Kubernetes runs beside it: a deleted namespace stays Terminating, owned objects
// are not garbage-collected and Deployments make no pods. Tests keep apart by namespaces.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

// startTimeout is how long etcd and kube-apiserver may each take to become ready. Both need about
// 2 s on an idle machine; a small one that runs several test packages at once needs more.
const startTimeout = 2 * time.Minute

// controlPlane is the one of this test package. It is global since TestMain and the tests share
// nothing else.
var controlPlane plane

type plane struct {
	mu       sync.Mutex
	managed  bool // Start was called and will stop what runs
	finished bool
	env      *envtest.Environment
	err      error // of the first try; later ones would fail the same, slowly
	options  []Option
	ends     []func()
}

// Start runs the tests of a package, then stops the control plane if one of them started it. It
// returns the exit code that TestMain ends with. Options are for packages that need more of the API server.
func Start(m *testing.M, options ...Option) int {
	controlPlane.options = options
	return controlPlane.run(m.Run)
}

// New returns a configuration with all rights on the package's control plane, starting it on the
// first call. Each call returns a copy that the test may change. The test fails at once where the
// control plane cannot start.
func New(t testing.TB) *rest.Config {
	t.Helper()
	env, err := controlPlane.start()
	if err != nil {
		t.Fatal(err)
	}
	return rest.CopyConfig(env.Config)
}

// KubeConfig returns the content of a kubeconfig file with the rights of New, for programs that
// are run as a whole, such as kubectl.
func KubeConfig(t testing.TB) []byte {
	t.Helper()
	env, err := controlPlane.start()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), env.KubeConfig...)
}

// Namespace makes a new namespace, named after the test, and returns its name. It stays until the
// control plane ends.
func Namespace(t testing.TB) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(New(t))
	if err != nil {
		t.Fatalf("making a client: %v", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: namespacePrefix(t.Name())}}
	namespace, err = client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	return namespace.Name
}

// Root is the top folder of the repository, wherever the test runs.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Finally has something end after the package's tests, before the control plane does. What goes on asking would hold up its
// end.
func Finally(end func()) {
	controlPlane.mu.Lock()
	defer controlPlane.mu.Unlock()
	controlPlane.ends = append(controlPlane.ends, end)
}

func (p *plane) run(tests func() int) int {
	p.mu.Lock()
	p.managed = true
	p.mu.Unlock()

	code := tests()
	for _, end := range slices.Backward(p.ends) {
		end()
	}
	if err := p.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return max(code, 1)
	}
	return code
}

func (p *plane) start() (*envtest.Environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.managed:
		return nil, errors.New("the package's TestMain must be: func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }")
	case p.finished:
		return nil, errors.New("the control plane has ended with the package's tests")
	case p.env == nil && p.err == nil:
		p.env, p.err = launch(p.options)
	}
	return p.env, p.err
}

func (p *plane) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished = true
	if p.env == nil {
		return nil
	}
	if err := p.env.Stop(); err != nil {
		return fmt.Errorf("stopping the control plane: %w", err)
	}
	return nil
}

// launch starts etcd and kube-apiserver on free ports of the loopback address and installs the CRDs.
func launch(options []Option) (*envtest.Environment, error) {
	assets, err := pinned.Assets(Root())
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory:    assets,
		CRDDirectoryPaths:        []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
	}
	// Named outright: envtest would let TEST_ASSET_* of the environment win over the folder.
	env.ControlPlane.Etcd = &envtest.Etcd{Path: filepath.Join(assets, "etcd")}
	env.ControlPlane.GetAPIServer().Path = filepath.Join(assets, "kube-apiserver")
	env.ControlPlane.KubectlPath = filepath.Join(assets, "kubectl")
	for _, option := range options {
		if err := option(env.ControlPlane.GetAPIServer()); err != nil {
			return nil, err
		}
	}
	if _, err := env.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane in %s: %w", assets, err), env.Stop())
	}
	return env, nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// namespacePrefix turns the name of a test into the start of a namespace's name. Kubernetes adds 5
// characters; the prefix leaves room for them within the 63 that a name may have.
func namespacePrefix(test string) string {
	const longest = 50
	name := notInNames.ReplaceAllString(strings.ToLower(test), "-")
	name = strings.TrimPrefix(name, "test")
	name = strings.Trim(name, "-")
	if len(name) > longest {
		name = strings.TrimRight(name[:longest], "-")
	}
	if name == "" {
		name = "test"
	}
	return name + "-"
}
