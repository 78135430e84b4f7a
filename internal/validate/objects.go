package validate

import v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"

// Objects are what programs are served from, in the order of the files.
type Objects struct {
	Programs    []*v1alpha1.SurveyProgram
	Stores      []*v1alpha1.ResponseStore
	Touchpoints []v1alpha1.Touchpoint
	Teams       []v1alpha1.Team
	Policies    []v1alpha1.AccountabilityPolicy
}

// contents returns the objects of a set by kind.
func (s *set) contents() Objects {
	var out Objects
	for _, o := range s.objects {
		switch typed := o.typed.(type) {
		case *v1alpha1.AccountabilityPolicy:
			out.Policies = append(out.Policies, *typed)
		case *v1alpha1.SurveyProgram:
			out.Programs = append(out.Programs, typed)
		case *v1alpha1.ResponseStore:
			out.Stores = append(out.Stores, typed)
		case *v1alpha1.Touchpoint:
			out.Touchpoints = append(out.Touchpoints, *typed)
		case *v1alpha1.Team:
			out.Teams = append(out.Teams, *typed)
		}
	}
	return out
}
