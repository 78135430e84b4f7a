package validate

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// object is one object of this project's kinds.
type object struct {
	doc                   document
	kind, namespace, name string
	// typed is the object with its defaults, as the controllers see it.
	typed any
	// valid says that nothing is wrong with the object by itself.
	valid bool
}

type key struct{ kind, namespace, name string }

// set is all objects of the manifests.
type set struct {
	objects []*object
	byKey   map[key]*object
}

func newSet() *set { return &set{byKey: map[key]*object{}} }

// add takes an object into the set. If there is one of its name already, it returns that one and keeps it.
func (s *set) add(o object, valid bool) (first *object, taken bool) {
	k := key{o.kind, o.namespace, o.name}
	if first, taken = s.byKey[k]; taken {
		return first, true
	}
	o.typed, o.valid = typed(o), valid
	s.objects = append(s.objects, &o)
	s.byKey[k] = &o
	return nil, false
}

// typed decodes an object into its Go type. An invalid one keeps what could be decoded.
func typed(o object) any {
	switch o.kind {
	case "Team":
		return decode(o, &v1alpha1.Team{})
	case "ResponseStore":
		return decode(o, &v1alpha1.ResponseStore{})
	case "SurveyProgram":
		return decode(o, &v1alpha1.SurveyProgram{})
	case "Touchpoint":
		return decode(o, &v1alpha1.Touchpoint{})
	case "ActionPlan":
		return decode(o, &v1alpha1.ActionPlan{})
	case "AccountabilityPolicy":
		return decode(o, &v1alpha1.AccountabilityPolicy{})
	case "Review":
		return decode(o, &v1alpha1.Review{})
	}
	return nil
}

func decode[T any](o object, into *T) *T {
	// Only objects that broke the schema cannot be decoded. They are reported already, and nothing but their name is
	// looked at.
	_ = runtime.DefaultUnstructuredConverter.FromUnstructured(o.doc.object, into)
	return into
}

// find returns an object of the set. It is not valid where the object broke a rule of its own.
func find[T any](s *set, kind, namespace, name string) (found *T, valid, ok bool) {
	o, ok := s.byKey[key{kind, namespace, name}]
	if !ok {
		return nil, false, false
	}
	found, _ = o.typed.(*T)
	return found, o.valid, found != nil
}

// references checks what needs a second object.
func (c *checker) references() {
	for _, o := range c.set.objects {
		if !o.valid {
			continue
		}
		switch typed := o.typed.(type) {
		case *v1alpha1.Team:
			c.problems(*o, team.Check(typed, c.teams(o.namespace)))
		case *v1alpha1.SurveyProgram:
			c.program(*o, typed)
		case *v1alpha1.Touchpoint:
			c.touchpoint(*o, typed)
		case *v1alpha1.ActionPlan:
			c.plan(*o, typed)
		case *v1alpha1.AccountabilityPolicy:
			c.problems(*o, policy.Check(typed))
		case *v1alpha1.Review:
			c.review(*o, typed)
		}
	}
}

func (c *checker) teams(namespace string) team.Lookup {
	return func(name string) (*v1alpha1.Team, bool) {
		t, _, ok := find[v1alpha1.Team](c.set, "Team", namespace, name)
		return t, ok
	}
}

func (c *checker) program(o object, p *v1alpha1.SurveyProgram) {
	c.problems(o, survey.CheckProgram(p))
	c.reference(o, "spec.storeRef", "ResponseStore", &p.Spec.StoreRef)
	if s, valid, ok := find[v1alpha1.ResponseStore](c.set, "ResponseStore", o.namespace, p.Spec.StoreRef.Name); ok && valid && s.Spec.SQLite != nil {
		c.sqlite(o, p)
	}
	c.reference(o, "spec.ownerRef", "Team", p.Spec.OwnerRef)
	if p.Spec.ExecutiveSponsor != nil {
		c.reference(o, "spec.executiveSponsor.teamRef", "Team", p.Spec.ExecutiveSponsor.TeamRef)
	}
}

// sqlite checks a program whose answers are in a file: one process alone can open it.
func (c *checker) sqlite(o object, p *v1alpha1.SurveyProgram) {
	const alone = "SQLite is opened by one pod alone: leave replicas and autoscaling out, or use PostgreSQL"
	endpoint := p.Spec.Endpoint
	if endpoint.Replicas != nil && *endpoint.Replicas > 1 {
		c.add(o.doc, o, "spec.endpoint.replicas", alone)
	}
	if endpoint.Autoscaling != nil {
		c.add(o.doc, o, "spec.endpoint.autoscaling", alone)
	}
	for _, first := range c.set.objects {
		other, ok := first.typed.(*v1alpha1.SurveyProgram)
		if other == p {
			return // those after it speak of it
		}
		if !ok || !first.valid || first.namespace != o.namespace || other.Spec.StoreRef.Name != p.Spec.StoreRef.Name {
			continue
		}
		if endpoint.Mode == v1alpha1.EndpointDedicated || other.Spec.Endpoint.Mode == v1alpha1.EndpointDedicated {
			c.add(o.doc, o, "spec.storeRef", fmt.Sprintf("the SQLite store is in use by the program %q, and one endpoint alone can open it: create another ResponseStore, or use PostgreSQL", other.Name))
			return
		}
	}
}

