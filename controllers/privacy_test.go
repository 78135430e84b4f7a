package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// counted waits until so many answers of the touchpoint are in the metrics.
func (w *world) counted(n int) {
	w.t.Helper()
	w.eventually("the answers are counted", func() error {
		if got := w.series("cx_objective_responses", "touchpoint")["touchpoint=desk"]; got != float64(n) {
			return fmt.Errorf("%v, want %d", got, n)
		}
		return nil
	})
}

// shown is the score as the status and as the metrics show it, "" where they show none.
func (w *world) shown() (status, metric string) {
	w.t.Helper()
	if score, ok := w.series("cx_objective_score", "touchpoint")["touchpoint=desk"]; ok {
		metric = fmt.Sprintf("%.2f", score)
	}
	for _, o := range get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives {
		status = o.Score
	}
	return status, metric
}

// Below the privacy floor no score is anywhere: not in the status, not in the metrics, not in an event.
func TestBelowTheFloor(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"Guarded", "Immediate"} {
		t.Run(release, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.applyYAML(strings.Replace(missedVisits(), "Guarded", release, 1))
			becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
			w.importAnswers("visits", repeated(4, "desk", "ease", 2))
			w.counted(4)
			w.settle()
			if status, metric := w.shown(); status+metric != "" {
				t.Errorf("status shows %q and the metrics %q of four answers", status, metric)
			}
			o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]
			if o.Lower+o.Upper != "" || o.State != v1alpha1.StateInsufficientData || o.Responses != 4 {
				t.Errorf("objective %+v", o)
			}
			for _, m := range []string{"cx_objective_score_lower", "cx_objective_score_upper"} {
				if got := w.series(m); len(got) > 0 {
					t.Errorf("%s %v", m, got)
				}
			}
			w.clock.Advance(env.FigureInterval)
			w.post("visits", answer("desk", "ease", 2))
			w.eventually("the fifth answer shows a score", func() error {
				if status, metric := w.shown(); status != "0.00" || metric != "0.00" {
					return fmt.Errorf("%q, %q", status, metric)
				}
				return nil
			})
		})
	}
}

// Guarded figures stand still until as many answers came as a cell has at least, while the number of answers is live.
func TestGuardedRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", append(repeated(20, "desk", "ease", 2), repeated(10, "desk", "ease", 7)...))
	w.counted(30)
	w.missed()
	const first = "33.33"
	if status, metric := w.shown(); status != first || metric != first {
		t.Fatalf("status %s, metrics %s; want %s", status, metric, first)
	}
	for n := 31; n <= 34; n++ {
		w.post("visits", answer("desk", "ease", 7))
		w.counted(n)
		if status, metric := w.shown(); status != first || metric != first {
			t.Errorf("after %d answers more: status %s, metrics %s; want %s still", n-30, status, metric, first)
		}
	}
	w.restart() // it forgets nothing of what was released
	w.counted(34)
	if status, metric := w.shown(); status != first || metric != first {
		t.Errorf("after a restart: status %s, metrics %s; want %s still", status, metric, first)
	}
	w.post("visits", answer("desk", "ease", 7))
	w.clock.Advance(env.FigureInterval)
	w.eventually("the fifth moves them", func() error {
		if status, metric := w.shown(); status != "42.86" || metric != "42.86" {
			return fmt.Errorf("status %s, metrics %s", status, metric)
		}
		return nil
	})
}

// At the end of a day, figures move once; the first answer of the next day does not move them, even where the day had
// brought nothing new.
func TestJudgedDayIsOnRecord(t *testing.T) {
	t.Parallel()
	w := missedManually(t, missedVisits(), noon(t))
	before, _ := w.shown()
	w.at(w.clock.Now().Add(24 * time.Hour))
	w.settleManually()
	w.post("visits", answer("desk", "ease", 7))
	w.at(w.clock.Now().Add(time.Minute))
	w.settleManually()
	if status, metric := w.shown(); status != before || metric != before {
		t.Errorf("one answer moved the figures from %s to %s (metrics %s)", before, status, metric)
	}
	if o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]; o.Responses != 41 {
		t.Errorf("%d responses, want 41", o.Responses)
	}
}

