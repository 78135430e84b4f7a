package review

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/review"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// defaultHeldWithinDays is by when a review is to be held that no policy has a rule for: one that people opened.
const defaultHeldWithinDays = 7

// scope is all that one pass reads.
type scope struct {
	problems []survey.Problem
	program  *v1alpha1.SurveyProgram // nil where it does not exist
	location *time.Location          // nil where the program, or its time zone, is unknown
	policies []v1alpha1.AccountabilityPolicy
	rules    policy.Effective
	teams    team.Lookup
	team     string            // shown in metrics
	reviews  []v1alpha1.Review // of the program
}

func (r *Reconciler) read(ctx context.Context, v *v1alpha1.Review) (scope, error) {
	s := scope{teams: r.Teams(ctx, v.Namespace)}
	program := &v1alpha1.SurveyProgram{}
	found, err := r.Find(ctx, v.Namespace, v.Spec.ProgramRef.Name, program)
	if err != nil {
		return s, err
	}
	s.check(v)
	if err := r.checkPlans(ctx, &s, v); err != nil {
		return s, err
	}
	if !found {
		s.add(v1alpha1.ReasonProgramNotFound, "spec.programRef.name", fmt.Sprintf("no SurveyProgram %q in this namespace", v.Spec.ProgramRef.Name))
		return s, nil
	}
	s.program = program
	s.team = env.ShownOwner(s.teams, program.Spec.OwnerRef)
	if s.policies, err = r.Policies(ctx, v.Namespace); err != nil {
		return s, err
	}
	s.rules = policy.ForProgram(s.policies, program)
	if s.reviews, err = reviewsOf(ctx, r.Env, program); err != nil {
		return s, err
	}
	if s.location, err = time.LoadLocation(program.Spec.TimeZone); err != nil {
		s.location = nil
		s.add(v1alpha1.ReasonWaiting, "spec.programRef", "the program's time zone is not known; its conditions say why")
	}
	return s, nil
}

func (s *scope) add(reason, field, message string) {
	s.problems = append(s.problems, survey.Problem{Reason: reason, Field: field, Message: message})
}

// check finds what admission could not refuse.
func (s *scope) check(v *v1alpha1.Review) {
	if _, err := review.Previous(v.Spec.Period); err != nil {
		s.add(v1alpha1.ReasonInvalidSpec, "spec.period", err.Error())
	}
	for i := range v.Spec.Attendees {
		s.problems = append(s.problems, env.MissingTeam(&v.Spec.Attendees[i], fmt.Sprintf("spec.attendees[%d]", i), s.teams)...)
	}
}

// checkPlans finds decisions that name a plan that does not exist.
func (r *Reconciler) checkPlans(ctx context.Context, s *scope, v *v1alpha1.Review) error {
	for i, d := range v.Spec.Decisions {
		if d.PlanRef == nil {
			continue
		}
		found, err := r.Find(ctx, v.Namespace, d.PlanRef.Name, &v1alpha1.ActionPlan{})
		if err != nil {
			return err
		}
		if !found {
			s.add(v1alpha1.ReasonPlanNotFound, fmt.Sprintf("spec.decisions[%d].planRef.name", i), fmt.Sprintf("no ActionPlan %q in this namespace", d.PlanRef.Name))
		}
	}
	return nil
}

// reviewsOf lists the reviews of a program that are not being deleted.
func reviewsOf(ctx context.Context, e *env.Env, p *v1alpha1.SurveyProgram) ([]v1alpha1.Review, error) {
	list := &v1alpha1.ReviewList{}
	if err := e.Client.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingFields{env.IndexProgram: p.Name}); err != nil {
		return nil, fmt.Errorf("list reviews: %w", err)
	}
	var all []v1alpha1.Review
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp.IsZero() {
			all = append(all, list.Items[i])
		}
	}
	return all, nil
}

// nextStanding is when whether the review was held may change by itself: when it is due, or its time in the calendar comes.
func (s *scope) nextStanding(v *v1alpha1.Review, now time.Time) time.Time {
	var next time.Time
	if held := v.Spec.HeldTime; held != nil && held.After(now) {
		next = held.Time
	}
	if due := v.Status.DueTime; due != nil && due.After(now) && (next.IsZero() || due.Time.Before(next)) {
		next = due.Time
	}
	return next
}

func (s *scope) setConditions(set conditions.Set, v *v1alpha1.Review, f freezing, now time.Time) {
	set.Resolve(s.problems, "the review is timed, and its figures are frozen once they are complete")
	set.Is(v1alpha1.ConditionFrozen, f.status, f.reason, f.message)
	standing := review.StandingOf(v, s.location, now)
	s.setHeld(set, v, standing, now)
	present, known := false, false
	if s.program != nil {
		present, known = review.SponsorAttends(s.program, s.teams, v)
	}
	switch {
	case !known:
		set.Unknown(v1alpha1.ConditionSponsorPresent, v1alpha1.ReasonNoSponsorTeam, "the program names no sponsor with an existing team")
	case standing != review.Held:
		set.Unknown(v1alpha1.ConditionSponsorPresent, v1alpha1.ReasonNotHeld, "the review was not held")
	case present:
		set.True(v1alpha1.ConditionSponsorPresent, v1alpha1.ReasonAttended, "the sponsor's team took part")
	default:
		set.False(v1alpha1.ConditionSponsorPresent, v1alpha1.ReasonAbsent, "the sponsor's team is not among spec.attendees")
	}
}

func (s *scope) setHeld(set conditions.Set, v *v1alpha1.Review, standing review.Standing, now time.Time) {
	if s.location == nil {
		if v.Spec.HeldTime == nil {
			set.Unknown(v1alpha1.ConditionHeld, v1alpha1.ReasonWaiting, "without the program and its time zone it is not known by when")
		}
		return
	}
	held := v.Spec.HeldTime
	switch {
	case standing == review.Held:
		set.True(v1alpha1.ConditionHeld, v1alpha1.ReasonHeld, "the review was held")
	case standing == review.Missed && !review.IsMissed(v, s.reviews, s.location, now):
		set.False(v1alpha1.ConditionHeld, v1alpha1.ReasonSuperseded, "the review was not held in time; a later one was")
	case held != nil && !held.After(now):
		set.False(v1alpha1.ConditionHeld, v1alpha1.ReasonHeldTooEarly, "spec.heldTime lies before the end of the period, when there were no figures")
	case standing == review.Missed:
		set.False(v1alpha1.ConditionHeld, string(v1alpha1.BreachReviewMissed), "the review was not held by status.dueTime: hold it and set spec.heldTime")
	case v.Status.DueTime == nil:
		set.Unknown(v1alpha1.ConditionHeld, v1alpha1.ReasonAwaited, "the review has no due time yet")
	default:
		set.Unknown(v1alpha1.ConditionHeld, v1alpha1.ReasonAwaited, "the review is to be held by status.dueTime")
	}
}
