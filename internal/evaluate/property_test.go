package evaluate

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// history is a world to which anything happens in any order, and what an onlooker saw of it.
type history struct {
	*world
	// definition, readAt and seen are the last published reading of the objective: what it measured, how many answers
	// there had ever been, and the figures. The next one is not compared with it where anew is set.
	definition string
	readAt     int64
	seen       string
	anew       bool
}

// In any history of answers, days, imports, edits, downtime and restarts (every step is one) the promises hold.
func TestAnyHistory(t *testing.T) {
	zones := []string{"UTC", "America/Los_Angeles", "Asia/Kolkata", "America/Havana"}
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{world: newWorld(t, csat(65))}
		h.in.Rules.Location = zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		h.in.Rules.MinimumCell = rapid.Int64Range(5, 30).Draw(rt, "minimumCell")
		h.in.Rules.Release = rapid.SampledFrom([]v1alpha1.ReleaseMode{v1alpha1.ReleaseGuarded, v1alpha1.ReleaseImmediate}).Draw(rt, "release")
		h.in.Rules.Judging = rapid.SampledFrom([]v1alpha1.JudgingMode{v1alpha1.JudgingDaily, v1alpha1.JudgingContinuous}).Draw(rt, "judging")
		h.in.Objectives[0].WindowDays = rapid.Int32Range(1, 5).Draw(rt, "windowDays")
		h.in.Rules.ConsecutiveWindows = rapid.Int32Range(0, 3).Draw(rt, "consecutiveWindows")
		rt.Repeat(map[string]func(*rapid.T){
			"answer": func(rt *rapid.T) {
				h.answer(rapid.SampledFrom([]int{1, 1, 2, 3, 4, 5, 5}).Draw(rt, "value"), rapid.Int64Range(1, 8).Draw(rt, "n"))
			},
			"many":    func(rt *rapid.T) { h.answer(rapid.SampledFrom([]int{1, 5}).Draw(rt, "value"), 60) },
			"minutes": func(rt *rapid.T) { h.pass(rt, time.Minute, 120) },
			"hours":   func(rt *rapid.T) { h.pass(rt, time.Hour, 30) },
			"days":    func(rt *rapid.T) { h.pass(rt, 24*time.Hour, 9) },
			"import":  func(rt *rapid.T) { h.in.LastImport = fmt.Sprint(rapid.IntRange(1, 1000).Draw(rt, "import")) },
			"target": func(rt *rapid.T) {
				h.in.Objectives[0].Target = rapid.SampledFrom([]float64{40, 65, 90}).Draw(rt, "target")
			},
			"window": func(rt *rapid.T) { h.in.Objectives[0].WindowDays = rapid.Int32Range(1, 5).Draw(rt, "days") },
			"policy": func(rt *rapid.T) { h.in.Rules.ConsecutiveWindows = rapid.Int32Range(0, 3).Draw(rt, "windows") },
			"read":   func(rt *rapid.T) { h.in.Readability = Readability(rapid.IntRange(0, 2).Draw(rt, "readability")) },
			"replace": func(rt *rapid.T) {
				if rapid.IntRange(0, 9).Draw(rt, "replace") == 0 {
					h.answers = map[string]map[store.Hour]score.Counts{}
					h.anew = true // other people's answers: readings of them cannot be compared
				}
			},
			"": func(rt *rapid.T) { h.look(rt) },
		})
	})
}

func (h *history) pass(rt *rapid.T, unit time.Duration, most int) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(1, most).Draw(rt, "time"))*unit + time.Duration(rapid.IntRange(0, 3599).Draw(rt, "seconds"))*time.Second)
}

