package controllers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// actWithinDays is the policy's in these tests.
const actWithinDays = 10

const protocol = `
kind: AccountabilityPolicy
apiVersion: cx-operator.io/v1alpha1
metadata: {name: protocol}
spec:
  evidence: {confirmDays: 0}
  deadlines: {actWithinDays: 10}
`

const stated = `
  ownerRef: {name: company}
  strategy: Be the town's living room.
  executiveSponsor: {displayName: Director, teamRef: {name: company}}
  communication: [the staff board]
`

func functionTeam(name, function string) string {
	return fmt.Sprintf("\nkind: Team\napiVersion: cx-operator.io/v1alpha1\nmetadata: {name: %s}\nspec: {displayName: %s, level: Department, function: %s, parentRef: {name: company}}\n", name, name, function)
}

const roomsTouchpoint = `
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: rooms}
spec:
  displayName: Rooms
  programRef: {name: visits}
  stage: During
  ownerRef: {name: house}
  questions: [recommend]
`

// governedVisits is a program that lacks nothing but a review.
func governedVisits() string {
	return teamYAML("company", "Company", "") + "---" + functionTeam("front-desk", "CustomerCare") + "---" + functionTeam("house", "Facilities") + "---" +
		sqliteStore("answers") + "---" + protocol + "---" + visits(stated) + "---" + crashTouchpoint + "---" + roomsTouchpoint
}

func (w *world) program() *v1alpha1.SurveyProgram {
	w.t.Helper()
	return get[*v1alpha1.SurveyProgram](w, "visits")
}

// cached waits until the operator's cache has a list as the API server has it.
func (w *world) cached(live, cached client.ObjectList) {
	w.t.Helper()
	w.eventually("the cache catches up", func() error {
		for c, list := range map[client.Client]client.ObjectList{w.c: live, w.op.client: cached} {
			if err := c.List(w.t.Context(), list, client.InNamespace(w.ns)); err != nil {
				return err
			}
		}
		if versions(live) != versions(cached) {
			return fmt.Errorf("%T differs", live)
		}
		return nil
	})
}

func (w *world) reviewsAndPoliciesAreCached() {
	w.t.Helper()
	w.cached(&v1alpha1.ReviewList{}, &v1alpha1.ReviewList{})
	w.cached(&v1alpha1.AccountabilityPolicyList{}, &v1alpha1.AccountabilityPolicyList{})
}

func (w *world) expectStage(want v1alpha1.LifecycleStage) {
	w.t.Helper()
	w.reconcileUntilStill("SurveyProgram", "visits")
	if got := w.program().Status.Stage; got != want {
		w.t.Errorf("stage %q, want %q", got, want)
	}
	series := w.series("cx_program_stage", "stage")
	for _, stage := range []v1alpha1.LifecycleStage{
		v1alpha1.LifecycleDesign, v1alpha1.LifecycleListen, v1alpha1.LifecycleUnderstand, v1alpha1.LifecycleTransform, v1alpha1.LifecycleRealize,
	} {
		is := 0.0
		if stage == want {
			is = 1
		}
		if series["stage="+string(stage)] != is {
			w.t.Errorf("series of stage %s: %v, want %v", stage, series, is)
		}
	}
}

func countBreaches(breaches []string, kind string) int {
	n := 0
	for _, b := range breaches {
		if b == kind {
			n++
		}
	}
	return n
}

