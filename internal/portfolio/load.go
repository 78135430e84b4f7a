package portfolio

import (
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/team"
)

// Loads returns how much each team has to do that has anything to do. A Person has no load: what is theirs is carried by
// the nearest team above of another level, and by nobody where there is none.
//
// A plan counts for its owner, else for the owner of its touchpoint, else for that of the program; an action for its own
// owner, else for the plan's. A breach counts where its series has its label team: for the owner of what it is about.
func Loads(o Objects) map[string]v1alpha1.TeamLoad {
	i := o.index()
	loads := loads{}
	for p := range o.Plans {
		loads.plan(i, &o.Plans[p])
	}
	for t := range o.Touchpoints {
		tp := &o.Touchpoints[t]
		loads.breaches(i.owner(tp.Spec.OwnerRef, i.programOwner(tp.Spec.ProgramRef.Name)), tp.Status.Breaches)
	}
	for p := range o.Programs {
		loads.breaches(i.owner(o.Programs[p].Spec.OwnerRef), o.Programs[p].Status.Breaches)
	}
	for r := range o.Reviews {
		loads.breaches(i.owner(i.programOwner(o.Reviews[r].Spec.ProgramRef.Name)), o.Reviews[r].Status.Breaches)
	}
	return loads
}

type loads map[string]v1alpha1.TeamLoad

func (l loads) add(team string, more v1alpha1.TeamLoad) {
	if team == "" || more == (v1alpha1.TeamLoad{}) {
		return
	}
	sum := l[team]
	sum.OpenPlans += more.OpenPlans
	sum.OverduePlans += more.OverduePlans
	sum.OpenActions += more.OpenActions
	sum.OverdueActions += more.OverdueActions
	sum.EffortDays += more.EffortDays
	sum.Breaches += more.Breaches
	l[team] = sum
}

func (l loads) breaches(team string, open []v1alpha1.Breach) {
	l.add(team, v1alpha1.TeamLoad{Breaches: int32(len(open))})
}

func (l loads) plan(i index, p *v1alpha1.ActionPlan) {
	if !p.DeletionTimestamp.IsZero() {
		return
	}
	owners := i.targetOwners(p)
	l.breaches(i.owner(append(owners, p.Spec.OwnerRef)...), p.Status.Breaches)
	if !p.Spec.State.Open() {
		return
	}
	owners = append([]*v1alpha1.NameRef{p.Spec.OwnerRef}, owners...)
	load := v1alpha1.TeamLoad{OpenPlans: 1}
	if isOverdue(p, v1alpha1.BreachPlanOverdue, "") {
		load.OverduePlans = 1
	}
	if p.Spec.Business != nil {
		load.EffortDays = p.Spec.Business.EffortDays
	}
	l.add(i.owner(owners...), load)
	for k := range p.Spec.Actions {
		a := &p.Spec.Actions[k]
		if !a.State.Open() {
			continue
		}
		load := v1alpha1.TeamLoad{OpenActions: 1}
		if isOverdue(p, v1alpha1.BreachActionOverdue, a.Name) {
			load.OverdueActions = 1
		}
		l.add(i.owner(append([]*v1alpha1.NameRef{a.OwnerRef}, owners...)...), load)
	}
}

// isOverdue says whether the breach of a deadline is open on a plan.
func isOverdue(p *v1alpha1.ActionPlan, kind v1alpha1.BreachType, item string) bool {
	for _, b := range p.Status.Breaches {
		if b.Type == kind && b.Item == item {
			return true
		}
	}
	return false
}

// index finds objects by name.
type index struct {
	programs    map[string]*v1alpha1.SurveyProgram
	touchpoints map[string]*v1alpha1.Touchpoint
	teams       team.Lookup
}

func (o Objects) index() index {
	i := index{map[string]*v1alpha1.SurveyProgram{}, map[string]*v1alpha1.Touchpoint{}, o.Teams}
	for p := range o.Programs {
		i.programs[o.Programs[p].Name] = &o.Programs[p]
	}
	for t := range o.Touchpoints {
		i.touchpoints[o.Touchpoints[t].Name] = &o.Touchpoints[t]
	}
	return i
}

// owner is the team that is shown for the first owner that exists.
func (i index) owner(owners ...*v1alpha1.NameRef) string {
	for _, ref := range owners {
		if ref == nil || i.teams == nil {
			continue
		}
		if _, ok := i.teams(ref.Name); ok {
			return team.Shown(ref.Name, i.teams)
		}
	}
	return ""
}

func (i index) programOwner(name string) *v1alpha1.NameRef {
	if p, ok := i.programs[name]; ok {
		return p.Spec.OwnerRef
	}
	return nil
}

// targetOwners are the owners of what a plan is for: of the touchpoint and of the program.
func (i index) targetOwners(p *v1alpha1.ActionPlan) []*v1alpha1.NameRef {
	owners := []*v1alpha1.NameRef{i.programOwner(i.programOf(p))}
	if p.Spec.TouchpointRef == nil {
		return owners
	}
	if tp, ok := i.touchpoints[p.Spec.TouchpointRef.Name]; ok {
		owners = append([]*v1alpha1.NameRef{tp.Spec.OwnerRef}, owners...)
	}
	return owners
}

// programOf is the program that a plan belongs to; "" where that is not known.
func (i index) programOf(p *v1alpha1.ActionPlan) string {
	if p.Spec.ProgramRef != nil {
		return p.Spec.ProgramRef.Name
	}
	if p.Spec.TouchpointRef != nil {
		if tp, ok := i.touchpoints[p.Spec.TouchpointRef.Name]; ok {
			return tp.Spec.ProgramRef.Name
		}
	}
	return ""
}
