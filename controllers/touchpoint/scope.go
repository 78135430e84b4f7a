package touchpoint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// scope is all that one pass reads.
type scope struct {
	touchpoint *v1alpha1.Touchpoint
	subject    objectives.Subject
	problems   []survey.Problem // of the spec and its references
	owned      bool
	// roleProblems are those of problems that are of the roles.
	roleProblems []survey.Problem
	handoff      handoff
	served       []string // questions of the touchpoint's page
	unserved     bool     // the program serves another page of it, or none, than it is to
	team         string   // shown in metrics
	url          string
}

func (r *Reconciler) read(ctx context.Context, tp *v1alpha1.Touchpoint) (scope, error) {
	s := scope{touchpoint: tp}
	teams := r.Teams(ctx, tp.Namespace)
	missingOwner := env.MissingTeam(tp.Spec.OwnerRef, "spec.ownerRef", teams)
	s.owned = tp.Spec.OwnerRef != nil && len(missingOwner) == 0
	s.problems = append(s.problems, missingOwner...)
	s.problems = append(s.problems, missingSupport(tp, teams)...)
	s.roleProblems = missingRoles(tp.Spec.Roles, teams)
	s.problems = append(s.problems, s.roleProblems...)
	var lost []survey.Problem
	var err error
	if s.handoff, lost, err = r.readHandoff(ctx, tp, teams); err != nil {
		return scope{}, err
	}
	s.problems = append(s.problems, lost...)

	program := &v1alpha1.SurveyProgram{}
	found, err := r.Find(ctx, tp.Namespace, tp.Spec.ProgramRef.Name, program)
	if err != nil {
		return scope{}, err
	}
	s.subject = objectives.Subject{
		Object: tp, Program: program, Touchpoint: tp.Name, DisplayName: tp.Spec.DisplayName,
		Objectives: tp.Spec.Objectives, OnMissed: tp.Spec.OnMissed, OwnerRef: tp.Spec.OwnerRef,
		Previous: evaluate.Previous{
			Objectives: tp.Status.Objectives, Breaches: tp.Status.Breaches, Judged: tp.Status.Judged,
		},
	}
	policies, err := r.Policies(ctx, tp.Namespace)
	if err != nil {
		return scope{}, err
	}
	s.subject.Effective = policy.ForTouchpoint(policies, program, tp)
	if !found {
		s.noProgram(teams)
		return s, nil
	}
	unfit := survey.CheckTouchpoint(tp, program)
	s.problems = append(s.problems, unfit...)
	s.subject.Frozen = len(unfit) > 0 || !compiles(program)
	s.served = survey.ServedQuestions(tp, program)
	s.team = env.ShownOwner(teams, tp.Spec.OwnerRef, program.Spec.OwnerRef)
	r.locate(&s)
	return s, nil
}

// compiles says whether the program's spec is sound: by its own condition, where that is of the spec as it is now.
func compiles(program *v1alpha1.SurveyProgram) bool {
	c := meta.FindStatusCondition(program.Status.Conditions, v1alpha1.ConditionSurveyCompiled)
	if c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == program.Generation {
		return true
	}
	return len(survey.CheckProgram(program)) == 0
}

// noProgram leaves every verdict as it is until the program appears.
func (s *scope) noProgram(teams team.Lookup) {
	tp := s.touchpoint
	s.problems = append(s.problems, survey.Problem{
		Reason: v1alpha1.ReasonProgramNotFound, Field: "spec.programRef.name",
		Message: fmt.Sprintf("no SurveyProgram %q in this namespace", tp.Spec.ProgramRef.Name),
	})
	s.subject.Frozen = true
	s.subject.Program = &v1alpha1.SurveyProgram{}
	s.subject.Program.Namespace, s.subject.Program.Name = tp.Namespace, tp.Spec.ProgramRef.Name
	s.team = env.ShownOwner(teams, tp.Spec.OwnerRef)
}

