// Package team reconciles Teams: it says whether a team's place in the hierarchy is sound, whether it can be told anything,
// and how much it has to do.
package team

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/team"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=teams/status,verbs=get;patch
// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms;touchpoints;actionplans;reviews,verbs=get;list;watch

// Reconciler reconciles Teams.
type Reconciler struct {
	*env.Env
}

// Reconcile checks one team.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.Team{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			r.Exporter.Delete(source(req.Namespace, req.Name))
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get team: %w", err)
	}
	load, err := r.load(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	t := before.DeepCopy()
	t.Status.ObservedGeneration = t.Generation
	t.Status.Load = load
	set := conditions.Set{Conditions: &t.Status.Conditions, Generation: t.Generation, Now: r.Clock()}
	set.Resolve(team.Check(t, r.Teams(ctx, t.Namespace)), "the team's place in the hierarchy is sound")
	setReachable(set, t)
	if !equality.Semantic.DeepEqual(t.Status, before.Status) {
		if err := r.PatchStatus(ctx, t, before); err != nil {
			return ctrl.Result{}, err
		}
	}
	r.export(t)
	return ctrl.Result{}, nil
}

// setReachable says whether the team's channels can be used as they are written. It is apart from Ready: a team with an
// address that is wrong still owns what it owns.
func setReachable(set conditions.Set, t *v1alpha1.Team) {
	problems := notify.Check(t)
	switch {
	case len(problems) > 0:
		set.False(v1alpha1.ConditionReachable, problems[0].Reason, conditions.Message(problems))
	case t.Spec.Notify == nil:
		set.Unknown(v1alpha1.ConditionReachable, v1alpha1.ReasonNoChannels, "the team states no channels and is told nothing by itself")
	default:
		set.True(v1alpha1.ConditionReachable, v1alpha1.ReasonChannelsUsable, "the team's channels can be used as they are written")
	}
}
