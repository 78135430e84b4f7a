package evaluate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// After an import of 30 answers, single answers move nothing until the fifth; the day's end and an import move all.
func TestGuardedRelease(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 24)
	w.answer(1, 6)
	w.in.LastImport = "first"
	w.step()
	const first = "80.00 [62.69, 90.49]" // Wilson of 24 of 30
	w.wantFigures(first)
	for n := int64(31); n <= 34; n++ {
		w.answer(1, 1)
		if out := w.step(); out.Released || out.Objectives[0].Responses != n {
			t.Fatalf("at %d answers: released %v, responses %d", n, out.Released, out.Objectives[0].Responses)
		}
		w.wantFigures(first)
	}
	w.answer(1, 1)
	if !w.step().Released {
		t.Fatal("the fifth new answer does not move the figures")
	}
	w.wantFigures("68.57 [52.02, 81.45]")
	w.answer(1, 1)
	w.step()
	w.wantFigures("68.57 [52.02, 81.45]")

	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantFigures("66.67 [50.33, 79.79]") // 24 of 36
	w.answer(1, 1)
	w.in.LastImport = "second"
	w.step()
	w.wantFigures("64.86 [48.76, 78.17]") // 24 of 37
	w.answer(1, 1)
	w.step()
	w.wantFigures("64.86 [48.76, 78.17]")
	if s := w.last.Objectives[0]; s.ReleasedAnswers != 37 || s.ReleasedResponses != 37 || s.Responses != 38 {
		t.Fatalf("released at %d answers, %d in the window; %d responses", s.ReleasedAnswers, s.ReleasedResponses, s.Responses)
	}
}

// The state must not tell what the figures hide: it stands as they do.
func TestGuardedStateStands(t *testing.T) {
	w := newWorld(t, csat(60))
	w.answer(5, 24)
	w.answer(1, 6)
	w.step()
	w.wantState(v1alpha1.StateMet)
	w.answer(1, 4)
	w.step()
	w.wantState(v1alpha1.StateMet)
	w.answer(1, 1)
	w.step()
	w.wantState(v1alpha1.StateOnTrack)
}

func TestImmediateRelease(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules.Release = v1alpha1.ReleaseImmediate
	w.answer(5, 24)
	w.answer(1, 6)
	w.step()
	w.answer(1, 1)
	w.step()
	w.wantFigures("77.42 [60.19, 88.60]") // 24 of 31
}

// The window's edge alone moves figures at the end of the day, and not before.
func TestEdgeMovesAtDayEnd(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answerAt(at(t, "2026-08-12T14:30:00Z"), 5, 10) // leaves the window at 14:00 on 2026-11-10
	w.answer(1, 30)
	w.step()
	w.wantFigures("25.00 [14.19, 40.19]")
	out := w.stepAt(at(t, "2026-11-10T14:00:00Z"))
	if out.Objectives[0].Responses != 30 {
		t.Fatalf("%d responses after the edge passed, want 30", out.Objectives[0].Responses)
	}
	w.wantFigures("25.00 [14.19, 40.19]")
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantFigures("0.00 [0.00, 11.35]")
}

func TestFloor(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules.MinimumResponses = 5
	w.answerAt(at(t, "2026-08-12T14:30:00Z"), 5, 3)
	w.answer(1, 1)
	w.step()
	w.wantFigures("-") // 4 answers
	w.answer(1, 1)
	w.step()
	w.wantFigures("60.00 [23.07, 88.24]") // the first reading
	w.wantState(v1alpha1.StateAtRisk)
	w.stepAt(at(t, "2026-11-10T14:00:00Z"))
	w.wantFigures("-") // 2 answers are left in the window
	w.wantState(v1alpha1.StateInsufficientData)
	if s := w.last.Objectives[0]; s.ReleasedAnswers != 5 {
		t.Fatalf("releasedAnswers %d, want the 5 of the last reading", s.ReleasedAnswers)
	}
	w.answer(1, 3)
	w.step()
	w.wantFigures("-") // 5 in the window, but only 3 more than the last reading
	w.wantState(v1alpha1.StateInsufficientData)
	w.answer(1, 2)
	w.step()
	w.wantFigures("0.00 [0.00, 35.43]")
	w.wantState(v1alpha1.StateMissed)
}

// No output below the floor holds any figure, whatever was published before.
func TestFloorHoldsInEveryOutput(t *testing.T) {
	for _, release := range []v1alpha1.ReleaseMode{v1alpha1.ReleaseGuarded, v1alpha1.ReleaseImmediate} {
		for n := int64(0); n < 5; n++ {
			w := newWorld(t, csat(65))
			w.in.Rules.Release = release
			w.answer(4, n)
			w.in.LastImport = "import"
			out := w.step()
			b, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			var seen struct{ Objectives []map[string]any }
			if err := json.Unmarshal(b, &seen); err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"score", "lower", "upper", "releasedAnswers"} {
				if v, ok := seen.Objectives[0][field]; ok {
					t.Errorf("%s, %d answers: %s is %v", release, n, field, v)
				}
			}
		}
	}
}

