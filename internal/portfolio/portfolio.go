// Package portfolio looks at all plans of a program or namespace together: how far they are, what they change, what came
// of them, which get in each other's way, what they cost, and how much each team has to do. It is pure.
package portfolio

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/effect"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Objects are those of one namespace.
type Objects struct {
	Programs    []v1alpha1.SurveyProgram
	Touchpoints []v1alpha1.Touchpoint
	Plans       []v1alpha1.ActionPlan
	Reviews     []v1alpha1.Review
	// Teams finds a team; nil finds none.
	Teams team.Lookup
}

// Portfolio is all plans of a program, or of a namespace.
type Portfolio struct {
	// Program is empty for all of a namespace.
	Program string `json:"program,omitempty"`
	// Plans by name.
	Plans []Plan `json:"plans"`
	// States counts the plans by state.
	States map[v1alpha1.WorkState]int `json:"states"`
	// Effects counts the plans that began by verdict.
	Effects map[v1alpha1.EffectVerdict]int `json:"effects"`
	// Categories of what the plans change, by name; that of actions without one is empty. Cancelled plans and actions do not
	// count.
	Categories []Category `json:"categories"`
	// Overdue plans and actions.
	OverduePlans   int `json:"overduePlans"`
	OverdueActions int `json:"overdueActions"`
	// Conflicts are groups of plans for one objective at the same time.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// Sums of what is declared, by currency.
	Sums []Sum `json:"sums,omitempty"`
	// EffortDays of the open plans.
	EffortDays int64 `json:"effortDays"`
	// Loads of the teams, by name, of the whole namespace: a team's time is not divided by programs.
	Loads []Load `json:"loads,omitempty"`
}

// Plan is one plan in the portfolio.
type Plan struct {
	Name       string `json:"name"`
	Program    string `json:"program,omitempty"`
	Touchpoint string `json:"touchpoint,omitempty"`
	Objective  string `json:"objective"`
	// Team that owns it, never a Person.
	Team    string             `json:"team,omitempty"`
	State   v1alpha1.WorkState `json:"state"`
	DueDate string             `json:"dueDate"`
	Overdue bool               `json:"overdue,omitempty"`
	// OpenActions and OverdueActions of these.
	OpenActions    int `json:"openActions"`
	OverdueActions int `json:"overdueActions,omitempty"`
	// Verdict is empty before the plan began; Change is empty before it is judged.
	Verdict v1alpha1.EffectVerdict `json:"verdict,omitempty"`
	Change  string                 `json:"change,omitempty"`
	// Goal of the owner that the plan serves.
	Goal string `json:"goal,omitempty"`
	// Revisions that people made, as far as the status keeps them.
	Revisions int      `json:"revisions,omitempty"`
	Conflicts []string `json:"conflicts,omitempty"`
}

// Category is what actions of one category come to.
type Category struct {
	Category v1alpha1.ActionCategory `json:"category,omitempty"`
	// Actions in all; Open, Overdue and Complete of these.
	Actions  int `json:"actions"`
	Open     int `json:"open"`
	Overdue  int `json:"overdue"`
	Complete int `json:"complete"`
	// Plans with such actions, and how many of these Improved or Worsened their objective.
	Plans    int `json:"plans"`
	Improved int `json:"improved"`
	Worsened int `json:"worsened"`
}

// Conflict is a group of plans that share objective and time.
type Conflict struct {
	Program    string   `json:"program,omitempty"`
	Touchpoint string   `json:"touchpoint,omitempty"`
	Objective  string   `json:"objective"`
	Plans      []string `json:"plans"`
}

// Load is how much one team has to do.
type Load struct {
	Team              string `json:"team"`
	v1alpha1.TeamLoad `json:",inline"`
}

