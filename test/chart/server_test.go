package chart

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cx-operator/cx-operator/test/testenv"
)

// patience is how long the API server may take to publish what was installed, on a small machine.
const patience = time.Minute

var optionalCRDs sync.Once

// server is a client of a real API server with the namespaces that values name and the APIs that options need.
func server(t *testing.T) client.Client {
	t.Helper()
	cfg := testenv.New(t)
	cfg.QPS = -1
	c, err := client.New(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	optionalCRDs.Do(func() {
		prometheus := filepath.Join(module(t, "github.com/prometheus-operator/prometheus-operator"), "example", "prometheus-operator-crd")
		_, err := envtest.InstallCRDs(cfg, envtest.CRDInstallOptions{ErrorIfPathMissing: true, Paths: []string{
			filepath.Join("testdata", "grafanadashboards.yaml"),
			filepath.Join(prometheus, "monitoring.coreos.com_servicemonitors.yaml"),
			filepath.Join(prometheus, "monitoring.coreos.com_prometheusrules.yaml"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{system, "monitoring", "chart-one", "chart-two"} {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
			if name == system {
				namespace.Labels = map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
			}
			if err := c.Create(t.Context(), namespace); err != nil {
				t.Fatal(err)
			}
		}
	})
	return c
}

// module is the folder of a module that hack/crds pins.
func module(t *testing.T, path string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", path)
	cmd.Dir = filepath.Join(testenv.Root(), "hack", "crds")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go mod download %s: %v\n%s", path, err, out)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil || found.Dir == "" {
		t.Fatalf("go mod download %s: %v\n%s", path, err, out)
	}
	return found.Dir
}

// published returns the definitions of all schemas that the API server publishes, once it publishes those of CRDs.
func published(t *testing.T) map[string]map[string]any {
	t.Helper()
	server(t)
	d, err := discovery.NewDiscoveryClientForConfig(testenv.New(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		raw, err := d.RESTClient().Get().AbsPath("/openapi/v2").SetHeader("Accept", "application/json").DoRaw(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Definitions map[string]map[string]any }
		if err := json.Unmarshal(raw, &document); err != nil {
			t.Fatal(err)
		}
		kinds := 0
		for name := range document.Definitions {
			for _, kind := range []string{".GrafanaDashboard", ".ServiceMonitor", ".PrometheusRule"} {
				if strings.HasSuffix(name, kind) {
					kinds++
				}
			}
		}
		if kinds == 3 {
			return document.Definitions
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the API server does not publish the schemas of CRDs")
		}
	}
}

// TestServerAccepts applies what is rendered to a real API server, dry: everything that it checks but the writing, unknown
// fields too.
func TestServerAccepts(t *testing.T) {
	c := client.NewDryRunClient(client.WithFieldValidation(server(t), metav1.FieldValidationStrict))
	for name, values := range valueSets() {
		t.Run(name, func(t *testing.T) {
			for _, object := range render(t, values) {
				if err := apply(t.Context(), c, object); err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
			}
		})
	}
}

func apply(ctx context.Context, c client.Client, object *unstructured.Unstructured) error {
	return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner("helm"), client.ForceOwnership)
}

// TestPodsAreRestricted makes pods of the rendered templates, dry, in a namespace that enforces the restricted standard.
func TestPodsAreRestricted(t *testing.T) {
	c := client.NewDryRunClient(server(t))
	for name, values := range valueSets() {
		t.Run(name, func(t *testing.T) {
			for _, object := range render(t, values) {
				if kind := object.GetKind(); kind != "Deployment" && kind != "StatefulSet" {
					continue
				}
				pod, err := podOf(object)
				if err != nil {
					t.Fatal(err)
				}
				pod.Spec.PriorityClassName = "" // classes are the cluster's
				pod.Spec.ServiceAccountName = ""
				if err := c.Create(t.Context(), pod); err != nil {
					t.Error(err)
				}
				pod.Spec.Containers[0].SecurityContext = nil
				pod.ResourceVersion = ""
				if err := c.Create(t.Context(), pod); !apierrors.IsForbidden(err) {
					t.Errorf("without its security context: error = %v, want that it is forbidden", err)
				}
			}
		})
	}
}

func podOf(workload *unstructured.Unstructured) (*corev1.Pod, error) {
	content, found, err := unstructured.NestedMap(workload.Object, "spec", "template")
	if err != nil || !found {
		return nil, errors.Join(err, errors.New("no template"))
	}
	var template corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &template); err != nil {
		return nil, err
	}
	template.Name, template.Namespace = "restricted", system
	claims, _, err := unstructured.NestedSlice(workload.Object, "spec", "volumeClaimTemplates")
	if err != nil {
		return nil, err
	}
	if len(claims) > 0 { // a StatefulSet adds the volume of its claim
		template.Spec.Volumes = append(template.Spec.Volumes, corev1.Volume{Name: "data"})
	}
	return &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}, nil
}
