package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// The restaurants of the airport: missed on the evening of the 20th (midnight in Los Angeles), window of 90 days.
const (
	opened   = "2026-11-21T08:00:00Z"
	planName = "food-satisfaction-20261121"
)

func stamp(t testing.TB, s string) *metav1.Time { return &metav1.Time{Time: instant(t, s)} }

// situation is that of the moment in which the breach opened, without any plan.
func situation(t testing.TB, change ...func(*Situation)) Situation {
	s := Situation{
		Now: instant(t, opened), Location: zone(t, "America/Los_Angeles"),
		Namespace: "sfo", Program: "passenger-experience", Touchpoint: "food", DisplayName: "Restaurants",
		ConfidencePercent: 95,
		Objective: v1alpha1.Objective{
			Name: "satisfaction", Question: "food", Metric: v1alpha1.MetricCSAT, Target: intstr.FromInt32(65), WindowDays: 90,
		},
		Status: v1alpha1.ObjectiveStatus{
			Name: "satisfaction", State: v1alpha1.StateMissed, Score: "55.72", Lower: "53.74", Upper: "57.69", Target: "65",
			Responses: 2425, ReleasedResponses: 2421, StateSince: stamp(t, opened),
		},
		Breach:   v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: "satisfaction", Since: *stamp(t, opened)},
		Rule:     RuleOf(&v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{}}),
		OwnerRef: &v1alpha1.NameRef{Name: "concessions"},
		Judged:   &v1alpha1.Judging{Through: "2026-11-20"},
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

type set = func(*Situation)

func at(t testing.TB, now string) set { return func(s *Situation) { s.Now = instant(t, now) } }

func judged(through string) set {
	return func(s *Situation) { s.Judged = &v1alpha1.Judging{Through: through} }
}

func stands(state v1alpha1.ObjectiveState) set { return func(s *Situation) { s.Status.State = state } }

func answeredBy(name string) set {
	return func(s *Situation) { s.Breach.PlanRef = &v1alpha1.PlanRef{Name: name} }
}

func noCreate(s *Situation) { s.Rule.Mode = v1alpha1.PlanModeNone }

func missingAfter(h int32) set { return func(s *Situation) { s.Rule.MissingAfterHours = h } }

// has adds a plan in a state since an instant ("" where the operator has not seen that state yet). Plans are created in the
// order in which they are added.
func has(t testing.TB, name string, state v1alpha1.WorkState, since string) set {
	return func(s *Situation) {
		p := v1alpha1.ActionPlan{ObjectMeta: metav1.ObjectMeta{Namespace: "sfo", Name: name}}
		p.CreationTimestamp = metav1.NewTime(instant(t, "2026-06-01T00:00:00Z").Add(time.Duration(len(s.Plans)) * time.Second))
		p.Spec.State = state
		if since != "" {
			p.Status.State, p.Status.StateSince = state, stamp(t, since)
		}
		s.Plans = append(s.Plans, p)
	}
}

// leaving marks the plan that was added last as being deleted.
func leaving(t testing.TB, when string) set {
	return func(s *Situation) { s.Plans[len(s.Plans)-1].DeletionTimestamp = stamp(t, when) }
}

// told is a decision in words: created, answered by, missing since, next.
type told struct{ Create, Ref, Missing, Next string }

func tell(d Decision) told {
	var w told
	if d.Create != nil {
		w.Create = d.Create.Name
	}
	if d.PlanRef != nil {
		w.Ref = d.PlanRef.Name
	}
	if d.MissingSince != nil {
		w.Missing = d.MissingSince.Format(time.RFC3339Nano)
	}
	if !d.Next.IsZero() {
		w.Next = d.Next.Format(time.RFC3339Nano)
	}
	return w
}

type decideCase struct {
	name string
	set  []set
	want told
}

func runDecide(t *testing.T, cases []decideCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := situation(t, c.set...)
			if diff := cmp.Diff(c.want, tell(Decide(s))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkInvariants(t, s)
		})
	}
}

