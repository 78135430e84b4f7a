package review

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// reviewOf is a review of the program visits.
func reviewOf(from, to string, edits ...func(*v1alpha1.Review)) v1alpha1.Review {
	r := v1alpha1.Review{Spec: v1alpha1.ReviewSpec{
		ProgramRef: v1alpha1.NameRef{Name: "visits"}, Period: v1alpha1.Period{From: from, To: to},
	}}
	r.Name = "visits-" + from
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		cadence    v1alpha1.Cadence
		since, now string
		reviews    []v1alpha1.Review
		want, next string
	}{
		"the week that just ended": {
			v1alpha1.CadenceWeekly, "2026-11-02T00:00:00Z", "2026-11-23T08:00:00Z", nil, "visits-2026-w47", "2026-11-30T08:00:00Z",
		},
		"a second before it ends": {
			v1alpha1.CadenceWeekly, "2026-11-17T00:00:00Z", "2026-11-23T07:59:59Z", nil, "", "2026-11-23T08:00:00Z",
		},
		"a policy that began within the week": {
			v1alpha1.CadenceWeekly, "2026-11-18T00:00:00Z", "2026-11-23T08:00:00Z", nil, "visits-2026-w47", "2026-11-30T08:00:00Z",
		},
		"a policy that began when the week was over": {
			v1alpha1.CadenceWeekly, "2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z", nil, "", "2026-11-30T08:00:00Z",
		},
		"it is open already": {
			v1alpha1.CadenceWeekly, "2026-11-02T00:00:00Z", "2026-11-24T08:00:00Z",
			[]v1alpha1.Review{reviewOf("2026-11-16", "2026-11-22")}, "", "2026-11-30T08:00:00Z",
		},
		"no flood after half a year": {
			v1alpha1.CadenceWeekly, "2026-01-01T00:00:00Z", "2026-11-24T08:00:00Z",
			[]v1alpha1.Review{reviewOf("2026-05-04", "2026-05-10")}, "visits-2026-w47", "2026-11-30T08:00:00Z",
		},
		"a month that reaches further than the weeks before": {
			v1alpha1.CadenceMonthly, "2026-01-01T00:00:00Z", "2026-12-01T09:00:00Z",
			[]v1alpha1.Review{reviewOf("2026-11-16", "2026-11-22")}, "visits-2026-11", "2027-01-01T08:00:00Z",
		},
		"a month whose end was reviewed": {
			v1alpha1.CadenceMonthly, "2026-01-01T00:00:00Z", "2026-12-08T09:00:00Z",
			[]v1alpha1.Review{reviewOf("2026-11-30", "2026-12-06")}, "", "2027-01-01T08:00:00Z",
		},
		"a clock that goes back": {
			v1alpha1.CadenceWeekly, "2026-01-01T00:00:00Z", "2026-11-10T08:00:00Z",
			[]v1alpha1.Review{reviewOf("2026-11-16", "2026-11-22")}, "", "2026-11-16T08:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Open("visits", c.cadence, zone(t, "America/Los_Angeles"), instant(t, c.since), c.reviews, instant(t, c.now))
			if err != nil || o.Name != c.want || !o.Next.Equal(instant(t, c.next)) {
				t.Errorf("%q, next %s, %v; want %q, next %s", o.Name, o.Next.Format(time.RFC3339), err, c.want, c.next)
			}
		})
	}
	if _, err := Open("visits", v1alpha1.CadenceAuto, nil, time.Time{}, nil, instant(t, "2026-11-10T08:00:00Z")); err == nil {
		t.Error("opened by cadence Auto")
	}
}

func TestDueTime(t *testing.T) {
	week := v1alpha1.Period{From: "2026-11-16", To: "2026-11-22"}
	for name, c := range map[string]struct {
		days int32
		seen string
		want string
	}{
		"seven days":                  {7, "2026-11-23T08:00:01Z", "2026-11-30T08:00:00Z"},
		"one day":                     {1, "2026-11-23T08:00:01Z", "2026-11-24T08:00:00Z"},
		"none is one":                 {0, "2026-11-23T08:00:01Z", "2026-11-24T08:00:00Z"},
		"seen late on the day after":  {7, "2026-11-24T07:59:59Z", "2026-11-30T08:00:00Z"},
		"seen a day later":            {7, "2026-11-24T08:00:00Z", "2026-12-01T08:00:00Z"},
		"seen after it had been due":  {7, "2026-12-20T12:00:00Z", "2026-12-27T08:00:00Z"},
		"made by people in the week":  {7, "2026-11-17T12:00:00Z", "2026-11-30T08:00:00Z"},
		"the clocks change meanwhile": {31, "2027-03-01T12:00:00Z", "2027-04-01T07:00:00Z"},
	} {
		due, err := DueTime(week, c.days, instant(t, c.seen), zone(t, "America/Los_Angeles"))
		if err != nil || !due.Equal(instant(t, c.want)) {
			t.Errorf("%s: %s, %v; want %s", name, due, err, c.want)
		}
	}
	if _, err := DueTime(v1alpha1.Period{From: "2026-11-22", To: "2026-11-16"}, 7, time.Time{}, nil); err == nil {
		t.Error("a period that ends before it begins is due")
	}
}

