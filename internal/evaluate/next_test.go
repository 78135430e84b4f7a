package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

func TestNext(t *testing.T) {
	midnight := at(t, "2026-11-11T00:00:00Z")
	tests := map[string]struct {
		prepare func(*world)
		want    time.Time
	}{
		"the day ends":            {func(w *world) {}, midnight},
		"answers of today":        {func(w *world) { w.answer(5, 3) }, midnight},
		"an answer leaves":        {func(w *world) { w.answerAt(at(t, "2026-08-12T15:59:00Z"), 5, 1) }, at(t, "2026-11-10T15:00:00Z")},
		"an answer leaves soon":   {func(w *world) { w.answerAt(at(t, "2026-08-12T13:00:00Z"), 5, 1) }, at(t, "2026-11-10T13:00:00Z")},
		"an answer is gone":       {func(w *world) { w.answerAt(at(t, "2026-08-12T12:59:59Z"), 5, 1) }, midnight},
		"an answer leaves later":  {func(w *world) { w.answerAt(at(t, "2026-08-13T00:30:00Z"), 5, 1) }, midnight},
		"an answer comes ahead":   {func(w *world) { w.answerAt(at(t, "2026-11-10T13:01:00Z"), 5, 1) }, at(t, "2026-11-10T13:00:00Z")},
		"a window of no days":     {func(w *world) { w.in.Objectives[0].WindowDays = -1 }, midnight},
		"in the middle of a hour": {func(w *world) { w.now = w.now.Add(30 * time.Minute); w.answerAt(at(t, "2026-08-12T13:00:00Z"), 5, 1) }, at(t, "2026-11-10T13:00:00Z")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, csat(65))
			tt.prepare(w)
			if got := w.step().Next; !got.Equal(tt.want) {
				t.Errorf("next %s, want %s", got, tt.want)
			}
		})
	}
}

// At Next, and not before, the number of answers in the window changes by itself.
func TestNextIsExact(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answerAt(at(t, "2026-08-12T15:59:00Z"), 5, 1)
	w.answerAt(at(t, "2026-08-12T18:00:00Z"), 5, 1)
	for _, want := range []int64{2, 1, 0} {
		out := w.step()
		if got := out.Objectives[0].Responses; got != want {
			t.Fatalf("%d responses at %s, want %d", got, w.now, want)
		}
		w.stepAt(out.Next.Add(-time.Nanosecond))
		if got := w.last.Objectives[0].Responses; got != want {
			t.Fatalf("%d responses at %s, want still %d", got, w.now, want)
		}
		w.now = out.Next
	}
}

func TestWindowOfLessThanADay(t *testing.T) {
	o := csat(65)
	o.WindowDays = 0
	if got := o.window(); got != 24 {
		t.Errorf("a window of %d hours, want 24", got)
	}
	o.WindowDays = 400
	if got := o.window(); got != store.Hour(9600) {
		t.Errorf("a window of %d hours, want 9600", got)
	}
}

// Rules that are not set are the strict ones.
func TestUnsetRules(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules = Rules{MinimumResponses: 30, MinimumCell: 5}
	w.unsatisfied()
	w.step()
	w.wantEvents("")
	w.answer(5, 4)
	if w.step().Released {
		t.Error("released four answers more")
	}
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
	w.wantState(v1alpha1.StateMissed)
}
