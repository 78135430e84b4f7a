package objectives

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/plan"
)

// Plans is what follows from the plans of a subject.
type Plans struct {
	// Missed are the open ObjectiveMissed breaches, each with the plan that answers it.
	Missed []v1alpha1.Breach
	// Missing are the PlanMissing breaches that stand.
	Missing []v1alpha1.Breach
	// Late holds the breaches of the subject's plans.
	Late []v1alpha1.Breach
	// Next is when a clock runs out.
	Next time.Time
}

// FollowUp sees to it that every missed objective has a plan. A plan is opened only for a breach that the status holds
// already, so that a crash in between opens no second one.
func FollowUp(ctx context.Context, e *env.Env, s Subject, out evaluate.Output, now time.Time) (Plans, error) {
	existing, err := plansOf(ctx, e, s)
	if err != nil {
		return Plans{}, err
	}
	result := Plans{Missed: out.Breaches}
	for i := range existing {
		result.Late = append(result.Late, existing[i].Status.Breaches...)
	}
	if s.Frozen {
		result.Missing = ofType(s.Previous.Breaches, v1alpha1.BreachPlanMissing)
		return result, nil
	}
	location, err := time.LoadLocation(s.Program.Spec.TimeZone)
	if err != nil {
		return Plans{}, fmt.Errorf("time zone of program: %w", err)
	}
	for i, b := range out.Breaches {
		if !contains(s.Previous.Breaches, b) {
			continue
		}
		situation, ok := situationOf(s, b, out, existing)
		if !ok {
			continue
		}
		situation.Now, situation.Location = now, location
		decision := plan.Decide(situation)
		if err := open(ctx, e, s, decision.Create); err != nil {
			return Plans{}, err
		}
		if decision.PlanRef != nil {
			result.Missed[i].PlanRef = decision.PlanRef
		}
		if decision.MissingSince != nil {
			result.Missing = append(result.Missing, v1alpha1.Breach{
				Type: v1alpha1.BreachPlanMissing, Objective: b.Objective, Since: breach.Since(*decision.MissingSince),
			})
		}
		result.Next = earlier(result.Next, decision.Next)
	}
	return result, nil
}

func situationOf(s Subject, b v1alpha1.Breach, out evaluate.Output, existing []v1alpha1.ActionPlan) (plan.Situation, bool) {
	situation := plan.Situation{
		Namespace: s.Program.Namespace, Program: s.Program.Name, Touchpoint: s.Touchpoint, DisplayName: s.DisplayName,
		Breach: b, Rule: plan.RuleOf(s.OnMissed), OwnerRef: s.OwnerRef, Judged: out.Judged,
	}
	for _, o := range s.Objectives {
		if o.Name == b.Objective {
			situation.Objective = o
		}
	}
	for _, o := range out.Objectives {
		if o.Name == b.Objective {
			situation.Status = o
		}
	}
	for _, p := range existing {
		if p.Spec.Objective == b.Objective {
			situation.Plans = append(situation.Plans, p)
		}
	}
	return situation, situation.Objective.Name != "" && situation.Status.Name != ""
}

// open creates a plan. One of that name that exists already is the same plan: it was created before a crash.
func open(ctx context.Context, e *env.Env, s Subject, p *v1alpha1.ActionPlan) error {
	if p == nil {
		return nil
	}
	err := e.Client.Create(ctx, p, env.FieldOwner)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open plan %s: %w", client.ObjectKeyFromObject(p), err)
	}
	e.Recorder.Eventf(s.Object, p, corev1.EventTypeNormal, v1alpha1.ReasonPlanOpened, "OpenPlan",
		"opened ActionPlan %s for objective %s, due %s", p.Name, p.Spec.Objective, p.Spec.DueDate)
	return nil
}

func ofType(breaches []v1alpha1.Breach, t v1alpha1.BreachType) []v1alpha1.Breach {
	var found []v1alpha1.Breach
	for _, b := range breaches {
		if b.Type == t {
			found = append(found, b)
		}
	}
	return found
}

func contains(breaches []v1alpha1.Breach, b v1alpha1.Breach) bool {
	for _, o := range breaches {
		if o.Type == b.Type && o.Objective == b.Objective && o.Item == b.Item && o.Since.Equal(&b.Since) {
			return true
		}
	}
	return false
}
