package env

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// ControllerOptions returns the options that every controller shares.
func ControllerOptions(workers int) controller.Options {
	return controller.Options{MaxConcurrentReconciles: workers}
}

// Existence passes that an object was created or deleted, not that it was changed.
var Existence = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	return u.ObjectOld.GetDeletionTimestamp().IsZero() != u.ObjectNew.GetDeletionTimestamp().IsZero()
}}

// SpecOrBreaches passes changes of the spec and of the list of breaches: a breach that was just written is followed up,
// figures that were just written are not looked at again.
var SpecOrBreaches = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.Funcs{
	UpdateFunc: func(u event.UpdateEvent) bool {
		return !equality.Semantic.DeepEqual(breachesOf(u.ObjectOld), breachesOf(u.ObjectNew)) ||
			u.ObjectOld.GetDeletionTimestamp().IsZero() != u.ObjectNew.GetDeletionTimestamp().IsZero()
	},
})

func breachesOf(o client.Object) []v1alpha1.Breach {
	switch k := o.(type) {
	case *v1alpha1.Touchpoint:
		return k.Status.Breaches
	case *v1alpha1.SurveyProgram:
		return k.Status.Breaches
	case *v1alpha1.ActionPlan:
		return k.Status.Breaches
	}
	return nil
}

// ReadyOf returns the Ready condition without its time.
func ReadyOf(all []metav1.Condition) metav1.Condition {
	c := meta.FindStatusCondition(all, v1alpha1.ConditionReady)
	if c == nil {
		return metav1.Condition{}
	}
	return metav1.Condition{Status: c.Status, Reason: c.Reason, ObservedGeneration: c.ObservedGeneration}
}

// CountsChanged is a source of requests for programs whose counts changed.
func CountsChanged(programs <-chan event.TypedGenericEvent[store.Key], requests func(context.Context, types.NamespacedName) []reconcile.Request) source.TypedSource[reconcile.Request] {
	return source.TypedChannel(programs, handler.TypedEnqueueRequestsFromMapFunc(
		func(ctx context.Context, k store.Key) []reconcile.Request {
			return requests(ctx, types.NamespacedName{Namespace: k.Namespace, Name: k.Name})
		}))
}
