package participation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// noon is 20 minutes into an hour; the window of then ends at the full hour.
var noon = time.Date(2026, 11, 21, 12, 20, 0, 0, time.UTC)

// ago is an hour before that of noon; 1 is the last full one.
func ago(hours int) store.Hour { return store.HourOf(noon) - store.Hour(hours) }

// counted is what a store counts: question, hour, value.
type counted map[string]map[store.Hour]map[string]int64

func (c counted) add(question string, h store.Hour, value string, n int64) counted {
	if c[question] == nil {
		c[question] = map[store.Hour]map[string]int64{}
	}
	if c[question][h] == nil {
		c[question][h] = map[string]int64{}
	}
	c[question][h][value] += n
	return c
}

func (c counted) window(question string, from, to store.Hour) Window {
	w := Window{Values: map[string]int64{}}
	for h, values := range c[question] {
		if h < from || h >= to {
			continue
		}
		for v, n := range values {
			w.Values[v] += n
		}
		if !w.Any || h < w.Earliest {
			w.Earliest, w.Any = h, true
		}
	}
	return w
}

func (c counted) at(now time.Time, previous *v1alpha1.Participation) Output {
	return Evaluate(Input{
		Now: now, Count: c.window, Questions: []string{"recommend", "why", "comment"}, MinimumCell: 5, Confidence: 0.95, Previous: previous,
	})
}

// visits are n that were completed an hour before noon, each within a minute.
func visits(n int64) counted {
	return counted{}.add(store.QuestionCompleted, ago(1), "", n).add(store.QuestionSeconds, ago(1), "60", n)
}

func number(n int64) *int64 { return &n }

func TestFigures(t *testing.T) {
	c := counted{}
	c.add(store.QuestionCompleted, ago(1), "", 60).add(store.QuestionCompleted, ago(100), "", 20)
	c.add(store.QuestionUnfinished, ago(2), "why", 11).add(store.QuestionUnfinished, ago(3), "recommend", 4)
	c.add(store.QuestionUnfinished, ago(3), "", 2).add(store.QuestionUnfinished, ago(3), "a-question-of-old", 3)
	c.add(store.QuestionSeconds, ago(1), "30", 40).add(store.QuestionSeconds, ago(2), "45", 31).add(store.QuestionSeconds, ago(2), "1200", 8)
	c.add(store.QuestionInvited, ago(5), "", 25).add(store.QuestionInvited, ago(9), "", 5).add(store.QuestionAnswered, ago(5), "", 24)
	c.add(store.QuestionSkipped, ago(5), "namespace/answered", 2).add(store.QuestionSkipped, ago(5), "program/invited", 7)
	c.add(store.QuestionSkipped, ago(5), "cluster/bored", 9)
	c.add(store.QuestionSuspect, ago(5), "time", 3).add(store.QuestionSuspect, ago(5), "honeypot", 1)
	c.add(store.QuestionSuspect, ago(5), "vibes", 2).add(store.QuestionSuspect, ago(5), "smell", 2)
	want := &v1alpha1.Participation{
		WindowDays: 30, WindowEnd: timeOf(ago(0)),
		// Wilson's 95 % interval of 80 of 100 and of 24 of 30, as published tables have it.
		Started: number(100), Completed: number(80), Completion: &v1alpha1.Share{Percent: "80.00", Lower: "71.12", Upper: "86.66"},
		MedianSeconds: number(30), P90Seconds: number(1200),
		DropOff: []v1alpha1.DropOff{{Question: "recommend", Unfinished: 4}, {Question: "why", Unfinished: 11}, {Unfinished: 5}},
		Invited: number(30), Answered: number(24), ResponseRate: &v1alpha1.Share{Percent: "80.00", Lower: "62.69", Upper: "90.49"},
		Skipped: []v1alpha1.SkippedInvitations{
			{Scope: "program", Reason: "invited", Invitations: 7}, {Scope: "namespace", Reason: "answered", Invitations: 2},
		},
		Suspect: []v1alpha1.SuspectResponses{{Check: "honeypot", Responses: 1}, {Check: "time", Responses: 3}, {Check: "other", Responses: 4}},
	}
	if diff := cmp.Diff(want, c.at(noon, nil).Figures); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingCounted(t *testing.T) {
	if got := (counted{}).at(noon, nil); got.Figures != nil || !got.Next.IsZero() {
		t.Errorf("%+v", got)
	}
}

// A group of figures is shown from the privacy floor on, by the number of its own people.
func TestFloor(t *testing.T) {
	base := func(question string, n int64) counted { return counted{}.add(question, ago(1), "", n) }
	for name, c := range map[string]struct {
		counts counted
		shown  func(*v1alpha1.Participation) bool
		want   bool
	}{
		"4 began":  {base(store.QuestionCompleted, 3).add(store.QuestionUnfinished, ago(1), "why", 1), visitsShown, false},
		"5 began":  {base(store.QuestionCompleted, 3).add(store.QuestionUnfinished, ago(1), "why", 2), visitsShown, true},
		"no times": {base(store.QuestionCompleted, 9), timesShown, false},
		"times of 4 of 9": {
			base(store.QuestionCompleted, 9).add(store.QuestionSeconds, ago(1), "60", 4), timesShown, false,
		},
		"times of 5 of 9": {
			base(store.QuestionCompleted, 9).add(store.QuestionSeconds, ago(1), "60", 5), timesShown, true,
		},
		"4 invited":             {base(store.QuestionInvited, 4), invitationsShown, false},
		"5 invited":             {base(store.QuestionInvited, 5), invitationsShown, true},
		"9 answered, 4 invited": {base(store.QuestionInvited, 4).add(store.QuestionAnswered, ago(1), "", 9), invitationsShown, false},
		"4 skipped":             {counted{}.add(store.QuestionSkipped, ago(1), "program/invited", 4), skipsShown, false},
		"5 skipped":             {counted{}.add(store.QuestionSkipped, ago(1), "program/invited", 5), skipsShown, true},
		"1 skipped, 4 invited":  {base(store.QuestionInvited, 4).add(store.QuestionSkipped, ago(1), "program/invited", 1), skipsShown, true},
		"all skipped":           {counted{}.add(store.QuestionSkipped, ago(1), "program/invited", 50), invitationsShown, false},
		"1 suspect": {
			counted{}.add(store.QuestionSuspect, ago(1), "time", 1), func(p *v1alpha1.Participation) bool { return len(p.Suspect) == 1 }, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.counts.at(noon, nil).Figures
			if shown := got != nil && c.shown(got); shown != c.want {
				t.Errorf("shown: %v, want %v: %+v", shown, c.want, got)
			}
		})
	}
}

