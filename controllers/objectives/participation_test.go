package objectives

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/participation"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

var (
	teatime = time.Date(2026, 11, 21, 16, 30, 0, 0, time.UTC)
	visitor = store.Key{Namespace: "sfo", Name: "visits"}
)

// reader is an operator that has read these counts, at teatime.
func reader(counts ...store.Count) *env.Env {
	e := &env.Env{Book: rollup.NewBook(), StaleAfter: time.Minute, Started: teatime.Add(-time.Hour)}
	e.Book.Apply("sfo/answers", store.Changes{Reset: true, Counts: counts}, teatime)
	return e
}

// count is n in the last full hour.
func hourly(touchpoint, question, value string, n int64) store.Count {
	return store.Count{
		Program: visitor, Touchpoint: touchpoint, Question: question, Revision: 1, Hour: store.HourOf(teatime) - 1, Value: value, N: n,
	}
}

// subject is the program, or one of its touchpoints.
func subject(touchpoint string) Subject {
	p := &v1alpha1.SurveyProgram{}
	p.Namespace, p.Name, p.UID = visitor.Namespace, visitor.Name, "u"
	p.Spec.StoreRef.Name, p.Spec.TimeZone = "answers", "UTC"
	p.Spec.Privacy.MinimumCell, p.Spec.Privacy.Release = 5, v1alpha1.ReleaseGuarded
	p.Spec.Evidence = v1alpha1.Evidence{MinimumResponses: 5, ConfidencePercent: 95, Judging: v1alpha1.JudgingDaily}
	p.Spec.Survey.Questions = []v1alpha1.Question{{Name: "ease", Type: v1alpha1.QuestionCES, Revision: 1}}
	return Subject{
		Object: p, Program: p, Touchpoint: touchpoint,
		Objectives: []v1alpha1.Objective{{Name: "easy", Question: "ease", Metric: v1alpha1.MetricCESTopBox, WindowDays: 30}},
	}
}

func TestParticipate(t *testing.T) {
	other := hourly("desk", store.QuestionInvited, "", 100)
	other.Program.Name = "another"
	revised := hourly("desk", store.QuestionInvited, "", 100)
	revised.Revision = 2
	e := reader(other, revised,
		hourly("desk", store.QuestionInvited, "", 10), hourly("desk", store.QuestionAnswered, "", 4),
		hourly("gate", store.QuestionInvited, "", 30), hourly("", store.QuestionInvited, "", 4),
		hourly("gate", store.QuestionUnfinished, "ease", 3), hourly("gate", store.QuestionCompleted, "", 7),
	)
	e.Book.Apply("sfo/elsewhere", store.Changes{Reset: true, Counts: []store.Count{hourly("desk", store.QuestionInvited, "", 500)}}, teatime)
	for touchpoint, want := range map[string]int64{"": 44, "desk": 10, "gate": 30} {
		got := Participate(e, subject(touchpoint), nil, teatime)
		if got.Figures == nil || *got.Figures.Invited != want || !got.Figures.WindowEnd.Time.Equal(teatime.Truncate(time.Hour)) {
			t.Errorf("%q: %+v, want %d invited", touchpoint, got.Figures, want)
		}
	}
	gate := Participate(e, subject("gate"), nil, teatime).Figures
	if diff := cmp.Diff([]v1alpha1.DropOff{{Question: "ease", Unfinished: 3}}, gate.DropOff); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Wilson's 95 % interval of 7 of 10.
	if diff := cmp.Diff(&v1alpha1.Share{Percent: "70.00", Lower: "39.68", Upper: "89.22"}, gate.Completion); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if idle := Participate(e, subject("exit"), nil, teatime); idle.Figures != nil || !idle.Next.IsZero() {
		t.Errorf("a touchpoint without any: %+v", idle)
	}
}

// The book keeps what the window needs, and the hours that run besides.
func TestWindowIsKept(t *testing.T) {
	if participation.WindowDays+1 > rollup.KeptDays {
		t.Errorf("a window of %d days of counts that are kept for %d", participation.WindowDays, rollup.KeptDays)
	}
}

// What cannot be read says nothing new.
func TestParticipateUnread(t *testing.T) {
	ten := int64(10)
	previous := &v1alpha1.Participation{WindowDays: 30, Invited: &ten}
	invited := hourly("desk", store.QuestionInvited, "", 20)
	missing := subject("desk")
	missing.Program = &v1alpha1.SurveyProgram{}
	for name, c := range map[string]struct {
		env     *env.Env
		subject Subject
		now     time.Time
	}{
		"nothing was read since the start": {&env.Env{Book: rollup.NewBook(), StaleAfter: time.Minute, Started: teatime}, subject("desk"), teatime},
		"nothing was read for long":        {reader(invited), subject("desk"), teatime.Add(2 * time.Minute)},
		"there is no program":              {reader(invited), missing, teatime},
	} {
		if got := Participate(c.env, c.subject, previous, c.now); got.Figures != previous || !got.Next.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := Participate(reader(invited), subject("desk"), previous, teatime); *got.Figures.Invited != 20 {
		t.Errorf("read again: %+v", got.Figures)
	}
}

// What is counted beside the answers changes no verdict, nor when it is looked at again.
func TestVerdictsWithParticipation(t *testing.T) {
	s := subject("desk")
	s.Objectives[0].Target.IntVal = 80
	answers := []store.Count{hourly("desk", "ease", "7", 40), hourly("desk", "ease", "2", 10)}
	plain, problems, err := Judge(reader(answers...), s, teatime)
	if err != nil || len(problems) > 0 || plain.Objectives[0].Responses != 50 {
		t.Fatalf("%+v, %v, %v", plain, problems, err)
	}
	beside := answers
	for _, question := range []string{
		store.QuestionCompleted, store.QuestionUnfinished, store.QuestionSeconds, store.QuestionInvited, store.QuestionAnswered,
		store.QuestionSkipped, store.QuestionSuspect,
	} {
		for _, value := range []string{"", "7", "99", "time"} {
			early := hourly("desk", question, value, 9)
			early.Hour -= 700
			beside = append(beside, early, hourly("desk", question, value, 9), hourly("", question, value, 9))
		}
	}
	both, problems, err := Judge(reader(beside...), s, teatime)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if diff := cmp.Diff(plain, both); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
	}
}

func TestParticipationSeries(t *testing.T) {
	label := Label{Kind: "Touchpoint", Namespace: "sfo", Name: "food", Program: "p", Touchpoint: "food", Team: "concessions"}
	if got := ParticipationSeries(label, nil); got != nil {
		t.Errorf("%+v", got)
	}
	want := &exporter.Participation{Namespace: "sfo", Program: "p", Touchpoint: "food", Team: "concessions", Figures: v1alpha1.Participation{WindowDays: 30}}
	if diff := cmp.Diff(want, ParticipationSeries(label, &v1alpha1.Participation{WindowDays: 30})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
