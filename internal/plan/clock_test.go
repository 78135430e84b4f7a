package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// timedPlan is created on 2026-11-21 at noon UTC, due on 2026-12-31.
func timedPlan(t testing.TB, change ...func(*v1alpha1.ActionPlan)) *v1alpha1.ActionPlan {
	p := &v1alpha1.ActionPlan{
		ObjectMeta: metav1.ObjectMeta{Name: "better-food", CreationTimestamp: metav1.NewTime(instant(t, "2026-11-21T12:00:00Z"))},
		Spec: v1alpha1.ActionPlanSpec{
			Objective: "satisfaction", DueDate: "2026-12-31", State: v1alpha1.WorkInProgress,
		},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func in(state v1alpha1.WorkState) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) { p.Spec.State = state }
}

func acknowledged(p *v1alpha1.ActionPlan) {
	p.Spec.Acknowledgement = &v1alpha1.Acknowledgement{By: "Head of Concessions", Time: p.CreationTimestamp}
}

func due(date string) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) { p.Spec.DueDate = date }
}

func action(name, date string, state v1alpha1.WorkState) func(*v1alpha1.ActionPlan) {
	return func(p *v1alpha1.ActionPlan) {
		p.Spec.Actions = append(p.Spec.Actions, v1alpha1.Action{Name: name, DueDate: date, State: state})
	}
}

// open is the breaches as "type item since".
func open(breaches []v1alpha1.Breach) []string {
	var all []string
	for _, b := range breaches {
		all = append(all, string(b.Type)+" "+b.Item+" "+b.Since.Format(time.RFC3339))
	}
	return all
}

func TestTime(t *testing.T) {
	type plans = func(*v1alpha1.ActionPlan)
	const unacknowledged = "PlanUnacknowledged  2026-11-23T12:00:00Z"
	const overdue = "PlanOverdue  2027-01-01T08:00:00Z"
	const lateHours = "ActionOverdue late-hours 2026-12-16T08:00:00Z"
	for _, c := range []struct {
		name string
		plan []plans
		now  string
		want []string
		next string
	}{
		{"new", nil, "2026-11-21T12:00:00Z", nil, "2026-11-23T12:00:00Z"},
		{"a second before it must be acknowledged", nil, "2026-11-23T11:59:59Z", nil, "2026-11-23T12:00:00Z"},
		{"unacknowledged", nil, "2026-11-23T12:00:00Z", []string{unacknowledged}, "2027-01-01T08:00:00Z"},
		{"acknowledged in time", []plans{acknowledged}, "2026-11-23T12:00:00Z", nil, "2027-01-01T08:00:00Z"},
		{"acknowledged too late", []plans{acknowledged}, "2026-12-24T12:00:00Z", nil, "2027-01-01T08:00:00Z"},
		{"a second before it is overdue", []plans{acknowledged}, "2027-01-01T07:59:59Z", nil, "2027-01-01T08:00:00Z"},
		{"overdue", []plans{acknowledged}, "2027-01-01T08:00:00Z", []string{overdue}, ""},
		{"overdue and unacknowledged", nil, "2027-02-01T00:00:00Z", []string{overdue, unacknowledged}, ""},
		{"no state is not started", []plans{in("")}, "2027-02-01T00:00:00Z", []string{overdue, unacknowledged}, ""},
		{"on hold", []plans{in(v1alpha1.WorkOnHold)}, "2027-02-01T00:00:00Z", []string{overdue, unacknowledged}, ""},
		{"complete", []plans{in(v1alpha1.WorkComplete)}, "2027-02-01T00:00:00Z", nil, ""},
		{"complete before it is due", []plans{in(v1alpha1.WorkComplete)}, "2026-11-22T00:00:00Z", nil, ""},
		{"cancelled", []plans{in(v1alpha1.WorkCancelled)}, "2027-02-01T00:00:00Z", nil, ""},
		{"a second before an action is overdue",
			[]plans{acknowledged, action("late-hours", "2026-12-15", v1alpha1.WorkInProgress)},
			"2026-12-16T07:59:59Z", nil, "2026-12-16T08:00:00Z"},
		{"an action is overdue",
			[]plans{acknowledged, action("late-hours", "2026-12-15", v1alpha1.WorkInProgress)},
			"2026-12-16T08:00:00Z", []string{lateHours}, "2027-01-01T08:00:00Z"},
		{"an action without a state is not started",
			[]plans{acknowledged, action("late-hours", "2026-12-15", "")},
			"2026-12-16T08:00:00Z", []string{lateHours}, "2027-01-01T08:00:00Z"},
		{"actions that are done, cancelled or undated",
			[]plans{acknowledged, action("a", "2026-12-15", v1alpha1.WorkComplete), action("b", "2026-12-15", v1alpha1.WorkCancelled), action("c", "", v1alpha1.WorkInProgress)},
			"2026-12-31T00:00:00Z", nil, "2027-01-01T08:00:00Z"},
		{"an open action of a complete plan",
			[]plans{in(v1alpha1.WorkComplete), action("late-hours", "2026-12-15", v1alpha1.WorkInProgress)},
			"2027-02-01T00:00:00Z", nil, ""},
		{"an action due after its plan",
			[]plans{acknowledged, action("late-hours", "2027-01-02", v1alpha1.WorkInProgress)},
			"2027-01-02T00:00:00Z", []string{overdue}, "2027-01-03T08:00:00Z"},
		{"all at once, sorted",
			[]plans{action("z", "2026-12-14", ""), action("late-hours", "2026-12-15", "")},
			"2027-01-01T08:00:00Z", []string{lateHours, "ActionOverdue z 2026-12-15T08:00:00Z", overdue, unacknowledged}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Time(timedPlan(t, c.plan...), Clock{
				Now: instant(t, c.now), Location: zone(t, "America/Los_Angeles"), AcknowledgeWithin: 48 * time.Hour,
			})
			if diff := cmp.Diff(c.want, open(got.Breaches)); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
			var next time.Time
			if c.next != "" {
				next = instant(t, c.next)
			}
			if !got.Next.Equal(next) {
				t.Errorf("Next = %s, want %q", got.Next, c.next)
			}
			if len(got.Problems) != 0 || !got.AcknowledgeBy.Equal(instant(t, "2026-11-23T12:00:00Z")) || !got.DueTime.Equal(instant(t, "2027-01-01T08:00:00Z")) {
				t.Errorf("AcknowledgeBy %s, DueTime %s, Problems %v", got.AcknowledgeBy, got.DueTime, got.Problems)
			}
			for _, b := range got.Breaches {
				if b.Objective != "satisfaction" || b.PlanRef != nil {
					t.Errorf("breach %+v", b)
				}
			}
		})
	}
}

