package controllers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/notify"
)

// judgedTouchpoint has an objective over ten days, and leaves plans to people.
const judgedTouchpoint = `
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: desk}
spec:
  displayName: Desk
  programRef: {name: visits}
  stage: During
  ownerRef: {name: desks}
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80, windowDays: 10}]
`

const judgedPlan = `
kind: ActionPlan
apiVersion: cx-operator.io/v1alpha1
metadata: {name: better-desk}
spec:
  touchpointRef: {name: desk}
  objective: easy
  problem: Slow
  dueDate: "2099-01-01"
  state: InProgress
  acknowledgement: {by: Head of desk, time: "2026-01-01T00:00:00Z"}
  expected: {target: 90}
  effect: {washoutDays: 1}
  business: {cost: {amount: "1000.00", currency: EUR}, valuePerPoint: {amount: "75.50", currency: EUR}, effortDays: 12}
`

// scores returns answers to the desk's question, easy ones and others.
func scores(easy, others int, at time.Time) []submission {
	all := append(repeated(easy, "desk", "ease", 6), repeated(others, "desk", "ease", 2)...)
	for i := range all {
		all[i].SubmittedAt = at.UTC().Format(time.RFC3339)
	}
	return all
}

// judgedWorld has a plan that began at noon, with 24 easy answers of 40 in the ten days before.
func judgedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.clock.Set(noon(t))
	w.startManual()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + teamYAML("desks", "Department", "company") + "---" +
		sqliteStore("answers") + "---" + visits("\n  ownerRef: {name: company}\n") + "---" + judgedTouchpoint)
	w.settleManually()
	w.importVisits(scores(24, 16, noon(t).Add(-3*24*time.Hour)))
	w.settleManually()
	w.applyYAML(judgedPlan)
	w.settleManually()
	return w
}

func (w *world) betterDesk() *v1alpha1.ActionPlan {
	return get[*v1alpha1.ActionPlan](w, "better-desk")
}

// completeIt completes the plan five days after it began, and returns when its outcome window begins and ends.
func (w *world) completeIt() (from, to time.Time) {
	w.t.Helper()
	w.at(noon(w.t).Add(5 * 24 * time.Hour))
	change(w, "better-desk", func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkComplete })
	w.settleManually()
	o := w.betterDesk().Status.Effect.Outcome
	if o == nil {
		w.t.Fatalf("effect %+v", w.betterDesk().Status.Effect)
	}
	return o.From.UTC(), o.To.UTC()
}

func describeEffect(e *v1alpha1.Effect) string {
	if e == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s [%s %s] p %s, %d needed", e.Verdict, e.Change, e.ChangeLower, e.ChangeUpper, e.PValue, e.ResponsesNeeded)
}

