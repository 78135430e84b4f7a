package actionplan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/effect"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// scope is all that one pass reads.
type scope struct {
	problems            []survey.Problem
	program, touchpoint string                    // names; touchpoint is empty for a program's own objective
	objective           *v1alpha1.ObjectiveStatus // nil where it was not judged yet
	judged              *v1alpha1.Judging         // how far the objective was judged
	rules               policy.Effective
	location            *time.Location // nil where the program is unknown
	owned               bool
	team                string // shown in metrics
	of                  *v1alpha1.SurveyProgram
	measured            *v1alpha1.Objective   // as the spec of the target states it; nil where it does not
	others              []v1alpha1.ActionPlan // for the same objective
}

// target is the touchpoint or program that a plan is for.
type target struct {
	objectives []v1alpha1.Objective
	verdicts   []v1alpha1.ObjectiveStatus
	judged     *v1alpha1.Judging
	owner      *v1alpha1.NameRef
	touchpoint *v1alpha1.Touchpoint
}

func (r *Reconciler) read(ctx context.Context, p *v1alpha1.ActionPlan) (scope, error) {
	s := scope{}
	teams := r.Teams(ctx, p.Namespace)
	t, program, err := r.target(ctx, &s, p)
	if err != nil {
		return scope{}, err
	}
	if s.rules, err = r.govern(ctx, p.Namespace, t, program); err != nil {
		return scope{}, err
	}
	if s.others, err = r.others(ctx, p); err != nil {
		return scope{}, err
	}
	owners := []*v1alpha1.NameRef{t.owner}
	if program != nil {
		owners = append(owners, program.Spec.OwnerRef)
		s.of = program
		s.locate(program)
	}
	s.findObjective(p, t)
	s.checkOwners(p, teams, owners)
	return s, nil
}

// govern returns the rules that apply to what the plan is for; without its program no clock of the plan runs.
func (r *Reconciler) govern(ctx context.Context, namespace string, t target, program *v1alpha1.SurveyProgram) (policy.Effective, error) {
	if program == nil {
		return policy.Effective{}, nil
	}
	policies, err := r.Policies(ctx, namespace)
	if err != nil {
		return policy.Effective{}, fmt.Errorf("govern plan: %w", err)
	}
	if t.touchpoint != nil {
		return policy.ForTouchpoint(policies, program, t.touchpoint), nil
	}
	return policy.ForProgram(policies, program), nil
}

// others lists the other plans for the same objective.
func (r *Reconciler) others(ctx context.Context, p *v1alpha1.ActionPlan) ([]v1alpha1.ActionPlan, error) {
	list := &v1alpha1.ActionPlanList{}
	if err := r.Client.List(ctx, list, client.InNamespace(p.Namespace), siblings(p)); err != nil {
		return nil, fmt.Errorf("list plans for the same objective: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(o v1alpha1.ActionPlan) bool {
		return o.Name == p.Name || !effect.SameObjective(p, &o)
	}), nil
}

// siblings selects the plans for what a plan is for.
func siblings(p *v1alpha1.ActionPlan) client.MatchingFields {
	if p.Spec.TouchpointRef != nil {
		return client.MatchingFields{env.IndexTouchpoint: p.Spec.TouchpointRef.Name}
	}
	if p.Spec.ProgramRef != nil {
		return client.MatchingFields{env.IndexProgram: p.Spec.ProgramRef.Name}
	}
	return client.MatchingFields{env.IndexProgram: ""} // admission wants one of them
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
		t = target{tp.Spec.Objectives, tp.Status.Objectives, tp.Status.Judged, tp.Spec.OwnerRef, tp}
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
		t = target{program.Spec.Objectives, program.Status.Objectives, program.Status.Judged, program.Spec.OwnerRef, nil}
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
	for i := range t.objectives {
		if t.objectives[i].Name == p.Spec.Objective {
			s.measured = &t.objectives[i]
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
