package evaluate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests name zones, wherever they run

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// world is one touchpoint: its answers, its rules, and the status as the API server would hold it.
type world struct {
	t   testing.TB
	now time.Time
	in  Input
	// answers by question, hour and value.
	answers map[string]map[store.Hour]score.Counts
	status  Previous
	last    Output
}

// csat is an objective on a 1-5 question; 4 and 5 are satisfied.
func csat(target float64) Objective {
	return Objective{
		Name: "satisfaction", Question: "food", Revision: 1, Target: target, TargetText: score.FormatDecimal(target), WindowDays: 90,
		Definition: score.Definition{Metric: score.CSAT, Scale: score.Scale{Min: 1, Max: 5}, Confidence: 0.95},
	}
}

// newWorld begins at noon of 2026-11-10 in UTC with the default rules.
func newWorld(t testing.TB, objectives ...Objective) *world {
	return &world{
		t: t, now: at(t, "2026-11-10T12:00:00Z"), answers: map[string]map[store.Hour]score.Counts{},
		in: Input{
			Objectives: objectives,
			Rules: Rules{
				MinimumResponses: 30, MinimumCell: 5, Location: time.UTC,
				Release: v1alpha1.ReleaseGuarded, Judging: v1alpha1.JudgingDaily,
			},
		},
	}
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// answer gives n answers to the first objective's question now.
func (w *world) answer(value int, n int64) { w.answerAt(w.now, value, n) }

func (w *world) answerAt(t time.Time, value int, n int64) {
	q := w.in.Objectives[0].Question
	if w.answers[q] == nil {
		w.answers[q] = map[store.Hour]score.Counts{}
	}
	h := store.HourOf(t)
	if w.answers[q][h] == nil {
		w.answers[q][h] = score.Counts{}
	}
	w.answers[q][h][value] += n
}

func (w *world) count(o Objective, from, to store.Hour) Window {
	r := Window{Counts: score.Counts{}}
	for h, counts := range w.answers[o.Question] {
		for v, n := range counts {
			r.Ever += n
			if h < from || h >= to {
				continue
			}
			r.Counts[v] += n
			if !r.Any || h < r.Earliest {
				r.Earliest, r.Any = h, true
			}
		}
	}
	return r
}

// step evaluates and stores the status. Every step is also a restart: nothing but what the API server keeps goes on. At
// the same time nothing more may happen.
func (w *world) step() Output {
	w.t.Helper()
	out, err := w.evaluate()
	if err != nil {
		w.t.Fatal(err)
	}
	w.store(out)
	again, err := w.evaluate()
	if err != nil {
		w.t.Fatal(err)
	}
	if len(again.Transitions) != 0 || again.Released {
		w.t.Fatalf("a second evaluation at the same time has transitions %v, released %v", again.Transitions, again.Released)
	}
	again.Transitions, again.Released = out.Transitions, out.Released
	if diff := cmp.Diff(persisted(w.t, out), persisted(w.t, again)); diff != "" {
		w.t.Fatalf("a second evaluation at the same time differs:\n%s", diff)
	}
	w.last = out
	return out
}

func (w *world) evaluate() (Output, error) {
	in := w.in
	in.Now, in.Count, in.Previous = w.now, w.count, w.status
	return Evaluate(in)
}

// stepAt evaluates at another time.
func (w *world) stepAt(t time.Time) Output {
	w.t.Helper()
	w.now = t
	return w.step()
}

// store keeps the status as the API server would: as JSON. Breaches of other types live beside those of objectives, and
// planRefs are the controllers'.
func (w *world) store(out Output) {
	w.t.Helper()
	w.status = persisted(w.t, out)
	w.status.Breaches = append(w.status.Breaches, v1alpha1.Breach{Type: v1alpha1.BreachOwnerMissing, Since: breach.Since(w.now)})
}

func persisted(t testing.TB, out Output) Previous {
	t.Helper()
	b, err := json.Marshal(Previous{Objectives: out.Objectives, Breaches: slices.Concat(out.Breaches, out.Low), Judged: out.Judged})
	if err != nil {
		t.Fatal(err)
	}
	var p Previous
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// figures is a published reading in one line.
func figures(s v1alpha1.ObjectiveStatus) string {
	if s.Score == "" && s.Lower == "" && s.Upper == "" {
		return "-"
	}
	return s.Score + " [" + s.Lower + ", " + s.Upper + "]"
}

// events is the transitions in one line.
func events(out Output) string {
	var parts []string
	for _, t := range out.Transitions {
		sign := "-"
		if t.Opened {
			sign = "+"
		}
		parts = append(parts, sign+t.Breach.Objective+" "+t.Reason)
	}
	return strings.Join(parts, "; ")
}

func (w *world) wantEvents(want string) {
	w.t.Helper()
	if got := events(w.last); got != want {
		w.t.Fatalf("at %s: transitions %q, want %q", w.now, got, want)
	}
}

func (w *world) wantState(want v1alpha1.ObjectiveState) {
	w.t.Helper()
	if got := w.last.Objectives[0].State; got != want {
		w.t.Fatalf("at %s: state %s, want %s (%+v)", w.now, got, want, w.last.Objectives[0])
	}
}

func (w *world) wantFigures(want string) {
	w.t.Helper()
	if got := figures(w.last.Objectives[0]); got != want {
		w.t.Fatalf("at %s: figures %s, want %s", w.now, got, want)
	}
}

// unsatisfied brings the objective to a clear Missed: 40 answers of which 8 are satisfied.
func (w *world) unsatisfied() {
	w.answer(5, 8)
	w.answer(1, 32)
}

// missedEpisode leaves a world with an open breach: 40 bad answers, judged at the end of the day.
func missedEpisode(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, csat(65))
	w.unsatisfied()
	w.step()
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
	return w
}