// A program goes through its stages by what happens, and is told off where it finds, but does not act.
func TestStagesAndActing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(time.Now().UTC().Truncate(time.Second))
	w.startManual()
	w.applyYAML(governedVisits())
	w.reviewsAndPoliciesAreCached()
	w.settleManually()
	w.expectStage(v1alpha1.LifecycleDesign)
	for condition, want := range map[string]string{
		"Ready": "True/Reconciled", "Governed": "True/Selected", "PurposeStated": "True/PurposeStated", "CrossFunctional": "False/OneFunction",
		"Measurement": "True/InPlace", "Accountability": "True/InPlace", "Awareness": "False/NoReviews", "ActsOnFindings": "Unknown/NoFindings",
	} {
		w.expect(is(w.program(), condition, want))
	}
	if ref := w.program().Status.PolicyRef; ref == nil || ref.Name != "protocol" {
		t.Errorf("policyRef %v, want protocol", ref)
	}

	w.at(w.clock.Now().Add(time.Minute)) // an answer that no objective counts
	w.expectStage(v1alpha1.LifecycleListen)
	w.importVisits(repeated(40, "desk", "ease", 2))
	w.settleManually()
	w.expectStage(v1alpha1.LifecycleUnderstand)
	w.expect(is(w.program(), "ActsOnFindings", "True/WithinTime"))
	w.expect(is(w.program(), "Accountability", "True/InPlace"))

	missed := get[*v1alpha1.Touchpoint](w, "desk").Status.Breaches[0].Since.Time
	deadline := missed.AddDate(0, 0, actWithinDays)
	w.at(deadline.Add(-time.Second))
	result := w.reconcileUntilStill("SurveyProgram", "visits")
	if result.RequeueAfter == 0 || result.RequeueAfter > time.Second {
		t.Errorf("comes back after %s, want it a second later", result.RequeueAfter)
	}
	if got := breachesOf(w.program()); len(got) > 0 {
		t.Errorf("breaches %q a second before the time is over", got)
	}
	w.at(deadline)
	w.settleManually()
	w.expectBreach(w.program(), v1alpha1.BreachNoActionTaken, "", deadline)
	w.expect(is(w.program(), "ActsOnFindings", "False/NoActionTaken"))
	w.expect(is(w.program(), "Ready", "True/Reconciled"))
	w.expectEvent("SurveyProgram/visits NoActionTaken: opened")
	series := w.series("cx_accountability_breach_start_timestamp_seconds", "type", "kind", "team")
	if series["kind=SurveyProgram,team=company,type=NoActionTaken"] != float64(deadline.Unix()) {
		t.Errorf("series %v, want NoActionTaken since %d", series, deadline.Unix())
	}
	w.expectStage(v1alpha1.LifecycleUnderstand)

	// Somebody puts the plan in progress: that is action, whatever it will bring.
	plan := w.plans()[0].Name
	change(w, plan, func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkInProgress })
	w.at(deadline.Add(time.Hour))
	w.settleManually()
	w.expectStage(v1alpha1.LifecycleTransform)
	w.expect(is(w.program(), "ActsOnFindings", "True/Acting"))
	if got := breachesOf(w.program()); len(got) > 0 {
		t.Errorf("breaches %q while a plan is in progress", got)
	}
	w.expectEvent("SurveyProgram/visits Recovered: closed: NoActionTaken")

	// It is done, and the objective is still missed: the clock runs anew from there.
	done := deadline.Add(24 * time.Hour)
	w.at(done)
	change(w, plan, func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkComplete })
	w.settleManually()
	w.expectStage(v1alpha1.LifecycleTransform)
	w.expect(is(w.program(), "ActsOnFindings", "True/WithinTime"))
	w.at(done.AddDate(0, 0, actWithinDays))
	w.settleManually()
	w.expectBreach(w.program(), v1alpha1.BreachNoActionTaken, "", done.AddDate(0, 0, actWithinDays))

	// A plan that helped.
	p := get[*v1alpha1.ActionPlan](w, plan)
	p.Status.Effect = &v1alpha1.Effect{Verdict: v1alpha1.EffectImproved}
	w.expect(w.c.Status().Update(t.Context(), p))
	w.expectStage(v1alpha1.LifecycleRealize)
}

