package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// figure is what must come out for one objective.
type figure struct {
	touchpoint, objective string // touchpoint is empty for the program's own
	state                 v1alpha1.ObjectiveState
	responses             int64
	score, lower, upper   string
}

// figures were computed from the table outside this project's code, by the published formulas: Wilson's score interval
// for proportions, the adjusted Wald interval for NPS (Rocks 2016).
var figures = []figure{
	{"", "nps", v1alpha1.StateMet, 2746, "39.84", "37.18", "42.41"},
	{"security", "satisfaction", v1alpha1.StateMet, 2407, "82.01", "80.43", "83.49"},
	{"food", "satisfaction", v1alpha1.StateMissed, 2421, "55.72", "53.73", "57.69"},
	{"rental-cars", "satisfaction", v1alpha1.StateMet, 1006, "67.59", "64.64", "70.41"},
}

// openBreach is a breach that must be open.
type openBreach struct {
	touchpoint, objective string
	breach                v1alpha1.BreachType
}

var openBreaches = []openBreach{
	{"food", "satisfaction", v1alpha1.BreachObjectiveMissed},
	{"rental-cars", "", v1alpha1.BreachOwnerMissing},
}

// verdictLimit is how long the verdicts, plans and metrics may take after the import.
const verdictLimit = time.Minute

// awaitVerdicts waits until everything expected is so. Past the limit it returns what is not, together with what it saw.
func (d *demo) awaitVerdicts(ctx context.Context, at addresses, answered map[string]int64) (snapshot, []string, error) {
	d.say.step("Waiting for the verdicts")
	var seen snapshot
	var lacking []string
	err := d.say.await(ctx, verdictLimit, func(ctx context.Context) ([]string, error) {
		now, err := d.look(ctx, at.metrics)
		if err != nil {
			return nil, err
		}
		seen, lacking = now, check(now, answered)
		return lacking, nil
	})
	if err != nil && (len(lacking) == 0 || ctx.Err() != nil) {
		return snapshot{}, nil, err
	}
	return seen, lacking, nil // too late is told by what is lacking
}

// check says what is not as expected; answered is the number of answers in the table by question.
func check(s snapshot, answered map[string]int64) []string {
	var lacking []string
	lacking = append(lacking, checkFigures(s)...)
	lacking = append(lacking, checkJudged(s, answered)...)
	lacking = append(lacking, checkPlans(s)...)
	lacking = append(lacking, checkBreaches(s)...)
	return append(lacking, checkSeries(s)...)
}

func checkFigures(s snapshot) []string {
	var lacking []string
	for _, want := range figures {
		name := label(want.touchpoint, want.objective)
		about, found := s.subject(want.touchpoint)
		if !found {
			lacking = append(lacking, name+" does not exist")
			continue
		}
		status, _ := about.statusOf(want.objective)
		got := figure{
			want.touchpoint, want.objective, status.State, status.Responses, status.Score, status.Lower, status.Upper,
		}
		if got != want {
			lacking = append(lacking, fmt.Sprintf("%s to be %s, not %s", name, want, got))
		}
	}
	return lacking
}

func (f figure) String() string {
	if f.state == "" {
		return "unjudged"
	}
	return fmt.Sprintf("%s with %s (%s to %s) of %d answers", f.state, f.score, f.lower, f.upper, f.responses)
}

// checkJudged checks that every objective has a verdict on all answers of the table.
func checkJudged(s snapshot, answered map[string]int64) []string {
	var lacking []string
	for _, about := range s.subjects {
		for _, objective := range about.objectives {
			name := label(about.touchpoint(), objective.Name)
			status, found := about.statusOf(objective.Name)
			switch {
			case !found || status.Score == "" || status.Lower == "" || status.Upper == "":
				lacking = append(lacking, name+" to be judged")
			case status.Responses != answered[objective.Question]:
				lacking = append(lacking, fmt.Sprintf("%s to count %d answers, not %d", name, answered[objective.Question], status.Responses))
			}
		}
	}
	return lacking
}

