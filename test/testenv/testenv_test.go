package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

func TestMain(m *testing.M) { os.Exit(Start(m)) }

func TestServerVersion(t *testing.T) {
	version, err := discovery.NewDiscoveryClientForConfigOrDie(New(t)).ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := pinned.Assets(Root())
	if err != nil {
		t.Fatal(err)
	}
	// The folder of a control plane that was built here is named after its version; one that
	// KUBEBUILDER_ASSETS names may be called anything.
	want := filepath.Base(assets)
	if os.Getenv(pinned.EnvAssets) != "" && !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(want) {
		want = "v1."
	}
	if !strings.HasPrefix(version.GitVersion, want) {
		t.Errorf("the server is %s, want %s", version.GitVersion, want)
	}
}

func TestApplyNamespace(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(New(t)).CoreV1().Namespaces()
	wanted := corev1.Namespace("applied").WithLabels(map[string]string{"example.test/kept": "yes"})
	if _, err := client.Apply(t.Context(), wanted, metav1.ApplyOptions{FieldManager: "testenv"}); err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(t.Context(), "applied", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Labels["example.test/kept"] != "yes" {
		t.Errorf("labels = %v, want the one that was applied", got.Labels)
	}
}

func TestCRDsAreInstalled(t *testing.T) {
	bases, err := filepath.Glob(filepath.Join(Root(), "config", "crd", "bases", "*.yaml"))
	if err != nil || len(bases) == 0 {
		t.Fatalf("no CRDs in config/crd/bases (%v): run 'make generate'", err)
	}
	served, err := discovery.NewDiscoveryClientForConfigOrDie(New(t)).ServerResourcesForGroupVersion("cx-operator.io/v1alpha1")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, resource := range served.APIResources {
		kinds[resource.Kind] = true
	}
	if len(kinds) != len(bases) {
		t.Errorf("the server serves kinds %v for %d CRD files", kinds, len(bases))
	}
}

func TestNamespacesAreUnique(t *testing.T) {
	one, other := Namespace(t), Namespace(t)
	if one == other {
		t.Errorf("both namespaces are called %s", one)
	}
	client := kubernetes.NewForConfigOrDie(New(t)).CoreV1().Namespaces()
	for _, name := range []string{one, other} {
		if _, err := client.Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			t.Errorf("namespace %s: %v", name, err)
		}
	}
	if _, err := client.Get(t.Context(), "never-made", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a namespace that nobody made: %v, want not found", err)
	}
}

func TestNewReturnsACopy(t *testing.T) {
	changed := New(t)
	changed.Host = "https://nowhere.invalid"
	if again := New(t); again.Host == changed.Host {
		t.Error("a change to one test's configuration reaches the next test")
	}
}

func TestKubeConfigServesKubectl(t *testing.T) {
	assets, err := pinned.Assets(Root())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, KubeConfig(t), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "--kubeconfig", file, "get", "namespace", "default", "-o", "name").CombinedOutput()
	if err != nil || string(out) != "namespace/default\n" {
		t.Errorf("kubectl printed %q, %v; want namespace/default", out, err)
	}
}

func TestRootIsTheRepository(t *testing.T) {
	gomod, err := os.ReadFile(filepath.Join(Root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(gomod), "module github.com/cx-operator/cx-operator\n") {
		t.Errorf("%s holds the go.mod of something else", Root())
	}
}

func TestStartNeedsTestMain(t *testing.T) {
	var unmanaged plane
	_, err := unmanaged.start()
	if err == nil || !strings.Contains(err.Error(), "testenv.Start(m)") {
		t.Errorf("error = %v, want one that says what TestMain must hold", err)
	}
}

func TestMissingControlPlaneSaysWhatToRun(t *testing.T) {
	t.Setenv(pinned.EnvAssets, "")
	t.Setenv(pinned.EnvKubeCache, t.TempDir())
	p := plane{managed: true}
	_, first := p.start()
	if !errors.Is(first, pinned.ErrAssetsMissing) || !strings.Contains(first.Error(), "make kube") {
		t.Errorf("error = %v, want one that says to run make kube", first)
	}
	if _, second := p.start(); !errors.Is(second, first) {
		t.Errorf("the second try gave %v, want the first error again", second)
	}
}

func TestBrokenControlPlaneIsAnError(t *testing.T) {
	assets := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		if err := os.WriteFile(filepath.Join(assets, name), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(pinned.EnvAssets, assets)
	p := plane{managed: true}
	if _, err := p.start(); err == nil || !strings.Contains(err.Error(), "starting the control plane in "+assets) {
		t.Errorf("error = %v, want one that names the folder", err)
	}
}

func TestRunReturnsTheTestsCode(t *testing.T) {
	for _, code := range []int{0, 1, 2} {
		var p plane
		if got := p.run(func() int { return code }); got != code {
			t.Errorf("run = %d, want %d", got, code)
		}
		if _, err := p.start(); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("start after the end: %v, want a refusal", err)
		}
	}
}

func TestNamespacePrefix(t *testing.T) {
	tests := []struct{ test, want string }{
		{test: "TestSurveyProgram/no_store", want: "surveyprogram-no-store-"},
		{test: "Test", want: "test-"},
		{test: "Test/__/##", want: "test-"},
		{test: "TestÜber/Ärger", want: "ber-rger-"},
		{test: "Test" + strings.Repeat("long", 40), want: strings.Repeat("long", 12) + "lo-"},
		{test: "Test" + strings.Repeat("a", 49) + "/b", want: strings.Repeat("a", 49) + "-"},
	}
	for _, tt := range tests {
		got := namespacePrefix(tt.test)
		if got != tt.want {
			t.Errorf("namespacePrefix(%q) = %q, want %q", tt.test, got, tt.want)
		}
		if problems := validation.IsDNS1123Label(got + "abcde"); len(problems) > 0 {
			t.Errorf("namespacePrefix(%q) = %q makes no valid name: %v", tt.test, got, problems)
		}
	}
}
