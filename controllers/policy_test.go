package controllers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// housePolicy is a policy with these rules, which opens breaches at once.
func housePolicy(name, rules string) string {
	return fmt.Sprintf("\nkind: AccountabilityPolicy\napiVersion: cx-operator.io/v1alpha1\nmetadata: {name: %s}\nspec:\n%s\n", name, rules)
}

const strictRules = `
  evidence: {minimumResponses: 50, confirmDays: 0}
  deadlines: {acknowledgeWithinHours: 8, planDueWithinDays: 10}
`

func (w *world) desk() *v1alpha1.Touchpoint {
	w.t.Helper()
	return get[*v1alpha1.Touchpoint](w, "desk")
}

// startGoverned brings a manual operator to a program that a policy governs, without answers.
func startGoverned(t *testing.T, rules string) *world {
	t.Helper()
	w := newWorld(t)
	w.startManual()
	w.applyYAML(missedVisits() + "---" + housePolicy("house", rules))
	w.settleManually()
	return w
}

// The policy's evidence and deadlines take effect where they are stricter, and are taken back with it.
func TestPolicyTakesEffect(t *testing.T) {
	t.Parallel()
	w := startGoverned(t, strictRules)
	w.importVisits(repeated(40, "desk", "ease", 2))
	w.settleManually()
	desk := w.desk()
	w.expect(is(desk, "Governed", "True/PolicyStricter"))
	w.expect(is(desk, "Ready", "True/Reconciled"))
	if desk.Status.PolicyRef == nil || desk.Status.PolicyRef.Name != "house" {
		t.Errorf("policyRef %v", desk.Status.PolicyRef)
	}
	if o := desk.Status.Objectives[0]; o.State != v1alpha1.StateInsufficientData || len(desk.Status.Breaches) > 0 {
		t.Errorf("%s with breaches %q, though the policy asks for 50 answers", figures(o), breachesOf(desk))
	}

	w.importVisits(repeated(20, "desk", "ease", 2))
	w.settleManually()
	plans := w.plans()
	if got := breachesOf(w.desk()); !slices.Equal(got, []string{"ObjectiveMissed easy"}) || len(plans) != 1 {
		t.Fatalf("breaches %q and %d plans", got, len(plans))
	}
	if want := w.clock.Now().In(losAngeles(t)).AddDate(0, 0, 10).Format(time.DateOnly); plans[0].Spec.DueDate != want {
		t.Errorf("the plan is due on %s, want %s", plans[0].Spec.DueDate, want)
	}

	// Another confidence measures something else, so the episode ends.
	before := w.desk().Status.Objectives[0].Definition
	change(w, "house", func(p *v1alpha1.AccountabilityPolicy) { p.Spec.Evidence.ConfidencePercent = 99 })
	w.settleManually()
	if got := breachesOf(w.desk()); len(got) > 0 || w.desk().Status.Objectives[0].Definition == before {
		t.Errorf("breaches %q by the old definition", got)
	}
	w.expectEvent("Touchpoint/desk ObjectiveChanged: closed: ObjectiveMissed of objective easy")

	remove[*v1alpha1.AccountabilityPolicy](w, "house")
	w.settleManually()
	desk = w.desk()
	w.expect(is(desk, "Governed", "False/NoPolicy"))
	w.expect(is(desk, "Ready", "True/Reconciled"))
	if desk.Status.PolicyRef != nil || desk.Status.Objectives[0].Definition != before {
		t.Errorf("policyRef %v, definition %s, want those without a policy", desk.Status.PolicyRef, desk.Status.Objectives[0].Definition)
	}
}

