package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// mostPerMinute is how often a controller may look at each object in a minute in which nothing happens. What waits for others
// looks again every 10 or 15 s; a hot loop makes thousands.
const mostPerMinute = 1

// Whatever state its objects are in, the operator comes to rest in it: no controller wakes itself, or another one, for ever.
func TestNoHotLoop(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(t *testing.T) *world{
		"a missed promise": func(t *testing.T) *world {
			w := newWorld(t)
			w.start()
			w.applyYAML(governedVisits())
			becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
			w.eventually("the import", func() error { return w.tryImport("visits", repeated(40, "desk", "ease", 2)) })
			w.eventually("the breach", func() error {
				return is(get[*v1alpha1.Touchpoint](w, "desk"), "ObjectivesMet", "False/ObjectiveMissed")
			})
			return w
		},
		"mistakes": func(t *testing.T) *world {
			w := newWorld(t)
			w.start()
			w.applyYAML(teamYAML("one", "Department", "other") + "---" + teamYAML("other", "Department", "one") + "---" + visits(crashProgram) + "---" +
				crashTouchpoint + "---" + strings.NewReplacer("{name: desk}", "{name: lost}", "{name: visits}", "{name: nowhere}").Replace(crashTouchpoint))
			becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/TeamNotFound")
			becomes[*v1alpha1.Touchpoint](w, "lost", "Ready", "False/TeamNotFound")
			return w
		},
		"an endpoint that is away": func(t *testing.T) *world {
			w := startDedicated(t)
			w.node.pause(endpointName, true)
			becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointStarting")
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := bring(t)
			w.comesToRest()
			w.restart()
			w.comesToRest()
		})
	}
}

// comesToRest waits for some time in which no controller looks at objects more often than it may.
func (w *world) comesToRest() {
	w.t.Helper()
	const window = 4 * time.Second
	most := mostPerMinute * window.Minutes() * float64(w.objects())
	for deadline := time.Now().Add(patience); ; {
		before := w.reconciles.by()
		w.quietFor(window)
		var busy []string
		for controller, n := range w.reconciles.by() {
			if more := n - before[controller]; float64(more) > most {
				busy = append(busy, fmt.Sprintf("%s %v times in %v", controller, more, window))
			}
		}
		if len(busy) == 0 {
			return
		}
		if time.Now().After(deadline) {
			slices.Sort(busy)
			w.t.Fatalf("%d objects that nobody changes are looked at by %s", w.objects(), strings.Join(busy, ", "))
		}
	}
}

// objects is how many objects of the operator's kinds the world has.
func (w *world) objects() int {
	w.t.Helper()
	sum := 0
	for _, list := range lists {
		all := list()
		if err := w.c.List(w.t.Context(), all, inNamespace(w.ns)); err != nil {
			w.t.Fatal(err)
		}
		sum += meta.LenList(all)
	}
	return sum
}
