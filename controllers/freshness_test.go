package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// immediateVisits runs an operator whose touchpoint has 40 answers that are released at once, and nothing under way.
func immediateVisits(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.start()
	w.applyYAML(strings.Replace(missedVisits(), "Guarded", "Immediate", 1))
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(40, "desk", "ease", 2))
	w.counted(40)
	w.missed()
	w.settle()
	return w
}

// Any number of answers within an interval is one write of figures, and a program's pass looks at what it sums up only where
// answers change its own status: /metrics alone follows each answer.
func TestAnswersAreFewWrites(t *testing.T) {
	t.Parallel()
	w := immediateVisits(t)
	w.clock.Advance(env.FigureInterval)
	w.settle()
	w.api.reset()
	writes, passes := w.api.writes(), w.reconciles.by()
	const answers = 40
	for i := range answers {
		w.post("visits", answer("desk", "ease", 2))
		if i%10 == 9 {
			w.counted(40 + i + 1) // so that there are several reads at least
		}
	}
	w.settle()
	if n := w.api.writes() - writes; n > 1 {
		t.Errorf("%d answers caused %d writes, want one of the touchpoint's figures: %v", answers, n, w.api.seen())
	}
	// One of each is the pass that the next hour's end or the interval's asks for.
	for controller, most := range map[string]int{"surveyprogram": 1, "touchpoint": 4} {
		if n := w.reconciles.by()[controller] - passes[controller]; n > most {
			t.Errorf("%d answers caused %d passes of %s, want %d at the most", answers, n, controller, most)
		}
	}
	w.clock.Advance(env.FigureInterval)
	w.post("visits", answer("desk", "ease", 2))
	w.eventually("the figures are on record", func() error {
		if n := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0].Responses; n != 41+answers {
			return fmt.Errorf("%d answers", n)
		}
		return nil
	})
}

// Where the API server takes its time, answers show in /metrics all the same, with their verdict, and are on record in the end.
func TestAnswersShowWhileTheAPIServerHangs(t *testing.T) {
	t.Parallel()
	w := immediateVisits(t)
	w.clock.Advance(env.FigureInterval)
	held, release := w.api.stall()
	defer release()
	w.post("visits", answer("desk", "ease", 7))
	select {
	case <-held:
	case <-time.After(patience):
		t.Fatal("nothing is written")
	}
	for range 59 {
		w.post("visits", answer("desk", "ease", 7))
	}
	w.counted(100)
	if status, metric := w.shown(); status == "60.00" || metric != "60.00" {
		t.Errorf("while nothing can be written the status shows %s and the metrics %s, want 60.00 in these alone", status, metric)
	}
	release()
	w.settle()
	w.clock.Advance(env.FigureInterval)
	w.post("visits", answer("desk", "ease", 7))
	w.eventually("the figures are on record", func() error {
		if status, metric := w.shown(); status != "60.40" || metric != "60.40" {
			return fmt.Errorf("status %s, metrics %s", status, metric)
		}
		return nil
	})
}
