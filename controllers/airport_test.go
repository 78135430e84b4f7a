package controllers_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/test/testenv"
)

const (
	// quietTime is how long nothing must happen.
	quietTime = 2 * time.Second
)

const airport = "passenger-experience"

// touchpointOf says where the airport's questions are answered; the others are answered on the program's own page.
var touchpointOf = map[string]string{"security": "security", "food": "food", "rental-cars": "rental-cars", "recommend": "", "overall": "", "shops": ""}

// airportAnswers are the counted answers of May 2017 to the contract's questions, moved so that the last day is yesterday.
func (w *world) airportAnswers() []submission {
	w.t.Helper()
	file, err := os.Open(filepath.Join(testenv.Root(), "hack", "demo", "data", "sfo-2017-counts.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	const lastDay = 31
	today := w.clock.Now().In(losAngeles(w.t))
	var all []submission
	for _, row := range rows[1:] {
		touchpoint, asked := touchpointOf[row[2]]
		if !asked {
			continue
		}
		day, score, n := number(w.t, row[0]), number(w.t, row[3]), number(w.t, row[4])
		at := time.Date(today.Year(), today.Month(), today.Day()-1-lastDay+day, 12, 0, 0, 0, today.Location())
		for range n {
			a := answer(touchpoint, row[2], score)
			a.SubmittedAt = at.UTC().Format(time.RFC3339)
			if row[1] == "G" {
				a.Team = "boarding-area-g"
			}
			all = append(all, a)
		}
	}
	return all
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func losAngeles(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// verdicts are the figures of the airport's program, as the project promises them.
var verdicts = map[string]string{
	"":            "nps Met 39.84 [37.18 42.41] of 2746",
	"security":    "satisfaction Met 82.01 [80.43 83.49] of 2407",
	"food":        "satisfaction Missed 55.72 [53.73 57.69] of 2421",
	"rental-cars": "satisfaction Met 67.59 [64.64 70.41] of 1006",
}

func (w *world) judged() error {
	program := get[*v1alpha1.SurveyProgram](w, airport)
	objectives := map[string][]v1alpha1.ObjectiveStatus{"": program.Status.Objectives}
	for _, name := range []string{"security", "food", "rental-cars"} {
		objectives[name] = get[*v1alpha1.Touchpoint](w, name).Status.Objectives
	}
	for name, want := range verdicts {
		if len(objectives[name]) != 1 || figures(objectives[name][0]) != want {
			return fmt.Errorf("objectives of %q: %+v, want %s", name, objectives[name], want)
		}
	}
	return nil
}

func (w *world) served() {
	w.t.Helper()
	becomes[*v1alpha1.SurveyProgram](w, airport, "Ready", "True/Reconciled")
	for _, name := range []string{"security", "food", "rental-cars"} {
		becomes[*v1alpha1.Touchpoint](w, name, "Ready", "True/Reconciled")
	}
}

func TestAirport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.apply(contract(t)...)
	w.served()
	w.importAnswers(airport, w.airportAnswers())
	w.eventually("the figures", w.judged)
	w.settle()

	t.Run("conditions", func(t *testing.T) {
		program := get[*v1alpha1.SurveyProgram](w, airport)
		for condition, want := range map[string]string{
			"Ready": "True/Reconciled", "Stalled": "False/AsExpected", "Reconciling": "False/AsExpected",
			"SurveyCompiled": "True/Compiled", "OwnerAssigned": "True/Owned", "SponsorAssigned": "True/Sponsored",
			"Measured": "True/Measured", "ObjectivesMet": "True/AllMet", "Accountable": "True/NothingDue",
		} {
			if err := is(program, condition, want); err != nil {
				t.Error(err)
			}
		}
		for name, wants := range map[string]map[string]string{
			"security":    {"ObjectivesMet": "True/AllMet", "OwnerAssigned": "True/Owned", "Accountable": "True/NothingDue", "Measured": "True/Measured"},
			"food":        {"ObjectivesMet": "False/ObjectiveMissed", "OwnerAssigned": "True/Owned", "Accountable": "True/NothingDue", "Ready": "True/Reconciled"},
			"rental-cars": {"ObjectivesMet": "True/AllMet", "OwnerAssigned": "False/NoOwner", "Accountable": "True/NothingDue", "Ready": "True/Reconciled"},
		} {
			tp := get[*v1alpha1.Touchpoint](w, name)
			for condition, want := range wants {
				if err := is(tp, condition, want); err != nil {
					t.Error(err)
				}
			}
			if want := publicURL + "/s/" + w.ns + "/" + airport + "/" + name; tp.Status.URL != want {
				t.Errorf("%s: url %q, want %q", name, tp.Status.URL, want)
			}
		}
	})

	t.Run("one plan", func(t *testing.T) {
		plans := w.plans()
		if len(plans) != 1 {
			t.Fatalf("%d plans, want one", len(plans))
		}
		p := plans[0]
		today := w.clock.Now().In(losAngeles(t))
		if want := "food-satisfaction-" + today.Format("20060102"); p.Name != want {
			t.Errorf("plan %q, want %q", p.Name, want)
		}
		want := v1alpha1.ActionPlanSpec{
			TouchpointRef: &v1alpha1.NameRef{Name: "food"}, Objective: "satisfaction", OwnerRef: &v1alpha1.NameRef{Name: "concessions"},
			Problem: "Restaurants: satisfaction (CSAT) is 55.72 (95 % interval 53.73 to 57.69) of 2,421 answers in the last 90 days; " +
				"the target is 65. This is a signal about the customers' experience, not about anyone's performance.",
			DueDate: today.AddDate(0, 0, 30).Format(time.DateOnly), State: v1alpha1.WorkNotStarted,
			Effect: v1alpha1.EffectRule{WashoutDays: ptr.To[int32](7)}, // the API server's default
		}
		if diff := cmp.Diff(want, p.Spec); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		base := &v1alpha1.Baseline{Score: "55.72", Lower: "53.73", Upper: "57.69", Target: "65", Responses: 2421}
		if diff := cmp.Diff(base, p.Status.Baseline); diff != "" {
			t.Errorf("baseline (-want +got):\n%s", diff)
		}
		for condition, want := range map[string]string{
			"Ready": "True/Reconciled", "OwnerAssigned": "True/Owned", "Accountable": "True/NothingDue", "OnTime": "True/NothingDue",
		} {
			if err := is(&p, condition, want); err != nil {
				t.Error(err)
			}
		}
		food := get[*v1alpha1.Touchpoint](w, "food")
		if ref := food.Status.Breaches[0].PlanRef; ref == nil || ref.Name != p.Name {
			t.Errorf("the breach names plan %v, want %s", ref, p.Name)
		}
	})

	t.Run("breaches", func(t *testing.T) {
		open := w.series("cx_accountability_breach", "type", "kind", "name", "objective", "program", "team")
		want := map[string]float64{
			"kind=Touchpoint,name=food,objective=satisfaction,program=passenger-experience,team=concessions,type=ObjectiveMissed": 1,
			"kind=Touchpoint,name=rental-cars,objective=,program=passenger-experience,team=airport,type=OwnerMissing":             1,
		}
		if diff := cmp.Diff(want, open); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
		for name, want := range map[string][]string{
			"food": {"ObjectiveMissed satisfaction"}, "rental-cars": {"OwnerMissing"}, "security": nil,
		} {
			if got := breachesOf(get[*v1alpha1.Touchpoint](w, name)); !slices.Equal(got, want) {
				t.Errorf("status of %s: breaches %q, want %q", name, got, want)
			}
		}
	})

	t.Run("series", func(t *testing.T) {
		for metric, want := range map[string]map[string]float64{
			"cx_objective_score":     {"touchpoint=": 39.84, "touchpoint=security": 82.01, "touchpoint=food": 55.72, "touchpoint=rental-cars": 67.59},
			"cx_objective_target":    {"touchpoint=": 35, "touchpoint=security": 75, "touchpoint=food": 65, "touchpoint=rental-cars": 60},
			"cx_objective_responses": {"touchpoint=": 2746, "touchpoint=security": 2407, "touchpoint=food": 2421, "touchpoint=rental-cars": 1006},
		} {
			if diff := cmp.Diff(want, w.series(metric, "touchpoint")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", metric, diff)
			}
		}
		if state := w.series("cx_objective_state", "touchpoint", "state"); state["state=Missed,touchpoint=food"] != 1 || state["state=Met,touchpoint=food"] != 0 {
			t.Errorf("states %v", state)
		}
		due := w.series("cx_action_plan_due_timestamp_seconds", "touchpoint", "team")
		y, m, d := w.clock.Now().In(losAngeles(t)).Date()
		want := float64(time.Date(y, m, d+31, 0, 0, 0, 0, losAngeles(t)).Unix())
		if due["team=concessions,touchpoint=food"] != want {
			t.Errorf("due %v, want %v", due, want)
		}
	})

	t.Run("events once", func(t *testing.T) {
		w.eventually("events", func() error {
			for event, n := range w.events() {
				if n != 1 {
					return fmt.Errorf("%q %d times", event, n)
				}
			}
			return expectEvents(w.events(), "Touchpoint/food ObjectiveMissed: ", "Touchpoint/food PlanOpened: ", "Touchpoint/rental-cars OwnerMissing: ")
		})
	})

	t.Run("a steady state does nothing", func(t *testing.T) {
		w.settle()
		w.api.reset()
		before := w.reconciles.total()
		w.quietFor(3 * time.Second)
		if seen := w.api.seen(); len(seen) > 0 {
			t.Errorf("calls of the API server: %v", seen)
		}
		if n := w.reconciles.total() - before; n > 0 {
			t.Errorf("%d reconciles", n)
		}
	})

	t.Run("a restart writes nothing", func(t *testing.T) {
		before, series := w.summary(), w.allSeries()
		w.api.reset()
		w.restart()
		w.eventually("the same series", func() error {
			if diff := cmp.Diff(series, w.allSeries()); diff != "" {
				return fmt.Errorf("(-before +after):\n%s", diff)
			}
			return nil
		})
		w.settle()
		for call, n := range w.api.seen() {
			if verb, _, _ := strings.Cut(call, " "); isWrite(verb) {
				t.Errorf("%s: %d times", call, n)
			}
		}
		if diff := cmp.Diff(before, w.summary()); diff != "" {
			t.Errorf("state (-before +after):\n%s", diff)
		}
	})
}

// quietFor lets time pass in which nothing must happen.
func (w *world) quietFor(d time.Duration) {
	w.t.Helper()
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
	}
}

// allSeries are all series of the verdicts, plans and breaches.
func (w *world) allSeries() map[string]float64 {
	w.t.Helper()
	all := map[string]float64{}
	for _, m := range exporter.Metrics() {
		for labels, value := range w.series(m.Name, append(m.Labels, "state")...) {
			all[m.Name+" "+labels] = value
		}
	}
	return all
}

// expectEvents checks that there are exactly these events, by their beginnings.
func expectEvents(seen map[string]int, beginnings ...string) error {
	if len(seen) != len(beginnings) {
		return fmt.Errorf("events %v, want %q", seen, beginnings)
	}
	for _, b := range beginnings {
		found := false
		for event := range seen {
			found = found || strings.HasPrefix(event, b)
		}
		if !found {
			return fmt.Errorf("events %v, want one that begins with %q", seen, b)
		}
	}
	return nil
}

// A plan that a person wrote before the objective was judged counts as the plan.
func TestAPersonsPlanCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.apply(contract(t)...)
	w.apply(manifests(t, contractFile("action-plan.yaml"))...)
	w.served()
	w.importAnswers(airport, slices.DeleteFunc(w.airportAnswers(), func(s submission) bool { return s.Touchpoint != "food" }))
	w.eventually("the plan is found", func() error {
		food := get[*v1alpha1.Touchpoint](w, "food")
		if len(food.Status.Breaches) != 1 || food.Status.Breaches[0].PlanRef == nil || food.Status.Breaches[0].PlanRef.Name != "better-food" {
			return fmt.Errorf("breaches %+v", food.Status.Breaches)
		}
		return is(food, "Accountable", "True/NothingDue")
	})
	w.settle()
	if plans := w.plans(); len(plans) != 1 {
		t.Errorf("%d plans, want the person's alone", len(plans))
	}
	p := get[*v1alpha1.ActionPlan](w, "better-food")
	if p.Status.Baseline == nil || p.Status.Baseline.Score != "55.72" || p.Status.Baseline.Responses != 2421 {
		t.Errorf("baseline %+v, want the figures that were judged, not those of half an import", p.Status.Baseline)
	}
	if err := is(p, "Accountable", "True/NothingDue"); err != nil {
		t.Error(err)
	}
}
