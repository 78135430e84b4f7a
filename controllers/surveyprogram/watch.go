package surveyprogram

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/render"
)

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	specOnly := builder.WithPredicates(env.SpecChanged)
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SurveyProgram{}).
		Owns(&corev1.Secret{}).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofKeys)).
		Watches(&v1alpha1.Touchpoint{}, handler.EnqueueRequestsFromMapFunc(ofTouchpoint), specOnly).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), specOnly).
		Watches(&v1alpha1.ResponseStore{}, handler.EnqueueRequestsFromMapFunc(r.ofStore), builder.WithPredicates(readinessChanged)).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(ofPlan)).
		WithOptions(env.ControllerOptions(workers))
	if r.Endpoint != nil {
		b = b.WatchesRawSource(env.CountsChanged(r.Endpoint.Subscribe(), func(_ context.Context, program types.NamespacedName) []reconcile.Request {
			return []reconcile.Request{{NamespacedName: program}}
		}))
	}
	return b.Complete(env.RetryConflicts(r))
}

var readinessChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.ResponseStore)
	next, ok2 := u.ObjectNew.(*v1alpha1.ResponseStore)
	return ok && ok2 && (last.DeletionTimestamp.IsZero() != next.DeletionTimestamp.IsZero() ||
		!equality.Semantic.DeepEqual(env.ReadyOf(last.Status.Conditions), env.ReadyOf(next.Status.Conditions)))
}}

func ofTouchpoint(_ context.Context, o client.Object) []reconcile.Request {
	tp, ok := o.(*v1alpha1.Touchpoint)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: tp.Namespace, Name: tp.Spec.ProgramRef.Name}}}
}

// ofTeam finds every program of the namespace, since an answer may name any of its teams.
func (r *Reconciler) ofTeam(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace())
}

func (r *Reconciler) ofStore(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace(), client.MatchingFields{env.IndexStore: o.GetName()})
}

// ofKeys finds the programs of the store whose keys a Secret holds.
func (r *Reconciler) ofKeys(ctx context.Context, o client.Object) []reconcile.Request {
	owner := metav1.GetControllerOf(o)
	if owner == nil || owner.Kind != "ResponseStore" || o.GetName() != render.KeysName(owner.Name) {
		return nil
	}
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace(), client.MatchingFields{env.IndexStore: owner.Name})
}

func ofPlan(_ context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.ActionPlan)
	if !ok || p.Spec.ProgramRef == nil {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Namespace, Name: p.Spec.ProgramRef.Name}}}
}