func (c *checker) touchpoint(o object, t *v1alpha1.Touchpoint) {
	c.reference(o, "spec.programRef", "SurveyProgram", &t.Spec.ProgramRef)
	c.reference(o, "spec.ownerRef", "Team", t.Spec.OwnerRef)
	c.teamsOf(o, "spec.supportingTeamRefs", t.Spec.SupportingTeamRefs)
	if roles := t.Spec.Roles; roles != nil {
		c.teamsOf(o, "spec.roles.responsible", roles.Responsible)
		c.teamsOf(o, "spec.roles.consulted", roles.Consulted)
		c.teamsOf(o, "spec.roles.informed", roles.Informed)
	}
	if t.Spec.Handoff != nil {
		c.reference(o, "spec.handoff.toRef", "Touchpoint", &t.Spec.Handoff.ToRef)
	}
	if p, valid, ok := find[v1alpha1.SurveyProgram](c.set, "SurveyProgram", o.namespace, t.Spec.ProgramRef.Name); ok && valid {
		c.problems(o, survey.CheckTouchpoint(t, p))
	}
}

// teamsOf checks a list of references to teams.
func (c *checker) teamsOf(o object, path string, refs []v1alpha1.NameRef) {
	for i := range refs {
		c.reference(o, fmt.Sprintf("%s[%d]", path, i), "Team", &refs[i])
	}
}

func (c *checker) review(o object, r *v1alpha1.Review) {
	c.reference(o, "spec.programRef", "SurveyProgram", &r.Spec.ProgramRef)
	c.teamsOf(o, "spec.attendees", r.Spec.Attendees)
	for i, d := range r.Spec.Decisions {
		if d.PlanRef != nil {
			c.reference(o, fmt.Sprintf("spec.decisions[%d].planRef", i), "ActionPlan", &v1alpha1.NameRef{Name: d.PlanRef.Name})
		}
	}
}

func (c *checker) plan(o object, p *v1alpha1.ActionPlan) {
	c.reference(o, "spec.touchpointRef", "Touchpoint", p.Spec.TouchpointRef)
	c.reference(o, "spec.programRef", "SurveyProgram", p.Spec.ProgramRef)
	c.reference(o, "spec.ownerRef", "Team", p.Spec.OwnerRef)
	for i, a := range p.Spec.Actions {
		c.reference(o, fmt.Sprintf("spec.actions[%d].ownerRef", i), "Team", a.OwnerRef)
	}
	if ref := p.Spec.TouchpointRef; ref != nil {
		if t, valid, ok := find[v1alpha1.Touchpoint](c.set, "Touchpoint", o.namespace, ref.Name); ok && valid {
			c.objective(o, p.Spec.Objective, "Touchpoint "+ref.Name, t.Spec.Objectives)
		}
	}
	if ref := p.Spec.ProgramRef; ref != nil {
		if g, valid, ok := find[v1alpha1.SurveyProgram](c.set, "SurveyProgram", o.namespace, ref.Name); ok && valid {
			c.objective(o, p.Spec.Objective, "SurveyProgram "+ref.Name, g.Spec.Objectives)
		}
	}
}

// objective checks that a plan's objective exists where the plan says.
func (c *checker) objective(o object, name, owner string, objectives []v1alpha1.Objective) {
	if slices.ContainsFunc(objectives, func(have v1alpha1.Objective) bool { return have.Name == name }) {
		return
	}
	names := make([]string, 0, len(objectives))
	for _, have := range objectives {
		names = append(names, have.Name)
	}
	has := "it has none"
	if len(names) > 0 {
		has = "it has " + strings.Join(names, ", ")
	}
	c.add(o.doc, o, "spec.objective", fmt.Sprintf("%s has no objective %q, %s", owner, name, has))
}

// reference checks that a referenced object is in the set.
func (c *checker) reference(o object, path, kind string, ref *v1alpha1.NameRef) {
	if ref == nil {
		return
	}
	if _, ok := c.set.byKey[key{kind, o.namespace, ref.Name}]; !ok {
		c.missing(o, path+".name", fmt.Sprintf("there is no %s %q in namespace %q of these files", kind, ref.Name, o.namespace))
	}
}

func (c *checker) problems(o object, problems []survey.Problem) {
	for _, p := range problems {
		if p.Reason == v1alpha1.ReasonTeamNotFound {
			c.missing(o, p.Field, p.Message)
			continue
		}
		c.add(o.doc, o, p.Field, p.Message)
	}
}
