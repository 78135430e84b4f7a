package surveyprogram

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// updates returns a predicate that passes what came or went, a changed spec, and updates that matter.
func updates[T client.Object](matters func(last, next T) bool) predicate.Funcs {
	return predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
		last, ok := u.ObjectOld.(T)
		next, ok2 := u.ObjectNew.(T)
		return ok && ok2 && (env.SpecChanged.Update(u) || env.Existence.Update(u) || matters(last, next))
	}}
}

// touchpointMatters passes what programs see of a touchpoint: its spec and labels, the states of its objectives, and its
// breaches. Figures alone do not matter.
var touchpointMatters = updates(func(last, next *v1alpha1.Touchpoint) bool {
	return !maps.Equal(last.Labels, next.Labels) || !equality.Semantic.DeepEqual(last.Status.Breaches, next.Status.Breaches) ||
		!slices.EqualFunc(last.Status.Objectives, next.Status.Objectives, sameState)
})

func sameState(a, b v1alpha1.ObjectiveStatus) bool {
	return a.Name == b.Name && a.State == b.State && hasAnswers(a) == hasAnswers(b)
}

// planMatters passes what programs see of their touchpoints' plans: whether they are worked on, are in time, and helped.
var planMatters = updates(func(last, next *v1alpha1.ActionPlan) bool {
	l, n := last.Status, next.Status
	return l.State != n.State || !l.StateSince.Equal(n.StateSince) || !l.StartedTime.Equal(n.StartedTime) ||
		!equality.Semantic.DeepEqual(l.Breaches, n.Breaches) || verdictOf(l.Effect) != verdictOf(n.Effect)
})

func verdictOf(e *v1alpha1.Effect) v1alpha1.EffectVerdict {
	if e == nil {
		return ""
	}
	return e.Verdict
}

// reviewMatters passes what programs see of a review: what people wrote, by when it was to be held, and whether it is missed.
var reviewMatters = updates(func(last, next *v1alpha1.Review) bool {
	return !last.Status.DueTime.Equal(next.Status.DueTime) || !equality.Semantic.DeepEqual(last.Status.Breaches, next.Status.Breaches)
})

// ofTouchpointsPlan finds the program of the touchpoint that a plan is for.
func (r *Reconciler) ofTouchpointsPlan(ctx context.Context, o client.Object) []reconcile.Request {
	p, ok := o.(*v1alpha1.ActionPlan)
	if !ok || p.Spec.TouchpointRef == nil {
		return nil
	}
	tp := &v1alpha1.Touchpoint{}
	if found, err := r.Find(ctx, p.Namespace, p.Spec.TouchpointRef.Name, tp); err != nil || !found {
		return nil
	}
	return ofTouchpoint(ctx, tp)
}

func ofReview(_ context.Context, o client.Object) []reconcile.Request {
	rv, ok := o.(*v1alpha1.Review)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: rv.Namespace, Name: rv.Spec.ProgramRef.Name}}}
}

// ofPolicy finds every program of the namespace: one that a policy no longer selects is to know that too.
func (r *Reconciler) ofPolicy(ctx context.Context, o client.Object) []reconcile.Request {
	return r.Requests(ctx, &v1alpha1.SurveyProgramList{}, o.GetNamespace())
}