// A plan is overdue from the very second in which its day ends, also where the clocks change at that moment.
func TestTimeToTheSecondAroundMidnight(t *testing.T) {
	for _, c := range []struct{ zone, date, end string }{
		{"America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"},
		{"America/Santiago", "2026-04-04", "2026-04-05T04:00:00Z"},
		{"Asia/Beirut", "2026-03-28", "2026-03-28T22:00:00Z"},
		{"Asia/Beirut", "2026-10-24", "2026-10-24T22:00:00Z"},
		{"America/Los_Angeles", "2026-11-01", "2026-11-02T08:00:00Z"},
		{"UTC", "2026-12-31", "2027-01-01T00:00:00Z"},
	} {
		t.Run(c.zone+" "+c.date, func(t *testing.T) {
			p := timedPlan(t, acknowledged, due(c.date))
			clock := Clock{Location: zone(t, c.zone), AcknowledgeWithin: time.Hour}
			clock.Now = instant(t, c.end).Add(-time.Nanosecond)
			if got := Time(p, clock); len(got.Breaches) != 0 || !got.Next.Equal(instant(t, c.end)) {
				t.Errorf("before: %v, next %s", open(got.Breaches), got.Next)
			}
			clock.Now = instant(t, c.end)
			if got := Time(p, clock); len(got.Breaches) != 1 || !got.Breaches[0].Since.Equal(&metav1.Time{Time: clock.Now}) || !got.Next.IsZero() {
				t.Errorf("then: %v, next %s", open(got.Breaches), got.Next)
			}
		})
	}
}

func TestTimeNamesWhatIsNoDate(t *testing.T) {
	p := timedPlan(t, due("2026-02-29"), action("a", "2026-12-15", ""), action("b", "soon", ""))
	got := Time(p, Clock{Now: instant(t, "2027-01-01T00:00:00Z"), AcknowledgeWithin: time.Hour})
	want := []survey.Problem{
		{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.dueDate", Message: `"2026-02-29" is not a date: write it as 2026-12-31`},
		{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.actions[1].dueDate", Message: `"soon" is not a date: write it as 2026-12-31`},
	}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Error(diff)
	}
	if got.DueTime != nil {
		t.Errorf("DueTime = %s", got.DueTime)
	}
	if diff := cmp.Diff([]string{"ActionOverdue a 2026-12-16T00:00:00Z", "PlanUnacknowledged  2026-11-21T13:00:00Z"}, open(got.Breaches)); diff != "" {
		t.Error(diff)
	}
}

func TestTimeBeforeThePlanWasCreated(t *testing.T) {
	p := timedPlan(t)
	p.CreationTimestamp = metav1.Time{}
	got := Time(p, Clock{Now: instant(t, "2026-12-31T23:59:59Z")})
	if got.AcknowledgeBy != nil || len(got.Breaches) != 0 || !got.Next.Equal(instant(t, "2027-01-01T00:00:00Z")) {
		t.Errorf("%+v", got)
	}
}

// By a policy, actions without a date are due so many days after the day on which the plan was opened.
func TestActionsWithoutADate(t *testing.T) {
	p := timedPlan(t, acknowledged, action("undated", "", v1alpha1.WorkNotStarted), action("done", "", v1alpha1.WorkComplete),
		action("dated", "2026-12-20", v1alpha1.WorkNotStarted))
	loc := zone(t, "America/Los_Angeles")
	within := int32(14)
	ends := instant(t, "2026-12-06T08:00:00Z") // of 5 December in Los Angeles
	for name, c := range map[string]struct {
		days *int32
		now  time.Time
		want []string
		next time.Time
	}{
		"without a policy they have no clock": {nil, ends, nil, instant(t, "2026-12-21T08:00:00Z")},
		"a second before":                     {&within, ends.Add(-time.Second), nil, ends},
		"at the end of the day": {
			&within, ends, []string{"ActionOverdue undated 2026-12-06T08:00:00Z"}, instant(t, "2026-12-21T08:00:00Z")},
	} {
		t.Run(name, func(t *testing.T) {
			got := Time(p, Clock{Now: c.now, Location: loc, AcknowledgeWithin: 48 * time.Hour, ActionDueWithinDays: c.days})
			if diff := cmp.Diff(c.want, open(got.Breaches)); diff != "" || !got.Next.Equal(c.next) {
				t.Errorf("next %s, want %s; breaches (-want +got):\n%s", got.Next, c.next, diff)
			}
		})
	}
	closed := timedPlan(t, in(v1alpha1.WorkComplete), action("undated", "", v1alpha1.WorkNotStarted))
	if got := Time(closed, Clock{Now: ends, Location: loc, ActionDueWithinDays: &within}); len(got.Breaches) > 0 {
		t.Errorf("breaches of a complete plan %v", open(got.Breaches))
	}
}