func TestDecideOpensOnePlanPerEpisode(t *testing.T) {
	runDecide(t, []decideCase{
		{"no plan", nil, told{Create: planName}},
		{"no plan a week later, named after the day of the breach", []set{at(t, "2026-11-28T08:00:00Z")}, told{Create: planName}},
		{"the plan is seen", []set{has(t, planName, v1alpha1.WorkNotStarted, "")}, told{Ref: planName}},
		{"the plan stays", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkInProgress, opened)}, told{Ref: planName}},
		{"the plan is on hold", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkOnHold, opened)}, told{Ref: planName}},
		{"a plan that a person wrote", []set{has(t, "better-food", v1alpha1.WorkInProgress, "")}, told{Ref: "better-food"}},
		{"a plan without a state", []set{has(t, "better-food", "", "")}, told{Ref: "better-food"}},
		{"a person's plan in mode None", []set{noCreate, has(t, "better-food", v1alpha1.WorkNotStarted, "")}, told{Ref: "better-food"}},
		{"the older of two", []set{has(t, "z", v1alpha1.WorkNotStarted, ""), has(t, "a", v1alpha1.WorkNotStarted, "")}, told{Ref: "z"}},
		{"an open one before one that is complete", []set{answeredBy("done"), has(t, "done", v1alpha1.WorkComplete, "2026-11-22T00:00:00Z"), has(t, "next", v1alpha1.WorkNotStarted, "")}, told{Ref: "next"}},
		{"a plan of another day that was cancelled before the episode", []set{has(t, "food-satisfaction-20260601", v1alpha1.WorkCancelled, "2026-07-01T00:00:00Z")}, told{Create: planName}},
		{"a plan that is being deleted is none", []set{has(t, "better-food", v1alpha1.WorkNotStarted, ""), leaving(t, opened)}, told{Create: planName}},
		{"the day of the breach is that of the program's zone",
			[]set{func(s *Situation) { s.Breach.Since = *stamp(t, "2026-11-21T07:59:59Z") }},
			told{Create: "food-satisfaction-20261120"}},
		{"a program's own objective",
			[]set{func(s *Situation) { s.Touchpoint, s.Objective.Name = "", "nps" }},
			told{Create: "passenger-experience-nps-20261121"}},
	})
}

func TestDecideOldestOfTheSameSecondByName(t *testing.T) {
	s := situation(t, has(t, "z", v1alpha1.WorkNotStarted, ""), has(t, "a", v1alpha1.WorkNotStarted, ""))
	s.Plans[1].CreationTimestamp = s.Plans[0].CreationTimestamp
	if got := tell(Decide(s)); got.Ref != "a" {
		t.Errorf("%+v", got)
	}
}

func TestDecideCompleteHoldsBackUntilADisjointWindowWasJudged(t *testing.T) {
	// Completed on 2026-12-10 at noon in Los Angeles; 90 days later is 2027-03-10 20:00 UTC, and the first day that ends
	// then or later is the 10th (24:00 there is 08:00 UTC of the 11th).
	const done = "2026-12-10T20:00:00Z"
	complete := func(more ...set) []set {
		return append([]set{answeredBy(planName), has(t, planName, v1alpha1.WorkComplete, done), at(t, "2027-03-11T09:00:00Z")}, more...)
	}
	runDecide(t, []decideCase{
		{"just completed", complete(at(t, done), judged("2026-12-09")), told{Ref: planName}},
		{"completed, not seen by the clock", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkComplete, "")}, told{Ref: planName}},
		{"the day before was judged", complete(judged("2027-03-09")), told{Ref: planName}},
		{"the first disjoint day was judged", complete(judged("2027-03-10")), told{Create: "food-satisfaction-20270311", Ref: planName}},
		{"it was judged and only at risk", complete(judged("2027-03-10"), stands(v1alpha1.StateAtRisk)), told{Ref: planName}},
		{"it was judged, then the store was away", complete(judged("2027-03-10"), stands(v1alpha1.StateStale)), told{Ref: planName}},
		{"nothing was judged", complete(func(s *Situation) { s.Judged = nil }), told{Ref: planName}},
		{"the record of judging is damaged", complete(judged("never")), told{Ref: planName}},
		{"the next plan is open", complete(judged("2027-03-10"), has(t, "food-satisfaction-20270311", v1alpha1.WorkNotStarted, "")),
			told{Ref: "food-satisfaction-20270311"}},
		{"the next plan is complete as well", complete(judged("2027-03-20"), has(t, "food-satisfaction-20270311", v1alpha1.WorkComplete, "2027-03-15T00:00:00Z")),
			told{Ref: "food-satisfaction-20270311"}},
		{"the next plan was cancelled before it was seen", complete(judged("2027-03-10"), has(t, "food-satisfaction-20270311", v1alpha1.WorkCancelled, "2027-03-11T08:30:00Z")),
			told{Ref: "food-satisfaction-20270311", Missing: "2027-03-11T08:30:00Z"}},
		{"mode None: held", complete(noCreate, judged("2027-03-09")), told{Ref: planName}},
		{"mode None: missing since the disjoint day ended", complete(noCreate, judged("2027-03-10")),
			told{Ref: planName, Missing: "2027-03-11T08:00:00Z"}},
		{"mode None: not before the objective was missed", complete(noCreate, judged("2027-03-10"), func(s *Situation) {
			s.Status.StateSince = stamp(t, "2027-03-11T08:30:00Z")
		}), told{Ref: planName, Missing: "2027-03-11T08:30:00Z"}},
		{"mode None: with hours allowed", complete(noCreate, judged("2027-03-10"), missingAfter(24)),
			told{Ref: planName, Next: "2027-03-12T08:00:00Z"}},
	})
}

