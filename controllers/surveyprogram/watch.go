package surveyprogram

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
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
	specOnly := builder.WithPredicates(env.News, env.SpecChanged)
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SurveyProgram{}).
		Owns(&corev1.Secret{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&appsv1.Deployment{}).
		Owns(&appsv1.StatefulSet{}).
		Owns(&autoscalingv2.HorizontalPodAutoscaler{}).
		Owns(&networkingv1.Ingress{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(ofClaim)).
		Watches(&v1alpha1.SurveyProgram{}, handler.EnqueueRequestsFromMapFunc(r.ofProgram), builder.WithPredicates(env.News, placeChanged)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ofKeys), builder.WithPredicates(env.News)).
		Watches(&v1alpha1.Touchpoint{}, handler.EnqueueRequestsFromMapFunc(ofTouchpoint), builder.WithPredicates(env.News, touchpointMatters)).
		Watches(&v1alpha1.Team{}, handler.EnqueueRequestsFromMapFunc(r.ofTeam), specOnly).
		Watches(&v1alpha1.ResponseStore{}, handler.EnqueueRequestsFromMapFunc(r.ofStore), builder.WithPredicates(env.News, storeChanged)).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(ofPlan), builder.WithPredicates(env.News)).
		Watches(&v1alpha1.ActionPlan{}, handler.EnqueueRequestsFromMapFunc(r.ofTouchpointsPlan), builder.WithPredicates(env.News, planMatters)).
		Watches(&v1alpha1.Review{}, handler.EnqueueRequestsFromMapFunc(ofReview), builder.WithPredicates(env.News, reviewMatters)).
		Watches(&v1alpha1.AccountabilityPolicy{}, handler.EnqueueRequestsFromMapFunc(r.ofPolicy), specOnly).
		WithOptions(env.ControllerOptions(workers))
	if r.Endpoint != nil {
		if err := r.roster.setUp(mgr, r.Env); err != nil {
			return err
		}
	}
	for _, places := range r.Places() {
		b = b.WatchesRawSource(env.PlacesChanged(places, ofWhole))
	}
	passes, err := r.lane.SetUp(mgr, "surveyprogram-counts", r.Places(), ofPlace, r.refresh)
	if err != nil {
		return err
	}
	c, err := b.WatchesRawSource(passes).Build(env.RetryConflicts(r))
	if err != nil {
		return err
	}
	r.optional.use(mgr, c)
	return nil
}

// storeChanged passes what programs see of a store: its spec, and whether it is ready.
var storeChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.ResponseStore)
	next, ok2 := u.ObjectNew.(*v1alpha1.ResponseStore)
	return ok && ok2 && (env.SpecChanged.Update(u) || last.DeletionTimestamp.IsZero() != next.DeletionTimestamp.IsZero() ||
		!equality.Semantic.DeepEqual(env.ReadyOf(last.Status.Conditions), env.ReadyOf(next.Status.Conditions)))
}}

// placeChanged passes that a program came or went, or is or is to be served elsewhere: it may have kept others from a store.
var placeChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.SurveyProgram)
	next, ok2 := u.ObjectNew.(*v1alpha1.SurveyProgram)
	return ok && ok2 && (env.Existence.Update(u) || last.UID != next.UID || last.Spec.Endpoint.Mode != next.Spec.Endpoint.Mode ||
		(last.Status.Endpoint == nil) != (next.Status.Endpoint == nil) || env.ServedBy(last) != env.ServedBy(next))
}}

// ofProgram finds the programs of a store that another one keeps from it, or no longer does: a Dedicated one all of them, an
// Embedded one those that are, or are to be, Dedicated. Thousands may share a store, and most do not mind each other.
func (r *Reconciler) ofProgram(ctx context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.SurveyProgram)
	if !ok {
		return nil
	}
	rs := &v1alpha1.ResponseStore{}
	if found, err := r.Find(ctx, p.Namespace, p.Spec.StoreRef.Name, rs); err == nil && found && rs.Spec.SQLite == nil {
		return nil // only a SQLite store is one endpoint's alone
	}
	if p.Spec.Endpoint.Mode == v1alpha1.EndpointEmbedded && env.ServedBy(p) == v1alpha1.EndpointEmbedded {
		by := client.MatchingFields{env.IndexUser: env.UserKey(p.Spec.StoreRef.Name, v1alpha1.EndpointDedicated)}
		return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, p.Namespace, by)
	}
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, p.Namespace, client.MatchingFields{env.IndexStore: p.Spec.StoreRef.Name})
}

// ofClaim finds the program whose endpoint has a claim, which belongs to the store.
func ofClaim(_ context.Context, o client.Object) []reconcile.Request {
	program := o.GetLabels()[v1alpha1.LabelProgram]
	if program == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: program}}}
}

func ofTouchpoint(_ context.Context, o client.Object) []reconcile.Request {
	tp, ok := o.(*v1alpha1.Touchpoint)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: tp.Namespace, Name: tp.Spec.ProgramRef.Name}}}
}

// ofTeam finds the programs that name a team or one below it, themselves or by a touchpoint: the function of a team may be that of
// one above. The Dedicated ones of the namespace are all told, since an answer may name any of its teams; for the others there is
// the roster.
func (r *Reconciler) ofTeam(ctx context.Context, o client.Object) []reconcile.Request {
	namespace := o.GetNamespace()
	dedicated := client.MatchingFields{env.IndexMode: string(v1alpha1.EndpointDedicated)}
	found := r.Requests(ctx, &v1alpha1.SurveyProgramList{}, namespace, dedicated)
	for _, name := range r.TeamAndBelow(ctx, namespace, o.GetName()) {
		by := client.MatchingFields{env.IndexTeam: name}
		found = append(found, r.Requests(ctx, &v1alpha1.SurveyProgramList{}, namespace, by)...)
		touchpoints := &v1alpha1.TouchpointList{}
		if err := r.Client.List(ctx, touchpoints, client.InNamespace(namespace), by, client.UnsafeDisableDeepCopy); err != nil {
			continue
		}
		for i := range touchpoints.Items {
			found = append(found, ofTouchpoint(ctx, &touchpoints.Items[i])...)
		}
	}
	return found
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