// locate finds the touchpoint's page, and waits for it where it is not served.
func (r *Reconciler) locate(s *scope) {
	questions, pending := r.page(s)
	switch {
	case len(questions) > 0:
		s.url = r.URL(s.subject.Program, s.touchpoint.Name)
	case pending:
		s.url = cmp.Or(r.URL(s.subject.Program, s.touchpoint.Name), s.touchpoint.Status.URL)
	}
	if len(s.problems) == 0 && !pending && !(len(questions) > 0 && slices.Equal(questions, s.served)) {
		s.unserved = true
		s.problems = append(s.problems, survey.Problem{
			Reason: v1alpha1.ReasonWaiting, Field: "spec.programRef",
			Message: "the program does not serve this touchpoint yet; its conditions say why",
		})
	}
}

// holdBack returns for how much longer the status waits for what is on its way: for a new touchpoint all that it names and the
// program's counts, and after an edit that the program serves the page.
func (r *Reconciler) holdBack(s *scope, now time.Time) time.Duration {
	tp, program := s.touchpoint, s.subject.Program
	fresh := len(tp.Status.Conditions) == 0
	edited := tp.Generation != tp.Status.ObservedGeneration || program.Generation != program.Status.ObservedGeneration
	uncounted := program.UID != "" && r.Serves(env.ServedBy(program)) && !objectives.Readable(r.Env, program, now)
	if s.unserved && edited || fresh && (env.OnTheirWay(s.problems) || uncounted) {
		return r.hold.Wait(tp, now, r.HoldFor)
	}
	r.hold.End(client.ObjectKeyFromObject(tp))
	return 0
}

// page returns the questions of the touchpoint's page. It is pending after a start, until the program is served again: the
// word of a program that was ready before counts so long.
func (r *Reconciler) page(s *scope) (questions []string, pending bool) {
	program := s.subject.Program
	questions, known := r.Page(program, s.touchpoint.Name)
	return questions, r.Serves(env.ServedBy(program)) && !known && meta.IsStatusConditionTrue(program.Status.Conditions, v1alpha1.ConditionReady)
}

func missingSupport(tp *v1alpha1.Touchpoint, teams team.Lookup) []survey.Problem {
	var problems []survey.Problem
	for i := range tp.Spec.SupportingTeamRefs {
		field := fmt.Sprintf("spec.supportingTeamRefs[%d]", i)
		problems = append(problems, env.MissingTeam(&tp.Spec.SupportingTeamRefs[i], field, teams)...)
	}
	return problems
}

// breaches returns those that the spec itself opens.
func (s *scope) breaches() []v1alpha1.Breach {
	var open []v1alpha1.Breach
	if !s.owned {
		open = append(open, v1alpha1.Breach{Type: v1alpha1.BreachOwnerMissing})
	}
	if s.touchpoint.Spec.Importance == v1alpha1.ImportanceCritical && !s.measured() {
		open = append(open, v1alpha1.Breach{Type: v1alpha1.BreachUnmeasured})
	}
	return append(open, s.handoffBreaches()...)
}

// measured says whether a served question has an objective. Objectives on questions that are not served are problems.
func (s *scope) measured() bool {
	if s.subject.Program.UID == "" {
		return len(s.touchpoint.Spec.Objectives) > 0 // unknown until the program appears
	}
	for _, o := range s.touchpoint.Spec.Objectives {
		for _, q := range s.served {
			if o.Question == q {
				return true
			}
		}
	}
	return false
}

func (s *scope) setConditions(set conditions.Set, unjudged []survey.Problem) {
	set.Resolve(append(unjudged, s.problems...), "the touchpoint is served and judged")
	s.setRoles(set)
	s.setHandoff(set)
	switch {
	case s.owned:
		set.True(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonOwned, "an existing team owns the touchpoint")
	case s.touchpoint.Spec.OwnerRef == nil:
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonNoOwner, "spec.ownerRef is not set: nobody owns this touchpoint")
	default:
		set.False(v1alpha1.ConditionOwnerAssigned, v1alpha1.ReasonTeamNotFound, "spec.ownerRef.name: no such Team in this namespace")
	}
	switch {
	case s.measured():
		set.True(v1alpha1.ConditionMeasured, v1alpha1.ReasonMeasured, "a served question has an objective")
	case len(s.served) == 0:
		set.False(v1alpha1.ConditionMeasured, v1alpha1.ReasonNoQuestion, "no question of the program is served here")
	default:
		set.False(v1alpha1.ConditionMeasured, v1alpha1.ReasonNoObjective, "no served question has an objective")
	}
}
