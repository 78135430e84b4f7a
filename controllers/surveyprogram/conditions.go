package surveyprogram

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/apply"
)

// Kinds that a program has only where its spec asks for them.
const (
	kindIngress        = "Ingress"
	kindRoute          = "HTTPRoute"
	kindServiceMonitor = "ServiceMonitor"
)

// setEndpointConditions sets what only Dedicated programs have, and takes it from others.
func (s *scope) setEndpointConditions(set conditions.Set) {
	endpoint := s.program.Spec.Endpoint
	dedicated := endpoint.Mode == v1alpha1.EndpointDedicated
	moving := s.misplaced != nil && s.misplaced.Reason == v1alpha1.ReasonEndpointStarting
	switch {
	case s.rollout == nil && !dedicated:
		meta.RemoveStatusCondition(set.Conditions, v1alpha1.ConditionEndpointReady)
	case s.rollout == nil:
		reason, message := s.unready()
		set.False(v1alpha1.ConditionEndpointReady, reason, message)
	case s.rollout.failed:
		set.False(v1alpha1.ConditionEndpointReady, v1alpha1.ReasonEndpointFailed, s.rollout.message)
	case !s.rollout.settled:
		set.False(v1alpha1.ConditionEndpointReady, v1alpha1.ReasonEndpointStarting, s.rollout.message)
	case moving:
		set.False(v1alpha1.ConditionEndpointReady, v1alpha1.ReasonEndpointStarting, s.misplaced.Message)
	default:
		set.True(v1alpha1.ConditionEndpointReady, v1alpha1.ReasonEndpointReady, s.rollout.message)
	}
	s.setMade(set, v1alpha1.ConditionExposed, endpoint.Exposure != nil, kindIngress, kindRoute)
	monitored := endpoint.Monitoring != nil && endpoint.Monitoring.ServiceMonitor != nil
	s.setMade(set, v1alpha1.ConditionMonitored, monitored, kindServiceMonitor)
}

// unready says why there is no endpoint.
func (s *scope) unready() (reason, message string) {
	problems := slices.Concat(s.specProblems, s.refProblems)
	switch {
	case s.misplaced != nil:
		return s.misplaced.Reason, s.misplaced.Message
	case len(problems) > 0:
		return problems[0].Reason, conditions.Message(problems)
	}
	return v1alpha1.ReasonEndpointStarting, beingMade
}

func (s *scope) setMade(set conditions.Set, condition string, wanted bool, kinds ...string) {
	if !wanted {
		meta.RemoveStatusCondition(set.Conditions, condition)
		return
	}
	if !s.tried {
		set.False(condition, v1alpha1.ReasonWaiting, "it is made with the endpoint, which is not made now")
		return
	}
	reason, message, ok := made(s.applied, kinds...)
	if ok {
		set.True(condition, reason, message)
	} else {
		set.False(condition, reason, message)
	}
}

// made says whether objects of one of the kinds were applied, and else why not.
func made(result apply.Result, kinds ...string) (reason, message string, ok bool) {
	wanted := func(kind string) bool { return slices.Contains(kinds, kind) }
	for _, gvk := range result.Absent {
		if wanted(gvk.Kind) {
			return v1alpha1.ReasonAPINotInstalled, fmt.Sprintf("the cluster has no %s of %s; it is made once that is installed", gvk.Kind, gvk.GroupVersion()), false
		}
	}
	for _, name := range result.Taken {
		if kind, _, _ := strings.Cut(name, "/"); wanted(kind) {
			return v1alpha1.ReasonNameTaken, name + " exists and is not this program's", false
		}
	}
	for _, refused := range result.Refused {
		if wanted(refused.Kind) {
			return v1alpha1.ReasonInvalidSpec, fmt.Sprintf("%s %s is refused: %s", refused.Kind, refused.Name, refused.Message), false
		}
	}
	if len(result.Taken)+len(result.Refused) > 0 {
		return v1alpha1.ReasonWaiting, "other parts of the endpoint must be made first", false
	}
	return v1alpha1.ReasonApplied, "it was made as the spec says", true
}