// look evaluates and checks all that must hold.
func (h *history) look(rt *rapid.T) {
	before := h.status
	out := h.step()
	if h.in.Readability != Fresh {
		if len(out.Transitions) > 0 || out.Released || fmt.Sprint(out.Judged) != fmt.Sprint(before.Judged) {
			rt.Fatalf("not fresh, and yet %+v", out)
		}
		return
	}
	point := before.Judged == nil && h.in.LastImport != "" || before.Judged != nil && *before.Judged != *out.Judged
	s := out.Objectives[0]
	live := h.count(h.in.Objectives[0], WindowEnd(h.now)-h.in.Objectives[0].window(), WindowEnd(h.now))
	result, err := score.Compute(h.in.Objectives[0].Definition, live.Counts)
	if err != nil {
		rt.Fatal(err)
	}
	h.checkState(rt, s, result)
	h.checkReading(rt, s, live, point)
	h.checkBreaches(rt, before, out, point)
	h.checkOpening(rt, before, out, result)
	h.checkLow(rt, before, out, point)
	if !out.Next.After(h.now) {
		rt.Fatalf("next %s is not after %s", out.Next, h.now)
	}
}

func (h *history) checkState(rt *rapid.T, s v1alpha1.ObjectiveStatus, live score.Result) {
	if s.Responses != live.N {
		rt.Fatalf("%d responses, want %d", s.Responses, live.N)
	}
	if s.Responses < h.in.Rules.MinimumCell && figures(s) != "-" {
		rt.Fatalf("%s is shown of %d answers", figures(s), s.Responses)
	}
	value, lower, upper, ok := ParseFigures(s)
	if s.State == v1alpha1.StateInsufficientData {
		if s.Responses >= h.in.Rules.MinimumResponses && ok {
			rt.Fatalf("no verdict on %s of %d answers", figures(s), s.Responses)
		}
		return
	}
	target := h.in.Objectives[0].Target
	near := math.Min(math.Abs(value-target), math.Min(math.Abs(lower-target), math.Abs(upper-target))) < 0.006
	if !ok || s.Responses < h.in.Rules.MinimumResponses || !near && s.State != verdict(target, value, lower, upper) {
		rt.Fatalf("%s on %s of %d answers, target %v", s.State, figures(s), s.Responses, target)
	}
}

// checkReading: between judging points two different readings of one cell are at least minimumCell answers apart.
func (h *history) checkReading(rt *rapid.T, s v1alpha1.ObjectiveStatus, live Window, point bool) {
	if s.Definition != h.definition {
		h.definition, h.anew = s.Definition, true // a reading of something else
	}
	if figures(s) == "-" {
		return
	}
	apart := live.Ever - h.readAt
	far := apart >= h.in.Rules.MinimumCell || apart <= -h.in.Rules.MinimumCell
	if !h.anew && figures(s) != h.seen && !point && !far && h.in.Rules.Release == v1alpha1.ReleaseGuarded {
		rt.Fatalf("%s after %s, %d answers apart", figures(s), h.seen, apart)
	}
	if figures(s) != h.seen || s.ReleasedAnswers != h.readAt {
		if s.ReleasedAnswers != live.Ever {
			rt.Fatalf("released at %d answers, not at the %d there are", s.ReleasedAnswers, live.Ever)
		}
		h.readAt, h.seen, h.anew = live.Ever, figures(s), false
	}
}

func (h *history) checkBreaches(rt *rapid.T, before Previous, out Output, point bool) {
	open := len(missedBreaches(before.Breaches)) == 1
	state := out.Objectives[0].State
	low := state == v1alpha1.StateMissed || state == v1alpha1.StateAtRisk
	for _, tr := range out.Transitions {
		if tr.Breach.Type != v1alpha1.BreachObjectiveMissed {
			continue // see checkLow
		}
		if tr.Opened == open {
			rt.Fatalf("%s, while open is %v", events(out), open)
		}
		open = tr.Opened
		var allowed bool
		switch tr.Reason {
		case string(v1alpha1.BreachObjectiveMissed):
			allowed = low && (point || h.in.Rules.Judging == v1alpha1.JudgingContinuous)
		case v1alpha1.ReasonRecovered:
			allowed = state == v1alpha1.StateOnTrack || state == v1alpha1.StateMet
		case v1alpha1.ReasonObjectiveChanged:
			old := before.Objectives[0]
			allowed = old.Definition != out.Objectives[0].Definition || old.Target != out.Objectives[0].Target
		case v1alpha1.ReasonEvidenceExpired:
			window := time.Duration(h.in.Objectives[0].WindowDays) * 24 * time.Hour
			allowed = state == v1alpha1.StateInsufficientData && !h.now.Before(out.Objectives[0].StateSince.Add(window))
		}
		if !allowed {
			rt.Fatalf("%s in state %s, judging point %v", events(out), state, point)
		}
	}
	if open != (len(out.Breaches) == 1) {
		rt.Fatalf("breaches %+v after %s", out.Breaches, events(out))
	}
	if open && (state == v1alpha1.StateMet || state == v1alpha1.StateOnTrack) {
		rt.Fatalf("open in state %s", state)
	}
}

