// Package team reconciles Teams: it says whether a team's place in the hierarchy is sound, whether it can be told anything,
// and how much it has to do.
package team

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=teams,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=teams/status,verbs=get;patch
// +kubebuilder:rbac:groups=cx-operator.io,resources=surveyprograms;touchpoints;actionplans;reviews,verbs=get;list;watch

// Reconciler reconciles Teams.
type Reconciler struct {
	*env.Env
	hold env.Hold
	pace env.Pace
}

// Reconcile checks one team.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.Team{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get team: %w", err)
	}
	if r.Behind(before) {
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	if wait := r.pace.Wait(req.NamespacedName, now); wait > 0 && before.Generation == before.Status.ObservedGeneration {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	problems := team.Check(before, r.Teams(ctx, before.Namespace))
	if wait := r.holdBack(before, problems, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	defer func() { r.pace.Took(req.NamespacedName, now, r.Clock()) }()
	load, err := r.load(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	t := before.DeepCopy()
	t.Status.ObservedGeneration = t.Generation
	t.Status.Load = load
	set := conditions.Set{Conditions: &t.Status.Conditions, Generation: t.Generation, Now: now}
	set.Resolve(problems, "the team's place in the hierarchy is sound")
	setReachable(set, t)
	if !equality.Semantic.DeepEqual(t.Status, before.Status) {
		if err := r.PatchStatus(ctx, t, before); err != nil {
			return ctrl.Result{}, err
		}
	}
	r.export(t)
	return ctrl.Result{}, nil
}

// holdBack returns for how much longer the first status of a team waits for its parent.
func (r *Reconciler) holdBack(t *v1alpha1.Team, problems []survey.Problem, now time.Time) time.Duration {
	if len(t.Status.Conditions) == 0 && env.OnTheirWay(problems) {
		return r.hold.Wait(t, now, r.HoldFor)
	}
	r.hold.End(client.ObjectKeyFromObject(t))
	return 0
}

func (r *Reconciler) forget(req reconcile.Request) {
	r.Exporter.Delete(source(req.Namespace, req.Name))
	r.hold.End(req.NamespacedName)
	r.pace.Forget(req.NamespacedName)
	r.Gone(&v1alpha1.Team{}, req.NamespacedName)
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
