package objectives

import (
	"context"
	"errors"
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
	// Refused is why the API server did not take a plan; nil where it took all.
	Refused error
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
	location, err := zone(s.Program.Spec.TimeZone)
	if err != nil {
		return Plans{}, err
	}
	for i, b := range out.Breaches {
		if !contains(s.Previous.Breaches, b) {
			continue
		}
		situation, ok := situationOf(s, b, out, existing)
		if !ok { // its verdict cannot be read now
			result.Missing = append(result.Missing, ofObjective(ofType(s.Previous.Breaches, v1alpha1.BreachPlanMissing), b.Objective)...)
			continue
		}
		situation.Now, situation.Location, situation.Taken = now, location, takenBy(ctx, e, s, b.Objective)
		decision, err := carryOut(ctx, e, s, situation)
		if refused(err) {
			result.Refused = errors.Join(result.Refused, err)
		} else if err != nil {
			return Plans{}, err
		}
		result.add(i, decision)
	}
	return result, nil
}

// add takes over what was decided for one missed objective.
func (p *Plans) add(i int, d plan.Decision) {
	if d.PlanRef != nil {
		p.Missed[i].PlanRef = d.PlanRef
	}
	if d.MissingSince != nil {
		p.Missing = append(p.Missing, v1alpha1.Breach{
			Type: v1alpha1.BreachPlanMissing, Objective: p.Missed[i].Objective, Since: breach.Since(*d.MissingSince),
		})
	}
	p.Next = earlier(p.Next, d.Next)
}

// lookAgain is how soon a decision is made anew where the API server knows of a plan that the cache does not show yet.
const lookAgain = time.Second

// carryOut decides, and opens the plan that is due. One of that name that exists already is either the same plan, created
// before a crash, or one for something else: the cache will tell. One that the API server refuses is missing.
func carryOut(ctx context.Context, e *env.Env, s Subject, situation plan.Situation) (plan.Decision, error) {
	decision := plan.Decide(situation)
	err := open(ctx, e, s, decision.Create)
	switch {
	case apierrors.IsAlreadyExists(err):
		decision.Next = earlier(decision.Next, situation.Now.Add(lookAgain))
		return decision, nil
	case refused(err):
		situation.Rule.Mode = v1alpha1.PlanModeNone
		decision = plan.Decide(situation)
	}
	return decision, err
}

// refused says whether an error is one that trying again at once does not help.
func refused(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) }

func situationOf(s Subject, b v1alpha1.Breach, out evaluate.Output, existing []v1alpha1.ActionPlan) (plan.Situation, bool) {
	situation := plan.Situation{
		Namespace: s.Program.Namespace, Program: s.Program.Name, Touchpoint: s.Touchpoint, DisplayName: s.DisplayName,
		ConfidencePercent: s.rules().Evidence.ConfidencePercent,
		Breach:            b, Rule: s.rules().Plan, OwnerRef: s.OwnerRef, Judged: out.Judged,
	}
	if situation.OwnerRef == nil {
		situation.OwnerRef = s.Program.Spec.OwnerRef
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

// open creates a plan.
func open(ctx context.Context, e *env.Env, s Subject, p *v1alpha1.ActionPlan) error {
	if p == nil {
		return nil
	}
	if err := e.Client.Create(ctx, p, env.FieldOwner); err != nil {
		return fmt.Errorf("open plan %s: %w", client.ObjectKeyFromObject(p), err)
	}
	e.Recorder.Eventf(s.Object, p, corev1.EventTypeNormal, v1alpha1.ReasonPlanOpened, "OpenPlan",
		"opened ActionPlan %s for objective %s, due %s", p.Name, p.Spec.Objective, p.Spec.DueDate)
	return nil
}

// takenBy returns a function that says whether a name belongs to a plan for something else than the subject's objective.
func takenBy(ctx context.Context, e *env.Env, s Subject, objective string) func(string) bool {
	return func(name string) bool {
		p := &v1alpha1.ActionPlan{}
		err := e.Client.Get(ctx, client.ObjectKey{Namespace: s.Program.Namespace, Name: name}, p)
		return err == nil && !(s.isTarget(p) && p.Spec.Objective == objective)
	}
}

// isTarget says whether a plan is for the subject.
func (s Subject) isTarget(p *v1alpha1.ActionPlan) bool {
	if s.Touchpoint != "" {
		return p.Spec.TouchpointRef != nil && p.Spec.TouchpointRef.Name == s.Touchpoint
	}
	return p.Spec.ProgramRef != nil && p.Spec.ProgramRef.Name == s.Program.Name
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

func ofObjective(breaches []v1alpha1.Breach, objective string) []v1alpha1.Breach {
	var found []v1alpha1.Breach
	for _, b := range breaches {
		if b.Objective == objective {
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