// Everything that a program is judged by is watched, and nothing of it touches Ready.
func TestPillars(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(governedVisits())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled", "CrossFunctional", "False/OneFunction", "Integration", "False/OneFunction")
	w.settle()

	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef.Name = "front-desk" })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "CrossFunctional", "True/SeveralFunctions", "Integration", "True/InPlace")
	change(w, "house", func(t *v1alpha1.Team) { t.Spec.Function = "CustomerCare" })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "CrossFunctional", "False/OneFunction")
	change(w, "house", func(t *v1alpha1.Team) { t.Spec.Function = "Facilities" })
	change(w, "rooms", func(tp *v1alpha1.Touchpoint) { tp.Spec.Importance = v1alpha1.ImportanceCritical })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Measurement", "False/CriticalUnmeasured", "Integration", "True/InPlace")

	change(w, "protocol", func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Selector.MatchLabels = map[string]string{"of": "others"}
	})
	p := becomes[*v1alpha1.SurveyProgram](w, "visits", "Governed", "False/NoPolicy", "Accountability", "False/NoPolicy")
	if p.Status.PolicyRef != nil {
		t.Errorf("policyRef %v without a policy", p.Status.PolicyRef)
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Labels = map[string]string{"of": "others"} })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Governed", "True/Selected", "Accountability", "True/InPlace")

	now := metav1.NewTime(w.clock.Now())
	held := &v1alpha1.Review{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "visits-by-hand"}}
	held.Spec = v1alpha1.ReviewSpec{
		ProgramRef: v1alpha1.NameRef{Name: "visits"}, HeldTime: &now, Attendees: []v1alpha1.NameRef{{Name: "company"}},
		Period: v1alpha1.Period{From: now.AddDate(0, 0, -8).Format(time.DateOnly), To: now.AddDate(0, 0, -2).Format(time.DateOnly)},
	}
	w.expect(w.c.Create(t.Context(), held))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Awareness", "False/NoInsight")
	change(w, held.Name, func(r *v1alpha1.Review) { r.Spec.Question = "Why do people wait?" })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Awareness", "True/InPlace", "Ready", "True/Reconciled")
	w.settle()
	w.api.reset()
	w.quietFor(quietTime)
	for call, n := range w.api.seen() {
		t.Errorf("a steady state calls %s %d times", call, n)
	}
}

// A sponsor whose team is at none of the reviews is silent, until it comes.
func TestSponsorSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(time.Now().UTC().Truncate(time.Second))
	w.startManual()
	w.applyYAML(governedVisits())
	change(w, "protocol", func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Review = &v1alpha1.ReviewRule{Cadence: v1alpha1.CadenceWeekly, SponsorSilentAfterPeriods: 2}
	})
	due := w.clock.Now().Add(24 * time.Hour)
	for i, name := range []string{"first", "second"} {
		day := w.clock.Now().AddDate(0, 0, 7*i-21)
		r := &v1alpha1.Review{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}}
		r.Spec = v1alpha1.ReviewSpec{
			ProgramRef: v1alpha1.NameRef{Name: "visits"},
			Period:     v1alpha1.Period{From: day.Format(time.DateOnly), To: day.AddDate(0, 0, 6).Format(time.DateOnly)},
		}
		w.expect(w.c.Create(t.Context(), r))
		at := metav1.NewTime(due.Add(time.Duration(i) * time.Hour))
		r.Status.DueTime = &at
		w.expect(w.c.Status().Update(t.Context(), r))
	}
	w.reviewsAndPoliciesAreCached()
	w.settleManually()
	silence := due.Add(time.Hour)
	w.at(silence.Add(-time.Second))
	w.reconcileUntilStill("SurveyProgram", "visits")
	if got := breachesOf(w.program()); len(got) > 0 {
		t.Errorf("breaches %q before the second review was due", got)
	}
	w.at(silence)
	w.reconcileUntilStill("SurveyProgram", "visits")
	w.expectBreach(w.program(), v1alpha1.BreachSponsorSilent, "", silence)
	w.expect(is(w.program(), "Awareness", "False/SponsorSilent"))
	want := &v1alpha1.SponsorAttendance{Team: "company", Attended: 0, Reviews: 2}
	if diff := cmp.Diff(want, w.program().Status.SponsorAttendance); diff != "" {
		t.Errorf("attendance (-want +got):\n%s", diff)
	}

	change(w, "second", func(r *v1alpha1.Review) {
		at := metav1.NewTime(w.clock.Now())
		r.Spec.HeldTime, r.Spec.Attendees, r.Spec.Insight = &at, []v1alpha1.NameRef{{Name: "company"}}, "People wait."
	})
	w.reviewsAndPoliciesAreCached()
	w.reconcileUntilStill("SurveyProgram", "visits")
	if got := breachesOf(w.program()); slices.Contains(got, "SponsorSilent") {
		t.Errorf("breaches %q though the sponsor came", got)
	}
	if a := w.program().Status.SponsorAttendance; a == nil || a.Attended != 1 || a.Reviews != 2 {
		t.Errorf("attendance %+v, want 1 of 2", a)
	}
}

