// Package actionplan reconciles ActionPlans: it keeps their clocks, records how people revise them, freezes what their
// objective stood at when they began, and says what became of it. It never writes their spec, which belongs to people.
package actionplan

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	"github.com/cx-operator/cx-operator/internal/effect"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/notify"
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
			r.Gone(before, req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get plan: %w", err)
	}
	if !before.DeletionTimestamp.IsZero() {
		r.Exporter.Delete(source(req.Namespace, req.Name))
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

	p := before.DeepCopy()
	p.Status.ObservedGeneration = p.Generation
	noteState(p, now)
	noteStart(p)
	noteRevision(p, now)
	s.noteBaseline(p, before.Status.State == "")
	timed := s.time(p, now)
	breaches, taken, escalates := escalation.Advance(counted(before.Status.Breaches, timed.Breaches), s.rules.Escalation, now)
	// Each is open since its deadline, so that one whose date was moved is open since the new one.
	p.Status.Breaches = breaches
	_, transitions := breach.Merge(before.Status.Breaches, breaches, now)
	removed(transitions, p)
	told := append(notify.FromBreaches(transitions, now), notify.FromEscalation(taken, now)...)
	p.Status.Outbox = notify.Enqueue(p.Status.Outbox, p.UID, told, now)
	measured := r.measure(s, p, now)
	p.Status.Effect = measured.Effect
	p.Status.Conflicts = effect.Conflicts(p, s.others)
	s.problems = append(s.problems, timed.Problems...)
	s.setConditions(conditions.Set{Conditions: &p.Status.Conditions, Generation: p.Generation, Now: now}, p)

	if !equality.Semantic.DeepEqual(p.Status, before.Status) {
		if err := r.PatchStatus(ctx, p, before); err != nil {
			return ctrl.Result{}, err
		}
		r.Announce(p, transitions)
		r.announceSteps(p, taken)
		r.announceEffect(p, before)
	}
	r.export(s, p)
	var wait time.Duration
	if measured.Waiting {
		wait = env.FigureInterval
	}
	return env.Requeue(now, wait, timed.Next, escalates, measured.Next), nil
}

// announceSteps writes an event for each step of the escalation that was taken.
func (r *Reconciler) announceSteps(p *v1alpha1.ActionPlan, taken []escalation.Taken) {
	for _, step := range taken {
		r.Recorder.Eventf(p, nil, corev1.EventTypeWarning, v1alpha1.ReasonEscalated, "Escalate",
			"step %d, to %s: %s is open since %s", step.Step, step.To, env.Describe(step.Breach), step.Breach.Since.UTC().Format(time.RFC3339))
	}
}

// announceEffect writes an event once the plan is judged.
func (r *Reconciler) announceEffect(p, before *v1alpha1.ActionPlan) {
	e, last := p.Status.Effect, before.Status.Effect
	if e == nil || e.JudgedTime == nil || last != nil && last.JudgedTime != nil {
		return
	}
	_, reason, _ := effect.Condition(p.Spec.State, e)
	r.Recorder.Eventf(p, nil, corev1.EventTypeNormal, reason, "JudgeEffect", "%s", e.Explanation)
}

// noteState records since when the plan is in its state.
func noteState(p *v1alpha1.ActionPlan, now time.Time) {
	if p.Status.StateSince != nil && p.Status.State == p.Spec.State {
		return
	}
	since := breach.Since(now)
	p.Status.State, p.Status.StateSince = p.Spec.State, &since
}

// noteStart records when the plan began: since when it is in the first state in which it runs.
func noteStart(p *v1alpha1.ActionPlan) {
	began := p.Spec.State == v1alpha1.WorkInProgress || p.Spec.State == v1alpha1.WorkComplete
	if p.Status.StartedTime == nil && began {
		p.Status.StartedTime = p.Status.StateSince.DeepCopy()
	}
}

// noteRevision records what people changed in the spec since it was last seen.
func noteRevision(p *v1alpha1.ActionPlan, now time.Time) {
	observed := plan.Observe(&p.Spec)
	p.Status.Revisions = plan.Revise(p.Status.Revisions, p.Status.Observed, observed, p.Generation, now)
	p.Status.Observed = observed
}

// counted returns the breaches with the steps of escalation that were taken for them, where they are open since the same
// deadline.
func counted(previous, open []v1alpha1.Breach) []v1alpha1.Breach {
	all := slices.Clone(open)
	for i := range all {
		for _, b := range previous {
			if b.Type == all[i].Type && b.Objective == all[i].Objective && b.Item == all[i].Item && b.Since.Equal(&all[i].Since) {
				all[i].Escalated = b.Escalated
			}
		}
	}
	return all
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
	timed := plan.Time(p, plan.Clock{
		Now: now, Location: s.location, AcknowledgeWithin: time.Duration(s.rules.Plan.AcknowledgeWithinHours) * time.Hour,
		ActionDueWithinDays: s.rules.ActionDueWithinDays,
	})
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
		Plans: []exporter.Plan{item}, Breaches: objectives.BreachSeries(label, p.Status.Breaches), Effects: effectSeries(s, p),
	})
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "ActionPlan", Namespace: namespace, Name: name}
}