func TestDecidePlanCompletedBeforeTheBreach(t *testing.T) {
	// 90 days before the breach opened.
	const disjoint, overlaps = "2026-08-23T08:00:00Z", "2026-08-23T08:00:01Z"
	runDecide(t, []decideCase{
		{"its window was judged already", []set{has(t, "better-food", v1alpha1.WorkComplete, disjoint)}, told{Create: planName}},
		{"the window still holds answers from before", []set{has(t, "better-food", v1alpha1.WorkComplete, overlaps)}, told{Ref: "better-food"}},
		{"the next day is judged", []set{
			answeredBy("better-food"), has(t, "better-food", v1alpha1.WorkComplete, overlaps), judged("2026-11-21"), at(t, "2026-11-22T08:00:00Z"),
		}, told{Create: "food-satisfaction-20261122", Ref: "better-food"}},
		{"the one completed last holds", []set{
			has(t, "a", v1alpha1.WorkComplete, "2026-09-01T00:00:00Z"), has(t, "c", v1alpha1.WorkComplete, "2026-10-01T00:00:00Z"),
			has(t, "b", v1alpha1.WorkComplete, "2026-10-01T00:00:00Z"),
		}, told{Ref: "b"}},
		{"mode None: without, and missing since the breach", []set{noCreate, has(t, "better-food", v1alpha1.WorkComplete, disjoint)},
			told{Missing: opened}},
		{"mode None: referred to, and missing since the breach", []set{noCreate, answeredBy("better-food"), has(t, "better-food", v1alpha1.WorkComplete, disjoint), judged("2027-01-01"), at(t, "2027-01-02T09:00:00Z")},
			told{Ref: "better-food", Missing: opened}},
	})
}

func TestDecideCancelledOrDeletedHoldsBackForTheEpisode(t *testing.T) {
	const later = "2027-06-01T08:00:00Z"
	runDecide(t, []decideCase{
		{"cancelled", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, "2026-11-25T10:00:00Z"), at(t, later), judged("2027-05-31")},
			told{Ref: planName, Missing: "2026-11-25T10:00:00Z"}},
		{"cancelled, hours allowed", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, "2026-11-25T10:00:00Z"), at(t, "2026-11-26T09:59:59Z"), missingAfter(24)},
			told{Ref: planName, Next: "2026-11-26T10:00:00Z"}},
		{"cancelled, hours passed", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, "2026-11-25T10:00:00Z"), at(t, "2026-11-26T10:00:00Z"), missingAfter(24)},
			told{Ref: planName, Missing: "2026-11-26T10:00:00Z"}},
		{"cancelled, not on record yet", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, ""), at(t, later)},
			told{Ref: planName, Missing: later}},
		{"deleted", []set{answeredBy(planName), at(t, later)}, told{Ref: planName, Missing: later}},
		{"deleted within the hours allowed", []set{answeredBy(planName), missingAfter(24)}, told{Ref: planName, Next: "2026-11-22T08:00:00Z"}},
		{"being deleted", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkInProgress, opened), leaving(t, "2026-11-25T10:00:00Z"), at(t, later)},
			told{Ref: planName, Missing: "2026-11-25T10:00:00Z"}},
		{"completed, then being deleted", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkComplete, opened), leaving(t, "2026-11-25T10:00:00Z"), at(t, later)},
			told{Ref: planName, Missing: "2026-11-25T10:00:00Z"}},
		{"cancelled before the reference was written", []set{has(t, planName, v1alpha1.WorkCancelled, "2026-11-21T08:05:00Z"), at(t, later)},
			told{Ref: planName, Missing: "2026-11-21T08:05:00Z"}},
		{"cancelled in an episode of the same day, missing since this one", []set{has(t, planName, v1alpha1.WorkCancelled, "2026-11-21T07:00:00Z"), at(t, later)},
			told{Ref: planName, Missing: opened}},
		{"a person writes another", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, opened), has(t, "better-food", v1alpha1.WorkInProgress, "")},
			told{Ref: "better-food"}},
		{"a person wrote another and completed it", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, opened), has(t, "better-food", v1alpha1.WorkComplete, "2026-11-25T10:00:00Z"), at(t, "2026-11-26T08:00:00Z")},
			told{Ref: "better-food"}},
		{"a plan from before the episode does not come back", []set{answeredBy(planName), has(t, planName, v1alpha1.WorkCancelled, opened), has(t, "better-food", v1alpha1.WorkComplete, "2026-10-25T10:00:00Z")},
			told{Ref: planName, Missing: opened}},
	})
}