// Figures alone are written at most every 15 seconds; the metrics of answers that are not anonymous move at once.
func TestFiguresAreThrottled(t *testing.T) {
	t.Parallel()
	manifests := strings.Replace(missedVisits(), "Guarded", "Immediate", 1)
	w := missedManually(t, manifests, noon(t))
	w.at(w.clock.Now().Add(time.Hour)) // long after the last write
	w.reconcileUntilStill("Touchpoint", "desk")

	// The time passes with each answer, since a read at a new time shows that the answer was counted.
	start := w.clock.Now()
	w.post("visits", answer("desk", "ease", 7))
	w.at(start.Add(time.Second))
	writes := w.api.writes()
	w.reconcile("Touchpoint", "desk")
	if status, metric := w.shown(); status != "2.44" || metric != "2.44" || w.api.writes() != writes+1 {
		t.Errorf("first: status %s, metrics %s, %d writes; want 2.44 and one write", status, metric, w.api.writes()-writes)
	}
	wrote := w.clock.Now()

	w.post("visits", answer("desk", "ease", 7))
	w.at(start.Add(5 * time.Second))
	result := w.reconcile("Touchpoint", "desk")
	if status, metric := w.shown(); status != "2.44" || metric != "4.76" || w.api.writes() != writes+1 {
		t.Errorf("soon after: status %s, metrics %s, %d writes; want 2.44, 4.76 and no more write", status, metric, w.api.writes()-writes)
	}
	w.wait(result, wrote.Add(env.FigureInterval))

	w.at(wrote.Add(env.FigureInterval))
	w.reconcile("Touchpoint", "desk")
	if status, _ := w.shown(); status != "4.76" || w.api.writes() != writes+2 {
		t.Errorf("later: status %s, %d writes; want 4.76 and two writes", status, w.api.writes()-writes)
	}
}

// Guarded figures that may move but are not on record yet are shown nowhere: the rule of release counts from the record.
func TestGuardedFiguresWaitForTheirRecord(t *testing.T) {
	t.Parallel()
	w := missedManually(t, missedVisits(), noon(t))
	start := w.clock.Now().Add(time.Hour) // long after the last write
	w.at(start)
	w.reconcileUntilStill("Touchpoint", "desk")
	for i, want := range []struct{ status, metric string }{{"11.11", "11.11"}, {"11.11", "11.11"}} {
		for range 5 {
			w.post("visits", answer("desk", "ease", 7))
		}
		w.at(start.Add(time.Duration(i+1) * time.Second))
		w.reconcile("Touchpoint", "desk")
		if status, metric := w.shown(); status != want.status || metric != want.metric {
			t.Errorf("after %d answers: status %s, metrics %s; want %s, %s", 5*(i+1), status, metric, want.status, want.metric)
		}
	}
	w.at(start.Add(time.Second + env.FigureInterval))
	w.reconcile("Touchpoint", "desk")
	if status, metric := w.shown(); status != "20.00" || metric != "20.00" {
		t.Errorf("later: status %s, metrics %s; want 20.00", status, metric)
	}
}

// A score that falls below the floor is withdrawn at once, whatever was written just before.
func TestScoreIsWithdrawnAtOnce(t *testing.T) {
	t.Parallel()
	manifests := strings.Replace(missedVisits(), "target: 80}", "target: 80, windowDays: 1}", 1)
	w := newWorld(t)
	w.clock.Set(noon(t))
	w.startManual()
	w.applyYAML(manifests)
	w.settleManually()
	old := repeated(6, "desk", "ease", 7)
	for i := range old {
		old[i].SubmittedAt = w.clock.Now().Add(-22 * time.Hour).Format(time.RFC3339)
	}
	w.importVisits(old)
	w.settleManually()
	if status, metric := w.shown(); status != "100.00" || metric != "100.00" {
		t.Fatalf("status %s, metrics %s before", status, metric)
	}
	edge := w.clock.Now().Truncate(time.Hour).Add(2 * time.Hour)
	w.at(edge.Add(-2 * time.Second))
	w.post("visits", answer("desk", "ease", 7))
	w.at(edge.Add(-time.Second))
	w.wait(w.reconcileUntilStill("Touchpoint", "desk"), edge)
	w.at(edge)
	w.reconcile("Touchpoint", "desk")
	if status, metric := w.shown(); status+metric != "" {
		t.Errorf("status %s, metrics %s of one answer", status, metric)
	}
}
