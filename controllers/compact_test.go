package controllers

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func touched(name string) *v1alpha1.Touchpoint {
	questions := append(make([]string, 0, 8), "welcome")
	return &v1alpha1.Touchpoint{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: string([]byte("retail")),
			Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "kept": "yes"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Spec: v1alpha1.TouchpointSpec{Questions: questions},
		Status: v1alpha1.TouchpointStatus{Conditions: []metav1.Condition{
			{Type: string([]byte("Ready")), Status: "True", Reason: "Reconciled", Message: string([]byte("the touchpoint is served"))},
		}},
	}
}

func TestCompactLeavesOutOnlyWhatNobodyReads(t *testing.T) {
	c := newCompactor()
	want := touched("gate")
	want.ManagedFields, want.Annotations = nil, map[string]string{"kept": "yes"}
	got, err := c.compact(touched("gate"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
	tombstone := cache.DeletedFinalStateUnknown{Key: "retail/gate"}
	if got, err := c.compact(tombstone); err != nil || got != any(tombstone) {
		t.Errorf("%v %v", got, err)
	}
}

func TestCompactSharesTextsAndKeepsNoRoom(t *testing.T) {
	c := newCompactor()
	var all []*v1alpha1.Touchpoint
	for _, name := range []string{"gate", "lounge"} {
		o, err := c.compact(touched(name))
		if err != nil {
			t.Fatal(err)
		}
		small, ok := o.(*v1alpha1.Touchpoint)
		if !ok {
			t.Fatalf("%T", o)
		}
		if len(small.Spec.Questions) != cap(small.Spec.Questions) {
			t.Errorf("%d questions in a list of %d", len(small.Spec.Questions), cap(small.Spec.Questions))
		}
		all = append(all, small)
	}
	a, b := all[0], all[1]
	for what, texts := range map[string][2]string{
		"namespace": {a.Namespace, b.Namespace},
		"type":      {a.Status.Conditions[0].Type, b.Status.Conditions[0].Type},
		"message":   {a.Status.Conditions[0].Message, b.Status.Conditions[0].Message},
	} {
		if unsafe.StringData(texts[0]) != unsafe.StringData(texts[1]) {
			t.Errorf("two objects have a %s each of their own", what)
		}
	}
}

func TestCompactSharesTheTextsOfEveryKind(t *testing.T) {
	scheme := Scheme()
	for gvk := range scheme.AllKnownTypes() {
		o, err := scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		obj, ok := o.(client.Object)
		if !ok || gvk.GroupVersion() != v1alpha1.GroupVersion {
			continue
		}
		if err := setCondition(obj); err != nil {
			t.Fatal(err)
		}
		if len(conditionsOf(obj)) != 1 {
			t.Errorf("%s: its conditions are not found", gvk.Kind)
		}
	}
}

func TestCompactKeepsABoundedNumberOfTexts(t *testing.T) {
	c := newCompactor()
	for i := range 3 * compactTexts {
		if text := fmt.Sprint("counted ", i); c.share(text) != text {
			t.Fatalf("%q became another text", text)
		}
		if len(c.texts) > compactTexts {
			t.Fatalf("%d texts are kept", len(c.texts))
		}
	}
}

// setCondition sets a condition in the status of any kind.
func setCondition(o client.Object) error {
	u, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return err
	}
	if err := unstructured.SetNestedSlice(u, []any{map[string]any{"type": "Ready", "status": "True"}}, "status", "conditions"); err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(u, o)
}
