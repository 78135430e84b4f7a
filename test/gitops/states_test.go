package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
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
)

// subject is one object whose state is recorded.
type subject struct {
	kind, name string
	file       string // in testdata of the kind's health script
	// What holds in the state: type, status and reason of a condition.
	condition, status, reason string
}

// subjects are what an operator at work with an embedded endpoint makes of the objects. A missed objective or review, an overdue plan, one
// that nobody could be told of, policies that overlap, a team that cannot be reached: all of them are Ready, since what they say of is
// not the resource's health. No plan is stalled: the API server admits none that the operator cannot work with, so the stalled.yaml of
// that kind is written by hand. A policy refers to nothing by name, so none waits.
var subjects = []subject{
	{"Team", "company", "ready", "Ready", "True", "Reconciled"},
	{"Team", "mute", "unreachable", "Reachable", "False", "InvalidSpec"},
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
	{"ActionPlan", "unheard", "unheard", "OnTime", "False", "PlanOverdue"},
	{"ActionPlan", "orphan", "waiting", "Reconciling", "True", "Waiting"},
	{"AccountabilityPolicy", "house-rules", "ready", "Ready", "True", "Reconciled"},
	{"AccountabilityPolicy", "disputed-2", "overlap", "Exclusive", "False", "Overlap"},
	{"AccountabilityPolicy", "illegible", "stalled", "Stalled", "True", "InvalidSpec"},
	{"Review", "calm-2026-w02", "ready", "Frozen", "True", "Frozen"},
	{"Review", "adrift-2026-w03", "missed", "Held", "False", "ReviewMissed"},
	{"Review", "nowhere-2026-w02", "waiting", "Reconciling", "True", "Waiting"},
	{"Review", "backward", "stalled", "Stalled", "True", "InvalidSpec"},
}

// news is what recorded objects tell of beside their health, and it comes a little later than that. It is waited for, so that each
// recording of them is the same.
var news = []struct {
	kind, name string
	want       any
	at         []string
}{
	{"SurveyProgram", "visits", "PlanMissing", []string{"status", "breaches", "1", "type"}},
	{"Touchpoint", "desk", "ObjectiveMissed", []string{"status", "breaches", "0", "type"}},
	{"ActionPlan", "unheard", "Dead", []string{"status", "outbox", "0", "deliveries", "0", "state"}},
	{"ActionPlan", "unheard", "Dead", []string{"status", "outbox", "1", "deliveries", "0", "state"}},
	{"Team", "company", int64(4), []string{"status", "load", "openPlans"}},
	{"Team", "company", int64(6), []string{"status", "load", "breaches"}},
}

const namespace = "gitops"

// TestRecordedObjects has the real operator bring objects into every state and compares them with those that the health scripts
// and kstatus are tested on.
func TestRecordedObjects(t *testing.T) {
	s := newSite(t)
	s.makeNamespace(namespace)
	s.create(filepath.Join("testdata", "states.yaml"))
	s.promise("adrift-2026-w03", "2026-01-26T00:00:00Z")
	ready := map[string]subject{}
	for _, x := range subjects {
		if x.file == "ready" {
			ready[x.kind] = x
			s.record(x.kind, x.name, "new") // no controller has seen it
		}
	}

	s.start("--embedded-endpoint", "--watch-namespaces="+namespace, "--notify-allow-targets=127.0.0.1")
	s.importAnswers("visits", "desk", 60, 2)
	for _, x := range subjects {
		s.await(x)
	}
	for _, n := range news {
		s.awaitField(n.kind, n.name, n.want, n.at...)
	}
	for _, x := range subjects {
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

// create creates the objects of a file. Their webhooks lead to a receiver that says that it is there no more.
func (s *site) create(path string) {
	s.t.Helper()
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	s.t.Cleanup(gone.Close)
	text, err := os.ReadFile(path) // #nosec G304 -- a file of the repository
	if err != nil {
		s.t.Fatal(err)
	}
	for _, object := range parse(s.t, strings.ReplaceAll(string(text), "http://receiver.invalid", gone.URL)) {
		object.SetNamespace(namespace)
		if err := s.c.Create(s.t.Context(), object); err != nil {
			s.t.Fatal(err)
		}
	}
}

// promise writes by when a review is to be held, as an operator does that sees it for the first time. It never changes again.
func (s *site) promise(review, due string) {
	s.t.Helper()
	object, err := s.get(s.t.Context(), "Review", review)
	if err != nil {
		s.t.Fatal(err)
	}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"dueTime":"`+due+`"}}`))
	if err := s.c.Status().Patch(s.t.Context(), object, patch); err != nil {
		s.t.Fatal(err)
	}
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

// awaitField waits until a field of the object is so. An element of a list is named by its index.
func (s *site) awaitField(kind, name string, want any, at ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s %s has %v at %s", kind, name, want, strings.Join(at, ".")), func(ctx context.Context) error {
		object, err := s.get(ctx, kind, name)
		if err != nil {
			return err
		}
		var found any = object.Object
		for _, step := range at {
			switch in := found.(type) {
			case map[string]any:
				found = in[step]
			case []any:
				i, err := strconv.Atoi(step)
				if err != nil || i >= len(in) {
					return fmt.Errorf("%d elements before %q", len(in), step)
				}
				found = in[i]
			}
		}
		if found != want {
			return fmt.Errorf("it is %v", found)
		}
		return nil
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
		"Touchpoint": `{"displayName":"Another"}`, "ActionPlan": `{"problem":"Another"}`, "AccountabilityPolicy": `{"priority":1}`,
		"Review": `{"insight":"Another"}`,
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
