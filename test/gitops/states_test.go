package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

var update = flag.Bool("update", false, "record the objects in config/argocd anew")

// subject is one object whose state is recorded.
type subject struct {
	kind, name string
	file       string // in testdata of the kind's health script
	// What holds in the state: type, status and reason of a condition.
	condition, status, reason string
}

// subjects are what an operator at work with an embedded endpoint makes of the objects. A missed objective and an overdue plan are
// Ready: what they say of is not the resource's health. No plan is
// stalled: the API server admits none that the operator cannot work with, so the stalled.yaml of that kind is written by hand.
var subjects = []subject{
	{"Team", "company", "ready", "Ready", "True", "Reconciled"},
	{"Team", "lonely", "waiting", "Reconciling", "True", "Waiting"},
	{"Team", "cycle", "stalled", "Stalled", "True", "Cycle"},
	{"ResponseStore", "answers", "ready", "Ready", "True", "Reconciled"},
	{"ResponseStore", "far", "waiting", "Reconciling", "True", "Waiting"},
	{"SurveyProgram", "quiet", "ready", "Ready", "True", "Reconciled"},
	{"SurveyProgram", "visits", "missed", "ObjectivesMet", "False", "ObjectiveMissed"},
	{"SurveyProgram", "adrift", "waiting", "Reconciling", "True", "Waiting"},
	{"SurveyProgram", "misdated", "stalled", "Stalled", "True", "InvalidSpec"},
	{"Touchpoint", "lobby", "ready", "Ready", "True", "Reconciled"},
	{"Touchpoint", "desk", "missed", "ObjectivesMet", "False", "ObjectiveMissed"},
	{"Touchpoint", "lost", "waiting", "Reconciling", "True", "Waiting"},
	{"Touchpoint", "odd", "stalled", "Stalled", "True", "ObjectiveInvalid"},
	{"ActionPlan", "kinder-lobby", "ready", "Ready", "True", "Reconciled"},
	{"ActionPlan", "late", "overdue", "OnTime", "False", "PlanOverdue"},
	{"ActionPlan", "orphan", "waiting", "Reconciling", "True", "Waiting"},
}

const namespace = "gitops"

// TestRecordedObjects has the real operator bring objects into every state and compares them with those that the health scripts
// and kstatus are tested on.
func TestRecordedObjects(t *testing.T) {
	s := newSite(t)
	s.makeNamespace(namespace)
	for _, object := range readObjects(t, filepath.Join("testdata", "states.yaml")) {
		object.SetNamespace(namespace)
		if err := s.c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	ready := map[string]subject{}
	for _, x := range subjects {
		if x.file == "ready" {
			ready[x.kind] = x
			s.record(x.kind, x.name, "new") // no controller has seen it
		}
	}

	s.start("--embedded-endpoint", "--watch-namespaces="+namespace)
	s.importAnswers("visits", "desk", 60, 2)
	for _, x := range subjects {
		s.await(x)
		s.record(x.kind, x.name, x.file)
	}
	s.expectUntracked("desk")
	s.stop()

	for kind, x := range ready {
		s.edit(kind, x.name)
		s.record(kind, x.name, "edited") // its status speaks of the former spec
	}

	s.start("--watch-namespaces=" + namespace) // one that serves no Embedded program cannot open their store
	s.await(subject{"ResponseStore", "answers", "stalled", "Stalled", "True", "NotServed"})
	s.record("ResponseStore", "answers", "stalled")
}

// expectUntracked sees that the plan which the operator opened for a touchpoint bears none of the marks by which Argo CD and Flux know
// what is theirs to prune, though the touchpoint and its program do.
func (s *site) expectUntracked(touchpoint string) {
	s.t.Helper()
	plans, err := s.list(s.t.Context(), "ActionPlan", namespace)
	if err != nil {
		s.t.Fatal(err)
	}
	opened := 0
	for i := range plans {
		if !strings.HasPrefix(plans[i].GetName(), touchpoint+"-") {
			continue
		}
		opened++
		want := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue, v1alpha1.LabelOpenedBy: v1alpha1.ManagedByValue, v1alpha1.LabelProgram: "visits"}
		if diff := cmp.Diff(want, plans[i].GetLabels()); diff != "" {
			s.t.Errorf("labels of the plan (-want +got):\n%s", diff)
		}
		if len(plans[i].GetAnnotations()) > 0 || len(plans[i].GetOwnerReferences()) > 0 {
			s.t.Errorf("metadata of the plan: %v", plans[i].Object["metadata"])
		}
	}
	if opened != 1 {
		s.t.Errorf("%d plans were opened, want 1", opened)
	}
}

func (s *site) makeNamespace(name string) {
	s.t.Helper()
	if err := s.c.Create(s.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		s.t.Fatal(err)
	}
}

func readObjects(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func parse(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for document := range strings.SplitSeq(text, "\n---\n") {
		content, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	return all
}

func (s *site) get(ctx context.Context, kind, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: "cx-operator.io", Version: "v1alpha1", Kind: kind})
	return object, s.c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
}

// await waits until the object's condition is so, for its present spec.
func (s *site) await(x subject) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s %s is %s", x.kind, x.name, x.file), func(ctx context.Context) error {
		object, err := s.get(ctx, x.kind, x.name)
		if err != nil {
			return err
		}
		conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, c := range conditions {
			condition := c.(map[string]any)
			if condition["type"] == x.condition && condition["status"] == x.status && condition["reason"] == x.reason &&
				condition["observedGeneration"] == object.GetGeneration() {
				return nil
			}
		}
		return fmt.Errorf("conditions %v", conditions)
	})
}

// importAnswers stores answers to the question about a touchpoint.
func (s *site) importAnswers(program, touchpoint string, n, score int) {
	s.t.Helper()
	var lines bytes.Buffer
	for range n {
		line, err := json.Marshal(map[string]any{"id": uuid.NewString(), "touchpoint": touchpoint, "answers": map[string]any{"ease": score}})
		if err != nil {
			s.t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	eventually(s.t, "the import", func(ctx context.Context) error {
		var tokens corev1.Secret
		if err := s.c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: program + "-tokens"}, &tokens); err != nil {
			return err
		}
		address := s.intake + "/api/v1/namespaces/" + namespace + "/programs/" + program + "/responses:import"
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(lines.Bytes()))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/x-ndjson")
		request.Header.Set("Authorization", "Bearer "+string(tokens.Data["import"]))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var said struct{ Stored, Repeated int }
		if err := json.NewDecoder(response.Body).Decode(&said); err != nil || said.Stored+said.Repeated != n {
			return fmt.Errorf("%s: %+v, %w", response.Status, said, err)
		}
		return nil
	})
}

// edit changes the spec as a commit would, and so the generation.
func (s *site) edit(kind, name string) {
	s.t.Helper()
	patch := map[string]string{
		"Team": `{"displayName":"Another"}`, "ResponseStore": `{"deletionPolicy":"Delete"}`, "SurveyProgram": `{"purpose":"Another"}`,
		"Touchpoint": `{"displayName":"Another"}`, "ActionPlan": `{"problem":"Another"}`,
	}[kind]
	object, err := s.get(s.t.Context(), kind, name)
	if err != nil {
		s.t.Fatal(err)
	}
	before := object.GetGeneration()
	if err := s.c.Patch(s.t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(`{"spec":`+patch+`}`))); err != nil {
		s.t.Fatal(err)
	}
	if object.GetGeneration() == before {
		s.t.Fatalf("the edit of %s %s changed nothing", kind, name)
	}
}

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

var moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

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
	text = moment.ReplaceAll(text, []byte("2026-01-01T00:00:00Z"))
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
