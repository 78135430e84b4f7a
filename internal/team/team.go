// Package team walks the hierarchy of teams. It is pure.
package team

import (
	"fmt"
	"strings"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Lookup returns the team of a name in one namespace.
type Lookup func(name string) (*v1alpha1.Team, bool)

const parentField = "spec.parentRef.name"

// Check returns what is wrong with a team's place in the hierarchy: a parent that does not exist (TeamNotFound), or a
// team that is its own ancestor (Cycle). A team below a cycle that it is no part of has no problem of its own. Get may
// return t itself or an older state of it; t is what counts.
func Check(t *v1alpha1.Team, get Lookup) []survey.Problem {
	parent := t.Spec.ParentRef
	if parent == nil {
		return nil
	}
	if parent.Name != t.Name {
		if _, ok := get(parent.Name); !ok {
			return []survey.Problem{{Reason: v1alpha1.ReasonTeamNotFound, Field: parentField,
				Message: fmt.Sprintf("there is no Team %q in the namespace", parent.Name)}}
		}
	}
	if path := cycle(t, get); path != nil {
		return []survey.Problem{{Reason: v1alpha1.ReasonCycle, Field: parentField,
			Message: "a team must not be its own ancestor: " + arrows(path)}}
	}
	return nil
}

// cycle returns the names from t up to t again, or nil. It ends at the first team seen twice.
func cycle(t *v1alpha1.Team, get Lookup) []string {
	path := []string{t.Name}
	seen := map[string]bool{}
	for at := t; at.Spec.ParentRef != nil; {
		name := at.Spec.ParentRef.Name
		if name == t.Name {
			return append(path, name)
		}
		next, ok := get(name)
		if !ok || seen[name] {
			return nil
		}
		seen[name] = true
		path = append(path, name)
		at = next
	}
	return nil
}

// arrows writes a path, the middle of a long one left out.
func arrows(path []string) string {
	const most = 10
	if len(path) > most {
		short := append([]string{}, path[:most-2]...)
		path = append(short, "...", path[len(path)-1])
	}
	return strings.Join(path, " -> ")
}

// Shown returns the name of the team that stands in metrics and breaches for the named one: itself, or for a Person the
// nearest ancestor that is none. It is "" where there is no such team.
func Shown(name string, get Lookup) string {
	seen := map[string]bool{}
	for !seen[name] {
		seen[name] = true
		t, ok := get(name)
		if !ok {
			return ""
		}
		if t.Spec.Level != v1alpha1.TeamPerson {
			return name
		}
		if t.Spec.ParentRef == nil {
			return ""
		}
		name = t.Spec.ParentRef.Name
	}
	return ""
}
