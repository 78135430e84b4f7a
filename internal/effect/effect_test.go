package effect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

func TestNotStarted(t *testing.T) {
	if out := Evaluate(Input{Now: begin, State: v1alpha1.WorkNotStarted}); out.Effect != nil || out.Waiting || !out.Next.IsZero() {
		t.Errorf("%+v", out)
	}
}

// A plan from its start to its verdict, by the days that something changes.
func TestLifeOfAPlan(t *testing.T) {
	in, a := story(csatMeasure(), score.Counts{2: 40, 5: 60}, score.Counts{2: 10, 5: 90})
	in.State, in.Now, in.ReadThrough = v1alpha1.WorkInProgress, begin.Add(time.Minute), time.Time{}

	out := Evaluate(in)
	if !out.Waiting || out.Effect.Baseline != nil {
		t.Errorf("before the answers were read: %+v", out)
	}
	in.ReadThrough, in.Previous = in.Now, out.Effect
	out = Evaluate(in)
	b := out.Effect.Baseline
	if out.Waiting || b == nil || b.Score != "60.00" || b.Responses != 100 {
		t.Fatalf("at the start: %+v", out.Effect)
	}
	if !b.From.Time.Equal(begin.Add(-30*day)) || !b.To.Time.Equal(begin) {
		t.Errorf("baseline from %s to %s", b.From, b.To)
	}
	if out.Effect.Verdict != v1alpha1.EffectTooEarly || !out.Next.IsZero() || out.Effect.Outcome != nil {
		t.Errorf("under way: %+v, next %s", out.Effect, out.Next)
	}

	// Answers from before the start are erased; the baseline stands.
	frozen := b.DeepCopy()
	delete(a, keyOf(a, begin.Add(-5*day)))
	in.Previous, in.State, in.Now, in.ReadThrough = out.Effect, v1alpha1.WorkComplete, begin.Add(10*day), begin.Add(10*day)
	out = Evaluate(in)
	if diff := cmp.Diff(frozen, out.Effect.Baseline); diff != "" {
		t.Errorf("baseline after erasure (-before +after):\n%s", diff)
	}
	o := out.Effect.Outcome
	if o == nil || !o.From.Time.Equal(begin.Add(17*day)) || !o.To.Time.Equal(begin.Add(47*day)) || o.Responses != 0 || o.Score != "" {
		t.Errorf("outcome %+v", o)
	}
	if !out.Next.Equal(begin.Add(18*day)) || out.Effect.ResponsesNeeded != 30 || !strings.Contains(out.Effect.Explanation, "2026-04-17 00:00") {
		t.Errorf("next %s, %+v", out.Next, out.Effect)
	}

	// While the window runs, its answers are counted by whole days, and no figure is told.
	in.Previous, in.Now, in.ReadThrough = out.Effect, begin.Add(20*day+6*time.Hour), begin.Add(20*day+6*time.Hour)
	out = Evaluate(in)
	if n := out.Effect.Outcome.Responses; n != 0 {
		t.Errorf("%d answers before their day was over", n)
	}
	in.Previous, in.Now, in.ReadThrough = out.Effect, out.Next, out.Next
	out = Evaluate(in)
	if o := out.Effect.Outcome; o.Responses != 100 || o.Score != "" || o.Definition != "" || out.Effect.Change != "" || out.Effect.ResponsesNeeded != 0 {
		t.Errorf("running: %+v, outcome %+v", out.Effect, o)
	}
	// A restart knows no answers at first: what was counted stays.
	in.Previous, in.ReadThrough, in.Count = out.Effect, time.Time{}, answers{}.count
	if out = Evaluate(in); out.Effect.Outcome.Responses != 100 || !out.Waiting {
		t.Errorf("after a restart: %+v, outcome %+v", out.Effect, out.Effect.Outcome)
	}
	in.Count = a.count

	in.Previous, in.Now, in.ReadThrough = out.Effect, begin.Add(47*day), begin.Add(47*day-time.Second)
	out = Evaluate(in)
	if !out.Waiting || out.Effect.JudgedTime != nil || out.Effect.Verdict != v1alpha1.EffectTooEarly {
		t.Errorf("before the last answers were read: %+v", out.Effect)
	}
	in.Previous, in.ReadThrough = out.Effect, in.Now
	out = Evaluate(in)
	judged := out.Effect
	if judged.Verdict != v1alpha1.EffectImproved || judged.Change != "30.00" || judged.Outcome.Score != "90.00" || out.Waiting || !out.Next.IsZero() {
		t.Fatalf("judged: %+v", judged)
	}

	// Final, whatever comes.
	a.give(begin.Add(21*day), score.Counts{1: 10_000})
	in.Previous, in.Now, in.ReadThrough = judged, begin.Add(100*day), begin.Add(100*day)
	in.State, in.Measure = v1alpha1.WorkInProgress, nil
	if diff := cmp.Diff(judged, Evaluate(in).Effect); diff != "" {
		t.Errorf("judged again (-before +after):\n%s", diff)
	}
}

