package objectives

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// Verdicts points into the status of an object that has objectives.
type Verdicts struct {
	Objectives *[]v1alpha1.ObjectiveStatus
	Judged     **v1alpha1.Judging
	// Breaches and Outbox are for Conclude.
	Breaches *[]v1alpha1.Breach
	Outbox   *[]v1alpha1.Notice
}

// Settled is what became of a status.
type Settled struct {
	// Wait is how long figures must wait until they may be written; zero where nothing waits.
	Wait time.Duration
	// Written says that the status was written. Where it was not, it is as it was.
	Written bool
	// Next is when a step of an escalation or a recognition is due; zero for never.
	Next time.Time
}

// Settle writes the status of obj where it differs from before: at once, or, where nothing but figures differs, not more
// often than env.FigureInterval. What waits is taken back from obj, so that obj holds what is published. Events follow
// the write. view returns the verdicts within an object of the kind.
func Settle[T client.Object](ctx context.Context, e *env.Env, t *Throttle, obj, before T, view func(T) Verdicts, transitions []breach.Transition) (Settled, error) {
	now := e.Clock()
	key := client.ObjectKeyFromObject(obj).String()
	next, last := view(obj), view(before)
	var settled Settled
	switch urgency(obj, before, view) {
	case Nothing:
		*next.Objectives, *next.Judged = *last.Objectives, *last.Judged
		return settled, nil
	case Figures:
		if settled.Wait = t.Wait(key, now); settled.Wait > 0 {
			*next.Objectives, *next.Judged = *last.Objectives, *last.Judged
			return settled, nil
		}
		defer t.Done()
	case AtOnce:
	}
	if err := e.PatchStatus(ctx, obj, before); err != nil {
		return settled, err
	}
	t.Wrote(key, now)
	settled.Written = true
	e.Announce(obj, transitions)
	return settled, nil
}

// urgency says how urgently the status of obj must replace that of before.
func urgency[T client.Object](obj, before T, view func(T) Verdicts) Urgency {
	rest := obj.DeepCopyObject().(T)
	*view(rest).Objectives, *view(rest).Judged = *view(before).Objectives, *view(before).Judged
	if !equality.Semantic.DeepEqual(rest, before) {
		return AtOnce
	}
	next, last := view(obj), view(before)
	return Compare(*last.Objectives, *next.Objectives, *last.Judged, *next.Judged)
}
