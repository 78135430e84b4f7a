package team

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Loads are counted anew where a breach opens or closes, not where one is escalated or goes on.
func TestBreachesChanged(t *testing.T) {
	overdue := v1alpha1.Breach{Type: v1alpha1.BreachPlanOverdue, Since: metav1.NewTime(time.Unix(0, 0))}
	escalated := overdue
	escalated.Escalated = 1
	moved := overdue
	moved.Since = metav1.NewTime(time.Unix(60, 0))
	action := v1alpha1.Breach{Type: v1alpha1.BreachActionOverdue, Item: "train"}
	for name, c := range map[string]struct {
		last, next []v1alpha1.Breach
		want       bool
	}{
		"nothing":   {nil, nil, false},
		"the same":  {[]v1alpha1.Breach{overdue}, []v1alpha1.Breach{overdue}, false},
		"escalated": {[]v1alpha1.Breach{overdue}, []v1alpha1.Breach{escalated}, false},
		"moved":     {[]v1alpha1.Breach{overdue}, []v1alpha1.Breach{moved}, false},
		"opened":    {nil, []v1alpha1.Breach{overdue}, true},
		"closed":    {[]v1alpha1.Breach{overdue}, nil, true},
		"another":   {[]v1alpha1.Breach{overdue}, []v1alpha1.Breach{action}, true},
	} {
		for _, pair := range [][2]client.Object{
			{&v1alpha1.ActionPlan{Status: v1alpha1.ActionPlanStatus{Breaches: c.last}}, &v1alpha1.ActionPlan{Status: v1alpha1.ActionPlanStatus{Breaches: c.next}}},
			{&v1alpha1.Touchpoint{Status: v1alpha1.TouchpointStatus{Breaches: c.last}}, &v1alpha1.Touchpoint{Status: v1alpha1.TouchpointStatus{Breaches: c.next}}},
			{&v1alpha1.SurveyProgram{Status: v1alpha1.SurveyProgramStatus{Breaches: c.last}}, &v1alpha1.SurveyProgram{Status: v1alpha1.SurveyProgramStatus{Breaches: c.next}}},
			{&v1alpha1.Review{Status: v1alpha1.ReviewStatus{Breaches: c.last}}, &v1alpha1.Review{Status: v1alpha1.ReviewStatus{Breaches: c.next}}},
		} {
			if got := breachesChanged.Update(event.UpdateEvent{ObjectOld: pair[0], ObjectNew: pair[1]}); got != c.want {
				t.Errorf("%s of %T passes: %v, want %v", name, pair[0], got, c.want)
			}
		}
	}
}
