package actionplan

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	specOnly := builder.WithPredicates(env.News, env.SpecChanged)
	matters := builder.WithPredicates(env.News, predicate.Or[client.Object](env.SpecChanged, figuresAppeared, predicate.LabelChangedPredicate{}))
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ActionPlan{}).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(r.ofPlan), builder.WithPredicates(env.News, courseChanged)).
		Watches(&v1alpha1.Touchpoint{}, handler.EnqueueRequestsFromMapFunc(r.ofTouchpoint), matters).
		Watches(&v1alpha1.SurveyProgram{}, handler.EnqueueRequestsFromMapFunc(r.ofProgram), matters).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), specOnly).
		Watches(&v1alpha1.AccountabilityPolicy{}, handler.EnqueueRequestsFromMapFunc(r.ofPolicy), specOnly).
		WithOptions(env.ControllerOptions(workers)).
		Complete(env.RetryConflicts(r))
}

// courseChanged passes what other plans for the same objective see of a plan: its spec, and when it runs and is judged.
var courseChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.ActionPlan)
	next, ok2 := u.ObjectNew.(*v1alpha1.ActionPlan)
	if !ok || !ok2 {
		return false
	}
	return env.SpecChanged.Update(u) || last.DeletionTimestamp.IsZero() != next.DeletionTimestamp.IsZero() ||
		!equality.Semantic.DeepEqual(courseOf(last), courseOf(next))
}}

// course is when a plan runs and is judged.
type course struct{ Started, State, From, To, Judged *metav1.Time }

func courseOf(p *v1alpha1.ActionPlan) course {
	c := course{Started: p.Status.StartedTime, State: p.Status.StateSince}
	e := p.Status.Effect
	if e == nil {
		return c
	}
	c.Judged = e.JudgedTime
	if e.Baseline != nil {
		c.From = &e.Baseline.From
	}
	if e.Outcome != nil {
		c.To = &e.Outcome.To
	}
	return c
}

// figuresAppeared passes the first figures of an objective, and judging points, which a plan without a baseline waits for.
var figuresAppeared = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, lastJudged := verdictsOf(u.ObjectOld)
	next, nextJudged := verdictsOf(u.ObjectNew)
	return appeared(last, next) || !equality.Semantic.DeepEqual(lastJudged, nextJudged)
}}

func verdictsOf(o client.Object) ([]v1alpha1.ObjectiveStatus, *v1alpha1.Judging) {
	switch k := o.(type) {
	case *v1alpha1.Touchpoint:
		return k.Status.Objectives, k.Status.Judged
	case *v1alpha1.SurveyProgram:
		return k.Status.Objectives, k.Status.Judged
	}
	return nil, nil
}

// appeared says whether an objective has figures that had none, whatever became of the other objectives.
func appeared(last, next []v1alpha1.ObjectiveStatus) bool {
	scored := map[string]bool{}
	for _, v := range last {
		scored[v.Name] = v.Score != ""
	}
	return slices.ContainsFunc(next, func(v v1alpha1.ObjectiveStatus) bool { return v.Score != "" && !scored[v.Name] })
}

func (r *Reconciler) plans(ctx context.Context, namespace, index, name string) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.ActionPlanList{}, namespace, client.MatchingFields{index: name})
}

// ofPlan finds the other plans for what a plan is for.
func (r *Reconciler) ofPlan(ctx context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.ActionPlan)
	if !ok {
		return nil
	}
	found := r.Requests(ctx, &v1alpha1.ActionPlanList{}, p.Namespace, siblings(p))
	return slices.DeleteFunc(found, func(request reconcile.Request) bool { return request.Name == p.Name })
}

func (r *Reconciler) ofPolicy(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.ActionPlanList{}, o.GetNamespace())
}

func (r *Reconciler) ofTouchpoint(ctx context.Context, o client.Object) []reconcile.Request {
	return r.plans(ctx, o.GetNamespace(), env.IndexTouchpoint, o.GetName())
}

// ofProgram finds the plans for the program and for its touchpoints.
func (r *Reconciler) ofProgram(ctx context.Context, o client.Object) []reconcile.Request {
	namespace, name := o.GetNamespace(), o.GetName()
	found := r.plans(ctx, namespace, env.IndexProgram, name)
	return append(found, r.ofTouchpoints(ctx, namespace, client.MatchingFields{env.IndexProgram: name})...)
}

// ofTeam finds the plans that name a team, or a Person that it may be shown for, themselves or through what they are for.
func (r *Reconciler) ofTeam(ctx context.Context, o client.Object) []reconcile.Request {
	namespace := o.GetNamespace()
	var found []reconcile.Request
	for _, name := range r.TeamAndPersons(ctx, namespace, o.GetName()) {
		by := client.MatchingFields{env.IndexTeam: name}
		found = append(found, r.plans(ctx, namespace, env.IndexTeam, name)...)
		found = append(found, r.ofTouchpoints(ctx, namespace, by)...)
		for _, p := range r.Requests(ctx, &v1alpha1.SurveyProgramList{}, namespace, by) {
			found = append(found, r.plans(ctx, namespace, env.IndexProgram, p.Name)...)
			found = append(found, r.ofTouchpoints(ctx, namespace, client.MatchingFields{env.IndexProgram: p.Name})...)
		}
	}
	return found
}

func (r *Reconciler) ofTouchpoints(ctx context.Context, namespace string, by client.MatchingFields) []reconcile.Request {
	var found []reconcile.Request
	for _, tp := range r.Requests(ctx, &v1alpha1.TouchpointList{}, namespace, by) {
		found = append(found, r.plans(ctx, namespace, env.IndexTouchpoint, tp.Name)...)
	}
	return found
}