// Of returns the portfolio of a program, or of all the objects where that is empty. Plans that are being deleted are no
// part of it.
func Of(o Objects, program string) Portfolio {
	i := o.index()
	f := Portfolio{
		Program: program, Plans: []Plan{}, Categories: []Category{},
		States: map[v1alpha1.WorkState]int{}, Effects: map[v1alpha1.EffectVerdict]int{},
	}
	var plans []*v1alpha1.ActionPlan
	for k := range o.Plans {
		p := &o.Plans[k]
		if p.DeletionTimestamp.IsZero() && (program == "" || i.programOf(p) == program) {
			plans = append(plans, p)
		}
	}
	slices.SortFunc(plans, func(a, b *v1alpha1.ActionPlan) int { return cmp.Compare(a.Name, b.Name) })
	for _, p := range plans {
		line := i.line(p, o.Plans)
		f.Plans = append(f.Plans, line)
		f.States[p.Spec.State]++
		if line.Verdict != "" {
			f.Effects[line.Verdict]++
		}
		if line.Overdue {
			f.OverduePlans++
		}
		f.OverdueActions += line.OverdueActions
		if p.Spec.Business != nil && p.Spec.State.Open() {
			f.EffortDays += int64(p.Spec.Business.EffortDays)
		}
	}
	f.Categories = append(f.Categories, categories(plans)...)
	f.Conflicts = conflicts(f.Plans)
	f.Sums = sums(plans)
	all := Loads(o)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f.Loads = append(f.Loads, Load{name, all[name]})
	}
	return f
}

func (i index) line(p *v1alpha1.ActionPlan, all []v1alpha1.ActionPlan) Plan {
	line := Plan{
		Name: p.Name, Program: i.programOf(p), Objective: p.Spec.Objective, State: p.Spec.State, DueDate: p.Spec.DueDate,
		Team:    i.owner(append([]*v1alpha1.NameRef{p.Spec.OwnerRef}, i.targetOwners(p)...)...),
		Overdue: isOverdue(p, v1alpha1.BreachPlanOverdue, ""), Revisions: len(p.Status.Revisions),
		Conflicts: effect.Conflicts(p, all),
	}
	if p.Spec.TouchpointRef != nil {
		line.Touchpoint = p.Spec.TouchpointRef.Name
	}
	if p.Spec.Business != nil {
		line.Goal = p.Spec.Business.Goal
	}
	if e := p.Status.Effect; e != nil {
		line.Verdict, line.Change = e.Verdict, e.Change
	}
	for k := range p.Spec.Actions {
		a := &p.Spec.Actions[k]
		if !p.Spec.State.Open() || !a.State.Open() {
			continue
		}
		line.OpenActions++
		if isOverdue(p, v1alpha1.BreachActionOverdue, a.Name) {
			line.OverdueActions++
		}
	}
	return line
}

func categories(plans []*v1alpha1.ActionPlan) []Category {
	found := map[v1alpha1.ActionCategory]Category{}
	for _, p := range plans {
		if p.Spec.State == v1alpha1.WorkCancelled {
			continue
		}
		seen := map[v1alpha1.ActionCategory]bool{}
		for k := range p.Spec.Actions {
			a := &p.Spec.Actions[k]
			if a.State == v1alpha1.WorkCancelled {
				continue
			}
			c := found[a.Category]
			c.Category = a.Category
			c.count(p, a)
			if !seen[a.Category] {
				c.judge(p)
			}
			seen[a.Category], found[a.Category] = true, c
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Category) int { return cmp.Compare(a.Category, b.Category) })
}

func (c *Category) count(p *v1alpha1.ActionPlan, a *v1alpha1.Action) {
	c.Actions++
	switch {
	case a.State == v1alpha1.WorkComplete:
		c.Complete++
	case p.Spec.State.Open():
		c.Open++
	}
	if isOverdue(p, v1alpha1.BreachActionOverdue, a.Name) {
		c.Overdue++
	}
}

func (c *Category) judge(p *v1alpha1.ActionPlan) {
	c.Plans++
	if p.Status.Effect == nil {
		return
	}
	switch p.Status.Effect.Verdict {
	case v1alpha1.EffectImproved:
		c.Improved++
	case v1alpha1.EffectWorsened:
		c.Worsened++
	}
}

// conflicts groups the plans that conflict, by objective.
func conflicts(plans []Plan) []Conflict {
	type key struct{ program, touchpoint, objective string }
	groups := map[key][]string{}
	for _, p := range plans {
		if len(p.Conflicts) > 0 {
			k := key{p.Program, p.Touchpoint, p.Objective}
			groups[k] = append(groups[k], p.Name)
		}
	}
	var all []Conflict
	for k, names := range groups {
		all = append(all, Conflict{k.program, k.touchpoint, k.objective, names})
	}
	slices.SortFunc(all, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(a.Program, b.Program), cmp.Compare(a.Touchpoint, b.Touchpoint), cmp.Compare(a.Objective, b.Objective))
	})
	return all
}
