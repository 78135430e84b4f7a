package evaluate

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Missed during the day opens nothing; missed where the program's day ends does, to the second.
func TestDayJudgement(t *testing.T) {
	tests := map[string]struct {
		zone, during, end string
		windowEnd         string
		through           string
	}{
		"UTC":                    {"UTC", "2026-11-10T12:00:00Z", "2026-11-11T00:00:00Z", "2026-11-11T00:00:00Z", "2026-11-10"},
		"Los Angeles":            {"America/Los_Angeles", "2026-11-10T12:00:00Z", "2026-11-11T08:00:00Z", "2026-11-11T08:00:00Z", "2026-11-10"},
		"Los Angeles, 23 hours":  {"America/Los_Angeles", "2027-03-14T12:00:00Z", "2027-03-15T07:00:00Z", "2027-03-15T07:00:00Z", "2027-03-14"},
		"Los Angeles, 25 hours":  {"America/Los_Angeles", "2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z", "2026-11-02T08:00:00Z", "2026-11-01"},
		"Kolkata, half an hour":  {"Asia/Kolkata", "2026-11-10T12:00:00Z", "2026-11-10T18:30:00Z", "2026-11-10T19:00:00Z", "2026-11-10"},
		"Kathmandu, 45 minutes":  {"Asia/Kathmandu", "2026-11-10T12:00:00Z", "2026-11-10T18:15:00Z", "2026-11-10T19:00:00Z", "2026-11-10"},
		"Kiritimati, 14 hours":   {"Pacific/Kiritimati", "2026-11-10T12:00:00Z", "2026-11-11T10:00:00Z", "2026-11-11T10:00:00Z", "2026-11-11"},
		"Havana, midnight twice": {"America/Havana", "2026-10-31T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z", "2026-10-31"},
		"Beirut, no midnight":    {"Asia/Beirut", "2027-03-27T12:00:00Z", "2027-03-27T22:00:00Z", "2027-03-27T22:00:00Z", "2027-03-27"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, csat(65))
			w.in.Rules.Location = zone(t, tt.zone)
			w.now = at(t, tt.during)
			w.unsatisfied()
			w.step()
			w.wantState(v1alpha1.StateMissed)
			w.wantEvents("")
			end := at(t, tt.end)
			w.stepAt(end.Add(-time.Nanosecond))
			w.wantEvents("")
			if !w.last.Next.Equal(end) {
				t.Fatalf("next %s, want the end of the day %s", w.last.Next, end)
			}
			var judged []store.Hour
			w.now = end
			in := w.in
			in.Now, in.Previous = end, w.status
			in.Count = func(o Objective, from, to store.Hour) Window {
				judged = append(judged, to)
				if to-from != 90*24 && to-from != 1 {
					t.Errorf("a window of %d hours", to-from)
				}
				return w.count(o, from, to)
			}
			if _, err := Evaluate(in); err != nil {
				t.Fatal(err)
			}
			if want := store.HourOf(at(t, tt.windowEnd)); len(judged) < 2 || judged[1] != want {
				t.Fatalf("judged windows end at %v, want %s", judged, tt.windowEnd)
			}
			w.step()
			w.wantEvents("+satisfaction ObjectiveMissed")
			if got := w.last.Judged.Through; got != tt.through {
				t.Fatalf("judged through %s, want %s", got, tt.through)
			}
			if got := w.last.Breaches[0].Since.Time; !got.Equal(end) {
				t.Fatalf("open since %s, want %s", got, end)
			}
		})
	}
}

// The judged window ends with the day: what came after it counts for the state now, not for the judgement.
func TestDayJudgementLeavesLaterAnswersOut(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 40)
	w.step()
	w.now = at(t, "2026-11-11T01:30:00Z")
	w.answer(1, 400)
	w.step()
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("")
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
}

// An objective that was missed at the day's end but is not any more, when it is looked at, opens nothing.
func TestJudgedMissedButRecovered(t *testing.T) {
	for bad, want := range map[int64]string{32: "", 10: "+satisfaction ObjectiveMissed"} {
		w := newWorld(t, csat(65))
		w.answer(5, 8)
		w.answer(1, 32)
		w.step()
		w.now = at(t, "2026-11-11T09:00:00Z") // the day's end passed unseen
		w.answer(5, bad+30)                   // 70 of 102 (OnTrack), or 48 of 80 (AtRisk)
		w.step()
		if bad == 32 {
			w.wantState(v1alpha1.StateOnTrack)
		} else {
			w.wantState(v1alpha1.StateAtRisk)
		}
		w.wantEvents(want)
	}
}