func keyOf(a answers, at time.Time) store.Hour {
	for h := range a {
		if h.Time().Equal(at) {
			return h
		}
	}
	return 0
}

func TestWithoutComparison(t *testing.T) {
	few, many := score.Counts{2: 2, 5: 10}, score.Counts{2: 40, 5: 60}
	for name, c := range map[string]struct {
		before, after score.Counts
		change        func(*Input)
		needed        int64
		says          string
		reason        string
	}{
		"few before":  {few, many, nil, 0, "Before the plan there were 12 of the 30 answers", v1alpha1.ReasonTooFewResponses},
		"few after":   {many, few, nil, 18, "After the plan there were 12 of the 30 answers", v1alpha1.ReasonTooFewResponses},
		"none at all": {nil, nil, nil, 0, "Before the plan there were 0 of the 30 answers", v1alpha1.ReasonTooFewResponses},
		"few after, of many that are needed": {many, few, func(in *Input) {
			in.Expected = &v1alpha1.Expected{Target: intstr.FromInt32(75)}
		}, 394, "After the plan", v1alpha1.ReasonTooFewResponses},
		"a question that was changed": {many, many, func(in *Input) {
			early := *in
			early.State = v1alpha1.WorkInProgress
			in.Previous = Evaluate(early).Effect
			in.Measure = csatMeasure()
			in.Measure.Revision = 2
		}, 0, "cannot be compared", v1alpha1.ReasonDefinitionChanged},
	} {
		t.Run(name, func(t *testing.T) {
			in, _ := story(csatMeasure(), c.before, c.after)
			if c.change != nil {
				c.change(&in)
			}
			e := Evaluate(in).Effect
			if e.Verdict != v1alpha1.EffectNoEvidence || e.JudgedTime == nil || e.Change != "" || e.PValue != "" || e.Return != nil {
				t.Errorf("%+v", e)
			}
			if e.ResponsesNeeded != c.needed || !strings.Contains(e.Explanation, c.says) {
				t.Errorf("%d needed, %q", e.ResponsesNeeded, e.Explanation)
			}
			if status, reason, _ := Condition(in.State, e); status != metav1.ConditionUnknown || reason != c.reason {
				t.Errorf("condition %s %s", status, reason)
			}
		})
	}
}

// Below the privacy floor there are no figures, from it on there are.
func TestPrivacyFloor(t *testing.T) {
	for n, shown := range map[int64]bool{4: false, 5: true} {
		e := told(csatMeasure(), score.Counts{5: n}, score.Counts{5: n})
		for _, w := range []*v1alpha1.EffectWindow{e.Baseline, e.Outcome} {
			if (w.Score != "") != shown || (w.Lower != "") != shown || w.Responses != n {
				t.Errorf("%d answers: %+v", n, w)
			}
		}
		if (e.Baseline.Counts != nil) != shown {
			t.Errorf("%d answers: %v", n, e.Baseline.Counts)
		}
	}
}

