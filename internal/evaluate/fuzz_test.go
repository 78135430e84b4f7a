package evaluate

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Whatever stands in a status, and whatever the time and the counts: no panic, the same answer twice, nothing more to do
// after it, and nothing shown below the floor.
func FuzzEvaluate(f *testing.F) {
	f.Add(int64(1794312000), "80.00", "62.69", "90.49", "65", "4cd7f448efdde45ee2c946c6e1490d68", "Missed", "2026-11-09", "import",
		int64(30), int64(1794300000), []byte{32, 0, 0, 0, 8}, int32(90), 65.0, 0, true)
	f.Add(int64(0), "", "", "", "", "", "", "", "", int64(0), int64(0), []byte{}, int32(0), 0.0, 1, false)
	f.Add(int64(math.MaxInt64), "NaN", "-Inf", "1e999", "x", "x", "Stale", "9999-12-31", "", int64(-1), int64(math.MinInt64), []byte{5}, int32(math.MaxInt32), math.Inf(1), 2, true)
	loc, err := time.LoadLocation("America/Havana")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, now int64, value, lower, upper, target, definition, state, through, imported string,
		released, since int64, counts []byte, days int32, goal float64, readability int, guarded bool) {
		o := csat(goal)
		o.TargetText, o.WindowDays = target, days
		if definition == "same" {
			definition = o.Digest()
		}
		stateSince := breach.Since(time.Unix(since, 0))
		in := Input{
			Now: time.Unix(now, 0), Objectives: []Objective{o}, Readability: Readability(readability), LastImport: imported,
			Rules: Rules{MinimumResponses: 30, MinimumCell: 5, Location: loc, Judging: v1alpha1.JudgingContinuous},
			Count: func(_ Objective, from, _ store.Hour) Window {
				w := Window{Counts: score.Counts{}, Ever: released, Earliest: from, Any: len(counts) > 0}
				for i, n := range counts[:min(len(counts), 6)] {
					w.Counts[i+1] = int64(int8(n))
				}
				return w
			},
			Previous: Previous{
				Objectives: []v1alpha1.ObjectiveStatus{{
					Name: o.Name, State: v1alpha1.ObjectiveState(state), Score: value, Lower: lower, Upper: upper, Target: target,
					Responses: released, StateSince: &stateSince, ReleasedAnswers: released, Definition: definition,
				}},
				Breaches: []v1alpha1.Breach{{Type: v1alpha1.BreachObjectiveMissed, Objective: o.Name, Since: stateSince}},
				Judged:   &v1alpha1.Judging{Through: through, Import: through},
			},
		}
		if guarded {
			in.Rules.Release, in.Rules.Judging = v1alpha1.ReleaseGuarded, v1alpha1.JudgingDaily
		} else {
			in.Rules.Release = v1alpha1.ReleaseImmediate
		}
		out, err := Evaluate(in)
		twice, _ := Evaluate(in)
		if diff := cmp.Diff(out, twice); diff != "" {
			t.Fatalf("not deterministic:\n%s", diff)
		}
		if s := out.Objectives[0]; err == nil && in.Readability == Fresh && s.Responses < 5 && figures(s) != "-" {
			t.Fatalf("%s is shown of %d answers", figures(s), s.Responses)
		}
		in.Previous = Previous{Objectives: out.Objectives, Breaches: out.Breaches, Judged: out.Judged}
		again, _ := Evaluate(in)
		if len(again.Transitions) > 0 || again.Released {
			t.Fatalf("a second evaluation has transitions %s, released %v", events(again), again.Released)
		}
		if diff := cmp.Diff(out, again, cmpopts.IgnoreFields(Output{}, "Transitions", "Released")); diff != "" {
			t.Fatalf("a second evaluation differs:\n%s", diff)
		}
	})
}