// Of several days that passed unseen, the last is judged, once.
func TestSeveralDaysMissed(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 40)
	w.step()
	w.answerAt(at(t, "2026-11-13T12:00:00Z"), 1, 400)
	w.stepAt(at(t, "2026-11-14T09:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
	if got := w.last.Judged.Through; got != "2026-11-13" {
		t.Fatalf("judged through %s, want 2026-11-13", got)
	}

	w = newWorld(t, csat(65))
	w.answer(1, 40)
	w.step()
	w.answerAt(at(t, "2026-11-13T12:00:00Z"), 5, 400)
	w.stepAt(at(t, "2026-11-14T09:00:00Z"))
	w.wantEvents("")
}

// Too few answers at the day's end are no judgement, even if there are enough now.
func TestNoDayJudgementOnTooFewAnswers(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(1, 29)
	w.step()
	w.answerAt(at(t, "2026-11-11T00:30:00Z"), 1, 1)
	w.stepAt(at(t, "2026-11-11T00:40:00Z"))
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("")
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
}

func TestFirstEvaluation(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answerAt(at(t, "2026-11-01T12:00:00Z"), 1, 400)
	w.step()
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("") // no day is judged that ended before
	if got := *w.last.Judged; got != (v1alpha1.Judging{Through: "2026-11-09"}) {
		t.Fatalf("judged %+v, want through yesterday", got)
	}

	w = newWorld(t, csat(65))
	w.answerAt(at(t, "2026-11-01T12:00:00Z"), 1, 400)
	w.in.LastImport = "before"
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed") // an import that ended before is
	if got := *w.last.Judged; got != (v1alpha1.Judging{Through: "2026-11-09", Import: "before"}) {
		t.Fatalf("judged %+v", got)
	}
}

func TestImportJudgement(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 40)
	w.in.LastImport = "one"
	w.step()
	w.answer(1, 200)
	w.step()
	w.wantState(v1alpha1.StateMissed)
	w.wantEvents("")
	w.in.LastImport = "two"
	w.answer(1, 1)
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed")
	w.in.LastImport = "" // the store was replaced by one without imports
	w.step()
	if got := w.last.Judged.Import; got != "two" {
		t.Fatalf("import %q, want two", got)
	}
}

// The import is judged on the live window, of which what lies ahead is no part.
func TestImportJudgementNeedsEvidence(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(1, 29)
	w.answerAt(w.now.Add(time.Hour), 1, 10)
	w.in.LastImport = "one"
	w.step()
	w.wantState(v1alpha1.StateInsufficientData)
	w.wantEvents("")
}

func TestContinuousJudging(t *testing.T) {
	w := newWorld(t, csat(65))
	w.in.Rules.Judging = v1alpha1.JudgingContinuous
	w.unsatisfied()
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed")

	w = newWorld(t, csat(65))
	w.in.Rules.Judging = v1alpha1.JudgingContinuous
	w.answer(5, 24)
	w.answer(1, 6)
	w.step()
	w.answer(1, 4) // held back by release, like the verdict
	w.step()
	w.wantEvents("")
	w.answer(1, 30)
	w.step()
	w.wantEvents("+satisfaction ObjectiveMissed")
}

