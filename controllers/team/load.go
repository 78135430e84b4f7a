package team

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/portfolio"
)

// load is how much a team has to do; nil for a Person, whose nearest ancestor carries it.
func (r *Reconciler) load(ctx context.Context, t *v1alpha1.Team) (*v1alpha1.TeamLoad, error) {
	if t.Spec.Level == v1alpha1.TeamPerson {
		return nil, nil
	}
	o, err := r.objects(ctx, t.Namespace)
	if err != nil {
		return nil, err
	}
	load := portfolio.Loads(o)[t.Name]
	return &load, nil
}

// objects reads what makes up loads. The cache's own objects are looked at, never changed: a namespace may have thousands.
func (r *Reconciler) objects(ctx context.Context, namespace string) (portfolio.Objects, error) {
	var programs v1alpha1.SurveyProgramList
	var touchpoints v1alpha1.TouchpointList
	var plans v1alpha1.ActionPlanList
	var reviews v1alpha1.ReviewList
	for _, list := range []client.ObjectList{&programs, &touchpoints, &plans, &reviews} {
		if err := r.Client.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopyOption(true)); err != nil {
			return portfolio.Objects{}, fmt.Errorf("list %T: %w", list, err)
		}
	}
	return portfolio.Objects{
		Programs: programs.Items, Touchpoints: touchpoints.Items, Plans: plans.Items, Reviews: reviews.Items,
		Teams: r.Teams(ctx, namespace),
	}, nil
}

func (r *Reconciler) export(t *v1alpha1.Team) {
	l := t.Status.Load
	if l == nil {
		r.Exporter.Delete(source(t.Namespace, t.Name))
		return
	}
	r.Exporter.Set(source(t.Namespace, t.Name), exporter.Series{Loads: []exporter.Load{{
		Namespace: t.Namespace, Team: t.Name, OpenPlans: int64(l.OpenPlans), OverduePlans: int64(l.OverduePlans),
		OpenActions: int64(l.OpenActions), OverdueActions: int64(l.OverdueActions),
	}}})
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "Team", Namespace: namespace, Name: name}
}
