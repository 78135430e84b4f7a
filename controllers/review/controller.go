// Package review opens Reviews and reconciles them: it freezes the figures of their period, and says whether they were held, and
// with the sponsor. It creates reviews and never writes their spec again, which belongs to people.
package review

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/review"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=reviews,verbs=get;list;watch;create
// +kubebuilder:rbac:groups=cx-operator.io,resources=reviews/status,verbs=get;patch

// Reconciler reconciles Reviews.
type Reconciler struct {
	*env.Env
}

// Reconcile freezes one review, and times it.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.Review{}
	err := r.Client.Get(ctx, req.NamespacedName, before)
	if apierrors.IsNotFound(err) || err == nil && !before.DeletionTimestamp.IsZero() {
		r.Exporter.Delete(source(req.Namespace, req.Name))
		r.Gone(before, req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("get review: %w", err)
	}
	if r.Behind(before) {
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	s, err := r.read(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}

	v := before.DeepCopy()
	v.Status.ObservedGeneration = v.Generation
	told := s.firstSight(v, now)
	frozen, err := r.freeze(ctx, &s, v, now)
	if err != nil {
		return ctrl.Result{}, err
	}
	transitions := s.settleBreaches(v, now)
	breaches, taken, nextStep := escalation.Advance(v.Status.Breaches, s.rules.Escalation, now)
	v.Status.Breaches = breaches
	told = append(append(told, notify.FromBreaches(transitions, now)...), notify.FromEscalation(taken, now)...)
	v.Status.Outbox = notify.Enqueue(v.Status.Outbox, v.UID, told, now)
	s.setConditions(conditions.Set{Conditions: &v.Status.Conditions, Generation: v.Generation, Now: now}, v, frozen, now)

	if !equality.Semantic.DeepEqual(v.Status, before.Status) {
		if err := r.PatchStatus(ctx, v, before); err != nil {
			return ctrl.Result{}, err
		}
		r.announce(v, before, told, transitions, taken)
	}
	r.export(s, v)
	return env.Requeue(now, frozen.wait, frozen.next, nextStep, s.nextStanding(v, now)), nil
}

// firstSight promises by when the review is to be held, once: neither another policy nor another time zone moves that. It returns
// what people are told of.
func (s *scope) firstSight(v *v1alpha1.Review, now time.Time) []notify.Transition {
	if v.Status.DueTime != nil || s.location == nil {
		return nil
	}
	within := int32(defaultHeldWithinDays)
	if s.rules.Review != nil {
		within = s.rules.Review.HeldWithinDays
	}
	due, err := review.DueTime(v.Spec.Period, within, now, s.location)
	if err != nil {
		return nil // check has found it
	}
	at := breach.Since(due)
	v.Status.DueTime = &at
	return []notify.Transition{{
		Class: v1alpha1.NoticeReview, Transition: v1alpha1.NoticeOpened, Reason: v1alpha1.ReasonReviewOpened, Time: now,
	}}
}

// settleBreaches opens and closes ReviewMissed. Without its program nothing is known, and the breaches stay as they are.
func (s *scope) settleBreaches(v *v1alpha1.Review, now time.Time) []breach.Transition {
	if s.location == nil {
		return nil
	}
	var wanted []v1alpha1.Breach
	if review.IsMissed(v, s.reviews, s.location, now) {
		wanted = append(wanted, v1alpha1.Breach{Type: v1alpha1.BreachReviewMissed, Since: *v.Status.DueTime})
	}
	open, transitions := breach.Merge(v.Status.Breaches, wanted, now)
	v.Status.Breaches = open
	if review.StandingOf(v, s.location, now) == review.Missed {
		for i := range transitions {
			if !transitions[i].Opened {
				transitions[i].Reason = v1alpha1.ReasonSuperseded
			}
		}
	}
	return transitions
}

// announce writes events, after the status was written.
func (r *Reconciler) announce(v, before *v1alpha1.Review, told []notify.Transition, transitions []breach.Transition, taken []escalation.Taken) {
	for _, t := range told {
		if t.Reason == v1alpha1.ReasonReviewOpened {
			r.Recorder.Eventf(v, nil, corev1.EventTypeNormal, t.Reason, "OpenReview", "the review of %s to %s is due by %s",
				v.Spec.Period.From, v.Spec.Period.To, v.Status.DueTime.UTC().Format(time.RFC3339))
		}
	}
	if before.Status.Figures == nil && v.Status.Figures != nil {
		r.Recorder.Eventf(v, nil, corev1.EventTypeNormal, v1alpha1.ReasonFrozen, "Freeze", "figures frozen as %s", v.Status.Digest)
	}
	if mismatch(v) && !mismatch(before) {
		r.Recorder.Eventf(v, nil, corev1.EventTypeWarning, v1alpha1.ReasonDigestMismatch, "Verify", "the figures are not those of the digest")
	}
	r.Announce(v, transitions)
	for _, step := range taken {
		r.Recorder.Eventf(v, nil, corev1.EventTypeWarning, v1alpha1.ReasonEscalated, "EscalateTo"+string(step.To), "step %d, to %s: %s is open since %s",
			step.Step, step.To, env.Describe(step.Breach), step.Breach.Since.UTC().Format(time.RFC3339))
	}
}

func mismatch(v *v1alpha1.Review) bool {
	c := meta.FindStatusCondition(v.Status.Conditions, v1alpha1.ConditionFrozen)
	return c != nil && c.Reason == v1alpha1.ReasonDigestMismatch
}

func (r *Reconciler) export(s scope, v *v1alpha1.Review) {
	label := objectives.Label{Kind: "Review", Namespace: v.Namespace, Name: v.Name, Program: v.Spec.ProgramRef.Name, Team: s.team}
	item := exporter.Review{Namespace: v.Namespace, Program: v.Spec.ProgramRef.Name, Review: v.Name, Team: s.team}
	if v.Status.DueTime != nil {
		item.Due = v.Status.DueTime.Time
	}
	if meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionHeld) && v.Spec.HeldTime != nil {
		item.Held = v.Spec.HeldTime.Time
	}
	r.Exporter.Set(source(v.Namespace, v.Name), exporter.Series{
		Reviews: []exporter.Review{item}, Breaches: objectives.BreachSeries(label, v.Status.Breaches),
	})
}

func source(namespace, name string) exporter.Source {
	return exporter.Source{Kind: "Review", Namespace: namespace, Name: name}
}
