package notifier

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
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

// SetupWithManager adds the controller to a manager. An operator without a sender tells nobody anything.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	if r.Notify == nil {
		return nil
	}
	ofSpace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: o.GetNamespace()}}}
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("notifier").
		Watches(&v1alpha1.Team{}, ofSpace, builder.WithPredicates(predicate.Or[client.Object](
			env.SpecChanged, predicate.AnnotationChangedPredicate{})))
	for _, o := range []client.Object{
		&v1alpha1.SurveyProgram{}, &v1alpha1.Touchpoint{}, &v1alpha1.ActionPlan{}, &v1alpha1.Review{},
	} {
		b = b.Watches(o, ofSpace, builder.WithPredicates(noticesChanged))
	}
	return b.WithOptions(env.ControllerOptions(workers)).Complete(env.RetryConflicts(r))
}

// noticesChanged passes changes of an outbox, and of the figures of cases, whose notices are in the store.
var noticesChanged = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return len(*outboxOf(e.Object)) > 0 || casesOf(e.Object) != nil },
	UpdateFunc: func(u event.UpdateEvent) bool {
		return !equality.Semantic.DeepEqual(*outboxOf(u.ObjectOld), *outboxOf(u.ObjectNew)) ||
			!equality.Semantic.DeepEqual(casesOf(u.ObjectOld), casesOf(u.ObjectNew))
	},
}

func casesOf(o client.Object) *v1alpha1.CaseFigures {
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		return k.Status.Cases
	case *v1alpha1.Touchpoint:
		return k.Status.Cases
	}
	return nil
}