// A store that was replaced has fewer answers; a single answer that was erased must not show.
func TestFewerAnswersThanReleased(t *testing.T) {
	tests := []struct {
		gone int64
		want string
	}{
		{gone: 4, want: "80.00 [66.96, 88.76]"}, // as published: 40 of 50
		{gone: 5, want: "77.78 [63.73, 87.46]"}, // 35 of 45
	}
	for _, tt := range tests {
		w := newWorld(t, csat(65))
		w.answer(5, 40)
		w.answer(1, 10)
		w.step()
		w.answer(5, -tt.gone)
		w.step()
		w.wantFigures(tt.want)
	}
}

func TestDefinitionStartsAnew(t *testing.T) {
	changes := map[string]func(*Objective){
		"question":   func(o *Objective) { o.Question = "shops" },
		"revision":   func(o *Objective) { o.Revision = 2 },
		"metric":     func(o *Objective) { o.Definition.Metric = score.Mean },
		"scale":      func(o *Objective) { o.Definition.Scale.Max, o.Definition.Satisfied = 7, []int{4, 5} },
		"window":     func(o *Objective) { o.WindowDays = 89 },
		"satisfied":  func(o *Objective) { o.Definition.Satisfied = []int{5} },
		"confidence": func(o *Objective) { o.Definition.Confidence = 0.9 },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, csat(3))
			w.answer(5, 30)
			w.step()
			before := w.last.Objectives[0]
			change(&w.in.Objectives[0])
			if w.in.Objectives[0].Digest() == before.Definition {
				t.Fatal("the digest does not tell the definitions apart")
			}
			w.answers["shops"] = map[store.Hour]score.Counts{store.HourOf(w.now): {4: 6}}
			w.answers["food"][store.HourOf(w.now)] = score.Counts{4: 6}
			w.step()
			if s := w.last.Objectives[0]; s.ReleasedAnswers != 6 || s.State != v1alpha1.StateInsufficientData {
				t.Fatalf("the figures did not start anew: %+v", s)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	o := csat(65)
	o.Definition.Satisfied = []int{5, 4}
	// The digest is stored in status: another one would close every open breach on upgrade.
	const want = "4cd7f448efdde45ee2c946c6e1490d68"
	if got := o.Digest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	same := o
	same.Name, same.Target, same.TargetText, same.Definition.Satisfied = "other", 1, "1", []int{4, 5}
	if same.Digest() != o.Digest() {
		t.Error("name, target or the order of satisfied values are in the digest")
	}
	if o.Definition.Satisfied[0] != 5 {
		t.Error("the digest sorted its input")
	}
}

// A new target judges the published figures, and leaves them as they are.
func TestTargetJudgesPublishedFigures(t *testing.T) {
	w := newWorld(t, csat(60))
	w.answer(5, 24)
	w.answer(1, 6)
	w.step()
	w.wantState(v1alpha1.StateMet)
	w.answer(1, 4)
	w.in.Objectives[0] = csat(63)
	if out := w.step(); out.Released {
		t.Error("a new target moved the figures")
	}
	w.wantFigures("80.00 [62.69, 90.49]")
	w.wantState(v1alpha1.StateOnTrack)
	if got := w.last.Objectives[0].Target; got != "63.00" {
		t.Errorf("target %s, want 63.00", got)
	}
}

func TestParseFigures(t *testing.T) {
	value, lower, upper, ok := ParseFigures(v1alpha1.ObjectiveStatus{Score: "-39.84", Lower: "37.18", Upper: "42.41"})
	if value != -39.84 || lower != 37.18 || upper != 42.41 || !ok {
		t.Errorf("got %v [%v, %v] %v", value, lower, upper, ok)
	}
	for _, s := range []v1alpha1.ObjectiveStatus{
		{}, {Score: "1"}, {Score: "1", Lower: "1"}, {Score: "x", Lower: "1", Upper: "2"}, {Lower: "1", Upper: "2"},
	} {
		if _, _, _, ok := ParseFigures(s); ok {
			t.Errorf("%+v has figures", s)
		}
	}
}

func TestReleasedSaysWhetherFiguresMoved(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 30)
	if !w.step().Released {
		t.Error("the first reading is not told")
	}
	if w.stepAt(w.now.Add(time.Minute)).Released {
		t.Error("told although nothing moved")
	}
}