// checkOpening: what is Missed at a judging point is open afterwards, with the judgement made anew here.
func (h *history) checkOpening(rt *rapid.T, before Previous, out Output, live score.Result) {
	o := h.in.Objectives[0]
	missed := func(r score.Result) bool {
		return r.N >= h.in.Rules.MinimumResponses && r.N >= h.in.Rules.MinimumCell && r.Upper < o.Target
	}
	if before.Judged == nil {
		before.Judged = &v1alpha1.Judging{Through: out.Judged.Through}
	}
	due := before.Judged.Import != out.Judged.Import && missed(live)
	if before.Judged.Through != out.Judged.Through {
		ended, err := time.ParseInLocation("2006-01-02T15:04", out.Judged.Through+"T23:59", h.in.Rules.Location)
		if err != nil {
			rt.Fatal(err)
		}
		end := store.HourOf(ended) + 1
		r, err := score.Compute(o.Definition, h.count(o, end-o.window(), end).Counts)
		if err != nil {
			rt.Fatal(err)
		}
		due = due || missed(r)
	}
	state := out.Objectives[0].State
	low := state == v1alpha1.StateMissed || state == v1alpha1.StateAtRisk && h.in.Rules.Judging == v1alpha1.JudgingDaily
	if due && low && len(out.Breaches) != 1 {
		rt.Fatalf("judged Missed, and no breach is open; state %s", state)
	}
}

// checkLow: ConsistentlyLow is open only beside the objective's own breach, opens only at a judging point and where every
// one of the windows is Missed, stays while both its rule and that breach do, and each opening and closing is told.
func (h *history) checkLow(rt *rapid.T, before Previous, out Output, point bool) {
	was, is := len(lowBreaches(before.Breaches)) == 1, len(out.Low) == 1
	for _, tr := range out.Transitions {
		if tr.Breach.Type != v1alpha1.BreachConsistentlyLow {
			continue
		}
		if tr.Opened == was {
			rt.Fatalf("%s, while open is %v", events(out), was)
		}
		was = tr.Opened
		if tr.Opened && !(point && h.lowSomewhere(rt, out)) {
			rt.Fatalf("%s at judging point %v", events(out), point)
		}
		if !tr.Opened && tr.Reason == v1alpha1.ReasonRemoved && h.in.Rules.ConsecutiveWindows > 0 {
			rt.Fatalf("%s while %d windows are the rule", events(out), h.in.Rules.ConsecutiveWindows)
		}
	}
	if was != is || is && (len(out.Breaches) != 1 || h.in.Rules.ConsecutiveWindows < 1) {
		rt.Fatalf("%+v beside %+v after %s, %d windows", out.Low, out.Breaches, events(out), h.in.Rules.ConsecutiveWindows)
	}
}

// lowSomewhere counts the windows anew, back from now and from the end of the day that was judged.
func (h *history) lowSomewhere(rt *rapid.T, out Output) bool {
	o := h.in.Objectives[0]
	ends := []store.Hour{WindowEnd(h.now)}
	if day, err := time.ParseInLocation("2006-01-02T15:04", out.Judged.Through+"T23:59", h.in.Rules.Location); err == nil {
		ends = append(ends, store.HourOf(day)+1)
	}
	for _, end := range ends {
		low := true
		for k := range h.in.Rules.ConsecutiveWindows {
			to := end - store.Hour(k*o.WindowDays*24)
			r, err := score.Compute(o.Definition, h.count(o, to-store.Hour(o.WindowDays*24), to).Counts)
			if err != nil {
				rt.Fatal(err)
			}
			low = low && r.N >= h.in.Rules.MinimumResponses && r.Upper < o.Target
		}
		if low {
			return true
		}
	}
	return false
}
