package effect

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// metrics are one measure of each kind.
var metrics = []*Measure{
	npsMeasure(), csatMeasure(), measureOf(score.CESMean, score.Scale{Min: 1, Max: 7}), measureOf(score.CESTopBox, score.Scale{Min: 1, Max: 7}),
	measureOf(score.CESNet, score.Scale{Min: 1, Max: 7}), measureOf(score.Mean, score.Scale{Min: 0, Max: 10}),
}

// countsOf spreads bytes over a measure's scale.
func countsOf(m *Measure, bytes []byte) score.Counts {
	counts := score.Counts{}
	width := m.Definition.Scale.Max - m.Definition.Scale.Min + 1
	for i, b := range bytes {
		counts[m.Definition.Scale.Min+i%width] += int64(b)
	}
	return counts
}

// What a window keeps is all that its test needs.
func TestClassesSuffice(t *testing.T) {
	all := metrics
	own := csatMeasure()
	own.Definition.Satisfied = []int{1, 2, 3, 4, 5}
	for _, m := range append(all, own) {
		d := m.Definition
		older, newer := countsOf(m, []byte{3, 9, 1, 12, 7, 30, 2, 8, 9, 40, 11}), countsOf(m, []byte{30, 2, 8, 9, 4, 1, 12, 7, 3, 9, 1})
		kept := restore(d, classify(d, older))
		want, err := Compare(d, older, newer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Compare(d, kept, newer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", d.Metric, diff)
		}
		if len(classify(d, older)) > 16 {
			t.Errorf("%s: %d classes", d.Metric, len(classify(d, older)))
		}
	}
}

// The spread that answers have is that of the score package's intervals.
func TestSpreadIsThatOfTheTest(t *testing.T) {
	for _, m := range metrics {
		if m.Definition.Metric == score.CSAT || m.Definition.Metric == score.CESTopBox {
			continue // their test pools the windows
		}
		older, newer := countsOf(m, []byte{3, 9, 1, 12, 7, 30, 2, 8, 9, 40, 11}), countsOf(m, []byte{30, 2, 8, 9, 4, 1, 12, 7, 3, 9, 1})
		c, err := Compare(m.Definition, older, newer)
		if err != nil {
			t.Fatal(err)
		}
		a, b := spreadOf(m.Definition, older), spreadOf(m.Definition, newer)
		if want := math.Sqrt(a.variance/a.n + b.variance/b.n); math.Abs(want-c.Change.StandardError) > 1e-9 {
			t.Errorf("%s: standard error %v, want %v", m.Definition.Metric, c.Change.StandardError, want)
		}
	}
}

// A larger change needs no more answers, more confidence no fewer, and neither do fewer answers before.
func TestNeededIsMonotone(t *testing.T) {
	for _, m := range metrics {
		low, high := score.TargetRange(m.Definition.Metric, m.Definition.Scale)
		sample := spreadOf(m.Definition, countsOf(m, []byte{90, 80, 70, 60, 50, 90, 20, 30, 40, 50, 60}))
		last := int64(math.MaxInt64)
		for i := 1; i <= 100; i++ {
			change := (high - low) * float64(i) / 200
			n, ok := neededFor(m.Definition, sample, low, change)
			if !ok {
				n = math.MaxInt64
			}
			if n > last {
				t.Fatalf("%s: a change of %v needs %d, a smaller one %d", m.Definition.Metric, change, n, last)
			}
			last = n
			stricter := m.Definition
			stricter.Confidence = 0.99
			if more, ok2 := neededFor(stricter, sample, low, change); ok2 && more < n {
				t.Fatalf("%s: 99 %% needs %d, 95 %% %d", m.Definition.Metric, more, n)
			}
			fewer := spread{sample.variance, sample.n / 2}
			if more, ok2 := neededFor(m.Definition, fewer, low, change); ok2 && more < n {
				t.Fatalf("%s: half as many before need %d, all %d", m.Definition.Metric, more, n)
			}
		}
		if last == math.MaxInt64 {
			t.Errorf("%s: half the scale cannot be shown", m.Definition.Metric)
		}
	}
}

// With the answers that are needed, a change as expected is found by the test: its expected z is that of the power.
func TestNeededSuffices(t *testing.T) {
	before := nps(300, 100, 100)
	d := npsMeasure().Definition
	n, ok := neededFor(d, spreadOf(d, before), 40, 15)
	if !ok {
		t.Fatal("no number suffices")
	}
	share := float64(n) / 500
	after := nps(int64(337.5*share), int64(100*share), int64(62.5*share))
	c, err := Compare(d, before, after)
	if err != nil {
		t.Fatal(err)
	}
	if c.Change.Z < 2.6 || c.Change.Z > 3.3 { // 2.8 for the variance of before; that of after is smaller
		t.Errorf("z %v of %d answers", c.Change.Z, n)
	}
}

var opposite = map[v1alpha1.EffectVerdict]v1alpha1.EffectVerdict{
	v1alpha1.EffectImproved: v1alpha1.EffectWorsened, v1alpha1.EffectWorsened: v1alpha1.EffectImproved,
	v1alpha1.EffectNoEvidence: v1alpha1.EffectNoEvidence,
}

// Swapped windows give the opposite verdict; a better outcome never gives a worse one.
func FuzzCompare(f *testing.F) {
	f.Add(uint8(0), []byte{20, 0, 0, 0, 0, 0, 0, 20, 0, 60}, []byte{30, 0, 0, 0, 0, 0, 0, 20, 0, 50}, uint8(3))
	f.Add(uint8(1), []byte{5, 5, 5, 60, 40}, []byte{1, 1, 1, 80, 40}, uint8(1))
	f.Add(uint8(2), []byte{0, 0, 0, 9}, []byte{9}, uint8(0))
	f.Fuzz(func(t *testing.T, which uint8, a, b []byte, lift uint8) {
		m := metrics[int(which)%len(metrics)]
		d := m.Definition
		older, newer := countsOf(m, a), countsOf(m, b)
		c, err := Compare(d, older, newer)
		if err != nil {
			t.Fatal(err)
		}
		swapped, err := Compare(d, newer, older)
		if err != nil {
			t.Fatal(err)
		}
		if swapped.Verdict != opposite[c.Verdict] {
			t.Errorf("%s, swapped %s", c.Verdict, swapped.Verdict)
		}
		const tiny = 1e-9
		if math.Abs(c.Change.Delta+swapped.Change.Delta) > tiny || math.Abs(c.Change.P-swapped.Change.P) > tiny ||
			math.Abs(c.Change.Lower+swapped.Change.Upper) > tiny || math.Abs(c.Change.Upper+swapped.Change.Lower) > tiny {
			t.Errorf("%+v, swapped %+v", c.Change, swapped.Change)
		}
		// Answers that move from the bottom to the top of the scale raise the change.
		moved := min(newer[d.Scale.Min], int64(lift))
		better := score.Counts{}
		for v, n := range newer {
			better[v] = n
		}
		better[d.Scale.Min] -= moved
		better[d.Scale.Max] += moved
		raised, err := Compare(d, older, better)
		if err != nil {
			t.Fatal(err)
		}
		if raised.Change.HasValue && raised.Change.Delta < c.Change.Delta-tiny {
			t.Errorf("%v, with better answers %v", c.Change.Delta, raised.Change.Delta)
		}
	})
}

// Whatever a plan and its answers are, an effect is told without a panic, the same each time, within the bounds of the
// API, and its own previous one changes nothing.
func FuzzEvaluate(f *testing.F) {
	f.Add(uint8(1), uint8(2), []byte{2, 3, 4, 50, 60}, []byte{2, 3, 4, 90, 90}, int16(300), int16(1200), "65", "100.50", "12.34", uint8(30))
	f.Add(uint8(0), uint8(0), []byte{}, []byte{1}, int16(0), int16(-5), "-100", "0", "0", uint8(0))
	states := []v1alpha1.WorkState{v1alpha1.WorkInProgress, v1alpha1.WorkCancelled, v1alpha1.WorkComplete, v1alpha1.WorkOnHold}
	f.Fuzz(func(t *testing.T, which, state uint8, before, after []byte, completed, now int16, target, cost, value string, minimum uint8) {
		m := metrics[int(which)%len(metrics)]
		a := answers{}
		a.give(begin.Add(-3*day), countsOf(m, before))
		a.give(begin.Add(time.Duration(completed)*time.Hour+20*day), countsOf(m, after))
		at := begin.Add(time.Duration(now) * time.Hour)
		in := Input{
			Now: at, State: states[int(state)%len(states)], Started: begin, Completed: begin.Add(time.Duration(completed) * time.Hour),
			Expected: &v1alpha1.Expected{Target: intstr.FromString(target)}, Measure: m,
			Business: &v1alpha1.Business{Cost: &v1alpha1.Money{Amount: cost, Currency: "EUR"}, ValuePerPoint: &v1alpha1.Money{Amount: value, Currency: "EUR"}},
			Rules:    Rules{MinimumResponses: int64(minimum), MinimumCell: 5}, Count: a.count, ReadThrough: at,
		}
		out := Evaluate(in)
		if diff := cmp.Diff(out, Evaluate(in)); diff != "" {
			t.Fatalf("not the same twice:\n%s", diff)
		}
		bounded(t, out.Effect)
		if !out.Next.IsZero() && !out.Next.After(in.Now) {
			t.Errorf("looks again at %s, which has passed", out.Next)
		}
		in.Previous = out.Effect
		again := Evaluate(in)
		if diff := cmp.Diff(out, again); diff != "" {
			t.Fatalf("its own status changes it:\n%s", diff)
		}
	})
}

// bounded checks an effect against the bounds of the API.
func bounded(t *testing.T, e *v1alpha1.Effect) {
	t.Helper()
	if e == nil {
		t.Fatal("no effect though the plan began")
	}
	texts := map[string]int{e.Change: 16, e.ChangeLower: 16, e.ChangeUpper: 16, e.PValue: 8, e.Explanation: 512}
	if r := e.Return; r != nil {
		for _, s := range []string{r.Value, r.ValueLower, r.ValueUpper, r.Percent, r.PercentLower, r.PercentUpper} {
			texts[s] = 32
		}
	}
	for s, most := range texts {
		if len(s) > most {
			t.Errorf("%q has more than %d characters", s, most)
		}
	}
	if e.ResponsesNeeded < 0 || e.ResponsesNeeded > mostNeeded {
		t.Errorf("%d answers needed", e.ResponsesNeeded)
	}
	if e.Baseline != nil && (e.Baseline.Responses < 5) != (e.Baseline.Score == "") {
		t.Errorf("baseline %+v", e.Baseline)
	}
	if (e.Change != "") != (e.PValue != "") || e.Change != "" && e.JudgedTime == nil {
		t.Errorf("%+v", e)
	}
	if e.Change != "" {
		low, err := strconv.ParseFloat(e.ChangeLower, 64)
		high, err2 := strconv.ParseFloat(e.ChangeUpper, 64)
		if err != nil || err2 != nil || low > high {
			t.Errorf("interval %s to %s", e.ChangeLower, e.ChangeUpper)
		}
	}
	if _, err := json.Marshal(e); err != nil {
		t.Error(err)
	}
}
