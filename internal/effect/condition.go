package effect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Condition returns what the condition Effective says of a plan's effect: True where the plan improved its objective,
// False where that worsened, else Unknown.
func Condition(state v1alpha1.WorkState, e *v1alpha1.Effect) (status metav1.ConditionStatus, reason, message string) {
	switch {
	case e == nil:
		return metav1.ConditionUnknown, v1alpha1.ReasonNotStarted, "the plan has not begun"
	case e.JudgedTime == nil && state == v1alpha1.WorkCancelled:
		return metav1.ConditionUnknown, v1alpha1.ReasonPlanCancelled, "the plan was cancelled and is not judged"
	case e.JudgedTime == nil:
		return metav1.ConditionUnknown, v1alpha1.ReasonTooEarly, "the outcome is not to be judged yet; status.effect says when, and what is missing"
	case e.Verdict == v1alpha1.EffectImproved:
		return metav1.ConditionTrue, v1alpha1.ReasonImproved, "the score rose after the plan"
	case e.Verdict == v1alpha1.EffectWorsened:
		return metav1.ConditionFalse, v1alpha1.ReasonWorsened, "the score fell after the plan"
	case e.Change != "":
		return metav1.ConditionUnknown, v1alpha1.ReasonNoEvidenceOfChange, "the answers do not show that the score changed"
	case e.Baseline != nil && e.Outcome != nil && e.Baseline.Definition != e.Outcome.Definition:
		return metav1.ConditionUnknown, v1alpha1.ReasonDefinitionChanged, "what is measured was changed between the windows, which cannot be compared"
	default:
		return metav1.ConditionUnknown, v1alpha1.ReasonTooFewResponses, "a window has fewer answers than a comparison needs"
	}
}