// A plan is judged on generated answers, by the moved clock. The intervals were computed independently.
func TestEffectOfAPlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		easy, others int
		want         string
		condition    string
		value        string
	}{
		"better": {36, 4, "Improved 30.00 [11.11 46.55] p 0.0019, 0 needed", "True/Improved", "2265.00"},
		"worse":  {8, 32, "Worsened -40.00 [-56.63 -18.67] p 0.0003, 0 needed", "False/Worsened", "-3020.00"},
		"as it was, of fewer answers than show 30 points": {
			18, 12, "NoEvidenceOfChange 0.00 [-22.34 21.79] p 1.0000, 0 needed", "Unknown/NoEvidenceOfChange", "0.00"},
		"few": {6, 2, "NoEvidenceOfChange  [ ] p , 22 needed", "Unknown/TooFewResponses", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := judgedWorld(t)
			p := w.betterDesk()
			b := p.Status.Effect.Baseline
			if p.Status.StartedTime == nil || !p.Status.StartedTime.Time.Equal(noon(t)) || b == nil {
				t.Fatalf("started %v, baseline %+v", p.Status.StartedTime, b)
			}
			if b.Score != "60.00" || b.Lower != "44.60" || b.Upper != "73.65" || b.Responses != 40 || b.Counts["easy"] != 24 ||
				!b.To.Time.Equal(noon(t)) || b.To.Sub(b.From.Time) != 10*24*time.Hour {
				t.Errorf("baseline %+v", b)
			}
			w.expect(is(p, "Effective", "Unknown/TooEarly"))

			from, to := w.completeIt()
			start := noon(t).Add(6 * 24 * time.Hour).In(losAngeles(t))
			y, m, d := start.Date()
			if want := time.Date(y, m, d+1, 0, 0, 0, 0, losAngeles(t)); !from.Equal(want) || to.Sub(from) != 10*24*time.Hour {
				t.Errorf("outcome from %s to %s, want from %s", from, to, want.UTC())
			}
			w.wait(w.reconcileUntilStill("ActionPlan", "better-desk"), from.Add(24*time.Hour))

			w.at(from.Add(30 * time.Hour))
			w.importVisits(scores(c.easy, c.others, w.clock.Now()))
			w.settleManually()
			w.at(from.Add(48 * time.Hour))
			w.wait(w.reconcileUntilStill("ActionPlan", "better-desk"), from.Add(72*time.Hour))
			running := w.betterDesk().Status.Effect
			if o := running.Outcome; running.Verdict != v1alpha1.EffectTooEarly || o.Responses != int64(c.easy+c.others) || o.Score != "" || running.Change != "" {
				t.Errorf("while the window runs: %+v, outcome %+v", running, o)
			}
			if want := int64(max(0, 30-c.easy-c.others)); running.ResponsesNeeded != want || !strings.Contains(running.Explanation, to.Format("2006-01-02")) {
				t.Errorf("%d needed, want %d: %q", running.ResponsesNeeded, want, running.Explanation)
			}

			w.at(to)
			w.settleManually()
			judged := w.betterDesk()
			if got := describeEffect(judged.Status.Effect); got != c.want {
				t.Errorf("%s, want %s: %q", got, c.want, judged.Status.Effect.Explanation)
			}
			w.expect(is(judged, "Effective", c.condition))
			if r := judged.Status.Effect.Return; (r == nil) != (c.value == "") || r != nil && r.Value != c.value {
				t.Errorf("return %+v, want %s", r, c.value)
			}
			_, reason, _ := strings.Cut(c.condition, "/")
			w.expectEvent("ActionPlan/better-desk " + reason + ": ")
			verdicts := w.series("cx_action_plan_effect", "action_plan", "verdict")
			if n := verdicts["action_plan=better-desk,verdict="+string(judged.Status.Effect.Verdict)]; n != 1 {
				t.Errorf("series %v", verdicts)
			}

			// Later answers change nothing, and nothing is looked at again.
			w.importVisits(scores(100, 0, from.Add(time.Hour)))
			w.at(to.Add(24 * time.Hour))
			if result := w.reconcileUntilStill("ActionPlan", "better-desk"); result.RequeueAfter != 0 {
				t.Errorf("comes back after %s though nothing is to come", result.RequeueAfter)
			}
			if diff := cmp.Diff(judged.Status.Effect, w.betterDesk().Status.Effect); diff != "" {
				t.Errorf("judged again (-before +after):\n%s", diff)
			}
		})
	}
}

// What a question asks was changed meanwhile: nothing is compared.
func TestEffectOfAnotherQuestion(t *testing.T) {
	t.Parallel()
	w := judgedWorld(t)
	from, to := w.completeIt()
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions[0].Revision = 2 })
	w.settleManually()
	w.at(from.Add(30 * time.Hour))
	w.importVisits(scores(36, 4, w.clock.Now()))
	w.at(to)
	w.settleManually()
	p := w.betterDesk()
	if e := p.Status.Effect; e.Verdict != v1alpha1.EffectNoEvidence || e.Change != "" || !strings.Contains(e.Explanation, "cannot be compared") {
		t.Errorf("%+v", e)
	}
	w.expect(is(p, "Effective", "Unknown/DefinitionChanged"))
}

