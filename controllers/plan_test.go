package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/plan"
	"github.com/cx-operator/cx-operator/internal/store"
)

// settleManually calls the controllers of a manual operator until a whole round of them writes nothing.
func (w *world) settleManually() {
	w.t.Helper()
	for range 20 {
		before := w.api.writes()
		for _, list := range lists {
			all := list()
			if err := w.c.List(w.t.Context(), all, inNamespace(w.ns)); err != nil {
				w.t.Fatal(err)
			}
			eachItem(all, func(o object) { w.reconcileUntilStill(kindOf(o), o.GetName()) })
		}
		if w.api.writes() == before {
			return
		}
	}
	w.t.Fatal("twenty rounds and no end")
}

// at moves the clock, and lets the counts be read at the new time.
func (w *world) at(t time.Time) {
	w.t.Helper()
	w.clock.Set(t)
	w.post("visits", answer("", "why", "to have something to read"))
	w.eventually("the counts are read", func() error {
		if at, ok := w.op.env.Book.ReadAt(w.ns + "/answers"); !ok || !at.Equal(t) {
			return fmt.Errorf("read at %v", at)
		}
		return nil
	})
}

// importVisits imports answers to the program and waits until they are counted.
func (w *world) importVisits(answers []submission) {
	w.t.Helper()
	key := store.Key{Namespace: w.ns, Name: "visits"}
	before := w.op.env.Book.LastImport(key)
	w.importAnswers("visits", answers)
	w.eventually("the import is counted", func() error {
		if w.op.env.Book.LastImport(key) == before {
			return fmt.Errorf("still %q", before)
		}
		return nil
	})
}

// wait checks that a result comes back exactly at a time.
func (w *world) wait(result ctrl.Result, until time.Time) {
	w.t.Helper()
	if want := until.Sub(w.clock.Now()); result.RequeueAfter != want {
		w.t.Errorf("comes back after %s, want %s (at %s)", result.RequeueAfter, want, until)
	}
}

func (w *world) expect(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Error(err)
	}
}

func (w *world) expectBreach(o object, kind v1alpha1.BreachType, item string, since time.Time) {
	w.t.Helper()
	_, _, breaches := statusOf(o)
	for _, b := range breaches {
		if b.Type == kind && b.Item == item {
			if !b.Since.Time.Equal(since) {
				w.t.Errorf("%s %s is open since %s, want %s", kind, item, b.Since.UTC(), since.UTC())
			}
			return
		}
	}
	w.t.Errorf("%s: breaches %q, want %s %s", o.GetName(), breachesOf(o), kind, item)
}

func (w *world) expectEvent(beginning string) {
	w.t.Helper()
	w.eventually("event "+beginning, func() error {
		for event, n := range w.events() {
			if strings.HasPrefix(event, beginning) {
				if n != 1 {
					return fmt.Errorf("%d times", n)
				}
				return nil
			}
		}
		return fmt.Errorf("only %v", w.events())
	})
}

// missedManually brings a manual operator to a missed objective.
func missedManually(t *testing.T, manifests string, at time.Time) *world {
	t.Helper()
	w := newWorld(t)
	w.clock.Set(at)
	w.startManual()
	w.applyYAML(manifests)
	w.settleManually()
	w.importVisits(repeated(40, "desk", "ease", 2))
	w.settleManually()
	return w
}

