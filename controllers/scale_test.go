package controllers_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// crowd is many objects of one namespace: per program five touchpoints in a row of handoffs, owned by two teams.
type crowd struct{ programs int }

const touchpointsEach = 5

// base is what must be there first, in any number of requests at once.
func (f crowd) base(t testing.TB) []*unstructured.Unstructured {
	text := `
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: house}
spec: {displayName: House, level: Company, function: Management}
---
apiVersion: cx-operator.io/v1alpha1
kind: ResponseStore
metadata: {name: answers}
spec: {sqlite: {}}
---
apiVersion: cx-operator.io/v1alpha1
kind: AccountabilityPolicy
metadata: {name: all}
spec:
  selector: {}
  evidence: {minimumResponses: 30}
`
	for i := range f.programs / 2 {
		text += fmt.Sprintf(`
---
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: team-%d}
spec: {displayName: Team %d, level: Department, function: Operations, parentRef: {name: house}}
`, i, i)
	}
	return parse(t, text)
}

// program is one program with its touchpoints, in the order in which people write them.
func (f crowd) program(t testing.TB, i int) []*unstructured.Unstructured {
	team := i % (f.programs / 2)
	text := fmt.Sprintf(`
apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: p%d}
spec:
  displayName: Program %d
  purpose: To know how it was.
  ownerRef: {name: team-%d}
  executiveSponsor: {displayName: The director, teamRef: {name: house}}
  storeRef: {name: answers}
  timeZone: Europe/Berlin
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions:
    - {name: effort, type: CES, text: {en: "How easy was it?"}, requirement: Required}
    - {name: liked, type: CSAT, text: {en: "How did you like it?"}}
  objectives:
  - {name: liked, question: liked, metric: CSAT, target: 80, windowDays: 90}
`, i, i, team)
	for k := range touchpointsEach {
		text += fmt.Sprintf(`
---
apiVersion: cx-operator.io/v1alpha1
kind: Touchpoint
metadata: {name: p%d-t%d}
spec:
  displayName: Touchpoint %d
  programRef: {name: p%d}
  stage: During
  ownerRef: {name: team-%d}
  roles: {responsible: [{name: team-%d}]}
  questions: [effort]
  objectives:
  - {name: easy, question: effort, metric: CESTopBox, target: 60, windowDays: 30}
`, i, k, k, i, team, (team+k)%(f.programs/2))
		if k+1 < touchpointsEach {
			text += fmt.Sprintf("  handoff: {toRef: {name: p%d-t%d}}\n", i, k+1)
		}
	}
	return parse(t, text)
}

