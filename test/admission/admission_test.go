package admission

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/validate"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }

// strict is what kubectl asks for: unknown fields are errors.
const strict = metav1.FieldValidationStrict

func TestBasesAreTaken(t *testing.T) {
	namespace := testenv.Namespace(t)
	for _, manifest := range Bases() {
		object := decode(t, manifest)
		if _, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: strict}); err != nil {
			t.Errorf("%s: %v", object.GetKind(), err)
		}
	}
}

func TestContractIsTaken(t *testing.T) {
	namespace := testenv.Namespace(t)
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "api", "v1alpha1", "testdata", "contract", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("contract files: %v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, manifest := range strings.Split(string(content), "\n---\n") {
			object := decode(t, manifest)
			if object.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
				continue
			}
			object.SetNamespace(namespace)
			if _, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: strict}); err != nil {
				t.Errorf("%s: %s %s: %v", filepath.Base(file), object.GetKind(), object.GetName(), err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	namespace := testenv.Namespace(t)
	for _, c := range Refused() {
		t.Run(c.Name, func(t *testing.T) {
			object := decode(t, c.Manifest())
			_, err := resource(t, object, namespace).Create(t.Context(), object,
				metav1.CreateOptions{FieldValidation: strict, DryRun: []string{metav1.DryRunAll}})
			wantRefusal(t, err, c.Want)
			wantSameOffline(t, err, c.Manifest())
		})
	}
}

// wantSameOffline holds the offline validator against the server: the same fields with the same words.
func wantSameOffline(t *testing.T, err error, manifest string) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) {
		return // unknown fields are refused before validation, without causes
	}
	var server, offline []string
	for _, cause := range status.Status().Details.Causes {
		if !strings.Contains(cause.Message, "some validation rules were not checked") {
			server = append(server, strings.TrimPrefix(cause.Field, "<nil>")+": "+cause.Message)
		}
	}
	report, err := validate.Check([]validate.Source{{Name: "x.yaml", Content: []byte(manifest)}}, validate.Options{AllowMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		offline = append(offline, p.Field+": "+p.Message)
	}
	slices.Sort(server)
	slices.Sort(offline)
	if diff := cmp.Diff(server, offline); diff != "" {
		t.Errorf("the server (-) and the offline validator (+) differ:\n%s", diff)
	}
}

func TestUpdates(t *testing.T) {
	namespace := testenv.Namespace(t)
	for _, manifest := range Bases() {
		object := decode(t, manifest)
		if _, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range Updates() {
		t.Run(u.Name, func(t *testing.T) {
			after := decode(t, u.After())
			client := resource(t, after, namespace)
			before, err := client.Get(t.Context(), after.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			after.SetResourceVersion(before.GetResourceVersion())
			_, err = client.Update(t.Context(), after, metav1.UpdateOptions{FieldValidation: strict, DryRun: []string{metav1.DryRunAll}})
			if len(u.Want) > 0 {
				wantRefusal(t, err, u.Want)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// What a review has frozen is held by the API server itself, whoever writes the status.
func TestFrozen(t *testing.T) {
	namespace := testenv.Namespace(t)
	review := decode(t, Review)
	client := resource(t, review, namespace)
	created, err := client.Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created.Object["status"] = map[string]any{
		"observedGeneration": int64(1), "figures": decodeMap(t, frozen), "digest": "sha256:" + strings.Repeat("a", 64),
	}
	written, err := client.UpdateStatus(t.Context(), created, metav1.UpdateOptions{FieldValidation: strict})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range StatusUpdates() {
		t.Run(u.Name, func(t *testing.T) {
			after := written.DeepCopy()
			u.Edit(after.Object["status"].(map[string]any))
			_, err := client.UpdateStatus(t.Context(), after, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
			if len(u.Want) > 0 {
				wantRefusal(t, err, u.Want)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func decodeMap(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDefaults pins what the API server fills in, since the operator relies on it.
func TestDefaults(t *testing.T) {
	namespace := testenv.Namespace(t)
	object := decode(t, `apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: least}
spec:
  displayName: Least
  purpose: Nothing more than must be.
  storeRef: {name: responses}
  survey:
    defaultLanguage: en
    title: {en: Least}
    questions: [{name: food, type: CSAT, text: {en: Food}}]
  objectives: [{name: food, question: food, metric: CSAT, target: 65}]
  onMissed: {actionPlan: {}}
`)
	created, err := resource(t, object, namespace).Create(t.Context(), object, metav1.CreateOptions{FieldValidation: strict})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"spec.timeZone":                                                  "UTC",
		"spec.access.mode":                                               "Open",
		"spec.access.invitations.validDays":                              int64(30),
		"spec.access.robots.minimumSeconds":                              int64(2),
		"spec.access.robots.proofOfWorkBits":                             int64(0),
		"spec.access.invitations.cooldown.program.afterInvitationDays":   int64(0),
		"spec.access.invitations.cooldown.program.afterAnswerDays":       int64(0),
		"spec.access.invitations.cooldown.namespace.afterInvitationDays": int64(0),
		"spec.access.invitations.cooldown.namespace.afterAnswerDays":     int64(0),
		"spec.endpoint.mode":                                             "Embedded",
		"spec.endpoint.intake":                                           "Accepting",
		"spec.evidence.minimumResponses":                                 int64(30),
		"spec.evidence.confidencePercent":                                int64(95),
		"spec.evidence.judging":                                          "Daily",
		"spec.privacy.minimumCell":                                       int64(5),
		"spec.privacy.release":                                           "Guarded",
		"spec.privacy.retentionDays":                                     int64(730),
		"spec.onMissed.actionPlan.mode":                                  "Create",
		"spec.onMissed.actionPlan.acknowledgeWithinHours":                int64(48),
		"spec.onMissed.actionPlan.dueWithinDays":                         int64(30),
		"spec.onMissed.actionPlan.missingAfterHours":                     int64(0),
		"status.observedGeneration":                                      int64(-1),
	} {
		got, _, err := unstructured.NestedFieldNoCopy(created.Object, strings.Split(path, ".")...)
		if err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", path, got, err, want)
		}
	}
	for path, want := range map[string]map[string]any{
		"survey.questions": {"revision": int64(1), "requirement": "Optional"},
		"objectives":       {"windowDays": int64(90)},
	} {
		items, _, err := unstructured.NestedSlice(created.Object, append([]string{"spec"}, strings.Split(path, ".")...)...)
		if err != nil || len(items) != 1 {
			t.Fatalf("%s: %v, %v", path, items, err)
		}
		for field, value := range want {
			if got := items[0].(map[string]any)[field]; got != value {
				t.Errorf("%s[0].%s = %v, want %v", path, field, got, value)
			}
		}
	}
}

func wantRefusal(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was taken")
	}
	if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		t.Fatalf("not refused as invalid: %v", err)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not say %q: %v", part, err)
		}
	}
}

func decode(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	encoded, err := yaml.YAMLToJSONStrict([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	return &object
}

func resource(t *testing.T, object *unstructured.Unstructured, namespace string) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(testenv.New(t))
	if err != nil {
		t.Fatal(err)
	}
	plural, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	return client.Resource(plural).Namespace(namespace)
}
