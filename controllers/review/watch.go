package review

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
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
)

// SetupWithManager adds the controller, and the one that opens reviews, to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	specOnly := builder.WithPredicates(env.News, env.SpecChanged)
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Review{}).
		Watches(&v1alpha1.Review{}, handler.EnqueueRequestsFromMapFunc(r.ofOther), builder.WithPredicates(env.News, heldChanged)).
		Watches(&v1alpha1.SurveyProgram{}, handler.EnqueueRequestsFromMapFunc(r.ofProgram), specOnly).
		Watches(&v1alpha1.AccountabilityPolicy{}, handler.EnqueueRequestsFromMapFunc(r.ofNamespace), specOnly).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofNamespace), specOnly).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(r.ofNamespace), builder.WithPredicates(env.News, env.Existence)).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(r))
	if err != nil {
		return err
	}
	opener := &Opener{Env: r.Env}
	err = ctrl.NewControllerManagedBy(mgr).
		Named("review-opener").
		For(&v1alpha1.SurveyProgram{}).
		Watches(&v1alpha1.AccountabilityPolicy{}, handler.EnqueueRequestsFromMapFunc(opener.ofNamespace), specOnly).
		Watches(&v1alpha1.Review{}, handler.EnqueueRequestsFromMapFunc(ofReview), builder.WithPredicates(env.News, env.Existence)).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(opener))
	if err != nil {
		return fmt.Errorf("opener: %w", err)
	}
	return nil
}

// heldChanged passes that a review came, went or was held: earlier ones that were missed are not asked for any more then.
var heldChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.Review)
	next, ok2 := u.ObjectNew.(*v1alpha1.Review)
	return ok && ok2 && (env.Existence.Update(u) || isHeld(last) != isHeld(next))
}}

func isHeld(v *v1alpha1.Review) bool {
	return meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionHeld)
}

// ofOther finds the program's reviews before another that have an open breach, or that could have one.
func (r *Reconciler) ofOther(ctx context.Context, o client.Object) []reconcile.Request {
	v, ok := o.(*v1alpha1.Review)
	if !ok {
		return nil
	}
	list := &v1alpha1.ReviewList{}
	by := client.MatchingFields{env.IndexProgram: v.Spec.ProgramRef.Name}
	if err := r.Client.List(ctx, list, client.InNamespace(v.Namespace), by); err != nil {
		return nil
	}
	var found []reconcile.Request
	for i := range list.Items {
		other := &list.Items[i]
		if other.Spec.HeldTime == nil && other.Spec.Period.To < v.Spec.Period.To {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
	}
	return found
}

func (r *Reconciler) ofProgram(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.ReviewList{}, o.GetNamespace(), client.MatchingFields{env.IndexProgram: o.GetName()})
}

// ofNamespace finds every review: a policy may govern any program, a team take part in any review, and a decision name any plan.
func (r *Reconciler) ofNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.ReviewList{}, o.GetNamespace())
}

func (r *Opener) ofNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace())
}

func ofReview(_ context.Context, o client.Object) []reconcile.Request {
	v, ok := o.(*v1alpha1.Review)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: v.Namespace, Name: v.Spec.ProgramRef.Name}}}
}