// The clock may go back over midnight, and the zone may change: no day is judged twice.
func TestClockGoesBack(t *testing.T) {
	w := newWorld(t, csat(65))
	w.answer(5, 40)
	w.step()
	w.stepAt(at(t, "2026-11-11T00:10:00Z"))
	w.answer(1, 400)
	w.stepAt(at(t, "2026-11-10T23:30:00Z"))
	if got := w.last.Judged.Through; got != "2026-11-10" {
		t.Fatalf("judged through %s, want 2026-11-10", got)
	}
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantEvents("")
	w.stepAt(at(t, "2026-11-12T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
}

// A clock that was years ahead for a while must not end judging for years.
func TestClockWasFarAhead(t *testing.T) {
	for _, through := range []string{"2036-01-01", "", "nonsense", "12026-01-01"} {
		w := newWorld(t, csat(65))
		w.unsatisfied()
		w.status.Judged = &v1alpha1.Judging{Through: through}
		w.step()
		if got := w.last.Judged.Through; got != "2026-11-09" {
			t.Fatalf("after %q judged through %s, want 2026-11-09", through, got)
		}
		w.stepAt(at(t, "2026-11-11T00:00:00Z"))
		w.wantEvents("+satisfaction ObjectiveMissed")
	}
}

// Without objectives nothing is judged and nothing is written; those that come later are judged from then on.
func TestNoObjectives(t *testing.T) {
	w := newWorld(t)
	out := w.step()
	if out.Judged != nil || !out.Next.IsZero() || len(out.Objectives) != 0 {
		t.Fatalf("got %+v", out)
	}
	w.stepAt(at(t, "2026-11-20T12:00:00Z"))
	w.in.Objectives = []Objective{csat(65)}
	w.unsatisfied()
	w.step()
	w.wantEvents("")
	w.stepAt(at(t, "2026-11-21T00:00:00Z"))
	w.wantEvents("+satisfaction ObjectiveMissed")
}

// dayStart against a search for the first second of the date, in zones with every kind of change.
func TestDayStart(t *testing.T) {
	tests := []struct{ zone, from, to string }{
		{"UTC", "2026-02-25", "2026-03-02"},
		{"America/Los_Angeles", "2026-10-30", "2026-11-03"},
		{"America/Los_Angeles", "2027-03-12", "2027-03-16"},
		{"Asia/Kolkata", "2026-11-10", "2026-11-12"},
		{"America/Havana", "2026-10-30", "2026-11-03"},
		{"America/Havana", "2026-03-06", "2026-03-10"},
		{"Asia/Beirut", "2026-03-27", "2026-03-31"},
		{"Asia/Beirut", "2026-10-23", "2026-10-27"},
		{"Atlantic/Azores", "2026-10-23", "2026-10-27"},
		{"America/Sao_Paulo", "2018-02-16", "2018-02-20"},
		{"America/Sao_Paulo", "2018-11-02", "2018-11-06"},
		{"Australia/Lord_Howe", "2026-04-03", "2026-04-07"},
		{"Pacific/Apia", "2011-12-28", "2011-12-29"},
		{"Pacific/Apia", "2011-12-31", "2012-01-02"},
	}
	for _, tt := range tests {
		loc := zone(t, tt.zone)
		last := at(t, tt.to+"T00:00:00Z")
		for d := at(t, tt.from+"T00:00:00Z"); !d.After(last); d = d.AddDate(0, 0, 1) {
			want := d.Add(-15 * time.Hour)
			for want = want.Truncate(time.Minute); dateOf(want, loc).Before(d); want = want.Add(time.Minute) {
			}
			if got := dayStart(d, loc); !got.Equal(want) {
				t.Errorf("%s %s begins %s, want %s", tt.zone, d.Format(time.DateOnly), got.UTC(), want)
			}
		}
	}
	// 2011-12-30 does not exist on Samoa: it begins where the next day does.
	if got, want := dayStart(at(t, "2011-12-30T00:00:00Z"), zone(t, "Pacific/Apia")), at(t, "2011-12-30T10:00:00Z"); !got.Equal(want) {
		t.Errorf("the day that Samoa left out begins %s, want %s", got.UTC(), want)
	}
}

func TestWindowEnd(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-10T12:00:00Z": "2026-11-10T13:00:00Z",
		"2026-11-10T12:59:59Z": "2026-11-10T13:00:00Z",
		"1969-12-31T23:30:00Z": "1970-01-01T00:00:00Z",
	} {
		if got := WindowEnd(at(t, in)).Time(); !got.Equal(at(t, want)) {
			t.Errorf("window at %s ends %s, want %s", in, got, want)
		}
	}
}

// Every objective is judged on its own window.
func TestObjectivesOfOneResource(t *testing.T) {
	short := csat(65)
	short.Name, short.WindowDays = "last-week", 7
	mean := csat(3)
	mean.Name, mean.Definition.Metric = "mean", score.Mean
	w := newWorld(t, csat(65), short, mean)
	w.answerAt(at(t, "2026-10-01T12:00:00Z"), 5, 400)
	w.unsatisfied()
	w.step()
	w.stepAt(at(t, "2026-11-11T00:00:00Z"))
	w.wantEvents("+last-week ObjectiveMissed")
	var states []v1alpha1.ObjectiveState
	for _, o := range w.last.Objectives {
		states = append(states, o.State)
	}
	if states[0] != v1alpha1.StateMet || states[1] != v1alpha1.StateMissed || states[2] != v1alpha1.StateMet {
		t.Fatalf("states %v", states)
	}
}
