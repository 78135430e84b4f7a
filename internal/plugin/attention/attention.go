// Package attention says what people have to look at, from the resources of one or more namespaces: breaches that are open,
// and what falls due soon. It is pure.
package attention

import (
	"cmp"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Inventory is what there is to look at.
type Inventory struct {
	Programs    []v1alpha1.SurveyProgram
	Touchpoints []v1alpha1.Touchpoint
	Plans       []v1alpha1.ActionPlan
	Reviews     []v1alpha1.Review
	Teams       []v1alpha1.Team
}

// Item is one thing to look at.
type Item struct {
	// Namespace, Kind and Name of the object.
	Namespace, Kind, Name string
	// Breach that is open; empty for what falls due.
	Breach v1alpha1.BreachType
	// Due is what falls due: "acknowledge", "complete" or "hold"; empty for a breach.
	Due string
	// Objective and Item within the object; may be empty.
	Objective, Item string
	// Team that is to act, never a person; empty where nobody owns the object.
	Team string
	// Time since when the breach is open, or when it falls due.
	Time time.Time
}

// Open says whether the item is a breach.
func (i Item) Open() bool { return i.Breach != "" }

// Soon is how far ahead it is looked for what falls due.
const Soon = 7 * 24 * time.Hour

// Of returns what needs attention: the breaches, the oldest first, then what falls due, the first one first. With a team it is
// what that team and those below it have to do; a Person stands for its nearest team.
func Of(in Inventory, namedTeam string, now time.Time) []Item {
	l := newLookup(in)
	var items []Item
	for i := range in.Programs {
		p := &in.Programs[i]
		items = append(items, breaches(p.Status.Breaches, Item{Namespace: p.Namespace, Kind: "SurveyProgram", Name: p.Name, Team: l.shown(p.Namespace, p.Spec.OwnerRef)})...)
	}
	for i := range in.Touchpoints {
		t := &in.Touchpoints[i]
		items = append(items, breaches(t.Status.Breaches, Item{Namespace: t.Namespace, Kind: "Touchpoint", Name: t.Name, Team: l.ofTouchpoint(t)})...)
	}
	for i := range in.Plans {
		p := &in.Plans[i]
		at := Item{Namespace: p.Namespace, Kind: "ActionPlan", Name: p.Name, Objective: p.Spec.Objective, Team: l.ofPlan(p)}
		items = append(append(items, breaches(p.Status.Breaches, at)...), dueOfPlan(p, at, now)...)
	}
	for i := range in.Reviews {
		r := &in.Reviews[i]
		at := Item{Namespace: r.Namespace, Kind: "Review", Name: r.Name, Team: l.ofProgram(r.Namespace, r.Spec.ProgramRef.Name)}
		items = append(append(items, breaches(r.Status.Breaches, at)...), dueOfReview(r, at, now)...)
	}
	items = slices.DeleteFunc(items, func(i Item) bool { return namedTeam != "" && !l.within(i.Namespace, i.Team, namedTeam) })
	slices.SortStableFunc(items, compare)
	return items
}

func compare(a, b Item) int {
	if a.Open() != b.Open() {
		if a.Open() {
			return -1
		}
		return 1
	}
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Breach, b.Breach), cmp.Compare(a.Objective, b.Objective), cmp.Compare(a.Item, b.Item))
}

func breaches(open []v1alpha1.Breach, at Item) []Item {
	items := make([]Item, 0, len(open))
	for _, b := range open {
		at.Breach, at.Objective, at.Item, at.Time = b.Type, b.Objective, b.Item, b.Since.Time
		items = append(items, at)
	}
	return items
}

// dueOfPlan is what its owner has to do soon. What is past is a breach.
func dueOfPlan(p *v1alpha1.ActionPlan, at Item, now time.Time) []Item {
	if !p.Spec.State.Open() {
		return nil
	}
	var items []Item
	add := func(what string, by time.Time) {
		if by.After(now) && by.Sub(now) <= Soon {
			at.Due, at.Time = what, by
			items = append(items, at)
		}
	}
	if by := p.Status.AcknowledgeBy; p.Spec.Acknowledgement == nil && by != nil {
		add("acknowledge", by.Time)
	}
	if by := p.Status.DueTime; by != nil {
		add("complete", by.Time)
	}
	return items
}

func dueOfReview(r *v1alpha1.Review, at Item, now time.Time) []Item {
	by := r.Status.DueTime
	if r.Spec.HeldTime != nil || by == nil || !by.After(now) || by.Sub(now) > Soon {
		return nil
	}
	at.Due, at.Time = "hold", by.Time
	return []Item{at}
}

type key struct{ namespace, name string }

// lookup finds who owns what.
type lookup struct {
	programs    map[key]*v1alpha1.SurveyProgram
	touchpoints map[key]*v1alpha1.Touchpoint
	teams       map[key]*v1alpha1.Team
}

func newLookup(in Inventory) lookup {
	l := lookup{map[key]*v1alpha1.SurveyProgram{}, map[key]*v1alpha1.Touchpoint{}, map[key]*v1alpha1.Team{}}
	for i := range in.Programs {
		l.programs[key{in.Programs[i].Namespace, in.Programs[i].Name}] = &in.Programs[i]
	}
	for i := range in.Touchpoints {
		l.touchpoints[key{in.Touchpoints[i].Namespace, in.Touchpoints[i].Name}] = &in.Touchpoints[i]
	}
	for i := range in.Teams {
		l.teams[key{in.Teams[i].Namespace, in.Teams[i].Name}] = &in.Teams[i]
	}
	return l
}

func (l lookup) get(namespace string) team.Lookup {
	return func(name string) (*v1alpha1.Team, bool) {
		t, ok := l.teams[key{namespace, name}]
		return t, ok
	}
}

// shown is the first of the owners that is set, or who stands in for a person; "" where that team does not exist.
func (l lookup) shown(namespace string, owners ...*v1alpha1.NameRef) string {
	for _, o := range owners {
		if o == nil {
			continue
		}
		if name := team.Shown(o.Name, l.get(namespace)); name != "" {
			return name
		}
	}
	return ""
}

func (l lookup) ofProgram(namespace, name string) string {
	if p := l.programs[key{namespace, name}]; p != nil {
		return l.shown(namespace, p.Spec.OwnerRef)
	}
	return ""
}

func (l lookup) ofTouchpoint(t *v1alpha1.Touchpoint) string {
	if name := l.shown(t.Namespace, t.Spec.OwnerRef); name != "" {
		return name
	}
	return l.ofProgram(t.Namespace, t.Spec.ProgramRef.Name)
}

func (l lookup) ofPlan(p *v1alpha1.ActionPlan) string {
	if name := l.shown(p.Namespace, p.Spec.OwnerRef); name != "" {
		return name
	}
	if ref := p.Spec.TouchpointRef; ref != nil {
		if t := l.touchpoints[key{p.Namespace, ref.Name}]; t != nil {
			return l.ofTouchpoint(t)
		}
	}
	if ref := p.Spec.ProgramRef; ref != nil {
		return l.ofProgram(p.Namespace, ref.Name)
	}
	return ""
}

// within says whether a team is the named one or below it. A cycle among teams ends the search.
func (l lookup) within(namespace, name, named string) bool {
	get := l.get(namespace)
	named = cmp.Or(team.Shown(named, get), named)
	for seen := map[string]bool{}; name != "" && !seen[name]; {
		if name == named {
			return true
		}
		seen[name] = true
		t, ok := get(name)
		if !ok || t.Spec.ParentRef == nil {
			return false
		}
		name = t.Spec.ParentRef.Name
	}
	return false
}