// A handoff has an owner on both sides, and every role an existing team.
func TestHandoffsAndRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(governedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "HandoffCovered", "True/NoHandoff", "RolesAssigned", "False/NoResponsible", "Ready", "True/Reconciled")

	change(w, "rooms", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef = nil })
	change(w, "desk", func(tp *v1alpha1.Touchpoint) {
		tp.Spec.Handoff = &v1alpha1.Handoff{ToRef: v1alpha1.NameRef{Name: "rooms"}, Promise: "Whoever is sent is expected."}
	})
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "HandoffCovered", "False/HandoffUncovered", "Ready", "True/Reconciled")
	if got := countBreaches(breachesOf(desk), "HandoffUncovered  rooms"); got != 1 {
		t.Errorf("breaches %q, want HandoffUncovered of rooms", breachesOf(desk))
	}
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Integration", "False/TouchpointUnowned")

	// The receiving side gets an owner, whose team appears only later.
	change(w, "rooms", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef = &v1alpha1.NameRef{Name: "readers"} })
	w.settle()
	w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "HandoffCovered", "False/HandoffUncovered"))
	w.applyYAML(functionTeam("readers", "Product"))
	desk = becomes[*v1alpha1.Touchpoint](w, "desk", "HandoffCovered", "True/Covered")
	if got := breachesOf(desk); len(got) > 0 {
		t.Errorf("breaches %q of a handoff that is covered", got)
	}
	w.expectEvent("Touchpoint/desk HandoffUncovered: opened")
	w.expectEvent("Touchpoint/desk Recovered: closed: HandoffUncovered, rooms")

	// A touchpoint that does not exist accuses nobody: files may be applied in any order.
	remove[*v1alpha1.Touchpoint](w, "rooms")
	desk = becomes[*v1alpha1.Touchpoint](w, "desk", "HandoffCovered", "Unknown/TouchpointNotFound", "Ready", "False/TouchpointNotFound")
	if got := breachesOf(desk); len(got) > 0 {
		t.Errorf("breaches %q of a handoff to nowhere", got)
	}

	change(w, "desk", func(tp *v1alpha1.Touchpoint) {
		tp.Spec.Handoff = nil
		tp.Spec.Roles = &v1alpha1.Roles{Responsible: []v1alpha1.NameRef{{Name: "front-desk"}}, Informed: []v1alpha1.NameRef{{Name: "cleaners"}}}
	})
	becomes[*v1alpha1.Touchpoint](w, "desk", "RolesAssigned", "False/TeamNotFound", "Ready", "False/TeamNotFound", "HandoffCovered", "True/NoHandoff")
	w.applyYAML(functionTeam("cleaners", "Facilities"))
	becomes[*v1alpha1.Touchpoint](w, "desk", "RolesAssigned", "True/Assigned", "Ready", "True/Reconciled")
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef = nil })
	becomes[*v1alpha1.Touchpoint](w, "desk", "RolesAssigned", "False/NoOwner", "OwnerAssigned", "False/NoOwner")
}
