package team

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/portfolio"
)

// load is how much a team has to do; nil for a Person, whose nearest ancestor carries it.
func (r *Reconciler) load(ctx context.Context, t *v1alpha1.Team) (*v1alpha1.TeamLoad, error) {
	if t.Spec.Level == v1alpha1.TeamPerson {
		return nil, nil
	}
	g := gathering{Env: r.Env, ctx: ctx, namespace: t.Namespace}
	if err := g.gather(r.TeamAndPersons(ctx, t.Namespace, t.Name)); err != nil {
		return nil, err
	}
	load := portfolio.Loads(portfolio.Objects{
		Programs: g.programs.items, Touchpoints: g.touchpoints.items, Plans: g.plans.items, Reviews: g.reviews.items,
		Teams: r.Teams(ctx, t.Namespace),
	})[t.Name]
	return &load, nil
}

// gathering collects, by the cache's indexes, all that a load can be made of, and not the whole namespace: a team has few of its
// many thousand objects. The cache's own objects are looked at, never changed.
type gathering struct {
	*env.Env
	ctx         context.Context
	namespace   string
	programs    distinct[v1alpha1.SurveyProgram]
	touchpoints distinct[v1alpha1.Touchpoint]
	plans       distinct[v1alpha1.ActionPlan]
	reviews     distinct[v1alpha1.Review]
}

// distinct are objects of one kind, each once.
type distinct[T any] struct {
	names map[string]bool
	items []T
}

func (d *distinct[T]) add(name string, item T) {
	if d.names[name] {
		return
	}
	if d.names == nil {
		d.names = map[string]bool{}
	}
	d.names[name] = true
	d.items = append(d.items, item)
}

// gather finds what names one of the teams as an owner, what falls to them as the owners of its touchpoint or program, and the
// touchpoints and programs that tell whose it is. What turns out to be others' does no harm.
func (g *gathering) gather(teams []string) error {
	for _, team := range teams {
		if err := g.find(env.IndexTeam, team); err != nil {
			return err
		}
	}
	for i := range g.programs.items {
		if err := g.find(env.IndexProgram, g.programs.items[i].Name); err != nil {
			return err
		}
	}
	for i := range g.touchpoints.items {
		if err := list(g, &v1alpha1.ActionPlanList{}, env.IndexTouchpoint, g.touchpoints.items[i].Name); err != nil {
			return err
		}
	}
	return g.complete()
}

// find adds what an index finds. Only teams are named by programs.
func (g *gathering) find(index, name string) error {
	lists := []client.ObjectList{&v1alpha1.TouchpointList{}, &v1alpha1.ActionPlanList{}, &v1alpha1.SurveyProgramList{}}
	if index == env.IndexProgram {
		lists[2] = &v1alpha1.ReviewList{}
	}
	for _, l := range lists {
		if err := list(g, l, index, name); err != nil {
			return err
		}
	}
	return nil
}

func list(g *gathering, found client.ObjectList, index, name string) error {
	by := client.MatchingFields{index: name}
	if err := g.Client.List(g.ctx, found, client.InNamespace(g.namespace), by, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list %T: %w", found, err)
	}
	switch l := found.(type) {
	case *v1alpha1.SurveyProgramList:
		for _, o := range l.Items {
			g.programs.add(o.Name, o)
		}
	case *v1alpha1.TouchpointList:
		for _, o := range l.Items {
			g.touchpoints.add(o.Name, o)
		}
	case *v1alpha1.ActionPlanList:
		for _, o := range l.Items {
			g.plans.add(o.Name, o)
		}
	case *v1alpha1.ReviewList:
		for _, o := range l.Items {
			g.reviews.add(o.Name, o)
		}
	}
	return nil
}

// complete adds the touchpoints that plans are for, and the programs of touchpoints and plans.
func (g *gathering) complete() error {
	for i := range g.plans.items {
		spec := g.plans.items[i].Spec
		if ref := spec.TouchpointRef; ref != nil && !g.touchpoints.names[ref.Name] {
			tp := &v1alpha1.Touchpoint{}
			if err := g.Client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: ref.Name}, tp); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("get touchpoint %s: %w", ref.Name, err)
			} else if err == nil {
				g.touchpoints.add(tp.Name, *tp)
			}
		}
		if ref := spec.ProgramRef; ref != nil {
			if err := g.program(ref.Name); err != nil {
				return err
			}
		}
	}
	for i := range g.touchpoints.items {
		if err := g.program(g.touchpoints.items[i].Spec.ProgramRef.Name); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathering) program(name string) error {
	if g.programs.names[name] {
		return nil
	}
	p := &v1alpha1.SurveyProgram{}
	err := g.Client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: name}, p)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get program %s: %w", name, err)
	}
	if err == nil {
		g.programs.add(name, *p)
	}
	return nil
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
