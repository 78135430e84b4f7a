package team

import (
	"context"
	"slices"

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
	"github.com/cx-operator/cx-operator/internal/team"
)

// paceShare keeps the counting of a team's load to a twentieth of the time, however much of a namespace is its own.
const paceShare = 20

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	matters := builder.WithPredicates(env.News, predicate.Or[client.Object](env.SpecChanged, breachesChanged))
	r.pace.Share = paceShare
	owners := handler.EnqueueRequestsFromMapFunc(r.owners)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Team{}).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.related), builder.WithPredicates(env.News, env.SpecChanged)).
		Watches(&v1alpha1.ActionPlan{}, owners, matters).
		Watches(&v1alpha1.Touchpoint{}, owners, matters).
		Watches(&v1alpha1.SurveyProgram{}, owners, matters).
		Watches(&v1alpha1.Review{}, owners, matters).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(r))
}

// breachesChanged passes that a breach opened or closed on an object.
var breachesChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	return !slices.EqualFunc(breachesOf(u.ObjectOld), breachesOf(u.ObjectNew), func(a, b v1alpha1.Breach) bool {
		return a.Type == b.Type && a.Objective == b.Objective && a.Item == b.Item
	})
}}

func breachesOf(o client.Object) []v1alpha1.Breach {
	switch k := o.(type) {
	case *v1alpha1.ActionPlan:
		return k.Status.Breaches
	case *v1alpha1.Touchpoint:
		return k.Status.Breaches
	case *v1alpha1.SurveyProgram:
		return k.Status.Breaches
	case *v1alpha1.Review:
		return k.Status.Breaches
	}
	return nil
}

// related finds the teams to which it matters that a team appears, goes or moves: those below it, which may have lost their
// parent or become a cycle, and whoever carries what is its own, or what falls to others while it is not there. It is asked about
// a team before and after a change.
func (r *Reconciler) related(ctx context.Context, o client.Object) []reconcile.Request {
	t, ok := o.(*v1alpha1.Team)
	if !ok {
		return nil
	}
	var found []reconcile.Request
	for _, name := range r.TeamAndBelow(ctx, t.Namespace, t.Name) {
		found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: t.Namespace, Name: name}})
	}
	var refs []*v1alpha1.NameRef
	if t.Spec.Level == v1alpha1.TeamPerson {
		refs = append(refs, t.Spec.ParentRef)
	}
	by := []client.ListOption{client.InNamespace(t.Namespace), client.MatchingFields{env.IndexTeam: t.Name}, client.UnsafeDisableDeepCopy}
	touchpoints, plans := &v1alpha1.TouchpointList{}, &v1alpha1.ActionPlanList{}
	if err := r.Client.List(ctx, touchpoints, by...); err == nil {
		for i := range touchpoints.Items {
			refs = append(refs, r.ofProgram(ctx, t.Namespace, touchpoints.Items[i].Spec.ProgramRef.Name))
		}
	}
	if err := r.Client.List(ctx, plans, by...); err == nil {
		for i := range plans.Items {
			refs = append(refs, r.ofPlan(ctx, &plans.Items[i])...)
		}
	}
	return append(found, r.carriers(ctx, t.Namespace, refs)...)
}

// owners finds the teams whose load an object is part of. It is asked about an object before and after a change.
func (r *Reconciler) owners(ctx context.Context, o client.Object) []reconcile.Request {
	var refs []*v1alpha1.NameRef
	switch k := o.(type) {
	case *v1alpha1.ActionPlan:
		refs = r.ofPlan(ctx, k)
	case *v1alpha1.Touchpoint:
		refs = []*v1alpha1.NameRef{k.Spec.OwnerRef, r.ofProgram(ctx, k.Namespace, k.Spec.ProgramRef.Name)}
	case *v1alpha1.SurveyProgram:
		refs = []*v1alpha1.NameRef{k.Spec.OwnerRef}
	case *v1alpha1.Review:
		refs = []*v1alpha1.NameRef{r.ofProgram(ctx, k.Namespace, k.Spec.ProgramRef.Name)}
	}
	return r.carriers(ctx, o.GetNamespace(), refs)
}

func (r *Reconciler) ofPlan(ctx context.Context, p *v1alpha1.ActionPlan) []*v1alpha1.NameRef {
	refs := []*v1alpha1.NameRef{p.Spec.OwnerRef}
	for i := range p.Spec.Actions {
		refs = append(refs, p.Spec.Actions[i].OwnerRef)
	}
	if p.Spec.ProgramRef != nil {
		return append(refs, r.ofProgram(ctx, p.Namespace, p.Spec.ProgramRef.Name))
	}
	tp := &v1alpha1.Touchpoint{}
	if p.Spec.TouchpointRef == nil {
		return refs
	}
	if found, err := r.Find(ctx, p.Namespace, p.Spec.TouchpointRef.Name, tp); err != nil || !found {
		return refs
	}
	return append(refs, tp.Spec.OwnerRef, r.ofProgram(ctx, p.Namespace, tp.Spec.ProgramRef.Name))
}

func (r *Reconciler) ofProgram(ctx context.Context, namespace, name string) *v1alpha1.NameRef {
	program := &v1alpha1.SurveyProgram{}
	if found, err := r.Find(ctx, namespace, name, program); err != nil || !found {
		return nil
	}
	return program.Spec.OwnerRef
}

// carriers are the teams that stand for the owners.
func (r *Reconciler) carriers(ctx context.Context, namespace string, refs []*v1alpha1.NameRef) []reconcile.Request {
	teams := r.Teams(ctx, namespace)
	var found []reconcile.Request
	for _, ref := range refs {
		if ref == nil {
			continue
		}
		if name := team.Shown(ref.Name, teams); name != "" {
			found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
		}
	}
	return found
}