func TestDecideMissingInModeNone(t *testing.T) {
	runDecide(t, []decideCase{
		{"at once", []set{noCreate}, told{Missing: opened}},
		{"later still since then", []set{noCreate, at(t, "2026-12-24T00:00:00Z")}, told{Missing: opened}},
		{"hours allowed", []set{noCreate, missingAfter(12)}, told{Next: "2026-11-21T20:00:00Z"}},
		{"a nanosecond before", []set{noCreate, missingAfter(12), at(t, "2026-11-21T19:59:59.999999999Z")}, told{Next: "2026-11-21T20:00:00Z"}},
		{"to the second", []set{noCreate, missingAfter(12), at(t, "2026-11-21T20:00:00Z")}, told{Missing: "2026-11-21T20:00:00Z"}},
		{"hours are hours where clocks change", []set{
			noCreate, missingAfter(24), at(t, "2026-11-01T12:00:00Z"),
			func(s *Situation) { s.Breach.Since = *stamp(t, "2026-11-01T07:00:00Z") },
		}, told{Next: "2026-11-02T07:00:00Z"}},
		{"an unknown mode opens nothing", []set{func(s *Situation) { s.Rule.Mode = "Sometimes" }}, told{Missing: opened}},
		{"hours allowed do not delay mode Create", []set{missingAfter(12)}, told{Create: planName}},
	})
}

// A whole episode, pass by pass, as the operator lives it: the reference goes into the breach, time goes on.
func TestDecideThroughAnEpisode(t *testing.T) {
	s := situation(t)
	step := func(why string, want told) {
		t.Helper()
		d := Decide(s)
		if diff := cmp.Diff(want, tell(d)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", why, diff)
		}
		if d.PlanRef != nil {
			s.Breach.PlanRef = d.PlanRef
		}
		if d.Create != nil {
			created := *d.Create
			created.CreationTimestamp = metav1.NewTime(s.Now)
			s.Plans = append(s.Plans, created)
		}
	}
	first, second := planName, "food-satisfaction-20270222"
	step("missed", told{Create: first})
	step("the plan is seen", told{Ref: first})
	s.Now = instant(t, "2026-11-24T08:00:00Z")
	s.Plans[0].Spec.State = v1alpha1.WorkComplete
	step("completed", told{Ref: first})
	s.Plans[0].Status = v1alpha1.ActionPlanStatus{State: v1alpha1.WorkComplete, StateSince: stamp(t, "2026-11-24T08:00:00Z")}
	s.Now, s.Judged.Through = instant(t, "2027-02-21T08:00:00Z"), "2027-02-20"
	step("the window is not disjoint", told{Ref: first})
	s.Now, s.Judged.Through = instant(t, "2027-02-22T08:00:00Z"), "2027-02-21"
	step("the window is disjoint and missed", told{Create: second, Ref: first})
	step("the second plan is seen", told{Ref: second})
	s.Plans = s.Plans[:1]
	step("the second plan is deleted", told{Ref: second, Missing: "2027-02-22T08:00:00Z"})
	s.Judged.Through = "2027-12-31"
	s.Now = instant(t, "2028-01-01T08:00:00Z")
	step("and stays so for the episode", told{Ref: second, Missing: "2028-01-01T08:00:00Z"})
}
