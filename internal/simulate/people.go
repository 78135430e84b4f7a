package simulate

import (
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// habits are how soon the owner of a plan acts on it.
type habits struct {
	acknowledges, completes time.Duration // after the plan was opened
}

// habits are drawn by chance: a plan is acknowledged after 30 hours on average, and complete 25 days after it was opened;
// both times are exponential, so that one in five is acknowledged too late.
func (w *world) habits() habits {
	after := func(mean time.Duration) time.Duration {
		return time.Duration(-math.Log(1-w.chance.Float64()) * float64(mean))
	}
	return habits{acknowledges: after(30 * time.Hour), completes: after(25 * 24 * time.Hour)}
}

// live lets owners act and clocks run, up to now.
func (w *world) live(now time.Time) {
	for i := range w.plans {
		p := &w.plans[i]
		w.act(p, now)
		timed := plan.Time(p, plan.Clock{Now: now, AcknowledgeWithin: 48 * time.Hour})
		w.judgeClocks(p, timed.Breaches, now)
	}
}

// act is what the owner of a plan has done by now.
func (w *world) act(p *v1alpha1.ActionPlan, now time.Time) {
	h, opened := w.owner[p.Name], p.CreationTimestamp.Time
	if at := opened.Add(h.acknowledges); p.Spec.Acknowledgement == nil && !now.Before(at) {
		p.Spec.Acknowledgement = &v1alpha1.Acknowledgement{By: "owner", Time: metav1.NewTime(at)}
		p.Spec.State = v1alpha1.WorkInProgress
	}
	if p.Spec.Acknowledgement != nil && p.Spec.State.Open() && !now.Before(opened.Add(h.completes)) {
		p.Spec.State = v1alpha1.WorkComplete
	}
	if p.Status.State != p.Spec.State {
		p.Status.State, p.Status.StateSince = p.Spec.State, &metav1.Time{Time: now}
	}
}

// judgeClocks keeps the breaches of a plan as its status would, and counts those that are new.
func (w *world) judgeClocks(p *v1alpha1.ActionPlan, open []v1alpha1.Breach, now time.Time) {
	for i := range open {
		before := find(p.Status.Breaches, open[i].Type)
		if before != nil {
			open[i].Escalated = before.Escalated
			continue
		}
		switch open[i].Type {
		case v1alpha1.BreachPlanUnacknowledged:
			w.life.unacknowledged++
		case v1alpha1.BreachPlanOverdue:
			w.life.overdue++
		}
	}
	advanced, taken, _ := escalation.Advance(open, steps, now)
	p.Status.Breaches = advanced
	w.life.escalations += len(taken)
}

func find(breaches []v1alpha1.Breach, t v1alpha1.BreachType) *v1alpha1.Breach {
	for i := range breaches {
		if breaches[i].Type == t {
			return &breaches[i]
		}
	}
	return nil
}
