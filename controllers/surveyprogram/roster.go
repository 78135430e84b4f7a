package surveyprogram

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// roster keeps the teams that an answer to an Embedded program may name: every team of its namespace. They are kept once for a
// namespace, and a change of them touches no program. A request is for a namespace: its Name.
type roster struct {
	*env.Env
	pace env.Pace
	// mu keeps the reading of teams and the handing over together, so that an older list never replaces a newer one.
	mu sync.Mutex
}

// Reconcile hands the teams of one namespace to the endpoint, where it serves a program of it.
func (r *roster) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	if !r.Endpoint.HasUnits(req.Name) {
		return ctrl.Result{}, nil // a program that comes brings them
	}
	now := r.Clock()
	if wait := r.pace.Wait(req.NamespacedName, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	defer func() { r.pace.Took(req.NamespacedName, now, r.Clock()) }()
	return ctrl.Result{}, r.call(ctx, r.Env, req.Name)
}

// ensure sees to it that the endpoint has the teams of a namespace.
func (r *roster) ensure(ctx context.Context, e *env.Env, namespace string) error {
	if e.Endpoint.HasUnits(namespace) {
		return nil
	}
	return r.call(ctx, e, namespace)
}

// call reads the teams of a namespace and hands them to the endpoint.
func (r *roster) call(ctx context.Context, e *env.Env, namespace string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Endpoint.ExpectUnits(namespace)
	teams := &v1alpha1.TeamList{}
	if err := e.Client.List(ctx, teams, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list teams: %w", err)
	}
	units := make(map[string]string, len(teams.Items))
	for i := range teams.Items {
		if t := &teams.Items[i]; t.DeletionTimestamp.IsZero() {
			units[strings.Clone(t.Name)] = t.Spec.DisplayName
		}
	}
	e.Endpoint.SetUnits(namespace, units)
	return nil
}

// setUp adds the controller to a manager.
func (r *roster) setUp(mgr ctrl.Manager, e *env.Env) error {
	r.Env = e
	r.pace.Share = 20
	ofSpace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: o.GetNamespace()}}}
	})
	err := ctrl.NewControllerManagedBy(mgr).Named("survey-teams").
		Watches(&v1alpha1.Team{}, ofSpace, builder.WithPredicates(env.SpecChanged)).
		WithOptions(env.ControllerOptions(1)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("teams of surveys: %w", err)
	}
	return nil
}
