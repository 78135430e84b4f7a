package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// A verdict that must be confirmed opens its breach once it has stood long enough, by day, by import and continuously.
func TestConfirmed(t *testing.T) {
	for name, arrange := range map[string]func(w *world, day int){
		"daily":      func(*world, int) {},
		"by imports": func(w *world, day int) { w.in.LastImport = time.Duration(day).String() },
		"continuous": func(w *world, _ int) { w.in.Rules.Judging = v1alpha1.JudgingContinuous },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, csat(65))
			w.in.Rules.ConfirmDays = 3
			arrange(w, 0)
			w.unsatisfied()
			first := w.now
			w.step()
			opened := 0
			for day := 1; day <= 6 && opened == 0; day++ {
				arrange(w, day)
				w.stepAt(first.AddDate(0, 0, day).Truncate(24 * time.Hour))
				if len(w.last.Breaches) > 0 {
					opened = day
				}
			}
			if opened != 4 { // the answers came at noon of the first day: its end is the first of four that must stand
				t.Errorf("opened at the end of day %d, want 4", opened)
			}
		})
	}
}

// One good day in between starts the confirmation anew.
func TestConfirmationIsInterrupted(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules.ConfirmDays = 2
	first := w.now
	w.unsatisfied()
	w.step()
	for day := 1; day <= 8; day++ {
		w.now = first.AddDate(0, 0, day)
		if day == 2 {
			w.answer(5, 200)
		}
		if day == 3 {
			w.answer(1, 400)
		}
		w.stepAt(w.now.Truncate(24 * time.Hour).Add(24 * time.Hour))
		if open := len(w.last.Breaches) > 0; open != (day >= 5) {
			t.Errorf("day %d: open %t", day, open)
		}
	}
}

// To close, nothing needs confirming: who recovers is accused no longer.
func TestRecoveryNeedsNoConfirmation(t *testing.T) {
	w := newWorld(t, csat(65))
	w.unsatisfied()
	w.step()
	w.stepAt(w.now.AddDate(0, 0, 1))
	if len(w.last.Breaches) != 1 {
		t.Fatal("no breach to begin with")
	}
	w.in.Rules.ConfirmDays = 90
	w.answer(5, 1000)
	w.stepAt(w.now.AddDate(0, 0, 1))
	if len(w.last.Breaches) != 0 {
		t.Errorf("%+v", w.last.Breaches)
	}
}