func TestClocksOfAPlan(t *testing.T) {
	t.Parallel()
	w := missedManually(t, missedVisits(), time.Now().UTC().Truncate(time.Second))
	plans := w.plans()
	if len(plans) != 1 {
		t.Fatalf("%d plans", len(plans))
	}
	name := plans[0].Name
	acknowledgeBy := plans[0].CreationTimestamp.Add(48 * time.Hour)
	dueTime, err := plan.DayEnd(plans[0].Spec.DueDate, losAngeles(t))
	if err != nil {
		t.Fatal(err)
	}
	read := func() *v1alpha1.ActionPlan { return get[*v1alpha1.ActionPlan](w, name) }
	desk := func() *v1alpha1.Touchpoint { return get[*v1alpha1.Touchpoint](w, "desk") }

	w.wait(w.reconcileUntilStill("ActionPlan", name), acknowledgeBy)
	p := read()
	if !p.Status.AcknowledgeBy.Time.Equal(acknowledgeBy) || !p.Status.DueTime.Time.Equal(dueTime) {
		t.Errorf("acknowledge by %s, due %s; want %s and %s", p.Status.AcknowledgeBy, p.Status.DueTime, acknowledgeBy, dueTime)
	}

	w.at(acknowledgeBy.Add(-time.Second))
	w.wait(w.reconcileUntilStill("ActionPlan", name), acknowledgeBy)
	w.expect(is(read(), "Accountable", "True/NothingDue"))

	w.at(acknowledgeBy)
	w.wait(w.reconcileUntilStill("ActionPlan", name), dueTime)
	w.expectBreach(read(), v1alpha1.BreachPlanUnacknowledged, "", acknowledgeBy)
	w.expect(is(read(), "Accountable", "False/PlanUnacknowledged"))
	w.expect(is(read(), "OnTime", "True/NothingDue"))
	w.settleManually()
	w.expect(is(desk(), "Accountable", "False/PlanUnacknowledged"))
	w.expectEvent("ActionPlan/" + name + " PlanUnacknowledged: opened")

	// A person takes the plan over, and adds two actions.
	actionDay := acknowledgeBy.In(losAngeles(t)).AddDate(0, 0, 5).Format(time.DateOnly)
	actionEnd, err := plan.DayEnd(actionDay, losAngeles(t))
	if err != nil {
		t.Fatal(err)
	}
	change(w, name, func(p *v1alpha1.ActionPlan) {
		p.Spec.Acknowledgement = &v1alpha1.Acknowledgement{By: "Head of Desk", Time: metav1.NewTime(acknowledgeBy)}
		p.Spec.State = v1alpha1.WorkInProgress
		p.Spec.Actions = []v1alpha1.Action{
			{Name: "train", Description: "Train.", DueDate: actionDay, State: v1alpha1.WorkInProgress},
			{Name: "hire", Description: "Hire.", DueDate: actionDay, State: v1alpha1.WorkOnHold},
		}
	})
	w.at(acknowledgeBy.Add(time.Minute))
	w.wait(w.reconcileUntilStill("ActionPlan", name), actionEnd)
	w.settleManually()
	w.expect(is(read(), "Accountable", "True/NothingDue"))
	w.expect(is(desk(), "Accountable", "True/NothingDue"))
	w.expectEvent("ActionPlan/" + name + " Recovered: closed: PlanUnacknowledged")

	w.at(actionEnd.Add(-time.Second))
	w.wait(w.reconcileUntilStill("ActionPlan", name), actionEnd)
	if got := breachesOf(read()); got != nil {
		t.Errorf("breaches %q a second before the day ends", got)
	}
	w.at(actionEnd)
	w.wait(w.reconcileUntilStill("ActionPlan", name), dueTime)
	w.expectBreach(read(), v1alpha1.BreachActionOverdue, "train", actionEnd)
	w.expectBreach(read(), v1alpha1.BreachActionOverdue, "hire", actionEnd)
	w.expect(is(read(), "OnTime", "False/ActionOverdue"))
	w.expect(is(read(), "Accountable", "True/NothingDue"))
	series := w.series("cx_accountability_breach_start_timestamp_seconds", "type", "item", "team")
	if series["item=train,team=company,type=ActionOverdue"] != float64(actionEnd.Unix()) {
		t.Errorf("series %v, want the action since %d", series, actionEnd.Unix())
	}

	change(w, name, func(p *v1alpha1.ActionPlan) {
		p.Spec.Actions = p.Spec.Actions[:1]
		p.Spec.Actions[0].State = v1alpha1.WorkComplete
	})
	w.settleManually()
	w.expect(is(read(), "OnTime", "True/NothingDue"))
	w.expectEvent("ActionPlan/" + name + " Recovered: closed: ActionOverdue of objective easy, train")
	w.expectEvent("ActionPlan/" + name + " Removed: closed: ActionOverdue of objective easy, hire")

	w.at(dueTime.Add(-time.Second))
	w.wait(w.reconcileUntilStill("ActionPlan", name), dueTime)
	w.expect(is(read(), "OnTime", "True/NothingDue"))
	w.at(dueTime)
	if result := w.reconcileUntilStill("ActionPlan", name); result.RequeueAfter != 0 {
		t.Errorf("comes back after %s though no clock runs", result.RequeueAfter)
	}
	w.settleManually()
	w.expectBreach(read(), v1alpha1.BreachPlanOverdue, "", dueTime)
	w.expect(is(read(), "OnTime", "False/PlanOverdue"))
	w.expect(is(read(), "Accountable", "False/PlanOverdue"))
	w.expect(is(desk(), "Accountable", "False/PlanOverdue"))

	change(w, name, func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkComplete })
	w.settleManually()
	w.expect(is(read(), "OnTime", "True/NothingDue"))
	w.expect(is(desk(), "Accountable", "True/NothingDue"))
	if got := breachesOf(desk()); len(got) != 1 || got[0] != "ObjectiveMissed easy" {
		t.Errorf("breaches of the touchpoint %q, want the missed objective alone", got)
	}
	if n := len(w.plans()); n != 1 {
		t.Errorf("%d plans: a completed one holds another back until a later window was judged", n)
	}
}

