package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// lowWorld is a touchpoint of a week's window that had bad answers in each of the weeks before the 10th of November.
func lowWorld(t *testing.T, weeks int) *world {
	t.Helper()
	week := csat(65)
	week.WindowDays = 7
	w := newWorld(t, week)
	w.in.Rules.ConsecutiveWindows = 3
	w.step() // the first evaluation judges no day
	for k := range weeks {
		day := at(t, "2026-11-10T12:00:00Z").AddDate(0, 0, -7*k)
		w.answerAt(day, 5, 8)
		w.answerAt(day, 1, 32)
	}
	return w
}

var lowSteps = []struct {
	name  string
	weeks int
	edit  func(*world)
	want  string
}{
	{"three weeks", 3, func(*world) {}, "+satisfaction ObjectiveMissed; +satisfaction ConsistentlyLow"},
	{"two weeks", 2, func(*world) {}, "+satisfaction ObjectiveMissed"},
	{"without a policy", 3, func(w *world) { w.in.Rules.ConsecutiveWindows = 0 }, "+satisfaction ObjectiveMissed"},
	{"one window is a single verdict", 1, func(w *world) { w.in.Rules.ConsecutiveWindows = 1 }, "+satisfaction ObjectiveMissed; +satisfaction ConsistentlyLow"},
	{"a week that was good", 3, func(w *world) { w.answerAt(at(w.t, "2026-11-03T13:00:00Z"), 5, 60) }, "+satisfaction ObjectiveMissed"},
	{"a week with too few answers", 3, func(w *world) { w.in.Rules.MinimumResponses = 41; w.answer(1, 1) }, "+satisfaction ObjectiveMissed"},
	{"another revision of the question", 3, func(w *world) { w.in.Objectives[0].Question = "snacks"; w.answer(1, 40) }, "+satisfaction ObjectiveMissed"},
}

// Consistently low is as many disjoint windows in a row as the rule says, each Missed with enough answers.
func TestConsistentlyLow(t *testing.T) {
	for _, tt := range lowSteps {
		t.Run(tt.name, func(t *testing.T) {
			w := lowWorld(t, tt.weeks)
			tt.edit(w)
			end := at(t, "2026-11-11T00:00:00Z")
			w.stepAt(end.Add(-time.Second))
			w.wantEvents("") // only a judging point opens it
			w.stepAt(end)
			w.wantEvents(tt.want)
			if len(w.last.Low) > 0 && !w.last.Low[0].Since.Time.Equal(end) {
				t.Errorf("open since %s, want %s", w.last.Low[0].Since, end)
			}
			w.stepAt(end.Add(time.Hour))
			w.wantEvents("")
		})
	}
}

// An import is a judging point as well, with the live window as the last one.
func TestConsistentlyLowAfterAnImport(t *testing.T) {
	w := lowWorld(t, 3)
	w.in.LastImport = "archive"
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed; +satisfaction ConsistentlyLow")
}

// It goes on while the objective's own breach does, and closes with that, for its reason.
func TestConsistentlyLowCloses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*world)
		want string
	}{
		"recovered":        {func(w *world) { w.answer(5, 1000) }, "-satisfaction Recovered; -satisfaction Recovered"},
		"defined anew":     {func(w *world) { w.in.Objectives[0].WindowDays = 8 }, "-satisfaction ObjectiveChanged; -satisfaction ObjectiveChanged"},
		"removed":          {func(w *world) { w.in.Objectives[0].Name = "another" }, "-satisfaction Removed; -satisfaction Removed"},
		"no rule any more": {func(w *world) { w.in.Rules.ConsecutiveWindows = 0 }, "-satisfaction Removed"},
		"evidence expired": {func(w *world) {
			w.stepAt(at(w.t, "2026-11-18T00:00:00Z"))
			w.wantState(v1alpha1.StateInsufficientData)
			w.now = at(w.t, "2026-11-25T00:00:00Z")
		}, "-satisfaction EvidenceExpired; -satisfaction EvidenceExpired"},
		"at risk only":      {func(w *world) { w.answer(5, 40) }, ""},
		"a longer rule":     {func(w *world) { w.in.Rules.ConsecutiveWindows = 12 }, ""},
		"counts are unread": {func(w *world) { w.in.Readability = Unread }, ""},
		"counts are stale":  {func(w *world) { w.in.Readability = Stale }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := lowWorld(t, 3)
			w.stepAt(at(t, "2026-11-11T00:00:00Z"))
			w.now = at(t, "2026-11-11T09:00:00Z")
			c.edit(w)
			w.step()
			w.wantEvents(c.want)
			if open := len(w.last.Low) == 1; open != (c.want == "") {
				t.Errorf("open %v after %q", open, c.want)
			}
		})
	}
}

// An objective that changes and is judged Missed in the same pass begins both episodes anew.
func TestConsistentlyLowAnew(t *testing.T) {
	w := lowWorld(t, 3)
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.in.Objectives[0].Target = 70
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	w.wantEvents("-satisfaction ObjectiveChanged; +satisfaction ObjectiveMissed; -satisfaction ObjectiveChanged; +satisfaction ConsistentlyLow")
	if got := w.last.Low[0].Since; !got.Time.Equal(at(t, "2026-11-12T00:00:00Z")) {
		t.Errorf("open since %s", got)
	}
}

// What is in the status beside it is never taken for it, and an episode keeps its time and the steps of its escalation.
func TestConsistentlyLowIsCarried(t *testing.T) {
	w := lowWorld(t, 3)
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	for i := range w.status.Breaches {
		w.status.Breaches[i].Escalated = 2
	}
	w.status.Breaches = append(w.status.Breaches, v1alpha1.Breach{Type: v1alpha1.BreachFollowUpOverdue, Item: "cases", Since: breach.Since(w.now)})
	since := w.last.Low[0].Since
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	if got := w.last.Low; len(got) != 1 || got[0].Escalated != 2 || !got[0].Since.Equal(&since) {
		t.Errorf("%+v, want the one since %s with 2 steps", got, since)
	}
}