// The baseline is frozen once: an operator that is started again, and answers that are erased, leave it as it is.
func TestBaselineStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(noon(t))
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + teamYAML("desks", "Department", "company") + "---" +
		sqliteStore("answers") + "---" + visits("\n  ownerRef: {name: company}\n") + "---" + judgedTouchpoint)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", scores(24, 15, noon(t).Add(-3*24*time.Hour)))
	receipt := w.receiptOf(answer("desk", "ease", 2))
	w.clock.Advance(3 * time.Hour)
	w.eventually("the last answer is counted", func() error {
		desk := get[*v1alpha1.Touchpoint](w, "desk")
		if len(desk.Status.Objectives) != 1 || desk.Status.Objectives[0].Responses != 40 {
			return fmt.Errorf("%+v", desk.Status.Objectives)
		}
		if at, ok := w.op.env.Book.ReadAt(w.ns + "/answers"); !ok || at.Before(w.clock.Now()) {
			w.post("visits", answer("", "why", "to have something to read"))
			return errors.New("not read at the time")
		}
		return nil
	})
	w.applyYAML(strings.Replace(judgedPlan, "effect: {washoutDays: 1}", "effect: {washoutDays: 1, windowDays: 20}", 1))
	w.eventually("the baseline", func() error {
		e := w.betterDesk().Status.Effect
		if e == nil || e.Baseline == nil {
			return fmt.Errorf("%+v", e)
		}
		return nil
	})
	w.settle()
	frozen := w.betterDesk().Status.Effect.Baseline
	if frozen.Responses == 0 || frozen.To.Sub(frozen.From.Time) != 20*24*time.Hour {
		t.Fatalf("baseline %+v", frozen)
	}
	if status, text := w.call(http.MethodPost, "/s/"+w.ns+"/visits/erase", "", "application/x-www-form-urlencoded",
		[]byte(url.Values{"receipt": {receipt}}.Encode())); status != http.StatusOK && status != http.StatusSeeOther {
		t.Fatalf("erase: %d %.300s", status, text)
	}
	w.eventually("the answer is erased", func() error {
		if n := w.series("cx_objective_responses", "touchpoint")["touchpoint=desk"]; n != 39 {
			return fmt.Errorf("%v answers", n)
		}
		return nil
	})
	w.settle()
	w.api.reset()
	w.restart()
	w.settle()
	if diff := cmp.Diff(frozen, w.betterDesk().Status.Effect.Baseline); diff != "" {
		t.Errorf("baseline (-before +after):\n%s", diff)
	}
	if n := w.api.seen()["patch actionplans/status"]; n != 0 {
		t.Errorf("%d writes of the plan's status after a restart", n)
	}
}

// receiptOf sends one answer and returns its receipt.
func (w *world) receiptOf(s submission) string {
	w.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	status, text := w.callUntilThere(http.MethodPost, w.responsesPath("visits"), "", "application/json", body)
	var taken struct{ Receipt string }
	if err := json.Unmarshal([]byte(text), &taken); err != nil || status != http.StatusCreated || taken.Receipt == "" {
		w.t.Fatalf("answer: %d %s", status, text)
	}
	return taken.Receipt
}