func visitsShown(p *v1alpha1.Participation) bool {
	return p.Started != nil && p.Completed != nil && p.Completion != nil && len(p.DropOff) > 0
}

func timesShown(p *v1alpha1.Participation) bool { return p.MedianSeconds != nil && p.P90Seconds != nil }

func invitationsShown(p *v1alpha1.Participation) bool {
	return p.Invited != nil && p.Answered != nil && p.ResponseRate != nil
}

func skipsShown(p *v1alpha1.Participation) bool { return len(p.Skipped) > 0 }

// Answers without an invitation have no response rate, however many there are.
func TestNoRateWithoutInvitations(t *testing.T) {
	got := visits(1000).add(store.QuestionAnswered, ago(1), "", 1000).at(noon, nil).Figures
	if got == nil || got.Started == nil || invitationsShown(got) || got.Answered != nil || got.ResponseRate != nil {
		t.Errorf("%+v", got)
	}
}

func TestQuantiles(t *testing.T) {
	for name, c := range map[string]struct {
		seconds     map[string]int64
		median, p90 int64
	}{
		"all alike":                {map[string]int64{"7": 5}, 7, 7},
		"an even number":           {map[string]int64{"10": 3, "20": 3}, 10, 20},
		"an odd number":            {map[string]int64{"10": 3, "20": 4}, 20, 20},
		"the ninth of ten":         {map[string]int64{"10": 9, "3600": 1}, 10, 10},
		"the tenth of eleven":      {map[string]int64{"10": 9, "3600": 2}, 10, 3600},
		"by number, not by letter": {map[string]int64{"9": 4, "60": 4, "600": 2}, 60, 600},
		"what is no bucket":        {map[string]int64{"10": 5, "": 90, "0": 90, "-5": 90, "1.5": 90, "99999999999999999999": 90}, 10, 10},
		"a great many":             {map[string]int64{"10": 1 << 61, "20": 1 << 61, "30": 1 << 61}, 20, 30},
		"more than can be counted": {map[string]int64{"10": 1 << 62, "20": 1 << 62, "30": 1 << 62, "40": 1 << 62}, 10, 20},
	} {
		t.Run(name, func(t *testing.T) {
			all := counted{}
			for value, n := range c.seconds {
				all.add(store.QuestionSeconds, ago(1), value, n)
			}
			got := all.at(noon, nil).Figures
			if got == nil || *got.MedianSeconds != c.median || *got.P90Seconds != c.p90 {
				t.Errorf("%+v, want %d and %d", got, c.median, c.p90)
			}
		})
	}
}