// checkPlans checks that each missed objective that asks for a plan has one, and that nothing else has.
func checkPlans(s snapshot) []string {
	var lacking []string
	for _, about := range s.subjects {
		for _, status := range about.status {
			want := 0
			if status.State == v1alpha1.StateMissed && about.opensPlans {
				want = 1
			}
			if got := len(s.plansFor(about, status.Name)); got != want {
				lacking = append(lacking, fmt.Sprintf("%s to have %d action plans, not %d", label(about.touchpoint(), status.Name), want, got))
			}
		}
	}
	return lacking
}

func checkBreaches(s snapshot) []string {
	var lacking []string
	for _, want := range openBreaches {
		about, _ := s.subject(want.touchpoint)
		if !about.hasBreach(want.breach, want.objective) {
			lacking = append(lacking, fmt.Sprintf("breach %s of %s", want.breach, label(want.touchpoint, want.objective)))
		}
	}
	return lacking
}

func (s subject) hasBreach(breach v1alpha1.BreachType, objective string) bool {
	for _, open := range s.breaches {
		if open.Type == breach && open.Objective == objective {
			return true
		}
	}
	return false
}

// checkSeries checks that the metrics say the same as the statuses: the same scores, and the same breaches, no more.
func checkSeries(s snapshot) []string {
	var lacking []string
	for _, about := range s.subjects {
		for _, status := range about.status {
			lacking = append(lacking, checkScores(s, about, status)...)
		}
	}
	open := 0
	for _, b := range s.breaches() {
		open++
		labels := map[string]string{
			"namespace": namespace, "type": string(b.Type), "kind": b.kind, "name": b.name, "objective": b.Objective, "item": b.Item,
		}
		if values := s.find(metricBreach, labels); len(values) != 1 || values[0] != 1 {
			lacking = append(lacking, fmt.Sprintf("%s of %s %s in the metrics", b.Type, b.kind, b.name))
		}
	}
	if found := len(s.find(metricBreach, map[string]string{"namespace": namespace})); found != open {
		lacking = append(lacking, fmt.Sprintf("%d breaches in the metrics, not %d", open, found))
	}
	return lacking
}

// The metrics that the demo reads.
const (
	metricBreach      = "cx_accountability_breach"
	metricBreachStart = "cx_accountability_breach_start_timestamp_seconds"
	metricScore       = "cx_objective_score"
)

func checkScores(s snapshot, about subject, status v1alpha1.ObjectiveStatus) []string {
	var lacking []string
	labels := map[string]string{
		"namespace": namespace, "program": program, "touchpoint": about.touchpoint(), "objective": status.Name,
	}
	for _, one := range []struct{ name, want string }{
		{metricScore, status.Score}, {metricScore + "_lower", status.Lower}, {metricScore + "_upper", status.Upper},
		{"cx_objective_target", status.Target}, {"cx_objective_responses", strconv.FormatInt(status.Responses, 10)},
	} {
		if values := s.find(one.name, labels); len(values) != 1 || !equal(values[0], one.want) {
			lacking = append(lacking, fmt.Sprintf("%s of %s to be %s, not %v", one.name, label(about.touchpoint(), status.Name), one.want, values))
		}
	}
	return lacking
}

// equal compares a figure of the metrics with a decimal of a status, which has two places.
func equal(value float64, decimal string) bool {
	const half = 0.005
	want, err := strconv.ParseFloat(decimal, 64)
	return err == nil && math.Abs(value-want) <= half+1e-9
}

// subject returns the touchpoint of that name, or for "" the program.
func (s snapshot) subject(touchpoint string) (subject, bool) {
	for _, about := range s.subjects {
		if about.touchpoint() == touchpoint {
			return about, true
		}
	}
	return subject{}, false
}

// located is a breach with the resource that it is open on.
type located struct {
	v1alpha1.Breach
	kind, name string
}

// breaches returns all that are open, as the statuses have them.
func (s snapshot) breaches() []located {
	var all []located
	for _, about := range s.subjects {
		for _, b := range about.breaches {
			all = append(all, located{b, about.kind, about.name})
		}
	}
	for _, plan := range s.plans {
		for _, b := range plan.Status.Breaches {
			all = append(all, located{b, kindPlan, plan.Name})
		}
	}
	return all
}

// label names an objective for a person.
func label(touchpoint, objective string) string {
	switch {
	case touchpoint == "":
		return "the program's " + objective
	case objective == "":
		return touchpoint
	}
	return touchpoint + "/" + objective
}
