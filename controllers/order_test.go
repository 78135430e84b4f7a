package controllers_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// summary is what a namespace has come to, without names, times and addresses that differ from one run to the next.
func (w *world) summary() map[string]string {
	w.t.Helper()
	found := map[string]string{}
	for _, list := range lists {
		all := list()
		if err := w.c.List(w.t.Context(), all, client.InNamespace(w.ns)); err != nil {
			w.t.Fatal(err)
		}
		eachItem(all, func(o client.Object) { found[fmt.Sprintf("%T %s", o, o.GetName())] = describe(o) })
	}
	return found
}

func describe(o client.Object) string {
	conditions, observed, _ := statusOf(o)
	text := fmt.Sprintf("generation %d/%d %q", observed, o.GetGeneration(), breachesOf(o))
	slices.SortFunc(conditions, func(a, b metav1.Condition) int {
		if a.Type < b.Type {
			return -1
		}
		return 1
	})
	for _, c := range conditions {
		text += fmt.Sprintf(" %s=%s/%s/%d(%s)", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message)
	}
	switch k := o.(type) {
	case *v1alpha1.SurveyProgram:
		text += objectivesText(k.Status.Objectives)
	case *v1alpha1.Touchpoint:
		text += objectivesText(k.Status.Objectives)
		for _, b := range k.Status.Breaches {
			text += fmt.Sprintf(" planRef %v", b.PlanRef)
		}
	case *v1alpha1.ActionPlan:
		text += fmt.Sprintf(" %+v", k.Status.Baseline)
	}
	return text
}

func objectivesText(all []v1alpha1.ObjectiveStatus) string {
	text := ""
	for _, o := range all {
		text += " " + figures(o)
	}
	return text
}

// Whatever the order in which the contract is applied, it ends in the same state.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	objects := append(contract(t), manifests(t, contractFile("action-plan.yaml"))...)
	orders := [][]*unstructured.Unstructured{objects, reversed(objects)}
	random := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		shuffled := slices.Clone(objects)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		orders = append(orders, shuffled)
	}
	var want map[string]string
	for i, order := range orders {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			w := newWorld(t)
			w.start()
			for _, o := range order {
				w.apply(o)
				if i%2 == 1 {
					w.settle() // so that every half of the contract is seen by itself
				}
			}
			w.served()
			becomes[*v1alpha1.ActionPlan](w, "better-food", "Ready", "True/Reconciled")
			w.eventually("verdicts", func() error {
				if n := len(get[*v1alpha1.Touchpoint](w, "food").Status.Objectives); n != 1 {
					return fmt.Errorf("%d objectives", n)
				}
				return nil
			})
			w.settle()
			got := w.summary()
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the state differs (-first +this):\n%s", diff)
			}
		})
	}
}

func reversed(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	objects = slices.Clone(objects)
	slices.Reverse(objects)
	return objects
}

// Every missing reference has a reason, and clears as soon as the missing thing appears.
func TestMissingReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(`
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: desk}
spec:
  displayName: Desk
  programRef: {name: visits}
  stage: During
  ownerRef: {name: house}
  supportingTeamRefs: [{name: help}]
  handoff: {toRef: {name: exit}}
  questions: [ease, late]
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80}]
---
kind: ActionPlan
apiVersion: cx-operator.io/v1alpha1
metadata: {name: fix-desk}
spec: {touchpointRef: {name: desk}, objective: quick, problem: Slow, dueDate: "2030-01-01", ownerRef: {name: house}}
---
kind: ActionPlan
apiVersion: cx-operator.io/v1alpha1
metadata: {name: fix-visits}
spec: {programRef: {name: visits}, objective: nps, problem: Slow, dueDate: "2030-01-01"}
---
kind: Team
apiVersion: cx-operator.io/v1alpha1
metadata: {name: house}
spec: {displayName: House, level: Department, parentRef: {name: company}}
`)
	becomes[*v1alpha1.Team](w, "house", "Ready", "False/TeamNotFound", "Reconciling", "True/Waiting", "Stalled", "False/AsExpected")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/TeamNotFound", "OwnerAssigned", "True/Owned")
	becomes[*v1alpha1.ActionPlan](w, "fix-desk", "Ready", "False/ProgramNotFound")
	becomes[*v1alpha1.ActionPlan](w, "fix-visits", "Ready", "False/ProgramNotFound")

	w.applyYAML(teamYAML("company", "Company", "") + "---" + teamYAML("help", "Department", "company"))
	becomes[*v1alpha1.Team](w, "house", "Ready", "True/Reconciled")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/TouchpointNotFound")

	w.applyYAML(`
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: exit}
spec: {displayName: Exit, programRef: {name: visits}, stage: After, ownerRef: {name: house}}
`)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/ProgramNotFound")
	becomes[*v1alpha1.Touchpoint](w, "exit", "Ready", "False/ProgramNotFound", "Measured", "False/NoQuestion")

	w.applyYAML(visits(""))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotFound", "SurveyCompiled", "True/Compiled",
		"OwnerAssigned", "False/NoOwner", "SponsorAssigned", "False/NoSponsor", "Measured", "False/NoObjective", "ObjectivesMet", "Unknown/NoObjectives")
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/QuestionNotFound", "Measured", "True/Measured")
	if got := breachesOf(desk); got != nil {
		t.Errorf("breaches %q on a touchpoint that waits", got)
	}
	becomes[*v1alpha1.ActionPlan](w, "fix-desk", "Ready", "False/ObjectiveNotFound")
	becomes[*v1alpha1.ActionPlan](w, "fix-visits", "Ready", "False/ObjectiveNotFound", "OwnerAssigned", "False/NoOwner")
	if got := breachesOf(get[*v1alpha1.SurveyProgram](w, "visits")); !slices.Equal(got, []string{"OwnerMissing", "SponsorMissing"}) {
		t.Errorf("breaches of the program %q", got)
	}

	w.applyYAML(sqliteStore("answers"))
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")

	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		q := v1alpha1.Question{Name: "late", Type: v1alpha1.QuestionText, Text: v1alpha1.LocalizedText{"en": "Late?"}}
		p.Spec.Survey.Questions = append(p.Spec.Survey.Questions, q)
		p.Spec.OwnerRef = &v1alpha1.NameRef{Name: "nobody"}
		p.Spec.ExecutiveSponsor = &v1alpha1.Sponsor{DisplayName: "Director", TeamRef: &v1alpha1.NameRef{Name: "board"}}
	})
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	becomes[*v1alpha1.Touchpoint](w, "exit", "Ready", "True/Reconciled", "Measured", "False/NoObjective")
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/TeamNotFound", "OwnerAssigned", "False/TeamNotFound", "SponsorAssigned", "True/Sponsored")
	if got := breachesOf(program); !slices.Equal(got, []string{"OwnerMissing"}) {
		t.Errorf("breaches of the program %q", got)
	}
	w.applyYAML(teamYAML("nobody", "Department", "company") + "---" + teamYAML("board", "Department", "company"))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled", "OwnerAssigned", "True/Owned")

	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.Objectives[0].Name = "quick" })
	becomes[*v1alpha1.ActionPlan](w, "fix-desk", "Ready", "True/Reconciled", "OwnerAssigned", "True/Owned")
}

