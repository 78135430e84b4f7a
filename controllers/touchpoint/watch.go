package touchpoint

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	specOnly := builder.WithPredicates(env.News, env.SpecChanged)
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Touchpoint{}, builder.WithPredicates(env.News)).
		Watches(&v1alpha1.Touchpoint{}, handler.Funcs{CreateFunc: r.atStart}).
		Watches(&v1alpha1.Touchpoint{}, handler.EnqueueRequestsFromMapFunc(r.handingOver), builder.WithPredicates(env.News, ownerChanged)).
		Watches(&v1alpha1.SurveyProgram{}, handler.EnqueueRequestsFromMapFunc(r.ofProgram), builder.WithPredicates(env.News, programMatters)).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), specOnly).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(ofPlan), builder.WithPredicates(env.News)).
		Watches(&v1alpha1.AccountabilityPolicy{}, handler.EnqueueRequestsFromMapFunc(r.ofPolicy), specOnly).
		WithOptions(env.ControllerOptions(workers))
	for _, places := range r.Places() {
		b = b.WatchesRawSource(env.PlacesChanged(places, r.ofWhole))
	}
	passes, err := r.lane.SetUp(mgr, "touchpoint-counts", r.Places(), ofPlace, r.refresh)
	if err != nil {
		return err
	}
	return b.WatchesRawSource(passes).Complete(env.RetryConflicts(r))
}

// atStart enqueues the touchpoints that are there when the watch begins: those whose page is pending when their program was handed
// over, which tells of them, and not before, since they would have to be looked at again then. A program for which nobody does so is
// waited for as long as for its counts.
func (r *Reconciler) atStart(ctx context.Context, c event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	tp, ok := c.Object.(*v1alpha1.Touchpoint)
	if !ok || !c.IsInInitialList {
		return
	}
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(tp)}
	s := scope{touchpoint: tp, subject: objectives.Subject{Program: &v1alpha1.SurveyProgram{}}}
	found, err := r.Find(ctx, tp.Namespace, tp.Spec.ProgramRef.Name, s.subject.Program)
	if _, pending := r.page(&s); err == nil && found && pending && env.ServedBy(s.subject.Program) == v1alpha1.EndpointEmbedded {
		q.AddAfter(request, r.StaleAfter)
		return
	}
	q.Add(request)
}

// refresh shows what answers changed of a touchpoint.
func (r *Reconciler) refresh(ctx context.Context, req reconcile.Request) (objectives.Due, error) {
	tp := &v1alpha1.Touchpoint{}
	if found, err := r.Find(ctx, req.Namespace, req.Name, tp); err != nil || !found {
		return objectives.Due{}, err
	}
	if len(tp.Status.Conditions) == 0 || tp.Generation != tp.Status.ObservedGeneration {
		return objectives.PassNow, nil
	}
	s, err := r.read(ctx, tp)
	if err != nil {
		return objectives.Due{}, err
	}
	ready := meta.FindStatusCondition(tp.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Reason == v1alpha1.ReasonWaiting && !s.unserved {
		return objectives.PassNow, nil // the page that it waited for is served
	}
	defer r.lane.Lock(req.NamespacedName)()
	last := objectives.Shown{
		Objectives: tp.Status.Objectives, Judged: tp.Status.Judged, Participation: tp.Status.Participation, Cases: tp.Status.Cases,
	}
	return objectives.Refresh(r.Env, &r.throttle, source(tp.Namespace, tp.Name), s.label(), s.subject, last, r.Clock())
}

// programMatters passes changes of a program that its touchpoints see: its spec, and whether it is served.
var programMatters = predicate.Funcs{
	UpdateFunc: func(u event.UpdateEvent) bool {
		last, ok := u.ObjectOld.(*v1alpha1.SurveyProgram)
		next, ok2 := u.ObjectNew.(*v1alpha1.SurveyProgram)
		if !ok || !ok2 {
			return false
		}
		return env.SpecChanged.Update(u) || !maps.Equal(last.Labels, next.Labels) || last.Status.URL != next.Status.URL ||
			(last.Status.Endpoint == nil) != (next.Status.Endpoint == nil) || env.ServedBy(last) != env.ServedBy(next) ||
			last.DeletionTimestamp.IsZero() != next.DeletionTimestamp.IsZero() ||
			!equality.Semantic.DeepEqual(env.ReadyOf(last.Status.Conditions), env.ReadyOf(next.Status.Conditions))
	},
}

// ofWhole finds the touchpoints of a program that changed as a whole.
func (r *Reconciler) ofWhole(ctx context.Context, p rollup.Place) []reconcile.Request {
	if !p.All {
		return nil
	}
	return r.byProgram(ctx, p.Program.Namespace, p.Program.Name)
}

// ofPlace finds the touchpoint whose counts changed.
func ofPlace(_ context.Context, p rollup.Place) []reconcile.Request {
	if p.All || p.Touchpoint == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Program.Namespace, Name: p.Touchpoint}}}
}

func (r *Reconciler) byProgram(ctx context.Context, namespace, name string) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.TouchpointList{}, namespace, client.MatchingFields{env.IndexProgram: name})
}

func (r *Reconciler) ofProgram(ctx context.Context, o client.Object) []reconcile.Request {
	return r.byProgram(ctx, o.GetNamespace(), o.GetName())
}

func (r *Reconciler) handingOver(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.TouchpointList{}, o.GetNamespace(), client.MatchingFields{env.IndexTouchpoint: o.GetName()})
}

// ofTeam finds the touchpoints that name a team, or a Person that it may be shown for, themselves or through their program.
func (r *Reconciler) ofTeam(ctx context.Context, o client.Object) []reconcile.Request {
	var found []reconcile.Request
	for _, name := range r.TeamAndPersons(ctx, o.GetNamespace(), o.GetName()) {
		by := client.MatchingFields{env.IndexTeam: name}
		named := r.Requests(ctx, &v1alpha1.TouchpointList{}, o.GetNamespace(), by)
		found = append(append(found, named...), r.handingOverTo(ctx, named)...)
		for _, program := range r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace(), by) {
			found = append(found, r.byProgram(ctx, program.Namespace, program.Name)...)
		}
	}
	return found
}

// ofPolicy finds every touchpoint of the namespace: a policy that no longer selects one matters to it as well.
func (r *Reconciler) ofPolicy(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.TouchpointList{}, o.GetNamespace())
}

func ofPlan(_ context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.ActionPlan)
	if !ok || p.Spec.TouchpointRef == nil {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Namespace, Name: p.Spec.TouchpointRef.Name}}}
}
