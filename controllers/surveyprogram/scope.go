package surveyprogram

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// scope is all that one pass reads.
type scope struct {
	program     *v1alpha1.SurveyProgram
	subject     objectives.Subject
	touchpoints []v1alpha1.Touchpoint // of the program, without those that are being deleted
	teams       team.Lookup
	// governedSince is when the program's policy was created.
	governedSince time.Time
	compiled      *survey.Survey   // nil where the spec cannot be compiled
	specProblems  []survey.Problem // of the program's own spec
	refProblems   []survey.Problem // of its references and of what serves it
	owned         bool
	team          string                  // shown in metrics
	store         *v1alpha1.ResponseStore // nil where there is none
	// What serve found and did.
	served    *v1alpha1.EndpointStatus // what serves the program, nil for nothing
	url       string
	misplaced *survey.Problem // why it is not served where, or as, the spec says; nil where it is
	rollout   *rollout        // of a Dedicated endpoint that is made or kept; nil for none
	tried     bool            // to apply that endpoint's objects
	applied   apply.Result    // what came of it
	readable  *bool           // whether its counts can be read, if known
	deadlines []time.Time     // when something is to be done again
	wait      time.Duration
}

func (r *Reconciler) read(ctx context.Context, p *v1alpha1.SurveyProgram) (scope, error) {
	s := scope{program: p}
	touchpoints := &v1alpha1.TouchpointList{}
	err := r.Client.List(ctx, touchpoints, client.InNamespace(p.Namespace), client.MatchingFields{env.IndexProgram: p.Name})
	if err != nil {
		return scope{}, fmt.Errorf("list touchpoints: %w", err)
	}
	policies, err := r.Policies(ctx, p.Namespace)
	if err != nil {
		return scope{}, err
	}
	s.touchpoints, s.teams = withoutDeleted(touchpoints.Items), r.Teams(ctx, p.Namespace)
	if err := r.compile(ctx, &s, policies); err != nil {
		return scope{}, err
	}

	missingOwner := env.MissingTeam(p.Spec.OwnerRef, "spec.ownerRef", s.teams)
	s.owned = p.Spec.OwnerRef != nil && len(missingOwner) == 0
	s.refProblems = append(s.refProblems, missingOwner...)
	if sponsor := p.Spec.ExecutiveSponsor; sponsor != nil {
		s.refProblems = append(s.refProblems, env.MissingTeam(sponsor.TeamRef, "spec.executiveSponsor.teamRef", s.teams)...)
	}
	s.team = env.ShownOwner(s.teams, p.Spec.OwnerRef)
	s.subject = subjectOf(p, policies, s.compiled == nil)
	s.governedSince = createdAt(policies, s.subject.Effective.Name)
	return s, r.checkStore(ctx, &s)
}

func subjectOf(p *v1alpha1.SurveyProgram, policies []v1alpha1.AccountabilityPolicy, frozen bool) objectives.Subject {
	return objectives.Subject{
		Object: p, Program: p, DisplayName: p.Spec.DisplayName,
		Objectives: p.Spec.Objectives, OnMissed: p.Spec.OnMissed, OwnerRef: p.Spec.OwnerRef,
		Effective: policy.ForProgram(policies, p),
		Previous: evaluate.Previous{
			Objectives: p.Status.Objectives, Breaches: p.Status.Breaches, Judged: p.Status.Judged,
		},
		Frozen: frozen,
	}
}

func (r *Reconciler) checkStore(ctx context.Context, s *scope) error {
	rs := &v1alpha1.ResponseStore{}
	name := s.program.Spec.StoreRef.Name
	found, err := r.Find(ctx, s.program.Namespace, name, rs)
	if err != nil {
		return err
	}
	problem := survey.Problem{Field: "spec.storeRef.name"}
	switch {
	case !found:
		problem.Reason = v1alpha1.ReasonStoreNotFound
		problem.Message = fmt.Sprintf("no ResponseStore %q in this namespace", name)
	case !meta.IsStatusConditionTrue(rs.Status.Conditions, v1alpha1.ConditionReady):
		problem.Reason = v1alpha1.ReasonStoreNotReady
		problem.Message = fmt.Sprintf("ResponseStore %q is not ready; its conditions say why", name)
	}
	if found {
		s.store = rs
	}
	if problem.Reason != "" {
		s.refProblems = append(s.refProblems, problem)
	}
	return nil
}

// breaches returns those that the spec itself opens.
func (s *scope) breaches() []v1alpha1.Breach {
	var open []v1alpha1.Breach
	if !s.owned {
		open = append(open, v1alpha1.Breach{Type: v1alpha1.BreachOwnerMissing})
	}
	if s.program.Spec.ExecutiveSponsor == nil {
		open = append(open, v1alpha1.Breach{Type: v1alpha1.BreachSponsorMissing})
	}
	return open
}

func (s *scope) setConditions(set conditions.Set, unjudged []survey.Problem) {
	set.Resolve(slices.Concat(s.specProblems, unjudged, s.refProblems), "the survey is served and judged")
	s.setEndpointConditions(set)
	if s.compiled != nil {
		set.True(v1alpha1.ConditionSurveyCompiled, v1alpha1.ReasonCompiled, "the survey as written is valid")
	} else {
		set.False(v1alpha1.ConditionSurveyCompiled, s.specProblems[0].Reason,
			"the last good survey stays served: "+conditions.Message(s.specProblems))
	}
	switch {
	case s.owned:
		set.True(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonOwned, "an existing team owns the program")
	case s.program.Spec.OwnerRef == nil:
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonNoOwner, "spec.ownerRef is not set: nobody owns this program")
	default:
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonTeamNotFound, "spec.ownerRef.name: no such Team in this namespace")
	}
	if s.program.Spec.ExecutiveSponsor != nil {
		set.True(v1alpha1.ConditionSponsorAssigned, v1alpha1.ReasonSponsored, "an executive sponsor is named")
	} else {
		set.False(v1alpha1.ConditionSponsorAssigned, v1alpha1.ReasonNoSponsor, "spec.executiveSponsor is not set: nobody stands for this program")
	}
	if len(s.program.Spec.Objectives) > 0 {
		set.True(v1alpha1.ConditionMeasured, v1alpha1.ReasonMeasured, "the program has objectives of its own")
	} else {
		set.False(v1alpha1.ConditionMeasured, v1alpha1.ReasonNoObjective, "the program has no objective of its own")
	}
}