// An objective that does not fit its question stalls until the spec changes.
func TestObjectiveThatDoesNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" + visits("") + `
---
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: desk}
spec:
  displayName: Desk
  programRef: {name: visits}
  stage: During
  importance: Critical
  ownerRef: {name: company}
  questions: [why]
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80}]
`)
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/ObjectiveInvalid", "Stalled", "True/ObjectiveInvalid",
		"Reconciling", "False/AsExpected", "Measured", "False/NoObjective")
	if got := breachesOf(desk); !slices.Equal(got, []string{"Unmeasured"}) {
		t.Errorf("breaches %q, want the critical touchpoint Unmeasured", got)
	}
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.Questions = nil })
	desk = becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled", "Stalled", "False/AsExpected", "Measured", "True/Measured")
	if got := breachesOf(desk); got != nil {
		t.Errorf("breaches %q after the repair", got)
	}
}

// Every member of a cycle stalls, whatever its length, and recovers when the cycle is broken.
func TestCycleOfTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(teamYAML("north", "Department", "south") + "---" + teamYAML("east", "Department", "north") + "---" + teamYAML("leaf", "Department", "east"))
	becomes[*v1alpha1.Team](w, "north", "Ready", "False/TeamNotFound")
	w.applyYAML(teamYAML("south", "Department", "east"))
	for _, name := range []string{"north", "east", "south"} {
		becomes[*v1alpha1.Team](w, name, "Ready", "False/Cycle", "Stalled", "True/Cycle", "Reconciling", "False/AsExpected")
	}
	becomes[*v1alpha1.Team](w, "leaf", "Ready", "True/Reconciled") // below the cycle, not in it
	change(w, "east", func(o *v1alpha1.Team) { o.Spec.ParentRef = nil })
	for _, name := range []string{"north", "east", "south", "leaf"} {
		becomes[*v1alpha1.Team](w, name, "Ready", "True/Reconciled", "Stalled", "False/AsExpected")
	}
	remove[*v1alpha1.Team](w, "east")
	becomes[*v1alpha1.Team](w, "south", "Ready", "False/TeamNotFound")
	becomes[*v1alpha1.Team](w, "leaf", "Ready", "False/TeamNotFound")
}

func teamYAML(name, level, parent string) string {
	ref := ""
	if parent != "" {
		ref = fmt.Sprintf(", parentRef: {name: %s}", parent)
	}
	return fmt.Sprintf("\nkind: Team\napiVersion: cx-operator.io/v1alpha1\nmetadata: {name: %s}\nspec: {displayName: %s, level: %s%s}\n", name, name, level, ref)
}

func sqliteStore(name string) string {
	return fmt.Sprintf("\nkind: ResponseStore\napiVersion: cx-operator.io/v1alpha1\nmetadata: {name: %s}\nspec: {sqlite: {}}\n", name)
}

// visits is a small program with a store "answers". More is more of its spec.
func visits(more string) string {
	return `
kind: SurveyProgram
apiVersion: cx-operator.io/v1alpha1
metadata: {name: visits}
spec:
  displayName: Visits
  purpose: Know how visits go.
  storeRef: {name: answers}
  timeZone: America/Los_Angeles
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions:
    - {name: ease, type: CES, text: {en: "How easy was it?"}}
    - {name: recommend, type: NPS, text: {en: "Would you recommend us?"}}
    - {name: why, type: Text, text: {en: "Why?"}}
` + more
}
