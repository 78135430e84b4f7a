package touchpoint

import (
	"fmt"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// missingRoles returns the problems of roles whose teams do not exist.
func missingRoles(roles *v1alpha1.Roles, teams team.Lookup) []survey.Problem {
	if roles == nil {
		return nil
	}
	var problems []survey.Problem
	for _, role := range []struct {
		name  string
		teams []v1alpha1.NameRef
	}{{"responsible", roles.Responsible}, {"consulted", roles.Consulted}, {"informed", roles.Informed}} {
		for i := range role.teams {
			problems = append(problems, env.MissingTeam(&role.teams[i], fmt.Sprintf("spec.roles.%s[%d]", role.name, i), teams)...)
		}
	}
	return problems
}

// setRoles sets RolesAssigned: who is accountable is the owner, who is responsible must be named, and every team must exist.
func (s *scope) setRoles(set conditions.Set) {
	const kind = v1alpha1.ConditionRolesAssigned
	roles := s.touchpoint.Spec.Roles
	switch {
	case len(s.roleProblems) > 0:
		set.False(kind, v1alpha1.ReasonTeamNotFound, conditions.Message(s.roleProblems))
	case !s.owned:
		set.False(kind, v1alpha1.ReasonNoOwner, "no existing team owns the touchpoint: nobody is accountable")
	case roles == nil || len(roles.Responsible) == 0:
		set.False(kind, v1alpha1.ReasonNoResponsible, "spec.roles.responsible names no team: who does the work?")
	default:
		set.True(kind, v1alpha1.ReasonAssigned, "the owner is accountable, and existing teams are responsible")
	}
}