// What people change in a plan is on record: dates and states as they were and are, texts only by their field.
func TestRevisionsOfAPlan(t *testing.T) {
	t.Parallel()
	w := judgedWorld(t)
	if p := w.betterDesk(); len(p.Status.Revisions) != 0 || p.Status.Observed["dueDate"] != "2099-01-01" {
		t.Fatalf("revisions %+v, observed %v", p.Status.Revisions, p.Status.Observed)
	}
	w.at(noon(t).Add(time.Hour))
	change(w, "better-desk", func(p *v1alpha1.ActionPlan) {
		p.Spec.DueDate, p.Spec.Problem = "2098-12-31", "In our own words."
		p.Spec.Actions = []v1alpha1.Action{{Name: "train", Description: "Train.", State: v1alpha1.WorkInProgress}}
	})
	w.settleManually()
	w.at(noon(t).Add(2 * time.Hour))
	change(w, "better-desk", func(p *v1alpha1.ActionPlan) { p.Spec.Actions[0].State = v1alpha1.WorkComplete })
	w.settleManually()
	p := w.betterDesk()
	want := []v1alpha1.Revision{
		{Generation: 2, Time: metav1.NewTime(noon(t).Add(time.Hour)), Changes: []string{"actions[train]: added", "dueDate: 2099-01-01 -> 2098-12-31", "problem"}},
		{Generation: 3, Time: metav1.NewTime(noon(t).Add(2 * time.Hour)), Changes: []string{"actions[train].state: InProgress -> Complete"}},
	}
	for i := range p.Status.Revisions {
		p.Status.Revisions[i].Time = metav1.NewTime(p.Status.Revisions[i].Time.UTC())
	}
	if diff := cmp.Diff(want, p.Status.Revisions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Two plans for one objective are told of each other, until one of them is given up.
func TestConflictsOfPlans(t *testing.T) {
	t.Parallel()
	w := judgedWorld(t)
	w.expect(is(w.betterDesk(), "Unconflicted", "True/NoOtherPlan"))
	w.applyYAML(strings.NewReplacer("name: better-desk", "name: other-desk", "state: InProgress", "state: NotStarted").Replace(judgedPlan))
	w.settleManually()
	other := func() *v1alpha1.ActionPlan { return get[*v1alpha1.ActionPlan](w, "other-desk") }
	w.expect(is(w.betterDesk(), "Unconflicted", "False/PlansOverlap"))
	w.expect(is(other(), "Unconflicted", "False/PlansOverlap"))
	if c := w.betterDesk().Status.Conflicts; len(c) != 1 || c[0] != "other-desk" {
		t.Errorf("conflicts %v", c)
	}
	w.expect(is(other(), "Effective", "Unknown/NotStarted"))
	change(w, "other-desk", func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkCancelled })
	w.settleManually()
	w.expect(is(w.betterDesk(), "Unconflicted", "True/NoOtherPlan"))
	w.expect(is(other(), "Effective", "Unknown/NotStarted"))
	if w.betterDesk().Status.Conflicts != nil {
		t.Errorf("conflicts %v", w.betterDesk().Status.Conflicts)
	}
}

// The operator sees to conflicts and loads by itself, and then does nothing.
func TestConflictsAndLoadsAreWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(noon(t))
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + teamYAML("desks", "Department", "company") + "---" +
		teamYAML("lee", "Person", "desks") + "---" + teamYAML("screens", "Department", "company") + "---" +
		sqliteStore("answers") + "---" + visits("\n  ownerRef: {name: company}\n") + "---" + judgedTouchpoint + "---" + judgedPlan)
	becomes[*v1alpha1.ActionPlan](w, "better-desk", "Unconflicted", "True/NoOtherPlan")
	w.load("desks", v1alpha1.TeamLoad{OpenPlans: 1, EffortDays: 12})
	w.applyYAML(strings.Replace(judgedPlan, "name: better-desk", "name: other-desk", 1))
	becomes[*v1alpha1.ActionPlan](w, "better-desk", "Unconflicted", "False/PlansOverlap")
	w.load("desks", v1alpha1.TeamLoad{OpenPlans: 2, EffortDays: 24})

	// A Person's plan is carried by the team above; an action by its own team.
	change(w, "other-desk", func(p *v1alpha1.ActionPlan) {
		p.Spec.OwnerRef = &v1alpha1.NameRef{Name: "lee"}
		p.Spec.Actions = []v1alpha1.Action{
			{Name: "buy", Description: "Buy.", OwnerRef: &v1alpha1.NameRef{Name: "screens"}, DueDate: "2020-01-01"},
			{Name: "train", Description: "Train."},
		}
	})
	w.load("screens", v1alpha1.TeamLoad{OpenActions: 1, OverdueActions: 1})
	w.load("desks", v1alpha1.TeamLoad{OpenPlans: 2, EffortDays: 24, OpenActions: 1, Breaches: 1})
	if l := get[*v1alpha1.Team](w, "lee").Status.Load; l != nil {
		t.Errorf("load of a Person %+v", l)
	}
	series := w.series("cx_team_open_actions", "team")
	if series["team=screens"] != 1 || series["team=desks"] != 1 {
		t.Errorf("series %v", series)
	}
	if _, shown := series["team=lee"]; shown {
		t.Error("a Person has a series")
	}
	// Lee moves to another team, and takes the plan along.
	change(w, "lee", func(p *v1alpha1.Team) { p.Spec.ParentRef = &v1alpha1.NameRef{Name: "screens"} })
	w.load("screens", v1alpha1.TeamLoad{OpenPlans: 1, EffortDays: 12, OpenActions: 2, OverdueActions: 1})
	w.load("desks", v1alpha1.TeamLoad{OpenPlans: 1, EffortDays: 12, Breaches: 1})
	remove[*v1alpha1.ActionPlan](w, "other-desk")
	w.load("screens", v1alpha1.TeamLoad{})
	w.load("desks", v1alpha1.TeamLoad{OpenPlans: 1, EffortDays: 12})
	becomes[*v1alpha1.ActionPlan](w, "better-desk", "Unconflicted", "True/NoOtherPlan")

	w.settle()
	w.api.reset()
	w.restart()
	w.settle()
	for call, n := range w.api.seen() {
		if verb, _, _ := strings.Cut(call, " "); isWrite(verb) {
			t.Errorf("after a restart: %s, %d times", call, n)
		}
	}
	before := w.reconciles.total()
	w.quietFor(quietTime)
	if n := w.reconciles.total() - before; n > 0 {
		t.Errorf("%d reconciles though nothing happens", n)
	}
}