// A window that ends a few answers after what was told already ends there instead.
func TestBaselineTellsOfNoFew(t *testing.T) {
	start := begin.Add(15*time.Hour + 20*time.Minute)
	at := func(h int) time.Time { return begin.Add(time.Duration(h) * time.Hour) }
	for name, c := range map[string]struct {
		few     int64
		release v1alpha1.ReleaseMode
		ends    []time.Time
		want    time.Time
	}{
		"nothing since the day began":             {0, "", nil, at(15)},
		"a few since the day began":               {4, "", nil, at(0)},
		"enough since the day began":              {5, "", nil, at(15)},
		"a few, not anonymous":                    {4, v1alpha1.ReleaseImmediate, nil, at(15)},
		"a few since another's baseline":          {4, "", []time.Time{at(9), at(-48)}, at(9)},
		"another's baseline after those few":      {4, "", []time.Time{at(11)}, at(15)},
		"another's baseline in the hour, is ours": {4, "", []time.Time{at(15)}, at(15)},
	} {
		t.Run(name, func(t *testing.T) {
			in, a := story(csatMeasure(), score.Counts{2: 40, 5: 60}, nil)
			a.give(at(10), score.Counts{5: c.few})
			in.Started, in.State, in.Ends, in.Rules.Release = start, v1alpha1.WorkInProgress, c.ends, c.release
			b := Evaluate(in).Effect.Baseline
			if !b.To.Time.Equal(c.want) || b.To.Sub(b.From.Time) != 30*day {
				t.Errorf("from %s to %s, want to %s", b.From, b.To, c.want)
			}
		})
	}
}

// The outcome begins with a day of the program, also where that is no hour of UTC.
func TestOutcomeBeginsWithADay(t *testing.T) {
	for zone, want := range map[string]time.Time{
		"UTC":                 time.Date(2026, time.March, 19, 0, 0, 0, 0, time.UTC),
		"America/Los_Angeles": time.Date(2026, time.March, 18, 7, 0, 0, 0, time.UTC),
		"Asia/Kolkata":        time.Date(2026, time.March, 18, 19, 0, 0, 0, time.UTC),
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		in, _ := story(csatMeasure(), score.Counts{5: 40}, nil)
		in.Rules.Location, in.Completed = location, begin.Add(10*day+time.Minute)
		if zone == "UTC" {
			in.Completed = begin.Add(10*day + 23*time.Hour)
		}
		o := Evaluate(in).Effect.Outcome
		if !o.From.Time.Equal(want) || o.To.Sub(o.From.Time) != 30*day {
			t.Errorf("%s: from %s to %s", zone, o.From, o.To)
		}
	}
}

func TestWindowOfThePlan(t *testing.T) {
	washout, days := int32(0), int32(14)
	e := told(csatMeasure(), score.Counts{5: 40}, nil, func(in *Input) {
		in.Rule = v1alpha1.EffectRule{WashoutDays: &washout, WindowDays: &days}
	})
	if e.Baseline.To.Sub(e.Baseline.From.Time) != 14*day || !e.Outcome.From.Time.Equal(begin.Add(10*day)) || e.Outcome.To.Sub(e.Outcome.From.Time) != 14*day {
		t.Errorf("baseline %+v, outcome %+v", e.Baseline, e.Outcome)
	}
	// Another length after the baseline was frozen changes nothing: the windows stay alike.
	longer := int32(60)
	again := told(csatMeasure(), nil, nil, func(in *Input) {
		in.Previous = &v1alpha1.Effect{Verdict: v1alpha1.EffectTooEarly, Baseline: e.Baseline}
		in.Rule = v1alpha1.EffectRule{WashoutDays: &washout, WindowDays: &longer}
	})
	if again.Outcome.To.Sub(again.Outcome.From.Time) != 14*day {
		t.Errorf("outcome %+v", again.Outcome)
	}
}

// A plan that was opened again is judged by its last completion, and one that was cancelled not at all.
func TestReopenedAndCancelled(t *testing.T) {
	in, _ := story(csatMeasure(), score.Counts{2: 40, 5: 60}, score.Counts{5: 100})
	in.Now, in.ReadThrough = begin.Add(30*day), begin.Add(30*day)
	in.Previous = Evaluate(in).Effect
	in.State = v1alpha1.WorkInProgress
	reopened := Evaluate(in).Effect
	if reopened.Outcome != nil || reopened.Verdict != v1alpha1.EffectTooEarly || reopened.Baseline == nil {
		t.Errorf("%+v", reopened)
	}
	in.Previous, in.State, in.Completed = reopened, v1alpha1.WorkComplete, begin.Add(20*day)
	if o := Evaluate(in).Effect.Outcome; !o.From.Time.Equal(begin.Add(27 * day)) {
		t.Errorf("outcome from %s", o.From)
	}
	in.State = v1alpha1.WorkCancelled
	out := Evaluate(in)
	if out.Effect.Outcome != nil || out.Effect.JudgedTime != nil || !out.Next.IsZero() || !strings.Contains(out.Effect.Explanation, "cancelled") {
		t.Errorf("%+v", out)
	}
	if status, reason, _ := Condition(in.State, out.Effect); status != metav1.ConditionUnknown || reason != v1alpha1.ReasonPlanCancelled {
		t.Errorf("condition %s %s", status, reason)
	}
}

