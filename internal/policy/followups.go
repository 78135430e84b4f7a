package policy

import "github.com/cx-operator/cx-operator/api/v1alpha1"

// FollowUps are the promises to customers of a program's pages: by touchpoint, and "" for the program's own page. Policies and
// touchpoints of other namespaces, and touchpoints of other programs, are passed over.
func FollowUps(policies []v1alpha1.AccountabilityPolicy, p *v1alpha1.SurveyProgram, touchpoints []v1alpha1.Touchpoint) map[string]v1alpha1.FollowUp {
	var own []v1alpha1.AccountabilityPolicy
	for i := range policies {
		if policies[i].Namespace == p.Namespace {
			own = append(own, policies[i])
		}
	}
	rules := map[string]v1alpha1.FollowUp{}
	if promise := ForProgram(own, p).FollowUp; promise != nil {
		rules[""] = *promise
	}
	for i := range touchpoints {
		t := &touchpoints[i]
		if t.Namespace != p.Namespace || t.Spec.ProgramRef.Name != p.Name {
			continue
		}
		if promise := ForTouchpoint(own, p, t).FollowUp; promise != nil {
			rules[t.Name] = *promise
		}
	}
	return rules
}
