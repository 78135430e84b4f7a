// Package team reconciles Teams: it says whether a team's place in the hierarchy is sound.
package team

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/team"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=teams/status,verbs=get;patch

// Reconciler reconciles Teams.
type Reconciler struct {
	*env.Env
}

// Reconcile checks one team.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.Team{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(fmt.Errorf("get team: %w", err))
	}
	t := before.DeepCopy()
	t.Status.ObservedGeneration = t.Generation
	set := conditions.Set{Conditions: &t.Status.Conditions, Generation: t.Generation, Now: r.Clock()}
	set.Resolve(team.Check(t, r.Teams(ctx, t.Namespace)), "the team's place in the hierarchy is sound")
	if equality.Semantic.DeepEqual(t.Status, before.Status) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, r.PatchStatus(ctx, t, before)
}

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Team{}).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.below), builder.WithPredicates(env.SpecChanged)).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(r))
}

// below finds the teams below a team: a parent that appears, or a cycle that closes or opens, matters to all of them.
func (r *Reconciler) below(ctx context.Context, o client.Object) []reconcile.Request {
	var found []reconcile.Request
	for _, name := range r.TeamAndBelow(ctx, o.GetNamespace(), o.GetName())[1:] {
		found = append(found, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}})
	}
	return found
}
