package surveyprogram

import (
	"cmp"
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// user is a program that names a SQLite store.
type user struct {
	program *v1alpha1.SurveyProgram
	// exists says that a Dedicated endpoint of the program is there.
	exists bool
}

// dedicated says that a Dedicated endpoint serves the program.
func (u user) dedicated() bool {
	return u.exists || u.program.Status.Endpoint != nil && u.program.Status.Endpoint.Mode == v1alpha1.EndpointDedicated
}

func (u user) served() bool { return u.exists || u.program.Status.Endpoint != nil }

func (u user) wantsDedicated() bool {
	return u.program.Spec.Endpoint.Mode == v1alpha1.EndpointDedicated
}

// holderFor returns the other program that keeps this one from its SQLite store, empty for none. A Dedicated endpoint has the
// store for itself; Embedded programs share one that no Dedicated one has. Who is served already goes before others, and then
// who is older.
func holderFor(p user, others []user) string {
	others = slices.SortedFunc(slices.Values(others), older)
	first := func(match func(user) bool) string {
		for _, o := range others {
			if match(o) {
				return o.program.Name
			}
		}
		return ""
	}
	switch {
	case p.dedicated():
		return first(func(o user) bool { return o.dedicated() && older(o, p) < 0 })
	case p.wantsDedicated() && p.served():
		return first(user.served)
	case p.wantsDedicated():
		return cmp.Or(first(user.served), first(func(o user) bool { return older(o, p) < 0 }))
	case p.served() || first(user.served) != "":
		return first(user.dedicated)
	default:
		return first(func(o user) bool { return o.wantsDedicated() && older(o, p) < 0 })
	}
}

func older(a, b user) int {
	return cmp.Or(a.program.CreationTimestamp.Compare(b.program.CreationTimestamp.Time), cmp.Compare(a.program.Name, b.program.Name))
}
