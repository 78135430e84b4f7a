package team

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
)

// hierarchy makes teams from "name<parent"; a name with a capital is a Person.
func hierarchy(teams ...string) (map[string]*v1alpha1.Team, Lookup) {
	all := map[string]*v1alpha1.Team{}
	for _, text := range teams {
		name, parent, hasParent := strings.Cut(text, "<")
		t := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TeamSpec{Level: v1alpha1.TeamDepartment}}
		if name != strings.ToLower(name) {
			t.Spec.Level = v1alpha1.TeamPerson
		}
		if hasParent {
			t.Spec.ParentRef = &v1alpha1.NameRef{Name: parent}
		}
		all[name] = t
	}
	return all, func(name string) (*v1alpha1.Team, bool) { t, ok := all[name]; return t, ok }
}

func ring(n int) []string {
	var teams []string
	for i := range n {
		teams = append(teams, fmt.Sprintf("t%d<t%d", i, (i+1)%n))
	}
	return teams
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		teams []string
		check string
		want  string // reason and message, "" for no problem
	}{
		"no parent":                  {[]string{"a"}, "a", ""},
		"a parent":                   {[]string{"a<b", "b"}, "a", ""},
		"a long line":                {append(ring(50), "t49"), "t0", ""},
		"no such parent":             {[]string{"a<b"}, "a", `TeamNotFound there is no Team "b" in the namespace`},
		"grandparent is missing":     {[]string{"a<b", "b<c"}, "a", ""},
		"itself":                     {[]string{"a<a"}, "a", "Cycle a team must not be its own ancestor: a -> a"},
		"two":                        {[]string{"a<b", "b<a"}, "a", "Cycle a team must not be its own ancestor: a -> b -> a"},
		"two, the other":             {[]string{"a<b", "b<a"}, "b", "Cycle a team must not be its own ancestor: b -> a -> b"},
		"three":                      {[]string{"a<b", "b<c", "c<a"}, "c", "Cycle a team must not be its own ancestor: c -> a -> b -> c"},
		"many":                       {ring(1000), "t3", "Cycle a team must not be its own ancestor: t3 -> t4 -> t5 -> t6 -> t7 -> t8 -> t9 -> t10 -> ... -> t3"},
		"below a cycle":              {[]string{"x<a", "a<b", "b<a"}, "x", ""},
		"below a team in its own":    {[]string{"x<a", "a<a"}, "x", ""},
		"ten are written out in all": {ring(9), "t0", "Cycle a team must not be its own ancestor: t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> t8 -> t0"},
	} {
		t.Run(name, func(t *testing.T) {
			all, get := hierarchy(c.teams...)
			got := ""
			for _, p := range Check(all[c.check], get) {
				got += p.Reason + " " + p.Message
				if p.Field != "spec.parentRef.name" {
					t.Errorf("Field = %q", p.Field)
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestCheckCountsTheGivenTeam: the cache may still hold the state before an edit.
func TestCheckCountsTheGivenTeam(t *testing.T) {
	_, get := hierarchy("a", "b<a")
	edited := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1alpha1.TeamSpec{ParentRef: &v1alpha1.NameRef{Name: "b"}}}
	if got := Check(edited, get); len(got) != 1 || got[0].Reason != v1alpha1.ReasonCycle {
		t.Errorf("problems %v, want a cycle", got)
	}
}

func TestShown(t *testing.T) {
	_, get := hierarchy("company", "dept<company", "Anna<dept", "Ben<Anna", "Cleo", "Dora<gone", "Eva<Finn", "Finn<Eva", "Gil<Gil")
	for name, want := range map[string]string{
		"company": "company", "dept": "dept", "Anna": "dept", "Ben": "dept",
		"Cleo": "", "Dora": "", "Eva": "", "Gil": "", "nobody": "", "": "",
	} {
		if got := Shown(name, get); got != want {
			t.Errorf("Shown(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestAnyHierarchy: on any graph of teams both end, a cycle is found exactly where one leads back, and no person is shown.
func TestAnyHierarchy(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := []string{"a", "b", "c", "D", "E", "gone"}
		var teams []string
		for _, name := range names[:5] {
			if parent := rapid.SampledFrom(append(names, "")).Draw(r, name); parent != "" {
				name += "<" + parent
			}
			teams = append(teams, name)
		}
		all, get := hierarchy(teams...)
		for name, team := range all {
			inCycle := false
			at := team
			for range len(names) {
				if at == nil || at.Spec.ParentRef == nil {
					break
				}
				inCycle = inCycle || at.Spec.ParentRef.Name == name
				at = all[at.Spec.ParentRef.Name]
			}
			found := Check(team, get)
			if isCycle := len(found) == 1 && found[0].Reason == v1alpha1.ReasonCycle; isCycle != inCycle {
				r.Errorf("%s of %v: %v", name, teams, found)
			}
			if shown := Shown(name, get); shown != "" && all[shown].Spec.Level == v1alpha1.TeamPerson {
				r.Errorf("the person %s is shown for %s of %v", shown, name, teams)
			}
		}
	})
}
