package governance

import (
	"maps"
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// leastShared is how many touchpoints a program must have for several functions to share them.
const leastShared = 2

// crossFunctional says whether the owners of touchpoints come from more than one function.
func crossFunctional(s Situation) Condition {
	const kind = v1alpha1.ConditionCrossFunctional
	if len(s.Touchpoints) < leastShared {
		return unknown(kind, v1alpha1.ReasonTooFewTouchpoints, "the program has fewer than two touchpoints to share among functions")
	}
	functions := map[v1alpha1.TeamFunction]bool{}
	owned := false
	for i := range s.Touchpoints {
		if !ownedBy(s, s.Touchpoints[i].Spec.OwnerRef) {
			continue
		}
		owned = true
		if f := functionOf(s, s.Touchpoints[i].Spec.OwnerRef.Name); f != "" {
			functions[f] = true
		}
	}
	switch {
	case !owned:
		return lacking(kind, v1alpha1.ReasonNoOwner, "no touchpoint has an owner: everybody's task is nobody's")
	case len(functions) == 0:
		return lacking(kind, v1alpha1.ReasonFunctionUnknown, "no owner of a touchpoint states its function: set spec.function of the teams")
	case len(functions) == 1:
		for f := range functions {
			return lacking(kind, v1alpha1.ReasonOneFunction, "one function owns all touchpoints that have an owner: "+string(f)+
				"; the experience is made by every function, so that others should own their part")
		}
	}
	return stands(kind, v1alpha1.ReasonSeveralFunctions, "touchpoints are owned by "+listed(names(functions)))
}

func names(functions map[v1alpha1.TeamFunction]bool) []string {
	var all []string
	for _, f := range slices.Sorted(maps.Keys(functions)) {
		all = append(all, string(f))
	}
	return all
}

func ownedBy(s Situation, ref *v1alpha1.NameRef) bool {
	if ref == nil {
		return false
	}
	_, ok := s.Teams(ref.Name)
	return ok
}

// functionOf returns the function of a team: its own, or where that is Other that of the nearest team above it; empty where
// none states one.
func functionOf(s Situation, name string) v1alpha1.TeamFunction {
	seen := map[string]bool{}
	for !seen[name] {
		seen[name] = true
		t, ok := s.Teams(name)
		if !ok {
			return ""
		}
		if f := t.Spec.Function; f != "" && f != functionOther {
			return f
		}
		if t.Spec.ParentRef == nil {
			return ""
		}
		name = t.Spec.ParentRef.Name
	}
	return ""
}

// functionOther is what a team has that states no function.
const functionOther v1alpha1.TeamFunction = "Other"