// The window is the last 720 full hours: the one that runs is not in it, nor the 721st.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		hour store.Hour
		want bool
	}{{ago(-1), false}, {ago(0), false}, {ago(1), true}, {ago(720), true}, {ago(721), false}} {
		got := counted{}.add(store.QuestionInvited, c.hour, "", 50).at(noon, nil).Figures
		if (got != nil) != c.want {
			t.Errorf("%s: %+v, want figures: %v", c.hour.Time(), got, c.want)
		}
	}
}

// Whoever has nothing that can move is not looked at again.
func TestNext(t *testing.T) {
	hour := func(h store.Hour) time.Time { return h.Time() }
	for name, c := range map[string]struct {
		counts counted
		want   time.Time
	}{
		"the hour that runs has a count":   {counted{}.add(store.QuestionSkipped, ago(0), "program/invited", 1), hour(ago(-1))},
		"a clock that is ahead":            {counted{}.add(store.QuestionSuspect, ago(-1), "time", 1), hour(ago(-2))},
		"a count that falls out last":      {visits(5), hour(ago(1) + 721)},
		"the first of two":                 {visits(5).add(store.QuestionInvited, ago(700), "", 1), hour(ago(700) + 721)},
		"one that falls out at the next":   {visits(5).add(store.QuestionInvited, ago(720), "", 1), hour(ago(-1))},
		"only what has fallen out already": {counted{}.add(store.QuestionInvited, ago(721), "", 50), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.counts.at(noon, nil)
			if !got.Next.Equal(c.want) {
				t.Fatalf("next %s, want %s", got.Next, c.want)
			}
			if got.Next.IsZero() {
				return
			}
			before, at := c.counts.at(got.Next.Add(-time.Second), nil), c.counts.at(got.Next, nil)
			if same(before.Figures, at.Figures) && at.Next.Equal(got.Next) {
				t.Error("nothing moved then")
			}
		})
	}
}

// Within an hour figures move once, whatever is counted late; what falls below the floor goes at once.
func TestMovesOnceAnHour(t *testing.T) {
	first := visits(5).at(noon, nil).Figures
	if first == nil || !first.WindowEnd.Time.Equal(ago(0).Time()) {
		t.Fatalf("%+v", first)
	}
	minutes := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

	// Somebody who began in the last hour finishes in this one.
	late := visits(6)
	held := late.at(minutes(10), first)
	if held.Figures != first || !held.Next.Equal(ago(-1).Time()) {
		t.Errorf("within the hour: %+v, next %s", held.Figures, held.Next)
	}
	moved := late.at(minutes(45), first)
	if moved.Figures == nil || *moved.Figures.Started != 6 || !moved.Figures.WindowEnd.Time.Equal(ago(-1).Time()) {
		t.Errorf("in the next hour: %+v", moved.Figures)
	}
	// Figures that stood for an hour may move once in the middle of another.
	if again := visits(7).at(minutes(100), first); *again.Figures.Started != 7 {
		t.Errorf("after a quiet hour: %+v", again.Figures)
	}
	if still := visits(5).at(minutes(45), first); still.Figures != first {
		t.Errorf("nothing moved, but %+v", still.Figures)
	}
	if gone := visits(4).at(minutes(10), first); gone.Figures != nil {
		t.Errorf("below the floor: %+v", gone.Figures)
	}
	rest := visits(4).add(store.QuestionInvited, ago(1), "", 5).at(minutes(10), first).Figures
	if rest == nil || rest.Started != nil || rest.MedianSeconds != nil || !invitationsShown(rest) {
		t.Errorf("one group below the floor: %+v", rest)
	}
	if shown := visits(5).at(minutes(10), nil).Figures; shown == nil {
		t.Error("the first figures wait, though there are none that they could be compared with")
	}
}

func TestRatio(t *testing.T) {
	if v, l, u, ok := Ratio(&v1alpha1.Share{Percent: "72.73", Lower: "0.00", Upper: "100.00"}); !ok || v != 0.7273 || l != 0 || u != 1 {
		t.Errorf("%v %v %v %v", v, l, u, ok)
	}
	for name, s := range map[string]*v1alpha1.Share{"none": nil, "empty": {}, "no number": {Percent: "1", Lower: "x", Upper: "2"}} {
		if _, _, _, ok := Ratio(s); ok {
			t.Errorf("%s is taken for a ratio", name)
		}
	}
}
