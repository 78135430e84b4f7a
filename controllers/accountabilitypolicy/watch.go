package accountabilitypolicy

import (
	"context"
	"maps"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	r.pace.Share = paceShare
	inNamespace := handler.EnqueueRequestsFromMapFunc(r.inNamespace)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AccountabilityPolicy{}).
		Watches(&v1alpha1.AccountabilityPolicy{}, inNamespace, builder.WithPredicates(env.News, env.SpecChanged)).
		Watches(&v1alpha1.SurveyProgram{}, inNamespace, builder.WithPredicates(env.News, selectable)).
		Watches(&v1alpha1.Touchpoint{}, inNamespace, builder.WithPredicates(env.News, selectable)).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(r))
}

// inNamespace finds the policies of an object's namespace: whatever changes there may change what each governs.
func (r *Reconciler) inNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.AccountabilityPolicyList{}, o.GetNamespace())
}

// selectable passes what decides which policy governs an object, and how often it is reviewed: its labels and its spec.
var selectable = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	return env.SpecChanged.Update(u) || !maps.Equal(u.ObjectOld.GetLabels(), u.ObjectNew.GetLabels()) ||
		u.ObjectOld.GetDeletionTimestamp().IsZero() != u.ObjectNew.GetDeletionTimestamp().IsZero()
}}
