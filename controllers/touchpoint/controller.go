// Package touchpoint reconciles Touchpoints: it watches ownership and measurement, judges objectives, and sees to it
// that a missed one has a plan.
package touchpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=touchpoints,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=touchpoints/status,verbs=get;patch
// +kubebuilder:rbac:groups=cx-operator.io,resources=actionplans,verbs=get;list;watch;create
// +kubebuilder:rbac:groups=cx-operator.io,resources=accountabilitypolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles Touchpoints.
type Reconciler struct {
	*env.Env
	throttle objectives.Throttle
	lane     objectives.Lane
	hold     env.Hold
}

// Reconcile judges one touchpoint.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.Touchpoint{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get touchpoint: %w", err)
	}
	if !before.DeletionTimestamp.IsZero() {
		r.forget(req)
		return ctrl.Result{}, nil
	}
	if r.Behind(before) {
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	s, err := r.read(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	if wait := r.holdBack(&s, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	verdict, unjudged, err := r.judge(s, before, now) // metrics do not wait for what is written below
	if err != nil {
		return ctrl.Result{}, err
	}
	plans, err := objectives.FollowUp(ctx, r.Env, s.subject, verdict, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	people := objectives.Participate(r.Env, s.subject, before.Status.Participation, now)
	cases := objectives.Cases(r.Env, s.subject, before.Status.Cases, now)

	tp := before.DeepCopy()
	tp.Status.ObservedGeneration = tp.Generation
	tp.Status.URL = s.url
	tp.Status.Objectives, tp.Status.Judged = verdict.Objectives, verdict.Judged
	tp.Status.Participation, tp.Status.Cases = people.Figures, cases.Figures
	wanted := slices.Concat(s.breaches(), plans.Missed, plans.Missing, verdict.Low, cases.Breaches)
	open, transitions := objectives.Merge(before.Status.Breaches, wanted, verdict, now)
	tp.Status.Breaches = open

	set := conditions.Set{Conditions: &tp.Status.Conditions, Generation: tp.Generation, Now: now}
	s.setConditions(set, unjudged)
	tp.Status.PolicyRef = objectives.SetGoverned(set, s.subject.Effective)
	objectives.SetConditions(set, verdict.Objectives, tp.Status.Breaches, plans.Late)

	settled, err := objectives.Conclude(ctx, r.Env, &r.throttle, s.subject, tp, before, verdictsOf, transitions, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	if settled.Written { // answers may have come meanwhile
		if _, _, err := r.judge(s, tp, r.Clock()); err != nil {
			return ctrl.Result{}, err
		}
	}
	return env.Requeue(now, settled.Wait, verdict.Next, plans.Next, people.Next, cases.Next, settled.Next), plans.Refused
}

func verdictsOf(tp *v1alpha1.Touchpoint) objectives.Verdicts {
	return objectives.Verdicts{
		Objectives: &tp.Status.Objectives, Judged: &tp.Status.Judged, Breaches: &tp.Status.Breaches, Outbox: &tp.Status.Outbox,
	}
}

// judge judges the touchpoint and shows it in /metrics, with a status that it has.
func (r *Reconciler) judge(s scope, tp *v1alpha1.Touchpoint, now time.Time) (evaluate.Output, []survey.Problem, error) {
	defer r.lane.Lock(client.ObjectKeyFromObject(tp))()
	verdict, unjudged, err := objectives.Judge(r.Env, s.subject, now)
	if err == nil {
		r.export(s, tp, verdict.Objectives)
	}
	return verdict, unjudged, err
}

func (s *scope) label() objectives.Label {
	tp := s.touchpoint
	return objectives.Label{
		Kind: "Touchpoint", Namespace: tp.Namespace, Name: tp.Name, Touchpoint: tp.Name,
		Program: tp.Spec.ProgramRef.Name, Team: s.team,
	}
}

func (r *Reconciler) export(s scope, tp *v1alpha1.Touchpoint, live []v1alpha1.ObjectiveStatus) {
	label := s.label()
	series := objectives.Series(label, s.subject, tp.Status.Objectives, live, tp.Status.Breaches)
	series.Participation = objectives.ParticipationSeries(label, tp.Status.Participation)
	series.Page = objectives.PageSeries(label, tp.Status.URL)
	series.Cases = objectives.CaseSeries(label, tp.Status.Cases)
	r.Exporter.Set(source(tp.Namespace, tp.Name), series)
}

func (r *Reconciler) forget(req reconcile.Request) {
	r.Exporter.Delete(source(req.Namespace, req.Name))
	r.throttle.Forget(req.String())
	r.hold.End(req.NamespacedName)
	r.Gone(&v1alpha1.Touchpoint{}, req.NamespacedName)
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "Touchpoint", Namespace: namespace, Name: name}
}