// noon is today's 12:00 in Los Angeles, so that no day ends within the next hours.
func noon(t *testing.T) time.Time {
	t.Helper()
	y, m, d := time.Now().In(losAngeles(t)).Date()
	return time.Date(y, m, d, 12, 0, 0, 0, losAngeles(t)).UTC()
}

func TestPlanMissingAtOnce(t *testing.T) {
	t.Parallel()
	manifests := strings.Replace(missedVisits(), "mode: Create", "mode: None", 1)
	w := missedManually(t, manifests, noon(t))
	w.expectBreach(get[*v1alpha1.Touchpoint](w, "desk"), v1alpha1.BreachPlanMissing, "", w.breachSince())
	w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "Accountable", "False/PlanMissing"))
	w.expectEvent("Touchpoint/desk PlanMissing: opened: PlanMissing of objective easy")
	if n := len(w.plans()); n != 0 {
		t.Errorf("%d plans though mode is None", n)
	}
	w.applyYAML(personsPlan)
	w.settleManually()
	desk := get[*v1alpha1.Touchpoint](w, "desk")
	w.expect(is(desk, "Accountable", "True/NothingDue"))
	w.expectEvent("Touchpoint/desk Recovered: closed: PlanMissing of objective easy")
	if ref := desk.Status.Breaches[0].PlanRef; ref == nil || ref.Name != "better-desk" {
		t.Errorf("the breach names %v, want the person's plan", ref)
	}
}

const personsPlan = `
kind: ActionPlan
apiVersion: cx-operator.io/v1alpha1
metadata: {name: better-desk}
spec: {touchpointRef: {name: desk}, objective: easy, problem: Slow, dueDate: "2099-01-01", ownerRef: {name: company}}
`

func TestPlanMissingAfterHours(t *testing.T) {
	t.Parallel()
	manifests := strings.Replace(missedVisits(), "mode: Create", "mode: None, missingAfterHours: 5", 1)
	w := missedManually(t, manifests, noon(t))
	deadline := w.breachSince().Add(5 * time.Hour)
	w.wait(w.reconcileUntilStill("Touchpoint", "desk"), deadline)
	w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "Accountable", "True/NothingDue"))
	w.at(deadline.Add(-time.Second))
	w.wait(w.reconcileUntilStill("Touchpoint", "desk"), deadline)
	w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "Accountable", "True/NothingDue"))
	w.at(deadline)
	w.reconcileUntilStill("Touchpoint", "desk")
	w.expectBreach(get[*v1alpha1.Touchpoint](w, "desk"), v1alpha1.BreachPlanMissing, "", deadline)
	w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "Accountable", "False/PlanMissing"))
}

