package policy

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Each page has the promise of the policy that governs it; what belongs elsewhere gives none.
func TestFollowUps(t *testing.T) {
	policyOf := func(namespace, name string, labels map[string]string, hours int32) v1alpha1.AccountabilityPolicy {
		p := v1alpha1.AccountabilityPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		p.Spec.Selector.MatchLabels = labels
		p.Spec.FollowUp = &v1alpha1.FollowUp{ContactWithinHours: hours}
		return p
	}
	program := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: "passengers"}}
	touchpoint := func(namespace, name, program string, labels map[string]string) v1alpha1.Touchpoint {
		t := v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}}
		t.Spec.ProgramRef.Name = program
		return t
	}
	critical := map[string]string{"tier": "critical"}
	policies := []v1alpha1.AccountabilityPolicy{
		policyOf("lax", "all", nil, 1), policyOf("sfo", "critical", critical, 24), policyOf("sfo", "nobody", map[string]string{"tier": "none"}, 2),
	}
	touchpoints := []v1alpha1.Touchpoint{
		touchpoint("sfo", "security", "passengers", critical), touchpoint("sfo", "food", "passengers", nil),
		touchpoint("sfo", "gym", "staff", critical), touchpoint("lax", "security", "passengers", critical),
	}
	got := FollowUps(policies, program, touchpoints)
	if len(got) != 1 || got["security"].ContactWithinHours != 24 {
		t.Errorf("%+v", got)
	}
	policies = append(policies, policyOf("sfo", "all", nil, 48))
	got = FollowUps(policies, program, touchpoints)
	if len(got) != 3 || got[""].ContactWithinHours != 48 || got["food"].ContactWithinHours != 48 {
		t.Errorf("%+v", got)
	}
}
