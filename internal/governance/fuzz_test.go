package governance

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// situationOf makes any situation of a number: most of what it holds makes no sense together.
func situationOf(seed uint64) Situation {
	r := rand.New(rand.NewPCG(seed, 1))
	s := sound()
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	some := func() bool { return r.IntN(2) == 0 }
	when := func() time.Time { return noon.Add(time.Duration(r.IntN(200*24)-100*24) * time.Hour) }
	owner := func() *v1alpha1.NameRef {
		if name := pick("", "front-desk", "house", "clerk", "odd", "a", "gone"); name != "" {
			return ref(name)
		}
		return nil
	}
	breaches := func() (all []v1alpha1.Breach) {
		for range r.IntN(4) {
			kind := pick("ObjectiveMissed", "PlanMissing", "PlanOverdue", "HandoffUncovered", "ReviewMissed", "PlanUnacknowledged")
			all = append(all, v1alpha1.Breach{Type: v1alpha1.BreachType(kind), Since: metav1.NewTime(when())})
		}
		return all
	}
	verdicts := func() (all []v1alpha1.ObjectiveStatus) {
		for range r.IntN(3) {
			state := pick("Met", "Missed", "Stale", "InsufficientData", "OnTrack", "AtRisk", "")
			all = append(all, v1alpha1.ObjectiveStatus{State: v1alpha1.ObjectiveState(state), Lower: pick("", "1.00"), ReleasedResponses: int64(r.IntN(60))})
		}
		return all
	}
	s.Touchpoints = nil
	for i := range r.IntN(6) {
		tp := touchpoint(pick("desk", "rooms", "other")+string(rune('a'+i)), "front-desk")
		tp.Spec.OwnerRef, tp.Spec.Importance = owner(), v1alpha1.Importance(pick("Critical", "Standard", ""))
		tp.Status.Breaches, tp.Status.Objectives = breaches(), verdicts()
		s.Touchpoints = append(s.Touchpoints, tp)
	}
	s.Plans = nil
	for range r.IntN(4) {
		p := plan(v1alpha1.WorkState(pick("NotStarted", "OnHold", "InProgress", "Complete", "Cancelled", "")), when(), some())
		p.Status.Breaches = breaches()
		if some() {
			p.Status.State, p.Status.StateSince = v1alpha1.WorkState(pick("", "InProgress", "OnHold")), nil
		}
		if some() {
			p.Status.Effect = &v1alpha1.Effect{Verdict: v1alpha1.EffectVerdict(pick("TooEarly", "Improved", "Worsened"))}
		}
		s.Plans = append(s.Plans, p)
	}
	s.Reviews = nil
	for i := range r.IntN(4) {
		rv := review("r"+string(rune('a'+i)), pick("2026-11-01", "2026-11-08"), nil)
		rv.Spec.Insight, rv.Status.Breaches = pick("", "so"), breaches()
		if some() {
			rv.Spec.HeldTime = at(when())
		}
		s.Reviews = append(s.Reviews, rv)
	}
	s.Program.Spec.OwnerRef, s.Program.Status.Breaches, s.Program.Status.Objectives = owner(), breaches(), verdicts()
	s.Program.Spec.Strategy, s.SponsorSilent, s.ReviewsAsked = pick("", "s"), some(), some()
	s.ActWithinDays, s.GovernedSince = int32(r.IntN(90)-1), when()
	if s.Answered = nil; some() {
		yes := some()
		s.Answered = &yes
	}
	return s
}

// Whatever the situation: no panic, nothing of it is changed, the order of lists does not matter, a reason and a message
// are always there, and NoActionTaken is open exactly where ActsOnFindings is False.
func FuzzDerive(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := situationOf(seed)
		out := Derive(s)
		if diff := cmp.Diff(situationOf(seed), s, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Teams" }, cmp.Ignore())); diff != "" {
			t.Fatalf("the situation was changed:\n%s", diff)
		}
		slices.Reverse(s.Touchpoints)
		slices.Reverse(s.Plans)
		slices.Reverse(s.Reviews)
		if diff := cmp.Diff(out, Derive(s)); diff != "" {
			t.Fatalf("another order, another result:\n%s", diff)
		}
		for _, c := range out.Conditions {
			if c.Reason == "" || c.Message == "" || c.Status == "" || strings.Contains(c.Message, "%!") {
				t.Errorf("%+v", c)
			}
			if c.Type == v1alpha1.ConditionActsOnFindings && (c.Status == metav1.ConditionFalse) != (len(out.Breaches) == 1) {
				t.Errorf("%+v with breaches %v", c, out.Breaches)
			}
		}
		if !out.Next.IsZero() && !out.Next.After(s.Now) {
			t.Errorf("next %s is not ahead", out.Next)
		}
		for _, b := range out.Breaches {
			if b.Since.After(s.Now) {
				t.Errorf("%v is open since a time ahead", b)
			}
		}
	})
}
