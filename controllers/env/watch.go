package env

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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
//
// No controller filters the events of its own kind, not even those of its own status writes: a pass that read the object
// before its last write may have found nothing to write, and then the event of that write is the last one to correct it.
func ControllerOptions(workers int) controller.Options {
	return controller.Options{MaxConcurrentReconciles: workers}
}

// Existence passes that an object was created or deleted, not that it was changed.
var Existence = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	return u.ObjectOld.GetDeletionTimestamp().IsZero() != u.ObjectNew.GetDeletionTimestamp().IsZero()
}}

// SpecChanged passes that an object was created or deleted, and changes of its spec. An object that was deleted and made
// anew while the watch was broken comes as an update; its generation may be that of the old one.
var SpecChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	return u.ObjectOld.GetGeneration() != u.ObjectNew.GetGeneration() || u.ObjectOld.GetUID() != u.ObjectNew.GetUID()
}}

// News passes all but the objects that are there when a watch begins: their own controllers see all of these then anyway, once
// the caches are full, so that what follows from them needs no telling.
var News = predicate.Funcs{CreateFunc: func(c event.CreateEvent) bool { return !c.IsInInitialList }}

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