// A plan that a person deletes or cancels is not opened again; that it is missing stays on record.
func TestPlanThatAPersonDrops(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(*world, string){
		"deleted": func(w *world, name string) { remove[*v1alpha1.ActionPlan](w, name) },
		"cancelled": func(w *world, name string) {
			change(w, name, func(p *v1alpha1.ActionPlan) { p.Spec.State = v1alpha1.WorkCancelled })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.applyYAML(missedVisits())
			becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
			w.importAnswers("visits", repeated(40, "desk", "ease", 2))
			w.missed()
			before := len(w.plans())
			plan := w.plans()[0].Name
			drop(w, plan)
			left := before
			if name == "deleted" {
				left = 0
			}
			for range 2 {
				desk := becomes[*v1alpha1.Touchpoint](w, "desk", "Accountable", "False/PlanMissing")
				w.settle()
				if n := len(w.plans()); n != left {
					t.Errorf("%d plans, want %d", n, left)
				}
				if ref := desk.Status.Breaches[0].PlanRef; ref == nil || ref.Name != plan {
					t.Errorf("the breach names %v, want %s", ref, plan)
				}
				w.restart()
			}
		})
	}
}

// People own a plan from its first second: the operator writes nothing but its status.
func TestPeopleOwnThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(40, "desk", "ease", 2))
	w.missed()
	name := w.plans()[0].Name
	change(w, name, func(p *v1alpha1.ActionPlan) {
		p.Labels = map[string]string{"mine": "yes"}
		p.Spec.Problem, p.Spec.DueDate, p.Spec.OwnerRef = "In our own words.", "2099-12-31", nil
		p.Spec.State = v1alpha1.WorkOnHold
		p.Spec.Assignee = &v1alpha1.Person{DisplayName: "Head of Desk"}
	})
	edited := get[*v1alpha1.ActionPlan](w, name)
	becomes[*v1alpha1.ActionPlan](w, name, "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(10, "desk", "ease", 1))
	w.settle()
	w.restart()
	w.settle()
	got := get[*v1alpha1.ActionPlan](w, name)
	if diff := cmp.Diff(edited.Spec, got.Spec); diff != "" {
		t.Errorf("spec (-person's +operator's):\n%s", diff)
	}
	if diff := cmp.Diff(edited.Labels, got.Labels); diff != "" || got.Generation != edited.Generation {
		t.Errorf("generation %d, want %d; labels %s", got.Generation, edited.Generation, diff)
	}
	if got.Status.State != v1alpha1.WorkOnHold {
		t.Errorf("state %s as the operator sees it, want OnHold", got.Status.State)
	}
	for call := range w.api.seen() {
		verb, resource, _ := strings.Cut(call, " ")
		if strings.HasPrefix(resource, "actionplans") && isWrite(verb) && call != "create actionplans" && call != "patch actionplans/status" {
			t.Errorf("the operator made the call %q", call)
		}
	}
	if w.api.seen()["create actionplans"] != 1 {
		t.Errorf("calls %v, want one plan created", w.api.seen())
	}
}

// Two touchpoints whose plans would have one name get a plan each.
func TestPlansThatWouldShareAName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	twin := strings.NewReplacer("name: desk}", "name: desk-front}", "name: easy,", "name: easy,").Replace(crashTouchpoint)
	first := strings.Replace(crashTouchpoint, "name: easy,", "name: front-easy,", 1)
	w.applyYAML(teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" + visits(crashProgram) + "---" + first + "---" + twin)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	becomes[*v1alpha1.Touchpoint](w, "desk-front", "Ready", "True/Reconciled")
	w.importAnswers("visits", append(repeated(40, "desk", "ease", 2), repeated(40, "desk-front", "ease", 2)...))
	for _, name := range []string{"desk", "desk-front"} {
		w.eventually("a plan for "+name, func() error {
			tp := get[*v1alpha1.Touchpoint](w, name)
			if len(tp.Status.Breaches) != 1 || tp.Status.Breaches[0].PlanRef == nil {
				return fmt.Errorf("breaches %+v", tp.Status.Breaches)
			}
			p := get[*v1alpha1.ActionPlan](w, tp.Status.Breaches[0].PlanRef.Name)
			if p.Spec.TouchpointRef.Name != name {
				return fmt.Errorf("plan %s is for %s", p.Name, p.Spec.TouchpointRef.Name)
			}
			return is(tp, "Accountable", "True/NothingDue")
		})
	}
	w.settle()
	if n := len(w.plans()); n != 2 {
		t.Errorf("%d plans, want 2", n)
	}
}
