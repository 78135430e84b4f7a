// Package actionplan reconciles ActionPlans: it keeps their clocks, and freezes what their objective stood at when they
// began. It never writes their spec, which belongs to people.
package actionplan

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=actionplans,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=actionplans/status,verbs=get;patch

// Reconciler reconciles ActionPlans.
type Reconciler struct {
	*env.Env
}

// Reconcile times one plan.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.ActionPlan{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			r.Exporter.Delete(source(req.Namespace, req.Name))
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get plan: %w", err)
	}
	if !before.DeletionTimestamp.IsZero() {
		r.Exporter.Delete(source(req.Namespace, req.Name))
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	s, err := r.read(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}

	p := before.DeepCopy()
	p.Status.ObservedGeneration = p.Generation
	noteState(p, now)
	s.noteBaseline(p, before.Status.State == "")
	timed := s.time(p, now)
	// Each is open since its deadline, so that one whose date was moved is open since the new one.
	p.Status.Breaches = timed.Breaches
	_, transitions := breach.Merge(before.Status.Breaches, timed.Breaches, now)
	removed(transitions, p)
	s.problems = append(s.problems, timed.Problems...)
	s.setConditions(conditions.Set{Conditions: &p.Status.Conditions, Generation: p.Generation, Now: now}, p)

	if !equality.Semantic.DeepEqual(p.Status, before.Status) {
		if err := r.PatchStatus(ctx, p, before); err != nil {
			return ctrl.Result{}, err
		}
		r.Announce(p, transitions)
	}
	r.export(s, p)
	return env.Requeue(now, 0, timed.Next), nil
}

// noteState records since when the plan is in its state.
func noteState(p *v1alpha1.ActionPlan, now time.Time) {
	if p.Status.StateSince != nil && p.Status.State == p.Spec.State {
		return
	}
	since := breach.Since(now)
	p.Status.State, p.Status.StateSince = p.Spec.State, &since
}

// noteBaseline freezes the figures that were published when the plan was first seen. Where there were none yet, it waits
// for those of the first judging point: the first to be published may be of a few answers, halfway through an import.
func (s scope) noteBaseline(p *v1alpha1.ActionPlan, firstSight bool) {
	o := s.objective
	if p.Status.Baseline != nil || o == nil || o.Score == "" || !p.Spec.State.Open() {
		return
	}
	if !firstSight && !s.judgedSince(p.CreationTimestamp.Time) {
		return
	}
	p.Status.Baseline = &v1alpha1.Baseline{
		Score: o.Score, Lower: o.Lower, Upper: o.Upper, Target: o.Target, Responses: o.ReleasedResponses,
	}
}

// judgedSince says whether an import, or the day of t or a later one, was judged.
func (s scope) judgedSince(t time.Time) bool {
	if s.judged == nil || s.location == nil {
		return false
	}
	return s.judged.Import != "" || s.judged.Through >= t.In(s.location).Format(time.DateOnly)
}

// time reads the plan's clocks. Without its program no time zone is known, and the breaches stay as they are.
func (s scope) time(p *v1alpha1.ActionPlan, now time.Time) plan.Timed {
	if s.location == nil {
		return plan.Timed{Breaches: p.Status.Breaches}
	}
	within := time.Duration(s.rule.AcknowledgeWithinHours) * time.Hour
	timed := plan.Time(p, plan.Clock{Now: now, Location: s.location, AcknowledgeWithin: within})
	p.Status.AcknowledgeBy, p.Status.DueTime = stamp(timed.AcknowledgeBy), stamp(timed.DueTime)
	return timed
}

func stamp(t *time.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	m := breach.Since(*t)
	return &m
}

// removed says so where a breach closed because its action is no longer in the plan.
func removed(transitions []breach.Transition, p *v1alpha1.ActionPlan) {
	names := map[string]bool{"": true}
	for _, a := range p.Spec.Actions {
		names[a.Name] = true
	}
	for i, t := range transitions {
		if !t.Opened && !names[t.Breach.Item] {
			transitions[i].Reason = v1alpha1.ReasonRemoved
		}
	}
}

func (r *Reconciler) export(s scope, p *v1alpha1.ActionPlan) {
	label := objectives.Label{
		Kind: "ActionPlan", Namespace: p.Namespace, Name: p.Name, Program: s.program, Touchpoint: s.touchpoint, Team: s.team,
	}
	item := exporter.Plan{
		Namespace: p.Namespace, Program: s.program, ActionPlan: p.Name, Touchpoint: s.touchpoint, Objective: p.Spec.Objective,
		Team: s.team, State: p.Spec.State, Opened: p.CreationTimestamp.Time,
	}
	if p.Status.DueTime != nil {
		item.Due = p.Status.DueTime.Time
	}
	if p.Status.AcknowledgeBy != nil {
		item.AcknowledgeBy = p.Status.AcknowledgeBy.Time
	}
	if p.Spec.Acknowledgement != nil {
		item.Acknowledged = p.Spec.Acknowledgement.Time.Time
	}
	r.Exporter.Set(source(p.Namespace, p.Name), exporter.Series{
		Plans: []exporter.Plan{item}, Breaches: objectives.BreachSeries(label, p.Status.Breaches),
	})
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "ActionPlan", Namespace: namespace, Name: name}
}
