package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// manifests reads all objects of YAML files but namespaces.
func manifests(t testing.TB, files ...string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, parse(t, string(data))...)
	}
	return objects
}

func parse(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, document := range strings.Split("\n"+text, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if len(o.Object) > 0 && o.GetKind() != "Namespace" {
			objects = append(objects, o)
		}
	}
	return objects
}

func contractFile(name string) string {
	return filepath.Join(testenv.Root(), "api", "v1alpha1", "testdata", "contract", name)
}

// contract returns the airport's resources.
func contract(t testing.TB) []*unstructured.Unstructured {
	return manifests(t, contractFile("airport.yaml"))
}

// apply applies objects in order as a person would, into the world's namespace.
func (w *world) apply(objects ...*unstructured.Unstructured) {
	w.t.Helper()
	if err := w.tryApply(objects...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryApply(objects ...*unstructured.Unstructured) error {
	for _, o := range objects {
		o = o.DeepCopy()
		o.SetNamespace(w.ns)
		err := w.c.Apply(context.Background(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("people"), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// applyYAML applies what the text says.
func (w *world) applyYAML(text string) {
	w.t.Helper()
	w.apply(parse(w.t, text)...)
}

// change edits an object's spec as a person would.
func change[T client.Object](w *world, name string, edit func(T)) {
	w.t.Helper()
	w.eventually("change "+name, func() error {
		o := get[T](w, name)
		edit(o)
		return w.c.Update(context.Background(), o, client.FieldOwner("people"))
	})
}

// get reads an object from the API server; the test fails where it does not exist.
func get[T client.Object](w *world, name string) T {
	w.t.Helper()
	o := newOf[T]()
	if err := w.c.Get(context.Background(), w.key(name), o); err != nil {
		w.t.Fatalf("get %T %s: %v", o, name, err)
	}
	return o
}

func newOf[T client.Object]() T {
	var o client.Object
	switch any(*new(T)).(type) {
	case *v1alpha1.Team:
		o = &v1alpha1.Team{}
	case *v1alpha1.ResponseStore:
		o = &v1alpha1.ResponseStore{}
	case *v1alpha1.SurveyProgram:
		o = &v1alpha1.SurveyProgram{}
	case *v1alpha1.Touchpoint:
		o = &v1alpha1.Touchpoint{}
	case *v1alpha1.ActionPlan:
		o = &v1alpha1.ActionPlan{}
	case *corev1.Secret:
		o = &corev1.Secret{}
	default:
		return reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
	}
	return o.(T)
}

func remove[T client.Object](w *world, name string) {
	w.t.Helper()
	if err := w.c.Delete(context.Background(), get[T](w, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) plans() []v1alpha1.ActionPlan {
	w.t.Helper()
	all := &v1alpha1.ActionPlanList{}
	if err := w.c.List(context.Background(), all, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	return all.Items
}

type object = client.Object

func inNamespace(ns string) client.ListOption { return client.InNamespace(ns) }

// kindOf is the kind of one of the operator's objects.
func kindOf(o object) string { return reflect.TypeOf(o).Elem().Name() }

func eachItem(list runtime.Object, fn func(client.Object)) {
	_ = meta.EachListItem(list, func(o runtime.Object) error { // fn cannot fail
		fn(o.(client.Object))
		return nil
	})
}

// statusOf returns the parts of a status that all kinds share.
func statusOf(o client.Object) (conditions []metav1.Condition, observed int64, breaches []v1alpha1.Breach) {
	switch k := o.(type) {
	case *v1alpha1.Team:
		return k.Status.Conditions, k.Status.ObservedGeneration, nil
	case *v1alpha1.ResponseStore:
		return k.Status.Conditions, k.Status.ObservedGeneration, nil
	case *v1alpha1.SurveyProgram:
		return k.Status.Conditions, k.Status.ObservedGeneration, k.Status.Breaches
	case *v1alpha1.Touchpoint:
		return k.Status.Conditions, k.Status.ObservedGeneration, k.Status.Breaches
	case *v1alpha1.ActionPlan:
		return k.Status.Conditions, k.Status.ObservedGeneration, k.Status.Breaches
	case *v1alpha1.AccountabilityPolicy:
		return k.Status.Conditions, k.Status.ObservedGeneration, nil
	}
	panic(fmt.Sprintf("no status in %T", o))
}

// is checks a condition: "True/Reconciled".
func is(o client.Object, condition, want string) error {
	conditions, _, _ := statusOf(o)
	c := meta.FindStatusCondition(conditions, condition)
	if c == nil {
		return fmt.Errorf("%T %s has no condition %s", o, o.GetName(), condition)
	}
	if got := string(c.Status) + "/" + c.Reason; got != want {
		return fmt.Errorf("%T %s: %s is %s (%s), want %s", o, o.GetName(), condition, got, c.Message, want)
	}
	if c.ObservedGeneration != o.GetGeneration() {
		return fmt.Errorf("%T %s: %s is of generation %d, want %d", o, o.GetName(), condition, c.ObservedGeneration, o.GetGeneration())
	}
	return nil
}

// becomes waits until an object has conditions: "Ready", "True/Reconciled", ...
func becomes[T client.Object](w *world, name string, pairs ...string) T {
	w.t.Helper()
	var o T
	w.eventually(fmt.Sprintf("%T %s", o, name), func() error {
		o = get[T](w, name)
		for i := 0; i < len(pairs); i += 2 {
			if err := is(o, pairs[i], pairs[i+1]); err != nil {
				return err
			}
		}
		return nil
	})
	return o
}

// breachesOf lists open breaches as "Type objective item".
func breachesOf(o client.Object) []string {
	_, _, breaches := statusOf(o)
	var found []string
	for _, b := range breaches {
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s", b.Type, b.Objective, b.Item)))
	}
	return found
}

// figures writes a verdict as "nps Met 39.84 [37.18 42.41] of 2746".
func figures(o v1alpha1.ObjectiveStatus) string {
	return fmt.Sprintf("%s %s %s [%s %s] of %d", o.Name, o.State, o.Score, o.Lower, o.Upper, o.Responses)
}

// series returns the values of a metric by its labels: `name="food",type="ObjectiveMissed"`, only of the labels asked for.
func (w *world) series(metric string, labels ...string) map[string]float64 {
	w.t.Helper()
	families, err := w.op.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			found[describeLabels(m, labels)] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return found
}

func describeLabels(m *dto.Metric, wanted []string) string {
	var parts []string
	for _, l := range m.GetLabel() {
		if slices.Contains(wanted, l.GetName()) {
			parts = append(parts, l.GetName()+"="+l.GetValue())
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// call sends a request to the endpoint and returns status and body.
func (w *world) call(method, path, token, contentType string, body []byte) (int, string) {
	w.t.Helper()
	return w.callAt("http://"+w.op.endpoint.Addr().String(), method, path, token, contentType, body)
}

// callAt sends a request to a server and returns status and body.
func (w *world) callAt(base, method, path, token, contentType string, body []byte) (int, string) {
	w.t.Helper()
	url := base + path
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (w *world) responsesPath(program string) string {
	return "/api/v1/namespaces/" + w.ns + "/programs/" + program + "/responses"
}

// submission is one answer as the HTTP contract has it.
type submission struct {
	ID          string         `json:"id"`
	Touchpoint  string         `json:"touchpoint,omitempty"`
	Team        string         `json:"team,omitempty"`
	SubmittedAt string         `json:"submittedAt,omitempty"`
	Answers     map[string]any `json:"answers"`
}

// answer is one answer to one question under a new id.
func answer(touchpoint, question string, value any) submission {
	return submission{ID: uuid.NewString(), Touchpoint: touchpoint, Answers: map[string]any{question: value}}
}

// post sends one answer and expects 201.
func (w *world) post(program string, s submission) {
	w.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	if status, text := w.callUntilThere(http.MethodPost, w.responsesPath(program), "", "application/json", body); status != http.StatusCreated {
		w.t.Fatalf("answer: %d %s", status, text)
	}
}

// callUntilThere calls as people's programs do: again, while a store that is being opened answers 503.
func (w *world) callUntilThere(method, path, token, contentType string, body []byte) (status int, text string) {
	w.t.Helper()
	w.eventually("the store", func() error {
		if status, text = w.call(method, path, token, contentType, body); status == http.StatusServiceUnavailable {
			return errors.New(text)
		}
		return nil
	})
	return status, text
}

// token reads one of a program's tokens.
func (w *world) token(program, key string) string {
	w.t.Helper()
	return string(get[*corev1.Secret](w, program+"-tokens").Data[key])
}

// importAnswers sends answers as one import and expects all of them to be stored.
func (w *world) importAnswers(program string, answers []submission) {
	w.t.Helper()
	var err error
	w.eventually("the store", func() error {
		if err = w.tryImport(program, answers); err != nil && strings.HasPrefix(err.Error(), "import: 503") {
			return err
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// tryImport sends answers as one import; an error says that not all of them were stored.
func (w *world) tryImport(program string, answers []submission) error {
	w.t.Helper()
	var lines bytes.Buffer
	for _, a := range answers {
		line, err := json.Marshal(a)
		if err != nil {
			w.t.Fatal(err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	status, text := w.call(http.MethodPost, w.responsesPath(program)+":import", w.token(program, "import"), "application/x-ndjson", lines.Bytes())
	if status != http.StatusOK {
		return fmt.Errorf("import: %d %s", status, text)
	}
	var sum struct{ Stored, Repeated, Rejected int }
	if err := json.Unmarshal([]byte(text), &sum); err != nil {
		return err
	}
	if sum.Stored != len(answers) || sum.Rejected != 0 {
		return fmt.Errorf("import of %d answers: %.600s", len(answers), text)
	}
	return nil
}

// repeated returns n answers of a value.
func repeated(n int, touchpoint, question string, value any) []submission {
	var all []submission
	for range n {
		all = append(all, answer(touchpoint, question, value))
	}
	return all
}
