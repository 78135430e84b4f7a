package exporter

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric declares one metric of the manager. Its name, labels and meaning are a promise: rules, dashboards and the metrics
// reference are made from here.
type Metric struct {
	// Name of the metric.
	Name string
	// Help says what the value is, its unit and range, and when there is no series.
	Help string
	// Labels of the metric, in the order in which series are filled.
	Labels []string
}

var (
	objectiveLabels = []string{"namespace", "program", "touchpoint", "objective", "metric", "team"}
	planLabels      = []string{"namespace", "action_plan", "touchpoint", "objective", "team"}
	breachLabels    = []string{"namespace", "type", "kind", "name", "objective", "item", "program", "team"}
)

// stateLabel comes last, behind the labels of the object that has the state.
const stateLabel = "state"

// The metrics of the manager. All are gauges, exported by the leader alone. The number of series grows with the objects
// that people write, never with answers or respondents: eleven at most for an objective, six for a plan, and two for an
// open breach. No label holds a person, an answer or a time.
var (
	objectiveScore = Metric{"cx_objective_score",
		"Published score of an objective, in the metric's unit: -100 to 100 for NPS and CESNet, 0 to 100 for CSAT and CESTopBox, 1 to 7 for CESMean, the question's scale for Mean. No series below the privacy floor. It is a signal about the experience, not about anyone's performance.",
		objectiveLabels}
	objectiveLower = Metric{"cx_objective_score_lower",
		"Lower end of the confidence interval of cx_objective_score, in the same unit. No series below the privacy floor.",
		objectiveLabels}
	objectiveUpper = Metric{"cx_objective_score_upper",
		"Upper end of the confidence interval of cx_objective_score, in the same unit. No series below the privacy floor.",
		objectiveLabels}
	objectiveTarget = Metric{"cx_objective_target",
		"Target that the score of an objective must reach, in the metric's unit.",
		objectiveLabels}
	objectiveResponses = Metric{"cx_objective_responses",
		"Answers to the objective's question in its window now.",
		objectiveLabels}
	objectiveState = Metric{"cx_objective_state",
		"Verdict on an objective: 1 for the state that it is in, 0 for the others (InsufficientData, Met, Missed, AtRisk, OnTrack, Stale).",
		append(slices.Clone(objectiveLabels), stateLabel)}
	planState = Metric{"cx_action_plan_state",
		"State of an action plan: 1 for the state that it is in, 0 for the others (NotStarted, OnHold, InProgress, Complete, Cancelled).",
		append(slices.Clone(planLabels), stateLabel)}
	planDue = Metric{"cx_action_plan_due_timestamp_seconds",
		"When the due date of an action plan ends in the program's time zone, in seconds since 1970. No series without a valid due date.",
		planLabels}
	breachOpen = Metric{"cx_accountability_breach",
		"1 while a promise of accountability is broken; no series when it is not. It is about having an owner and a plan, not about anyone's performance. The label item names the action within the object, if any.",
		breachLabels}
	breachStart = Metric{"cx_accountability_breach_start_timestamp_seconds",
		"Since when a breach of cx_accountability_breach is open, in seconds since 1970.",
		breachLabels}
)

// Metrics returns the metrics of the manager in the order in which they are documented.
func Metrics() []Metric {
	return []Metric{
		objectiveScore, objectiveLower, objectiveUpper, objectiveTarget, objectiveResponses, objectiveState,
		planState, planDue, breachOpen, breachStart,
	}
}

func (m Metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil) }