// Fewer answers are enough again as soon as nobody asks for more.
func TestPolicyIsTakenBack(t *testing.T) {
	t.Parallel()
	w := startGoverned(t, strictRules)
	w.importVisits(repeated(40, "desk", "ease", 2))
	w.settleManually()
	remove[*v1alpha1.AccountabilityPolicy](w, "house")
	w.settleManually()
	if o := w.desk().Status.Objectives[0]; o.State != v1alpha1.StateMissed {
		t.Errorf("%s, want it Missed by the 30 answers of the program", figures(o))
	}
	w.importVisits(repeated(1, "desk", "ease", 2)) // a judging point
	w.settleManually()
	plans := w.plans()
	if len(plans) != 1 {
		t.Fatalf("%d plans, breaches %q", len(plans), breachesOf(w.desk()))
	}
	if want := w.clock.Now().In(losAngeles(t)).AddDate(0, 0, 30).Format(time.DateOnly); plans[0].Spec.DueDate != want {
		t.Errorf("the plan is due on %s, want %s", plans[0].Spec.DueDate, want)
	}
}

// Policies of one priority that select the same say so, and so does what they select; a touchpoint is under its program's.
func TestPoliciesOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits() + "---" + housePolicy("first", "  review: {cadence: Auto}"))
	becomes[*v1alpha1.Touchpoint](w, "desk", "Governed", "True/Selected")
	first := becomes[*v1alpha1.AccountabilityPolicy](w, "first", "Ready", "True/Reconciled", "Stalled", "False/AsExpected", "Reconciling", "False/AsExpected", "Exclusive", "True/Exclusive")
	if first.Status.Programs != 1 || first.Status.Touchpoints != 1 {
		t.Errorf("%d programs, %d touchpoints", first.Status.Programs, first.Status.Touchpoints)
	}
	w.eventually("the cadence is told", func() error {
		c := get[*v1alpha1.AccountabilityPolicy](w, "first").Status.Cadences
		if len(c) != 1 || c[0].Program != "visits" || c[0].Cadence != v1alpha1.CadenceMonthly || c[0].Arithmetic == "" {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})

	w.applyYAML(housePolicy("second", "  selector: {matchLabels: {tier: gold}}"))
	w.settle()
	w.expect(is(get[*v1alpha1.AccountabilityPolicy](w, "second"), "Exclusive", "True/Exclusive"))
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Labels = map[string]string{"tier": "gold"} })
	for _, name := range []string{"first", "second"} {
		becomes[*v1alpha1.AccountabilityPolicy](w, name, "Exclusive", "False/Overlap", "Ready", "True/Reconciled")
	}
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Governed", "True/PolicyOverlap")
	if program.Status.PolicyRef.Name != "first" {
		t.Errorf("%s governs, want the older one", program.Status.PolicyRef.Name)
	}
	change(w, "second", func(p *v1alpha1.AccountabilityPolicy) { p.Spec.Priority = 1 })
	program = becomes[*v1alpha1.SurveyProgram](w, "visits", "Governed", "True/Selected")
	if program.Status.PolicyRef.Name != "second" {
		t.Errorf("%s governs, want the one of the higher priority", program.Status.PolicyRef.Name)
	}
	for _, name := range []string{"first", "second"} {
		becomes[*v1alpha1.AccountabilityPolicy](w, name, "Exclusive", "True/Exclusive")
	}

	// The first still selects the touchpoint by itself, until it selects something else.
	change(w, "first", func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Selector.MatchLabels = map[string]string{"tier": "silver"}
	})
	desk := becomes[*v1alpha1.Touchpoint](w, "desk", "Governed", "True/Inherited")
	if desk.Status.PolicyRef.Name != "second" {
		t.Errorf("%s governs the touchpoint", desk.Status.PolicyRef.Name)
	}
	change(w, "first", func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Selector.MatchLabels = map[string]string{"tier of": "silver"}
	})
	becomes[*v1alpha1.AccountabilityPolicy](w, "first", "Ready", "False/InvalidSpec", "Stalled", "True/InvalidSpec")
	w.settle()
	w.api.reset()
	w.quietFor(quietTime)
	for call, n := range w.api.seen() {
		t.Errorf("a steady state calls %s %d times", call, n)
	}
}

const weekly = "metric: CESTopBox, target: 80, windowDays: 7"

// dated returns bad answers of so many days ago.
func (w *world) dated(n, daysAgo int) []submission {
	all := repeated(n, "desk", "ease", 2)
	at := w.clock.Now().Add(-time.Duration(daysAgo)*24*time.Hour - time.Hour).Format(time.RFC3339)
	for i := range all {
		all[i].SubmittedAt = at
	}
	return all
}