func TestObjectiveThatIsGone(t *testing.T) {
	in, _ := story(csatMeasure(), score.Counts{2: 40, 5: 60}, score.Counts{5: 100})
	in.Now, in.ReadThrough = begin.Add(30*day), begin.Add(30*day)
	last := Evaluate(in).Effect
	in.Previous, in.Measure, in.Now = last, nil, begin.Add(60*day)
	e := Evaluate(in).Effect
	if e.JudgedTime != nil || e.Outcome.Responses != last.Outcome.Responses || !strings.Contains(e.Explanation, "not known") {
		t.Errorf("%+v", e)
	}
}

func TestAnswersOffTheScale(t *testing.T) {
	e := told(csatMeasure(), score.Counts{9: 40}, nil)
	if e.Baseline != nil || e.JudgedTime != nil || !strings.Contains(e.Explanation, "off its scale") {
		t.Errorf("%+v", e)
	}
	e = told(csatMeasure(), score.Counts{5: 40}, score.Counts{9: 40})
	if e.JudgedTime != nil || !strings.Contains(e.Explanation, "off its scale") {
		t.Errorf("%+v", e)
	}
}

func TestAnotherPlanMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		span Span
		says bool
	}{
		"before the baseline":    {Span{begin.Add(-90 * day), begin.Add(-30 * day)}, false},
		"in the baseline":        {Span{begin.Add(-90 * day), begin.Add(-29 * day)}, true},
		"still runs":             {Span{From: begin.Add(46 * day)}, true},
		"after the outcome":      {Span{From: begin.Add(47 * day)}, false},
		"at the same time":       {Span{begin, begin.Add(10 * day)}, true},
		"ran in the washout":     {Span{begin.Add(11 * day), begin.Add(12 * day)}, true},
		"runs since long before": {Span{From: begin.Add(-400 * day)}, true},
	} {
		e := told(csatMeasure(), score.Counts{2: 40, 5: 60}, score.Counts{5: 100}, func(in *Input) { in.Others = []Span{c.span} })
		if got := strings.Contains(e.Explanation, "cannot be told"); got != c.says {
			t.Errorf("%s: %q", name, e.Explanation)
		}
	}
}

func TestCondition(t *testing.T) {
	judged := metav1.NewTime(begin)
	for want, c := range map[string]struct {
		state v1alpha1.WorkState
		e     *v1alpha1.Effect
	}{
		"Unknown NotStarted":         {v1alpha1.WorkNotStarted, nil},
		"Unknown TooEarly":           {v1alpha1.WorkComplete, &v1alpha1.Effect{Verdict: v1alpha1.EffectTooEarly}},
		"Unknown PlanCancelled":      {v1alpha1.WorkCancelled, &v1alpha1.Effect{Verdict: v1alpha1.EffectTooEarly}},
		"True Improved":              {v1alpha1.WorkComplete, &v1alpha1.Effect{Verdict: v1alpha1.EffectImproved, JudgedTime: &judged, Change: "1"}},
		"False Worsened":             {v1alpha1.WorkCancelled, &v1alpha1.Effect{Verdict: v1alpha1.EffectWorsened, JudgedTime: &judged, Change: "1"}},
		"Unknown NoEvidenceOfChange": {v1alpha1.WorkComplete, &v1alpha1.Effect{Verdict: v1alpha1.EffectNoEvidence, JudgedTime: &judged, Change: "1"}},
	} {
		if status, reason, message := Condition(c.state, c.e); string(status)+" "+reason != want || message == "" {
			t.Errorf("%s %s, want %s", status, reason, want)
		}
	}
}
