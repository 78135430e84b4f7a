package controllers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
)

// A pass that read a stale cache finds nothing to write where the status from before the last write is the right one. The
// event of that write is all that comes after it, and must be enough to put the status right.
func TestStatusThatAStalePassLeft(t *testing.T) {
	t.Parallel()
	w := startMissed(t)
	outdate(w, "company", func(o *v1alpha1.Team) { setWaiting(o, &o.Status.Conditions) })
	outdate(w, w.plans()[0].Name, func(o *v1alpha1.ActionPlan) { setWaiting(o, &o.Status.Conditions) })
	outdate(w, "desk", func(o *v1alpha1.Touchpoint) {
		setWaiting(o, &o.Status.Conditions)
		o.Status.URL = ""
	})
	outdate(w, "visits", func(o *v1alpha1.SurveyProgram) {
		setWaiting(o, &o.Status.Conditions)
		o.Status.URL = ""
	})
	outdate(w, "answers", func(o *v1alpha1.ResponseStore) { setWaiting(o, &o.Status.Conditions) })
}

func setWaiting(o client.Object, all *[]metav1.Condition) {
	set := conditions.Set{Conditions: all, Generation: o.GetGeneration()}
	set.Waiting(v1alpha1.ReasonWaiting, "not yet")
}

// outdate gives an object of a settled world a status that is none of its own, and waits until the operator has put it
// right. No other object's event wakes its controller.
func outdate[T client.Object](w *world, name string, edit func(T)) {
	w.t.Helper()
	w.settle()
	good := get[T](w, name)
	stale := good.DeepCopyObject().(T)
	edit(stale)
	if cmp.Equal(w.status(good), w.status(stale)) {
		w.t.Fatalf("%T %s: the edit left the status as it is", good, name)
	}
	if err := w.c.Status().Patch(context.Background(), stale, client.MergeFrom(good)); err != nil {
		w.t.Fatal(err)
	}
	w.eventually(fmt.Sprintf("the status of %T %s is put right", good, name), func() error {
		if diff := cmp.Diff(w.status(good), w.status(get[T](w, name))); diff != "" {
			return fmt.Errorf("(-good +now):\n%s", diff)
		}
		return nil
	})
}

// status is the whole status of an object.
func (w *world) status(o client.Object) any {
	w.t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return fields["status"]
}
