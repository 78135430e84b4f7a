package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// asExpected is a snapshot in which everything is as it should be, and the answers by question that belong to it.
func asExpected(t *testing.T) (snapshot, map[string]int64) {
	t.Helper()
	since := metav1.NewTime(time.Unix(1_800_000_000, 0))
	s := snapshot{location: zone(t, "America/Los_Angeles")}
	answered := map[string]int64{}
	for _, want := range figures {
		about := subject{kind: kindTouchpoint, name: want.touchpoint, owner: "concessions", stage: v1alpha1.StageDuring, opensPlans: true}
		if want.touchpoint == "" {
			about = subject{kind: kindProgram, name: program, owner: "airport"}
		}
		question := "of-" + want.touchpoint
		answered[question] = want.responses
		about.objectives = []v1alpha1.Objective{{Name: want.objective, Question: question, Metric: v1alpha1.MetricCSAT}}
		about.status = []v1alpha1.ObjectiveStatus{{
			Name: want.objective, State: want.state, Responses: want.responses,
			Score: want.score, Lower: want.lower, Upper: want.upper, Target: "60",
		}}
		for _, open := range openBreaches {
			if open.touchpoint == want.touchpoint {
				about.breaches = append(about.breaches, v1alpha1.Breach{Type: open.breach, Objective: open.objective, Since: since})
			}
		}
		s.subjects = append(s.subjects, about)
	}
	plan := v1alpha1.ActionPlan{ObjectMeta: metav1.ObjectMeta{Name: "food-satisfaction-20270115"}}
	plan.Spec = v1alpha1.ActionPlanSpec{
		TouchpointRef: &v1alpha1.NameRef{Name: "food"}, Objective: "satisfaction", OwnerRef: &v1alpha1.NameRef{Name: "concessions"},
		DueDate: "2027-02-14", Problem: "Restaurants: satisfaction is too low. " + strings.Repeat("It is a signal. ", 10),
	}
	plan.Status.AcknowledgeBy = &metav1.Time{Time: since.Add(48 * time.Hour)}
	s.plans = []v1alpha1.ActionPlan{plan}
	s.series = exported(t, s)
	return s, answered
}

// exported are the series that the metrics have for a snapshot.
func exported(t *testing.T, s snapshot) []series {
	t.Helper()
	var all []series
	for _, about := range s.subjects {
		for _, status := range about.status {
			labels := map[string]string{"namespace": namespace, "program": program, "touchpoint": about.touchpoint(), "objective": status.Name, "team": about.owner}
			for name, decimal := range map[string]string{
				"cx_objective_score": status.Score, "cx_objective_score_lower": status.Lower, "cx_objective_score_upper": status.Upper,
				"cx_objective_target": status.Target, "cx_objective_responses": strconv.FormatInt(status.Responses, 10),
			} {
				value, err := strconv.ParseFloat(decimal, 64)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, series{name, labels, value})
			}
		}
	}
	for _, b := range s.breaches() {
		labels := map[string]string{
			"namespace": namespace, "type": string(b.Type), "kind": b.kind, "name": b.name, "objective": b.Objective, "item": b.Item, "team": "concessions",
		}
		all = append(all, series{metricBreach, labels, 1}, series{metricBreachStart, labels, float64(b.Since.Unix())})
	}
	return all
}

func TestCheckIsContent(t *testing.T) {
	s, answered := asExpected(t)
	if lacking := check(s, answered); len(lacking) > 0 {
		t.Errorf("%q", lacking)
	}
}

// TestCheckFindsFaults changes one thing at a time and wants it to be named.
func TestCheckFindsFaults(t *testing.T) {
	const food, nps = 2, 0 // in the order of figures
	for _, c := range []struct {
		name   string
		change func(*snapshot, map[string]int64)
		want   string
	}{
		{"a figure", func(s *snapshot, _ map[string]int64) { s.subjects[nps].status[0].Lower = "37.19" },
			"the program's nps to be Met with 39.84 (37.18 to 42.41) of 2746 answers, not Met with 39.84 (37.19 to 42.41)"},
		{"a state", func(s *snapshot, _ map[string]int64) { s.subjects[food].status[0].State = v1alpha1.StateAtRisk }, "not AtRisk"},
		{"no verdict", func(s *snapshot, _ map[string]int64) { s.subjects[food].status = nil }, "food/satisfaction to be judged"},
		{"no touchpoint", func(s *snapshot, _ map[string]int64) { s.subjects = s.subjects[:food] }, "food/satisfaction does not exist"},
		{"an answer less", func(_ *snapshot, a map[string]int64) { a["of-food"]++ }, "food/satisfaction to count 2422 answers, not 2421"},
		{"no plan", func(s *snapshot, _ map[string]int64) { s.plans = nil }, "food/satisfaction to have 1 action plans, not 0"},
		{"two plans", func(s *snapshot, _ map[string]int64) { s.plans = append(s.plans, s.plans[0]) }, "food/satisfaction to have 1 action plans, not 2"},
		{"a plan for what is met", func(s *snapshot, _ map[string]int64) {
			s.plans = append(s.plans, v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{ProgramRef: &v1alpha1.NameRef{Name: program}, Objective: "nps"}})
		}, "the program's nps to have 0 action plans, not 1"},
		{"no breach", func(s *snapshot, _ map[string]int64) { s.subjects[food].breaches = nil }, "breach ObjectiveMissed of food/satisfaction"},
		{"another breach", func(s *snapshot, _ map[string]int64) { s.subjects[3].breaches[0].Type = v1alpha1.BreachUnmeasured }, "breach OwnerMissing of rental-cars"},
		{"a score without a series", func(s *snapshot, _ map[string]int64) { drop(s, metricScore) }, "cx_objective_score of food/satisfaction to be 55.72, not []"},
		{"another score in the series", func(s *snapshot, _ map[string]int64) { set(s, metricScore, 55.73) }, "cx_objective_score of food/satisfaction to be 55.72, not [55.73]"},
		{"a breach without a series", func(s *snapshot, _ map[string]int64) { drop(s, metricBreach) }, "ObjectiveMissed of Touchpoint food in the metrics"},
		{"a breach that is 0", func(s *snapshot, _ map[string]int64) { set(s, metricBreach, 0) }, "ObjectiveMissed of Touchpoint food in the metrics"},
		{"a breach too many", func(s *snapshot, _ map[string]int64) {
			s.series = append(s.series, series{metricBreach, map[string]string{"namespace": namespace, "type": "PlanOverdue"}, 1})
		}, "2 breaches in the metrics, not 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, answered := asExpected(t)
			c.change(&s, answered)
			lacking := check(s, answered)
			if !slices.ContainsFunc(lacking, func(line string) bool { return strings.Contains(line, c.want) }) {
				t.Errorf("%q does not say %q", lacking, c.want)
			}
		})
	}
}

