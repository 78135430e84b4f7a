// Package conditions sets the conditions of a status in one way for every kind.
package conditions

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Set writes conditions of one generation at one time. The time of a condition moves only with its status.
type Set struct {
	// Conditions to write to.
	Conditions *[]metav1.Condition
	// Generation of the spec that the conditions speak of.
	Generation int64
	// Now is the time of a transition.
	Now time.Time
}

// Is sets a condition to a status.
func (s Set) Is(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(s.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: s.Generation, LastTransitionTime: metav1.NewTime(s.Now),
	})
}

// True sets a condition to True.
func (s Set) True(kind, reason, message string) { s.Is(kind, metav1.ConditionTrue, reason, message) }

// False sets a condition to False.
func (s Set) False(kind, reason, message string) { s.Is(kind, metav1.ConditionFalse, reason, message) }

// Unknown sets a condition to Unknown.
func (s Set) Unknown(kind, reason, message string) {
	s.Is(kind, metav1.ConditionUnknown, reason, message)
}

// Reconciled sets the three conditions of reconciliation to success.
func (s Set) Reconciled(message string) {
	s.True(v1alpha1.ConditionReady, v1alpha1.ReasonReconciled, message)
	s.False(v1alpha1.ConditionStalled, v1alpha1.ReasonAsExpected, "")
	s.False(v1alpha1.ConditionReconciling, v1alpha1.ReasonAsExpected, "")
}

// Waiting says that something else must appear or become ready first.
func (s Set) Waiting(reason, message string) {
	s.False(v1alpha1.ConditionReady, reason, message)
	s.False(v1alpha1.ConditionStalled, v1alpha1.ReasonAsExpected, "")
	s.True(v1alpha1.ConditionReconciling, v1alpha1.ReasonWaiting, message)
}

// Stalled says that only a change of the spec can help.
func (s Set) Stalled(reason, message string) {
	s.False(v1alpha1.ConditionReady, reason, message)
	s.True(v1alpha1.ConditionStalled, reason, message)
	s.False(v1alpha1.ConditionReconciling, v1alpha1.ReasonAsExpected, "")
}

// waits are the reasons that clear without a change of the spec: another object appears, or a step succeeds.
var waits = map[string]bool{
	v1alpha1.ReasonProgramNotFound:    true,
	v1alpha1.ReasonStoreNotFound:      true,
	v1alpha1.ReasonStoreNotReady:      true,
	v1alpha1.ReasonTeamNotFound:       true,
	v1alpha1.ReasonTouchpointNotFound: true,
	v1alpha1.ReasonObjectiveNotFound:  true,
	v1alpha1.ReasonQuestionNotFound:   true,
	v1alpha1.ReasonPlanNotFound:       true,
	v1alpha1.ReasonWaiting:            true,
	v1alpha1.ReasonRetrying:           true,
	v1alpha1.ReasonEndpointStarting:   true,
	v1alpha1.ReasonAPINotInstalled:    true,
}

// Resolve sets the three conditions of reconciliation from the problems found: none is success, a missing object waits,
// anything else is stalled. A stalling problem goes before one that waits.
func (s Set) Resolve(problems []survey.Problem, success string) {
	if len(problems) == 0 {
		s.Reconciled(success)
		return
	}
	for _, p := range problems {
		if !waits[p.Reason] {
			s.Stalled(p.Reason, Message(problems))
			return
		}
	}
	s.Waiting(problems[0].Reason, Message(problems))
}

// Message joins the problems into one text: "field: message; field: message", at most ten of them.
func Message(problems []survey.Problem) string {
	const most = 10
	var texts []string
	for i, p := range problems {
		if i == most {
			texts = append(texts, "and more")
			break
		}
		texts = append(texts, p.Field+": "+p.Message)
	}
	return strings.Join(texts, "; ")
}