func at(t *testing.T, text string) *metav1.Time {
	t.Helper()
	m := metav1.NewTime(instant(t, text))
	return &m
}

func held(when *metav1.Time, attendees ...string) func(*v1alpha1.Review) {
	return func(r *v1alpha1.Review) {
		r.Spec.HeldTime = when
		for _, name := range attendees {
			r.Spec.Attendees = append(r.Spec.Attendees, v1alpha1.NameRef{Name: name})
		}
	}
}

func due(when *metav1.Time) func(*v1alpha1.Review) {
	return func(r *v1alpha1.Review) { r.Status.DueTime = when }
}

func TestStandingOf(t *testing.T) {
	by := due(at(t, "2026-11-30T00:00:00Z"))
	for name, c := range map[string]struct {
		review v1alpha1.Review
		now    string
		want   Standing
	}{
		"still time":                  {reviewOf("2026-11-16", "2026-11-22", by), "2026-11-29T23:59:59Z", Awaited},
		"the time is up":              {reviewOf("2026-11-16", "2026-11-22", by), "2026-11-30T00:00:00Z", Missed},
		"held":                        {reviewOf("2026-11-16", "2026-11-22", by, held(at(t, "2026-11-24T09:00:00Z"))), "2026-11-24T09:00:00Z", Held},
		"held late":                   {reviewOf("2026-11-16", "2026-11-22", by, held(at(t, "2026-12-24T09:00:00Z"))), "2026-12-25T00:00:00Z", Held},
		"a date in the calendar":      {reviewOf("2026-11-16", "2026-11-22", by, held(at(t, "2026-11-24T09:00:00Z"))), "2026-11-24T08:59:59Z", Awaited},
		"a date after it was due":     {reviewOf("2026-11-16", "2026-11-22", by, held(at(t, "2026-12-24T09:00:00Z"))), "2026-12-01T00:00:00Z", Missed},
		"before there was anything":   {reviewOf("2026-11-16", "2026-11-22", by, held(at(t, "2026-11-20T09:00:00Z"))), "2026-12-01T00:00:00Z", Missed},
		"nobody knows yet by when":    {reviewOf("2026-11-16", "2026-11-22"), "2027-01-01T00:00:00Z", Awaited},
		"a period that is none, late": {reviewOf("2026-11-22", "2026-11-16", by, held(at(t, "2026-11-24T09:00:00Z"))), "2027-01-01T00:00:00Z", Missed},
	} {
		if got := StandingOf(&c.review, nil, instant(t, c.now)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A review that was missed is not asked for any more once a later one was held.
func TestIsMissed(t *testing.T) {
	now := instant(t, "2026-12-20T00:00:00Z")
	missed := reviewOf("2026-11-16", "2026-11-22", due(at(t, "2026-11-30T00:00:00Z")))
	later := reviewOf("2026-11-23", "2026-11-29", due(at(t, "2026-12-07T00:00:00Z")))
	if !IsMissed(&missed, []v1alpha1.Review{missed, later}, nil, now) {
		t.Error("not missed, though nothing was held")
	}
	held(at(t, "2026-12-01T09:00:00Z"))(&later)
	if IsMissed(&missed, []v1alpha1.Review{missed, later}, nil, now) {
		t.Error("still asked for after a later one was held")
	}
	if StandingOf(&missed, nil, now) != Missed {
		t.Error("that it was missed is forgotten")
	}
	earlier := reviewOf("2026-11-09", "2026-11-15", held(at(t, "2026-12-01T09:00:00Z")))
	if !IsMissed(&missed, []v1alpha1.Review{earlier, missed}, nil, now) {
		t.Error("excused by an earlier one")
	}
}
