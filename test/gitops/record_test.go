package gitops

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/test/testenv"
)

var update = flag.Bool("update", false, "record the objects in config/argocd anew")

// record compares an object with the recorded one in what health depends on, and with -update records it.
func (s *site) record(kind, name, file string) {
	s.t.Helper()
	object, err := s.get(s.t.Context(), kind, name)
	if err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(testenv.Root(), "config", "argocd", "resource_customizations", "cx-operator.io", kind, "testdata", file+".yaml")
	if *update {
		write(s.t, path, object)
	}
	recorded := readObjects(s.t, path)[0]
	if diff := cmp.Diff(healthOf(s.t, recorded), healthOf(s.t, object)); diff != "" {
		s.t.Errorf("%s is not what the operator writes: run \"go test ./test/gitops -update\" (-recorded +now):\n%s", path, diff)
	}
}

// masks hide what differs from run to run: times, the day that was judged last and those in names of opened plans, identities, digests
// that times go into, and addresses.
var masks = []struct {
	found *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "2026-01-01T00:00:00Z"},
	{regexp.MustCompile(`through: "\d{4}-\d\d-\d\d"`), `through: "2026-01-01"`},
	{regexp.MustCompile(`(name: [a-z-]+)-20\d{6}\b`), "$1-20260101"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "00000000-0000-4000-8000-000000000000"},
	{regexp.MustCompile(`\b(id|message): [0-9a-f]{32}\b`), "$1: 00000000000000000000000000000000"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:" + strings.Repeat("0", 64)},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://127.0.0.1:8080"},
}

// write writes the object without what differs from run to run.
func write(t *testing.T, path string, object *unstructured.Unstructured) {
	t.Helper()
	kept := object.DeepCopy()
	for _, field := range []string{"managedFields", "uid", "resourceVersion", "creationTimestamp"} {
		unstructured.RemoveNestedField(kept.Object, "metadata", field)
	}
	text, err := yaml.Marshal(kept.Object)
	if err != nil {
		t.Fatal(err)
	}
	for _, mask := range masks {
		text = mask.found.ReplaceAll(text, []byte(mask.shown))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil { // #nosec G306 -- a file of the repository
		t.Fatal(err)
	}
}

// healthOf is what Argo CD and kstatus look at.
func healthOf(t *testing.T, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	observed, found, err := unstructured.NestedFieldNoCopy(object.Object, "status", "observedGeneration")
	if err != nil {
		t.Fatal(err)
	}
	health := map[string]any{"generation": object.GetGeneration(), "observed": fmt.Sprint(found, observed)}
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conditions {
		condition := c.(map[string]any)
		switch kind := condition["type"]; kind {
		case "Ready", "Stalled", "Reconciling":
			health[kind.(string)] = fmt.Sprint(condition["status"], " ", condition["reason"], " ", condition["message"], " ", condition["observedGeneration"])
		}
	}
	return health
}
