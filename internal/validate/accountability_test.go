package validate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/admission"
)

// What reviews, policies and the roles of touchpoints name must exist, like everything else that is named.
func TestReferencesOfAccountability(t *testing.T) {
	roles := strings.Replace(admission.Touchpoint, "  handoff:", "  roles: {responsible: [{name: airport}], consulted: [{name: legal}], informed: [{name: press}]}\n  handoff:", 1)
	for name, c := range map[string]struct {
		manifest string
		want     []string
		missing  bool
	}{
		"a policy":            {admission.Policy, nil, false},
		"a review":            {admission.Review, nil, false},
		"a team that is told": {admission.NotifiedTeam, nil, false},
		"a selector that selects nothing that can be": {strings.Replace(admission.Policy, "operator: In, values: [west, east]", "operator: Near", 1), []string{
			`9.yaml:5: AccountabilityPolicy default/house-rules: spec.selector: "Near" is not a valid label selector operator`,
		}, false},
		"a selector of a label that cannot be": {strings.Replace(admission.Policy, "{tier: gold}", `{"tier of": gold}`, 1), []string{
			`9.yaml:5: AccountabilityPolicy default/house-rules: spec.selector: `,
		}, false},
		"a review of an unknown program": {strings.Replace(admission.Review, "{name: passenger-experience}\n  period", "{name: other}\n  period", 1), []string{
			`9.yaml:5: Review default/passenger-experience-20261116: spec.programRef.name: there is no SurveyProgram "other" in namespace "default" of these files`,
		}, true},
		"an unknown attendee and an unknown plan": {
			strings.NewReplacer("{name: concessions}]", "{name: other}]", "better-food", "best-food").Replace(admission.Review), []string{
				`9.yaml:8: Review default/passenger-experience-20261116: spec.attendees[1].name: there is no Team "other" in namespace "default" of these files`,
				`9.yaml:9: Review default/passenger-experience-20261116: spec.decisions[0].planRef.name: there is no ActionPlan "best-food" in namespace "default" of these files`,
			}, true,
		},
		"unknown teams of roles": {strings.Replace(roles, "{name: food}", "{name: drinks}", 1), []string{
			`9.yaml:12: Touchpoint default/drinks: spec.roles.consulted[0].name: there is no Team "legal" in namespace "default" of these files`,
			`9.yaml:12: Touchpoint default/drinks: spec.roles.informed[0].name: there is no Team "press" in namespace "default" of these files`,
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			set := complete()
			for len(set) < 9 {
				set = append(set, "")
			}
			set = append(set, c.manifest)
			var got []string
			for _, p := range check(t, Options{}, set...).Problems {
				got = append(got, p.String())
			}
			begins := len(c.want) == 1 && len(got) == 1 && strings.HasPrefix(got[0], c.want[0])
			if diff := cmp.Diff(c.want, got); diff != "" && !begins {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if lenient := check(t, Options{AllowMissing: true}, set...); c.missing && len(lenient.Problems) != 0 {
				t.Errorf("with AllowMissing: problems %v", lenient.Problems)
			}
		})
	}
}