// load waits until a team has a load.
func (w *world) load(name string, want v1alpha1.TeamLoad) {
	w.t.Helper()
	w.eventually("load of "+name, func() error {
		if diff := cmp.Diff(&want, get[*v1alpha1.Team](w, name).Status.Load); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
}

// A team's channels are checked apart from its place in the hierarchy.
func TestReachableTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.startManual()
	w.applyYAML(teamYAML("company", "Company", ""))
	w.settleManually()
	company := func() *v1alpha1.Team { return get[*v1alpha1.Team](w, "company") }
	w.expect(is(company(), "Reachable", "Unknown/NoChannels"))
	change(w, "company", func(t *v1alpha1.Team) {
		t.Spec.Notify = &v1alpha1.Notify{Channels: []v1alpha1.NotifyChannel{
			{Name: "hook", Webhook: &v1alpha1.WebhookChannel{URL: "https://hooks.example.com/cx"}},
		}}
	})
	w.settleManually()
	w.expect(is(company(), "Reachable", "True/ChannelsUsable"))
	change(w, "company", func(t *v1alpha1.Team) {
		t.Spec.Notify.QuietHours = &v1alpha1.QuietHours{From: "18:00", To: "08:00", TimeZone: "Mars/Olympus"}
	})
	w.settleManually()
	w.expect(is(company(), "Reachable", "False/InvalidSpec"))
	w.expect(is(company(), "Ready", "True/Reconciled"))
}

// Under a policy: actions without a date are due, what stays open is escalated, and each is told in the same write.
func TestPlanUnderAPolicy(t *testing.T) {
	t.Parallel()
	w := judgedWorld(t)
	created := w.betterDesk().CreationTimestamp.Time
	w.applyYAML(`
kind: AccountabilityPolicy
apiVersion: cx-operator.io/v1alpha1
metadata: {name: protocol}
spec:
  deadlines: {actionDueWithinDays: 5, acknowledgeWithinHours: 24}
  escalation: [{afterHours: 10, to: Lead}, {afterHours: 20, to: Sponsor}]
`)
	change(w, "better-desk", func(p *v1alpha1.ActionPlan) {
		p.Spec.Acknowledgement = nil
		p.Spec.Actions = []v1alpha1.Action{{Name: "train", Description: "Train."}}
	})
	w.settleManually()
	p := w.betterDesk()
	if by := created.Add(24 * time.Hour); p.Status.AcknowledgeBy == nil || !p.Status.AcknowledgeBy.Time.Equal(by) {
		t.Errorf("acknowledge by %v, want %s", p.Status.AcknowledgeBy, by)
	}
	w.at(created.Add(24 * time.Hour))
	w.settleManually()
	w.expectBreach(w.betterDesk(), v1alpha1.BreachPlanUnacknowledged, "", created.Add(24*time.Hour))
	w.wait(w.reconcileUntilStill("ActionPlan", "better-desk"), created.Add(34*time.Hour))
	w.at(created.Add(34 * time.Hour))
	w.reconcileUntilStill("ActionPlan", "better-desk")
	w.expectEvent("ActionPlan/better-desk Escalated: step 1, to Lead")
	w.at(created.Add(44 * time.Hour))
	w.settleManually()
	p = w.betterDesk()
	if n := p.Status.Breaches[0].Escalated; n != 2 {
		t.Errorf("%d steps of the escalation", n)
	}
	var told []string
	for _, n := range p.Status.Outbox {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s", n.Transition, n.Breach, n.To)))
		if notify.StateOf(&n) != v1alpha1.DeliveryPending {
			t.Errorf("notice %+v", n)
		}
	}
	if diff := cmp.Diff([]string{"Opened PlanUnacknowledged", "Escalated PlanUnacknowledged Lead", "Escalated PlanUnacknowledged Sponsor"}, told); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}

	y, m, d := created.In(losAngeles(t)).Date()
	due := time.Date(y, m, d+6, 0, 0, 0, 0, losAngeles(t))
	w.at(due.Add(-time.Second))
	w.settleManually()
	w.wait(w.reconcileUntilStill("ActionPlan", "better-desk"), due)
	w.at(due)
	w.settleManually()
	w.expectBreach(w.betterDesk(), v1alpha1.BreachActionOverdue, "train", due)
	// Its steps are counted from then on, and those of the other breach are not taken again.
	w.wait(w.reconcileUntilStill("ActionPlan", "better-desk"), due.Add(10*time.Hour))
	if n := len(w.betterDesk().Status.Outbox); n != 4 {
		t.Errorf("%d notices", n)
	}
}