// Three bad weeks in a row are consistently low, which closes with the objective's own breach.
func TestConsistentlyLow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startManual()
	w.applyYAML(strings.Replace(missedVisits(), "metric: CESTopBox, target: 80", weekly, 1) + "---" + housePolicy("house", "  evidence: {consecutiveWindows: 3, confirmDays: 0}"))
	w.settleManually()
	w.importVisits(slices.Concat(w.dated(40, 0), w.dated(40, 8)))
	w.settleManually()
	if got := breachesOf(w.desk()); !slices.Equal(got, []string{"ObjectiveMissed easy"}) {
		t.Fatalf("breaches %q of two bad weeks", got)
	}
	w.expect(is(w.desk(), "ObjectivesMet", "False/ObjectiveMissed"))
	opened := w.clock.Now().Add(time.Hour)
	w.at(opened)
	w.importVisits(w.dated(40, 15))
	w.settleManually()
	desk := w.desk()
	w.expectBreach(desk, v1alpha1.BreachConsistentlyLow, "", opened)
	w.expect(is(desk, "ObjectivesMet", "False/ConsistentlyLow"))
	w.expectEvent("Touchpoint/desk ConsistentlyLow: opened: ConsistentlyLow of objective easy, which needs training and management's attention")
	if open := w.series("cx_accountability_breach", "type")["type=ConsistentlyLow"]; open != 1 {
		t.Errorf("%v series of the breach", open)
	}
	if n := len(w.plans()); n != 1 {
		t.Errorf("%d plans", n)
	}
	w.importVisits(repeated(2000, "desk", "ease", 7))
	w.settleManually()
	if got := breachesOf(w.desk()); len(got) > 0 {
		t.Errorf("breaches %q after it recovered", got)
	}
	w.expectEvents("Touchpoint/desk Recovered: closed: ConsistentlyLow of objective easy", 1)
}

// expectEvents waits for so many events that begin so. The API counts those of one object and reason as one series.
func (w *world) expectEvents(beginning string, want int) {
	w.t.Helper()
	w.eventually("events "+beginning, func() error {
		seen := 0
		for event, n := range w.events() {
			if strings.HasPrefix(event, beginning) {
				seen += n
			}
		}
		if seen != want {
			return fmt.Errorf("%d of %d: %v", seen, want, w.events())
		}
		return nil
	})
}

// cases makes the counts of cases of the desk known, as the store would.
func (w *world) cases(counts ...store.Count) {
	w.t.Helper()
	for i := range counts {
		counts[i].Program, counts[i].Touchpoint, counts[i].Revision = store.Key{Namespace: w.ns, Name: "visits"}, "desk", 1
	}
	w.op.env.Book.Apply(w.ns+"/answers", store.Changes{Counts: counts}, w.clock.Now())
}