// drop removes the food series of one name.
func drop(s *snapshot, name string) {
	s.series = slices.DeleteFunc(s.series, func(one series) bool { return one.name == name && aboutFood(one) })
}

// set changes the food series of one name.
func set(s *snapshot, name string, value float64) {
	for i := range s.series {
		if s.series[i].name == name && aboutFood(s.series[i]) {
			s.series[i].value = value
		}
	}
}

func aboutFood(one series) bool {
	return one.labels["touchpoint"] == "food" || one.labels["name"] == "food"
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		value   float64
		decimal string
		want    bool
	}{
		{39.839766, "39.84", true}, {39.84, "39.84", true}, {39.834, "39.84", false}, {39.846, "39.84", false},
		{-3, "-3", true}, {0, "", false}, {math.NaN(), "1", false},
	} {
		if got := equal(c.value, c.decimal); got != c.want {
			t.Errorf("equal(%v, %q) = %t", c.value, c.decimal, got)
		}
	}
}

// TestTargetsOfTheSample computes the verdict of every objective of the sample from the table by the formulas of Wilson
// (1927) and the adjusted Wald interval, and wants a mix: a demo in which everything is met shows little.
func TestTargetsOfTheSample(t *testing.T) {
	const z = 1.959964
	byScore := map[string]map[int]float64{}
	for _, c := range carried(t) {
		if byScore[c.Question] == nil {
			byScore[c.Question] = map[int]float64{}
		}
		byScore[c.Question][c.Score] += float64(c.N)
	}
	states := map[v1alpha1.ObjectiveState][]string{}
	for _, touchpoint := range sampleTouchpoints(t) {
		for _, objective := range touchpoint.Spec.Objectives {
			scores := byScore[objective.Question]
			x := scores[4] + scores[5]
			n := x + scores[1] + scores[2] + scores[3]
			target, err := v1alpha1.ParseDecimal(objective.Target)
			if err != nil {
				t.Fatal(err)
			}
			middle, half := (x+z*z/2)/(n+z*z), z/(n+z*z)*math.Sqrt(x*(n-x)/n+z*z/4)
			state := verdict(100*x/n, 100*(middle-half), 100*(middle+half), target)
			states[state] = append(states[state], touchpoint.Name)
		}
	}
	if got := fmt.Sprint(states[v1alpha1.StateMissed]); got != "[food]" {
		t.Errorf("missed are %s: the demo promises one plan", got)
	}
	for _, state := range []v1alpha1.ObjectiveState{v1alpha1.StateMet, v1alpha1.StateOnTrack, v1alpha1.StateAtRisk} {
		if len(states[state]) < 2 {
			t.Errorf("%s are only %v", state, states[state])
		}
	}
}

func verdict(score, lower, upper, target float64) v1alpha1.ObjectiveState {
	switch {
	case lower >= target:
		return v1alpha1.StateMet
	case upper < target:
		return v1alpha1.StateMissed
	case score < target:
		return v1alpha1.StateAtRisk
	}
	return v1alpha1.StateOnTrack
}

func sampleTouchpoints(t *testing.T) []v1alpha1.Touchpoint {
	t.Helper()
	objects, err := readFolder("../../config/samples/airport")
	if err != nil {
		t.Fatal(err)
	}
	var touchpoints []v1alpha1.Touchpoint
	for _, object := range objects {
		if object.GetKind() != kindTouchpoint {
			continue
		}
		content, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		var touchpoint v1alpha1.Touchpoint
		if err := yaml.UnmarshalStrict(content, &touchpoint); err != nil {
			t.Fatal(err)
		}
		touchpoints = append(touchpoints, touchpoint)
	}
	if len(touchpoints) != 18 {
		t.Fatalf("%d touchpoints", len(touchpoints))
	}
	return touchpoints
}

func TestReadFolder(t *testing.T) {
	if _, err := readFolder(t.TempDir()); err == nil || !strings.Contains(err.Error(), "top folder") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.yaml", []byte("# nothing\n---\nkind: A\n---\nkind: B\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := readFolder(dir)
	if err != nil || len(objects) != 2 || objects[1].GetKind() != "B" {
		t.Errorf("%v, %v", objects, err)
	}
	if err := os.WriteFile(dir+"/b.yaml", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readFolder(dir); err == nil || !strings.Contains(err.Error(), "b.yaml") {
		t.Errorf("broken YAML: %v", err)
	}
}
