package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

func TestVerdict(t *testing.T) {
	tests := []struct {
		target, value, lower, upper float64
		want                        v1alpha1.ObjectiveState
	}{
		{target: 50, value: 60, lower: 51, upper: 69, want: v1alpha1.StateMet},
		{target: 51, value: 60, lower: 51, upper: 69, want: v1alpha1.StateMet},
		{target: 51.01, value: 60, lower: 51, upper: 69, want: v1alpha1.StateOnTrack},
		{target: 60, value: 60, lower: 51, upper: 69, want: v1alpha1.StateOnTrack},
		{target: 60.01, value: 60, lower: 51, upper: 69, want: v1alpha1.StateAtRisk},
		{target: 69, value: 60, lower: 51, upper: 69, want: v1alpha1.StateAtRisk},
		{target: 69.01, value: 60, lower: 51, upper: 69, want: v1alpha1.StateMissed},
		{target: -10, value: 0, lower: -5, upper: 5, want: v1alpha1.StateMet},
	}
	for _, tt := range tests {
		if got := verdict(tt.target, tt.value, tt.lower, tt.upper); got != tt.want {
			t.Errorf("target %v against %v [%v, %v]: %s, want %s", tt.target, tt.value, tt.lower, tt.upper, got, tt.want)
		}
	}
}

// At a release the exact values are judged: 65.0 % is at the target of 65, although 26/40 has no exact binary form, and
// 64.999 % is shown as 65.00 but is below it.
func TestVerdictOnExactValues(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 26)
	w.answer(1, 14)
	w.step()
	w.wantState(v1alpha1.StateOnTrack)

	w = newWorld(t, csat(65))
	w.answer(5, 64_999)
	w.answer(1, 35_001)
	w.step()
	w.wantState(v1alpha1.StateAtRisk)
	if got := w.last.Objectives[0].Score; got != "65.00" {
		t.Fatalf("score %s, want 65.00", got)
	}
	w.stepAt(w.now.Add(time.Minute))
	w.wantState(v1alpha1.StateAtRisk)
}

func TestMinimumResponses(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(1, 29)
	w.step()
	w.wantState(v1alpha1.StateInsufficientData)
	w.wantFigures("0.00 [0.00, 11.70]") // above the floor it is shown, without a verdict
	w.answer(1, 1)
	w.step()
	w.wantState(v1alpha1.StateMissed) // on the published figures
}

func TestStateSince(t *testing.T) {
	w := newWorld(t, csat(65))
	w.now = w.now.Add(1500 * time.Millisecond)
	w.step()
	first := w.last.Objectives[0].StateSince
	if want := at(t, "2026-11-10T12:00:01Z"); !first.Time.Equal(want) {
		t.Fatalf("since %s, want %s", first, want)
	}
	w.stepAt(w.now.Add(time.Hour))
	if got := w.last.Objectives[0].StateSince; !got.Equal(first) {
		t.Fatalf("since moved to %s while the state stood", got)
	}
	w.answer(5, 40)
	w.stepAt(w.now.Add(time.Hour))
	w.wantState(v1alpha1.StateMet)
	if got := w.last.Objectives[0].StateSince; !got.Time.Equal(at(t, "2026-11-10T14:00:01Z")) {
		t.Fatalf("since %s, want the time of the change", got)
	}
}

// minimumResponses below minimumCell is not possible through the API; here the floor wins.
func TestFloorWinsOverMinimumResponses(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules.MinimumResponses, w.in.Rules.MinimumCell = 1, 5
	w.answer(1, 4)
	w.step()
	w.wantState(v1alpha1.StateInsufficientData)
}

func TestInvalidObjectives(t *testing.T) {
	good := csat(65)
	good.Name = "good"
	tests := map[string]struct {
		change func(*Objective)
		want   string
	}{
		"definition": {func(o *Objective) { o.Definition.Metric = "Speed" }, `objective "satisfaction": metric: "Speed" is unknown, it must be one of NPS, CSAT, CESMean, CESTopBox, CESNet, Mean`},
		"counts": {func(o *Objective) {
			o.Definition.Scale = score.Scale{Min: 2, Max: 5}
			o.Definition.Satisfied = []int{5}
		}, `objective "satisfaction": counts: value 1 is off the scale 2 to 5`},
		"target": {func(o *Objective) { o.Target = zero() / zero() }, `objective "satisfaction": target: NaN is not a number that can be reached`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := missedEpisode(t)
			before := w.last
			tt.change(&w.in.Objectives[0])
			w.in.Objectives = append(w.in.Objectives, good)
			w.now = at(t, "2026-11-12T00:00:00Z")
			out, err := w.evaluate()
			if err == nil || err.Error() != tt.want {
				t.Fatalf("error %v, want %s", err, tt.want)
			}
			if len(out.Objectives) != 2 || figures(out.Objectives[0]) != figures(before.Objectives[0]) ||
				out.Objectives[0].State != v1alpha1.StateMissed || out.Objectives[1].State != v1alpha1.StateMissed {
				t.Errorf("objectives %+v", out.Objectives)
			}
			if len(out.Breaches) != 2 || events(out) != "+good ObjectiveMissed" {
				t.Errorf("breaches %+v, transitions %s", out.Breaches, events(out))
			}
		})
	}
}

func zero() float64 { return 0 }
