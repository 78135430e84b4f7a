package objectives

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Conclude takes the steps of the policy's escalation that are due, recognises what is Met, puts all that people are to be
// told of into the outbox, and settles the status (see Settle): a transition and its notice are one write. Events follow.
func Conclude[T client.Object](ctx context.Context, e *env.Env, t *Throttle, s Subject, obj, before T, view func(T) Verdicts, transitions []breach.Transition, now time.Time) (Settled, error) {
	rules, status := s.rules(), view(obj)
	breaches, taken, next := escalation.Advance(*status.Breaches, rules.Escalation, now)
	*status.Breaches = breaches
	recognized, due := recognize(*status.Objectives, rules.Recognition, now)
	told := append(notify.FromBreaches(transitions, now), notify.FromEscalation(taken, now)...)
	told = append(told, recognized...)
	*status.Outbox = notify.Enqueue(*status.Outbox, obj.GetUID(), told, now)
	if len(told) > 0 {
		settleUntold(*status.Outbox, s, e.Teams(ctx, obj.GetNamespace()))
	}
	settled, err := Settle(ctx, e, t, obj, before, view, transitions)
	settled.Next = earlier(next, due)
	if err != nil {
		return settled, err
	}
	for _, step := range taken {
		e.Recorder.Eventf(obj, nil, corev1.EventTypeWarning, v1alpha1.ReasonEscalated, "Escalate"+string(step.Breach.Type)+"To"+string(step.To),
			"step %d, to %s: %s is open since %s", step.Step, step.To, env.Describe(step.Breach), step.Breach.Since.UTC().Format(time.RFC3339))
	}
	for _, r := range recognized {
		e.Recorder.Eventf(obj, nil, corev1.EventTypeNormal, v1alpha1.ReasonRecognized, "Recognize",
			"objective %s is Met since %s", r.Objective, r.Time.UTC().Format(time.RFC3339))
	}
	return settled, nil
}

// settleUntold notes of notices that nobody is to be told of that they are settled: otherwise whoever sends them would note just that, by
// a write for each object. Where the program or an owner is not there, it may be on its way, and so
// that is left to the sender.
func settleUntold(outbox []v1alpha1.Notice, s Subject, teams team.Lookup) {
	if s.Program.UID == "" {
		return
	}
	var owners []string
	for _, ref := range []*v1alpha1.NameRef{s.OwnerRef, s.Program.Spec.OwnerRef} {
		if ref == nil {
			continue
		}
		if _, found := teams(ref.Name); !found {
			return
		}
		owners = append(owners, ref.Name)
	}
	sponsor := ""
	if es := s.Program.Spec.ExecutiveSponsor; es != nil && es.TeamRef != nil {
		sponsor = es.TeamRef.Name
	}
	for i := range outbox {
		n := &outbox[i]
		if n.Addressed {
			continue
		}
		if _, channels := notify.Route(n, owners, sponsor, teams); len(channels) == 0 {
			notify.Address(n, nil)
		}
	}
}

// recognize notes in the verdicts which objectives are Met for long enough, returns what is told of them, and when the next
// will be. Each is told once until another verdict than Met is found: that counts could not be read for a while is none.
func recognize(verdicts []v1alpha1.ObjectiveStatus, rule v1alpha1.Recognition, now time.Time) (told []notify.Transition, next time.Time) {
	for i := range verdicts {
		o := &verdicts[i]
		switch o.State {
		case v1alpha1.StateMet:
		case v1alpha1.StateStale:
			continue
		default:
			o.RecognizedTime = nil
			continue
		}
		if rule.Mode != v1alpha1.RecognitionNotify || o.RecognizedTime != nil || o.StateSince == nil {
			continue
		}
		if due := o.StateSince.Add(time.Duration(ptr.Deref(rule.AfterDays, 0)) * 24 * time.Hour); now.Before(due) {
			next = earlier(next, due)
			continue
		}
		at := breach.Since(now)
		o.RecognizedTime = &at
		told = append(told, notify.Transition{
			Class: v1alpha1.NoticeRecognition, Transition: v1alpha1.NoticeMet, Objective: o.Name,
			Reason: v1alpha1.ReasonRecognized, Time: o.StateSince.Time,
		})
	}
	return told, next
}
