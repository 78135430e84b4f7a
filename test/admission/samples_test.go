package admission

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/internal/validate"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// TestSamplesAreTaken builds every sample as kubectl apply -k does, and gives it to the server and to the offline validator.
func TestSamplesAreTaken(t *testing.T) {
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range []string{"", "dedicated/airport", "dedicated/hotel"} {
		t.Run(sample, func(t *testing.T) {
			manifests := build(t, filepath.Join(assets, "kubectl"), filepath.Join(testenv.Root(), "config", "samples", sample))
			report, objects, err := validate.Load([]validate.Source{{Name: "sample", Content: manifests}}, validate.Options{})
			if err != nil || len(report.Problems)+len(report.Warnings) > 0 || len(objects.Programs) != 1 {
				t.Fatalf("%v, %+v, %d programs", err, report, len(objects.Programs))
			}
			want := v1alpha1.EndpointDedicated
			if sample == "" {
				want = v1alpha1.EndpointEmbedded
			}
			if got := objects.Programs[0].Spec.Endpoint.Mode; got != want {
				t.Errorf("mode %s, want %s", got, want)
			}
			namespace := testenv.Namespace(t)
			for _, manifest := range strings.Split(string(manifests), "\n---\n") {
				object := decode(t, manifest)
				if object.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
					continue
				}
				object.SetNamespace(namespace)
				if _, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: strict}); err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
			}
		})
	}
}

func build(t *testing.T, kubectl, folder string) []byte {
	t.Helper()
	var errOut bytes.Buffer
	cmd := exec.CommandContext(t.Context(), kubectl, "kustomize", folder)
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errOut)
	}
	return out
}