// A customer who waits longer than promised is a breach from the end of the promised hour, until somebody calls.
func TestFollowUpOverdue(t *testing.T) {
	t.Parallel()
	w := startGoverned(t, "  followUp: {contactWithinHours: 48, sharePercent: 90}\n  escalation: [{afterHours: 24, to: Lead}]")
	w.at(w.clock.Now().Add(time.Minute))
	promised := w.clock.Now().Truncate(time.Hour).Add(49 * time.Hour)
	due := store.HourOf(promised) - 1
	w.cases(store.Count{Question: store.QuestionCaseOpen, Hour: due - 48, N: 1}, store.Count{Question: store.QuestionCaseDue, Hour: due, N: 1})
	w.settleManually()
	if f := w.desk().Status.Cases; f == nil || f.Open != 1 || f.Overdue != 0 || f.Due != 0 {
		t.Fatalf("cases %+v", f)
	}
	w.expect(is(w.desk(), "FollowedUp", "True/PromisesKept"))

	w.at(promised.Add(-time.Second))
	w.settleManually()
	if got := breachesOf(w.desk()); len(got) > 0 {
		t.Errorf("breaches %q a second before the promised hour ends", got)
	}
	w.at(promised)
	w.settleManually()
	desk := w.desk()
	w.expectBreach(desk, v1alpha1.BreachFollowUpOverdue, "cases", promised)
	w.expectBreach(desk, v1alpha1.BreachFollowUpOverdue, "share", promised)
	w.expect(is(desk, "FollowedUp", "False/FollowUpOverdue"))
	w.expect(is(desk, "Accountable", "True/NothingDue"))
	w.expectEvents("Touchpoint/desk FollowUpOverdue: opened: FollowUpOverdue, ", 2)
	if f := desk.Status.Cases; f.Overdue != 1 || f.Due != 1 || f.Kept != 0 || f.ShareUpper != "79.35" {
		t.Errorf("cases %+v", f)
	}
	if open := w.series("cx_accountability_breach", "type", "team")["team=company,type=FollowUpOverdue"]; open != 2 {
		t.Errorf("%v series of the breaches", open)
	}
	w.at(promised.Add(24 * time.Hour))
	w.settleManually()
	w.expectEvents("Touchpoint/desk Escalated: step 1, to Lead: FollowUpOverdue, ", 2)

	// Somebody calls, late.
	w.cases(store.Count{Question: store.QuestionCaseDue, Hour: due, N: 0}, store.Count{Question: store.QuestionCaseLate, Hour: due, N: 1})
	w.settleManually()
	if got := breachesOf(w.desk()); !slices.Equal(got, []string{"FollowUpOverdue  share"}) {
		t.Errorf("breaches %q, want the share alone", got)
	}
	w.expectEvent("Touchpoint/desk Recovered: closed: FollowUpOverdue, cases")
}

// notices counts what is told of an object: "Breach/Escalated ObjectiveMissed Lead 1".
func notices(outbox []v1alpha1.Notice) map[string]int {
	told := map[string]int{}
	for _, n := range outbox {
		told[strings.Join(strings.Fields(fmt.Sprintf("%s/%s %s %s %s", n.Class, n.Transition, n.Breach, n.Item, n.To)), " ")]++
	}
	return told
}

// reachable gives the company a channel. What nobody is told of would not wait in an outbox.
func (w *world) reachable() {
	change(w, "company", func(t *v1alpha1.Team) {
		t.Spec.Notify = &v1alpha1.Notify{Channels: []v1alpha1.NotifyChannel{
			{Name: "hook", Webhook: &v1alpha1.WebhookChannel{URL: "https://hooks.example.com/cx"}},
		}}
	})
	w.settleManually()
}

// What nobody is to be told of is settled by the write that puts it into the outbox; what somebody is to be told of waits.
func TestUntoldIsSettled(t *testing.T) {
	t.Parallel()
	for _, reachable := range []bool{false, true} {
		w := newWorld(t)
		w.startManual()
		w.applyYAML(missedVisits())
		w.settleManually()
		if reachable {
			w.reachable()
		}
		w.importVisits(repeated(40, "desk", "ease", 2))
		w.settleManually()
		outbox := w.desk().Status.Outbox
		if got := notices(outbox); got["Breach/Opened ObjectiveMissed"] != 1 {
			t.Fatalf("reachable %t: the outbox has %v", reachable, got)
		}
		for i := range outbox {
			if n := &outbox[i]; n.Addressed == reachable || len(n.Deliveries) > 0 {
				t.Errorf("reachable %t: %+v", reachable, n)
			}
		}
		w.stop()
	}
}