// create applies all of it: programs one after the other, several at once.
func (f crowd) create(w *world) {
	w.t.Helper()
	w.apply(f.base(w.t)...)
	next := make(chan []*unstructured.Unstructured, f.programs)
	for i := range f.programs {
		next <- f.program(w.t, i)
	}
	close(next)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for objects := range next {
				if err := w.tryApply(objects...); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// converged fails until every object is Ready in its present generation.
func (w *world) converged() error {
	for _, list := range lists {
		all := list()
		if err := w.c.List(w.t.Context(), all, client.InNamespace(w.ns)); err != nil {
			return err
		}
		var waiting []string
		eachItem(all, func(o client.Object) {
			if conditions, generation, _ := statusOf(o); !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) || generation != o.GetGeneration() {
				waiting = append(waiting, o.GetName())
			}
		})
		if len(waiting) > 0 {
			return fmt.Errorf("%d of %T are not ready, such as %s", len(waiting), all, waiting[0])
		}
	}
	return nil
}

// Each object costs one write of its status, whatever else there is, and a program its Secret. A restart writes nothing, and
// nothing is looked at more often the more there is.
func TestScale(t *testing.T) {
	perObject := map[int]float64{}
	for _, programs := range []int{10, 40} {
		w := newWorld(t)
		w.clock, w.hold = nil, env.DefaultHold
		w.start()
		began := w.reconciles.total()
		f := crowd{programs}
		f.create(w)
		w.eventually("everything is ready", w.converged)
		w.eventually("the policy has counted all", func() error {
			if p := get[*v1alpha1.AccountabilityPolicy](w, "all"); p.Status.Touchpoints != int32(programs*touchpointsEach) {
				return fmt.Errorf("it counts %d touchpoints", p.Status.Touchpoints)
			}
			return nil
		})
		w.settle()
		objects := programs*(1+touchpointsEach) + programs/2 + 1
		perObject[programs] = float64(w.reconciles.total()-began) / float64(objects)
		seen := w.api.seen()
		t.Logf("%d programs: %d reconciles for %d objects; requests %v", programs, w.reconciles.total()-began, objects, seen)
		for call, want := range map[string]int{
			"patch teams/status":          programs/2 + 1,
			"patch responsestores/status": 1,
			"create secrets":              programs + 1,
			"create events":               0,
			"get secrets":                 0,
			"get responsestores":          0,
		} {
			if seen[call] != want {
				t.Errorf("%d programs: %d requests to %s, want %d", programs, seen[call], call, want)
			}
		}
		// On a busy machine the touchpoints of a program may come too far apart to be told of together, and one may come long before its
		// program. What a policy governs is counted while it grows.
		for call, most := range map[string]int{
			"patch surveyprograms/status": 2 * programs, "patch accountabilitypolicies/status": programs,
			"patch touchpoints/status": programs*touchpointsEach + programs/2,
		} {
			if seen[call] > most {
				t.Errorf("%d programs: %d requests to %s, want at most %d", programs, seen[call], call, most)
			}
		}
		w.stop()
		w.api.reset()
		w.looksOnce(map[string]int{"surveyprogram": programs, "touchpoint": programs * touchpointsEach, "team": programs/2 + 1})
		for call, n := range w.api.seen() {
			if verb, _, _ := strings.Cut(call, " "); isWrite(verb) {
				t.Errorf("%d programs: after a restart %d requests to %s", programs, n, call)
			}
		}
		w.edits(t)
		w.stop()
	}
	// How often depends on how much comes together; it does not on how much there is.
	const most = 10
	for programs, n := range perObject {
		if n > most {
			t.Errorf("%.1f reconciles of each object where there are %d programs, want at most %d", n, programs, most)
		}
	}
}

// looksOnce restarts the operator and shows that it looks at each object once. What it looks at before the counts of the store are
// read it looks at again then, which on a busy machine may be much, once in a while.
func (w *world) looksOnce(objects map[string]int) {
	w.t.Helper()
	var often []string
	for range 3 {
		before := w.reconciles.by()
		w.start()
		w.settle()
		after := w.reconciles.by()
		often = nil
		for controller, n := range objects {
			looks := after[controller] - before[controller]
			w.t.Logf("after a restart %s looked %d times at %d objects", controller, looks, n)
			if looks < n || looks >= 2*n {
				often = append(often, fmt.Sprintf("%s looked %d times at %d objects", controller, looks, n))
			}
		}
		if often == nil {
			return
		}
		w.stop()
	}
	w.start() // for what follows
	w.t.Errorf("after each restart %s", strings.Join(often, ", "))
}

// edits shows that whoever edits one object of many hears of it soon, and that others are left alone.
func (w *world) edits(t *testing.T) {
	t.Helper()
	w.api.reset()
	began := time.Now()
	change(w, "p0-t1", func(tp *v1alpha1.Touchpoint) { tp.Spec.DisplayName = "Renamed" })
	w.eventually("the touchpoint is served anew", w.converged)
	t.Logf("an edit was in effect after %s", time.Since(began))
	w.settle()
	if n := w.api.seen()["patch touchpoints/status"]; n != 1 {
		t.Errorf("an edit of one touchpoint wrote %d", n)
	}
	w.api.reset()
	change(w, "team-0", func(team *v1alpha1.Team) { team.Spec.DisplayName = "Renamed" })
	w.eventually("the team is looked at", w.converged)
	w.settle()
	if seen := w.api.seen(); seen["patch teams/status"] != 1 || seen["patch surveyprograms/status"]+seen["patch touchpoints/status"] > 0 {
		t.Errorf("a new name of a team made requests %v", seen)
	}
}
