package admission

import (
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/internal/validate"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// The sample of accountability fits the airport's program beside which it is applied: every team, plan and program that it names is
// there. The server takes it.
func TestAccountabilitySampleIsTaken(t *testing.T) {
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(testenv.Root(), "config", "samples")
	airport, protocol := build(t, filepath.Join(assets, "kubectl"), samples), build(t, filepath.Join(assets, "kubectl"), filepath.Join(samples, "accountability"))
	report, err := validate.Check([]validate.Source{{Name: "airport", Content: airport}, {Name: "accountability", Content: protocol}}, validate.Options{})
	if err != nil || len(report.Problems)+len(report.Warnings) > 0 {
		t.Errorf("%v, %+v", err, report)
	}
	namespace := testenv.Namespace(t)
	kinds := map[string]int{}
	for _, manifest := range strings.Split(string(protocol), "\n---\n") {
		object := decode(t, manifest)
		object.SetNamespace(namespace)
		kinds[object.GetKind()]++
		if _, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: strict}); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
	if kinds["AccountabilityPolicy"] != 1 || kinds["Review"] != 1 {
		t.Errorf("%v", kinds)
	}
}