// Weeks of escalation in seconds: each step once, also over a restart, and the person who owns the touchpoint appears in
// no series, event, condition or message.
func TestEscalationAndPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startManual()
	rules := "  evidence: {confirmDays: 0}\n  escalation: [{afterHours: 336, to: Sponsor}, {afterHours: 72, to: Lead}, {afterHours: 168, to: ParentTeam}]"
	w.applyYAML(missedVisits() + "---" + housePolicy("house", rules) + "---" + teamYAML("quentin", "Person", "company"))
	w.reachable()
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef.Name = "quentin" })
	w.settleManually()
	w.importVisits(repeated(40, "desk", "ease", 2))
	w.settleManually()
	since := w.desk().Status.Breaches[0].Since.Time
	want := map[string]int{"Breach/Opened ObjectiveMissed": 1}
	for i, step := range []struct {
		hours int
		to    string
	}{{72, "Lead"}, {168, "ParentTeam"}, {336, "Sponsor"}} {
		at := since.Add(time.Duration(step.hours) * time.Hour)
		w.at(at.Add(-time.Second))
		w.settleManually()
		if got := w.desk().Status.Breaches[0].Escalated; int(got) != i {
			t.Errorf("%d steps a second before the next", got)
		}
		if i == 1 { // another process goes on where this one stood
			w.stop()
			w.startManual()
			w.settleManually()
		}
		w.at(at)
		w.settleManually()
		want["Breach/Escalated ObjectiveMissed "+step.to] = 1
		if got := notices(w.desk().Status.Outbox); !maps.Equal(got, want) {
			t.Errorf("after %d hours the outbox has %v, want %v", step.hours, got, want)
		}
		w.expectEvents(fmt.Sprintf("Touchpoint/desk Escalated: step %d, to %s: ObjectiveMissed of objective easy is open since", i+1, step.to), 1)
	}
	w.expectNobody("quentin")
}

// expectNobody fails where the name of a person is told anywhere but in the person's own Team and in who owns what.
func (w *world) expectNobody(person string) {
	w.t.Helper()
	families, err := w.op.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.Contains(l.GetValue(), person) && f.GetName() != "cx_team_load" && l.GetName() != "name" {
					w.t.Errorf("%s has %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
	for event := range w.events() {
		if strings.Contains(event, person) {
			w.t.Errorf("event %s", event)
		}
	}
	desk := w.desk()
	if text := fmt.Sprintf("%+v", desk.Status); strings.Contains(text, person) {
		w.t.Errorf("status %s", text)
	}
}

// What is Met for the policy's days is told once, and again only after it was not.
func TestRecognition(t *testing.T) {
	t.Parallel()
	w := startGoverned(t, "  recognition: {mode: Notify, afterDays: 10}")
	w.reachable()
	w.importVisits(repeated(60, "desk", "ease", 7))
	w.settleManually()
	met := w.desk().Status.Objectives[0].StateSince.Time
	w.at(met.AddDate(0, 0, 10).Add(-time.Second))
	w.settleManually()
	if got := notices(w.desk().Status.Outbox); len(got) > 0 {
		t.Errorf("%v a second before the time", got)
	}
	w.at(met.AddDate(0, 0, 10))
	w.settleManually()
	w.expectEvent("Touchpoint/desk Recognized: objective easy is Met since " + met.Format(time.RFC3339))
	outbox := w.desk().Status.Outbox
	if len(outbox) != 1 || outbox[0].Class != v1alpha1.NoticeRecognition || !outbox[0].Time.Time.Equal(met) || outbox[0].Objective != "easy" {
		t.Fatalf("outbox %+v", outbox)
	}
	w.stop()
	w.startManual()
	w.settleManually()
	w.at(met.AddDate(0, 0, 20))
	w.settleManually()
	if got := notices(w.desk().Status.Outbox); got["Recognition/Met"] != 1 {
		t.Errorf("%v", got)
	}
	w.importVisits(repeated(12, "desk", "ease", 2)) // 60 of 72: OnTrack
	w.settleManually()
	if o := w.desk().Status.Objectives[0]; o.State != v1alpha1.StateOnTrack || o.RecognizedTime != nil {
		t.Fatalf("%s, told %v", figures(o), o.RecognizedTime)
	}
	w.importVisits(repeated(600, "desk", "ease", 7))
	w.settleManually()
	w.at(w.desk().Status.Objectives[0].StateSince.AddDate(0, 0, 10))
	w.settleManually()
	if got := notices(w.desk().Status.Outbox); got["Recognition/Met"] != 2 {
		t.Errorf("%v, want the second time told", got)
	}
}
