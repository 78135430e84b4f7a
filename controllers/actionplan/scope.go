package actionplan

import (
	"context"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/plan"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// scope is all that one pass reads.
type scope struct {
	problems            []survey.Problem
	program, touchpoint string                    // names; touchpoint is empty for a program's own objective
	objective           *v1alpha1.ObjectiveStatus // nil where it was not judged yet
	judged              *v1alpha1.Judging         // how far the objective was judged
	rule                v1alpha1.ActionPlanRule
	location            *time.Location // nil where the program is unknown
	owned               bool
	team                string // shown in metrics
}

// target is the touchpoint or program that a plan is for.
type target struct {
	objectives []v1alpha1.Objective
	verdicts   []v1alpha1.ObjectiveStatus
	judged     *v1alpha1.Judging
	onMissed   *v1alpha1.OnMissed
	owner      *v1alpha1.NameRef
}

func (r *Reconciler) read(ctx context.Context, p *v1alpha1.ActionPlan) (scope, error) {
	s := scope{}
	teams := r.Teams(ctx, p.Namespace)
	t, program, err := r.target(ctx, &s, p)
	if err != nil {
		return scope{}, err
	}
	s.rule = plan.RuleOf(t.onMissed)
	if t.onMissed == nil && program != nil {
		s.rule.AcknowledgeWithinHours = plan.RuleOf(program.Spec.OnMissed).AcknowledgeWithinHours
	}
	owners := []*v1alpha1.NameRef{t.owner}
	if program != nil {
		owners = append(owners, program.Spec.OwnerRef)
		s.locate(program)
	}
	s.findObjective(p, t)
	s.checkOwners(p, teams, owners)
	return s, nil
}

// target finds what the plan is for. The program is nil where it does not exist.
func (r *Reconciler) target(ctx context.Context, s *scope, p *v1alpha1.ActionPlan) (target, *v1alpha1.SurveyProgram, error) {
	t := target{}
	programField := "spec.programRef.name"
	if p.Spec.ProgramRef != nil {
		s.program = p.Spec.ProgramRef.Name
	}
	if p.Spec.TouchpointRef != nil {
		s.touchpoint = p.Spec.TouchpointRef.Name
		tp := &v1alpha1.Touchpoint{}
		found, err := r.Find(ctx, p.Namespace, s.touchpoint, tp)
		if err != nil {
			return t, nil, err
		}
		if !found {
			s.missing(v1alpha1.ReasonTouchpointNotFound, "spec.touchpointRef.name", "Touchpoint", s.touchpoint)
			return t, nil, nil
		}
		t = target{tp.Spec.Objectives, tp.Status.Objectives, tp.Status.Judged, tp.Spec.OnMissed, tp.Spec.OwnerRef}
		s.program, programField = tp.Spec.ProgramRef.Name, "spec.touchpointRef"
	}
	program := &v1alpha1.SurveyProgram{}
	found, err := r.Find(ctx, p.Namespace, s.program, program)
	if err != nil {
		return t, nil, err
	}
	if !found {
		s.missing(v1alpha1.ReasonProgramNotFound, programField, "SurveyProgram", s.program)
		return t, nil, nil
	}
	if s.touchpoint == "" {
		t = target{program.Spec.Objectives, program.Status.Objectives, program.Status.Judged, program.Spec.OnMissed, program.Spec.OwnerRef}
	}
	return t, program, nil
}

func (s *scope) missing(reason, field, kind, name string) {
	s.problems = append(s.problems, survey.Problem{
		Reason: reason, Field: field, Message: fmt.Sprintf("no %s %q in this namespace", kind, name),
	})
}

func (s *scope) locate(program *v1alpha1.SurveyProgram) {
	location, err := time.LoadLocation(program.Spec.TimeZone)
	if err != nil {
		s.problems = append(s.problems, survey.Problem{
			Reason: v1alpha1.ReasonWaiting, Field: "spec", Message: "the program's time zone is not known; its conditions say why",
		})
		return
	}
	s.location = location
}

func (s *scope) findObjective(p *v1alpha1.ActionPlan, t target) {
	s.judged = t.judged
	for i := range t.verdicts {
		if t.verdicts[i].Name == p.Spec.Objective {
			s.objective = &t.verdicts[i]
		}
	}
	for _, o := range t.objectives {
		if o.Name == p.Spec.Objective {
			return
		}
	}
	if len(s.problems) == 0 {
		s.missing(v1alpha1.ReasonObjectiveNotFound, "spec.objective", "objective", p.Spec.Objective)
	}
}

// checkOwners resolves the plan's own owner, else that of its target. Metrics show the target's.
func (s *scope) checkOwners(p *v1alpha1.ActionPlan, teams team.Lookup, owners []*v1alpha1.NameRef) {
	problems := env.MissingTeam(p.Spec.OwnerRef, "spec.ownerRef", teams)
	for i, a := range p.Spec.Actions {
		problems = append(problems, env.MissingTeam(a.OwnerRef, fmt.Sprintf("spec.actions[%d].ownerRef", i), teams)...)
	}
	s.problems = append(s.problems, problems...)
	s.team = env.ShownOwner(teams, append(owners, p.Spec.OwnerRef)...)
	for _, ref := range append([]*v1alpha1.NameRef{p.Spec.OwnerRef}, owners...) {
		if ref == nil {
			continue
		}
		_, s.owned = teams(ref.Name)
		return
	}
}

func (s scope) setConditions(set conditions.Set, p *v1alpha1.ActionPlan) {
	set.Resolve(s.problems, "the plan's clocks run")
	if s.owned {
		set.True(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonOwned, "an existing team owns the plan")
	} else {
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonNoOwner, "no existing team owns the plan or what it is for")
	}
	open := map[v1alpha1.BreachType]bool{}
	for _, b := range p.Status.Breaches {
		open[b.Type] = true
	}
	switch {
	case open[v1alpha1.BreachPlanUnacknowledged]:
		set.False(v1alpha1.ConditionAccountable, string(v1alpha1.BreachPlanUnacknowledged), "the plan was not acknowledged in time")
	case open[v1alpha1.BreachPlanOverdue]:
		set.False(v1alpha1.ConditionAccountable, string(v1alpha1.BreachPlanOverdue), "the plan is past its due date")
	default:
		set.True(v1alpha1.ConditionAccountable, v1alpha1.ReasonNothingDue, "the plan is acknowledged, or still has time, and is not overdue")
	}
	switch {
	case open[v1alpha1.BreachPlanOverdue]:
		set.False(v1alpha1.ConditionOnTime, string(v1alpha1.BreachPlanOverdue), "the plan is past its due date")
	case open[v1alpha1.BreachActionOverdue]:
		set.False(v1alpha1.ConditionOnTime, string(v1alpha1.BreachActionOverdue), "an action is past its due date")
	default:
		set.True(v1alpha1.ConditionOnTime, v1alpha1.ReasonNothingDue, "nothing of the plan is past its due date")
	}
}
