package plan

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
)

// source makes arbitrary but small values out of a fuzzer's bytes; it yields zeros when they are used up.
type source struct{ data []byte }

func (s *source) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func pick[T any](s *source, all ...T) T { return all[int(s.byte())%len(all)] }

// instant is within two years, most often on an hour, so that deadlines meet.
func (s *source) instant() time.Time {
	hours := binary.LittleEndian.Uint16([]byte{s.byte(), s.byte()})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours%(2*366*24)) * time.Hour)
	return at.Add(pick(s, 0, time.Second, -time.Nanosecond, 17*time.Minute))
}

func (s *source) stamp() *metav1.Time {
	if s.byte()%3 == 0 {
		return nil
	}
	return &metav1.Time{Time: s.instant().Truncate(time.Second)}
}

func (s *source) work() v1alpha1.WorkState {
	return pick(s, "", v1alpha1.WorkNotStarted, v1alpha1.WorkOnHold, v1alpha1.WorkInProgress, v1alpha1.WorkComplete, v1alpha1.WorkCancelled, "?")
}

func (s *source) date() string {
	return pick(s, s.instant().Format(time.DateOnly), "", "2026-02-29", "x")
}

func (s *source) place(t testing.TB) *time.Location {
	return pick(s, nil, zone(t, "America/Santiago"), zone(t, "Asia/Beirut"), zone(t, "America/Los_Angeles"))
}

func (s *source) plan() v1alpha1.ActionPlan {
	var p v1alpha1.ActionPlan
	p.Name = pick(s, planName, "better-food", "a", "food-satisfaction-20260601")
	p.CreationTimestamp = metav1.Time{Time: s.instant().Truncate(time.Second)}
	if s.byte()%4 == 1 {
		p.DeletionTimestamp = s.stamp()
	}
	p.Spec.Objective = "satisfaction"
	p.Spec.DueDate = s.date()
	p.Spec.State = s.work()
	if s.byte()%2 == 1 {
		p.Spec.Acknowledgement = &v1alpha1.Acknowledgement{By: "x"}
	}
	for range s.byte() % 4 {
		p.Spec.Actions = append(p.Spec.Actions, v1alpha1.Action{Name: pick(s, "a", "b", "c"), DueDate: s.date(), State: s.work()})
	}
	p.Status.State = pick(s, p.Spec.State, v1alpha1.WorkInProgress)
	p.Status.StateSince = s.stamp()
	return p
}

func (s *source) situation(t testing.TB) Situation {
	o := situation(t)
	o.Now, o.Location = s.instant(), s.place(t)
	o.Touchpoint = pick(s, "food", "")
	o.Status.State = pick(s, v1alpha1.StateMissed, v1alpha1.StateAtRisk, v1alpha1.StateStale, "")
	o.Status.StateSince = s.stamp()
	o.Status.Score = pick(s, "55.72", "")
	o.Objective.WindowDays = pick(s, int32(90), 1, 0, 400, -1)
	o.Breach.Since = metav1.Time{Time: s.instant().Truncate(time.Second)}
	o.Rule.Mode = pick(s, v1alpha1.PlanModeCreate, v1alpha1.PlanModeNone)
	o.Rule.MissingAfterHours = pick(s, int32(0), 1, 24, 720)
	o.Judged = pick(s, nil, &v1alpha1.Judging{Through: s.date()})
	for range s.byte() % 4 {
		o.Plans = append(o.Plans, s.plan())
	}
	if s.byte()%2 == 1 {
		o.Breach.PlanRef = &v1alpha1.PlanRef{Name: pick(s, planName, "better-food", "gone")}
	}
	if s.byte()%2 == 1 {
		o.Taken = func(name string) bool { return len(name)%2 == 0 }
	}
	return o
}

// checkInvariants holds Decide against what is true in every situation.
func checkInvariants(t testing.TB, s Situation) {
	t.Helper()
	d := Decide(s)
	if diff := cmp.Diff(tell(d), tell(Decide(s))); diff != "" {
		t.Fatalf("not deterministic: %s", diff)
	}
	turned := s
	turned.Plans = slices.Clone(s.Plans)
	slices.Reverse(turned.Plans)
	if diff := cmp.Diff(tell(d), tell(Decide(turned))); uniqueNames(s.Plans) && diff != "" {
		t.Fatalf("depends on the order of the plans: %s", diff)
	}
	if d.Create != nil && (d.MissingSince != nil || !d.Next.IsZero() || s.Rule.Mode != v1alpha1.PlanModeCreate) {
		t.Fatalf("a plan is opened and more: %+v", tell(d))
	}
	if d.MissingSince != nil {
		if !d.Next.IsZero() || d.MissingSince.After(s.Now) || d.MissingSince.Nanosecond() != 0 {
			t.Fatalf("missing at %s: %+v", s.Now, tell(d))
		}
	}
	checkNext(t, s, d)
	checkMonotone(t, s, d)
	checkSettles(t, s, d)
}

// checkNext: nothing changes until Next, and then the plan is missing.
func checkNext(t testing.TB, s Situation, d Decision) {
	t.Helper()
	if d.Next.IsZero() {
		return
	}
	if !d.Next.After(s.Now) {
		t.Fatalf("Next %s is not after %s", d.Next, s.Now)
	}
	s.Now = d.Next.Add(-time.Nanosecond)
	if got := tell(Decide(s)); got != tell(d) {
		t.Fatalf("before Next: %+v, first %+v", got, tell(d))
	}
	s.Now = d.Next
	if got := Decide(s); got.MissingSince == nil || !got.MissingSince.Equal(d.Next) {
		t.Fatalf("at Next %s: %+v", d.Next, tell(got))
	}
}

// checkMonotone: a plan that is missing stays so while nothing but the time changes, through the books that are kept.
func checkMonotone(t testing.TB, s Situation, d Decision) {
	t.Helper()
	var books []v1alpha1.Breach
	pass := func(d Decision) []breach.Transition {
		var wanted []v1alpha1.Breach
		if d.MissingSince != nil {
			wanted = append(wanted, v1alpha1.Breach{Type: v1alpha1.BreachPlanMissing, Objective: "satisfaction", Since: breach.Since(*d.MissingSince)})
		}
		var transitions []breach.Transition
		books, transitions = breach.Merge(books, wanted, s.Now)
		return transitions
	}
	pass(d)
	if d.PlanRef != nil {
		s.Breach.PlanRef = d.PlanRef
	}
	for _, later := range []time.Duration{0, time.Second, time.Hour, 31 * 24 * time.Hour} {
		s.Now = s.Now.Add(later)
		for _, transition := range pass(Decide(s)) {
			if !transition.Opened {
				t.Fatalf("closed by the passing of %s: %+v", later, transition)
			}
		}
	}
}

// checkSettles: once its outcome is in place, a decision is followed by none but the reference to the new plan.
func checkSettles(t testing.TB, s Situation, d Decision) {
	t.Helper()
	if d.PlanRef != nil {
		s.Breach.PlanRef = d.PlanRef
	}
	if d.Create == nil {
		if got := tell(Decide(s)); got != tell(d) {
			t.Fatalf("not settled: %+v, first %+v", got, tell(d))
		}
		return
	}
	created := *d.Create
	created.CreationTimestamp = metav1.NewTime(s.Now)
	s.Plans = append(slices.Clone(s.Plans), created)
	if got := tell(Decide(s)); got != (told{Ref: created.Name}) {
		t.Fatalf("%s is open: %+v", created.Name, got)
	}
}

func uniqueNames(plans []v1alpha1.ActionPlan) bool {
	seen := map[string]bool{}
	for _, p := range plans {
		if seen[p.Name] {
			return false
		}
		seen[p.Name] = true
	}
	return true
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("an objective is missed, a plan was completed, the next window is judged"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := (&source{data}).situation(t)
		// In one namespace, names are unique.
		s.Plans = slices.CompactFunc(sortedByName(s.Plans), func(a, b v1alpha1.ActionPlan) bool { return a.Name == b.Name })
		checkInvariants(t, s)
	})
}

func sortedByName(plans []v1alpha1.ActionPlan) []v1alpha1.ActionPlan {
	slices.SortStableFunc(plans, func(a, b v1alpha1.ActionPlan) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return plans
}

func FuzzTime(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a plan is late and so are two of its actions, in a zone of its own"))
	f.Fuzz(func(t *testing.T, data []byte) {
		src := &source{data}
		p := src.plan()
		clock := Clock{Now: src.instant(), Location: src.place(t), AcknowledgeWithin: time.Duration(src.byte()) * time.Hour}
		got := Time(&p, clock)
		if diff := cmp.Diff(got, Time(&p, clock)); diff != "" {
			t.Fatalf("not deterministic: %s", diff)
		}
		if !p.Spec.State.Open() && len(got.Breaches) > 0 {
			t.Fatalf("breaches on a plan that is %s: %v", p.Spec.State, got.Breaches)
		}
		if !slices.IsSortedFunc(got.Breaches, breach.Compare) {
			t.Fatalf("not sorted: %v", open(got.Breaches))
		}
		for _, b := range got.Breaches {
			if b.Since.After(clock.Now) {
				t.Fatalf("%s: open since %s", clock.Now, b.Since)
			}
		}
		if got.Next.IsZero() {
			clock.Now = clock.Now.AddDate(10, 0, 0)
			if diff := cmp.Diff(got.Breaches, Time(&p, clock).Breaches); diff != "" {
				t.Fatalf("changed without a Next: %s", diff)
			}
			return
		}
		if !got.Next.After(clock.Now) {
			t.Fatalf("Next %s is not after %s", got.Next, clock.Now)
		}
		clock.Now = got.Next.Add(-time.Nanosecond)
		if diff := cmp.Diff(got, Time(&p, clock)); diff != "" {
			t.Fatalf("changed before Next: %s", diff)
		}
		clock.Now = got.Next
		if then := Time(&p, clock); len(then.Breaches) <= len(got.Breaches) {
			t.Fatalf("nothing at Next %s: %v", got.Next, open(then.Breaches))
		}
	})
}
