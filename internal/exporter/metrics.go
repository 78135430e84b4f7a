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
	planLabels      = []string{"namespace", "program", "action_plan", "touchpoint", "objective", "team"}
	breachLabels    = []string{"namespace", "type", "kind", "name", "objective", "item", "program", "team"}
	surveyLabels    = []string{"namespace", "program", "touchpoint", "team"}
	endpointLabels  = []string{"namespace", "program"}
	teamLabels      = []string{"namespace", "team"}
	reviewLabels    = []string{"namespace", "program", "review", "team"}
	noticeLabels    = []string{"namespace", "kind", "name", "team"}
)

// Labels that come last, behind those of the object.
const (
	stateLabel      = "state"
	questionLabel   = "question"
	percentileLabel = "percentile"
	scopeLabel      = "scope"
	reasonLabel     = "reason"
	checkLabel      = "check"
	urlLabel        = "url"
	stageLabel      = "stage"
	verdictLabel    = "verdict"
)

// The metrics of the manager. All are gauges, exported by the leader alone. The number of series grows with the objects
// that people write, never with answers or respondents: eleven at most for an objective, sixteen for a plan, two for an open
// breach or a review, four for a team, three for a Dedicated program, two for a team with something to be told of an object,
// five for a program's stage, and for a program or touchpoint twenty-nine and one for each question. No label
// holds a person, an answer or a time.
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
		with(objectiveLabels, stateLabel)}
	planState = Metric{"cx_action_plan_state",
		"State of an action plan: 1 for the state that it is in, 0 for the others (NotStarted, OnHold, InProgress, Complete, Cancelled).",
		with(planLabels, stateLabel)}
	planDue = Metric{"cx_action_plan_due_timestamp_seconds",
		"When the due date of an action plan ends in the program's time zone, in seconds since 1970. No series without a valid due date.",
		planLabels}
	planOpened = Metric{"cx_action_plan_opened_timestamp_seconds",
		"When an action plan was opened, in seconds since 1970. The time allowed to acknowledge it begins here.",
		planLabels}
	planAcknowledgeBy = Metric{"cx_action_plan_acknowledge_by_timestamp_seconds",
		"Until when an action plan is to be acknowledged, in seconds since 1970. No series where no time is set.",
		planLabels}
	planAcknowledged = Metric{"cx_action_plan_acknowledged_timestamp_seconds",
		"When an action plan was taken over, as its acknowledgement says, in seconds since 1970. No series until then.",
		planLabels}
	breachOpen = Metric{"cx_accountability_breach",
		"1 while a promise of accountability is broken; no series when it is not. It is about having an owner and a plan, not about anyone's performance. The label item names the action within the object, if any.",
		breachLabels}
	breachStart = Metric{"cx_accountability_breach_start_timestamp_seconds",
		"Since when a breach of cx_accountability_breach is open, in seconds since 1970.",
		breachLabels}
	pageInfo = Metric{"cx_survey_page_info",
		"Always 1. The label url is the address of the page that respondents see. The label touchpoint is empty for the program as a whole. No series while nothing is served.",
		with(surveyLabels, urlLabel)}
	visitsStarted = Metric{"cx_survey_visits_started",
		"People who began to fill in a page in the last 30 days of full hours; opening it alone does not count. The label touchpoint is empty for the program as a whole, which counts its touchpoints too." + floor,
		surveyLabels}
	visitsCompleted = Metric{"cx_survey_visits_completed",
		"People of cx_survey_visits_started who sent their answers." + floor,
		surveyLabels}
	completion = Metric{"cx_survey_completion_ratio",
		"cx_survey_visits_completed of cx_survey_visits_started, from 0 to 1." + floor,
		surveyLabels}
	completionLower = Metric{"cx_survey_completion_ratio_lower",
		"Lower end of the confidence interval of cx_survey_completion_ratio." + floor,
		surveyLabels}
	completionUpper = Metric{"cx_survey_completion_ratio_upper",
		"Upper end of the confidence interval of cx_survey_completion_ratio." + floor,
		surveyLabels}
	visitsUnfinished = Metric{"cx_survey_visits_unfinished",
		"People of cx_survey_visits_started who have sent nothing so far, by the last question in the survey's order that they answered, or the first one asked where they answered none. The label question is empty for questions that the survey no longer has." + floor,
		with(surveyLabels, questionLabel)}
	duration = Metric{"cx_survey_duration_seconds",
		"Time from opening a page to sending the answers within which so many percent of those who finished did: the percentiles 50 (median) and 90, rounded up." + floor,
		with(surveyLabels, percentileLabel)}
	invitations = Metric{"cx_survey_invitations",
		"Invitations that were made in the last 30 days of full hours." + floor,
		surveyLabels}
	invitationsAnswered = Metric{"cx_survey_invitations_answered",
		"Invitations of cx_survey_invitations that were answered, each once." + floor,
		surveyLabels}
	responseRate = Metric{"cx_survey_response_rate_ratio",
		"cx_survey_invitations_answered of cx_survey_invitations, from 0 to 1. No series without invitations: answers through an open address have no rate." + floor,
		surveyLabels}
	responseRateLower = Metric{"cx_survey_response_rate_ratio_lower",
		"Lower end of the confidence interval of cx_survey_response_rate_ratio." + floor,
		surveyLabels}
	responseRateUpper = Metric{"cx_survey_response_rate_ratio_upper",
		"Upper end of the confidence interval of cx_survey_response_rate_ratio." + floor,
		surveyLabels}
	invitationsSkipped = Metric{"cx_survey_invitations_skipped",
		"Invitations that were not made in the last 30 days of full hours, since the person was invited to or answered (the label reason) a survey of the program or of the namespace (the label scope) a short time before." + floor,
		with(surveyLabels, scopeLabel, reasonLabel)}
	responsesSuspect = Metric{"cx_survey_responses_suspect",
		"Responses of the last 30 days of full hours that are kept apart, out of every score, by the check against robots that they failed: honeypot, page, time, proof or other. One that failed two counts under both.",
		with(surveyLabels, checkLabel)}
	endpointReplicas = Metric{"cx_endpoint_replicas",
		"Pods that a Dedicated program's endpoint is to have. No series for Embedded programs.",
		endpointLabels}
	endpointReady = Metric{"cx_endpoint_ready_replicas",
		"Pods of a Dedicated program's endpoint that take answers. No series for Embedded programs.",
		endpointLabels}
	endpointReadable = Metric{"cx_endpoint_readable",
		"1 while the operator can read the counts of a Dedicated program from its endpoint, 0 while it cannot. No series for Embedded programs, nor until a first try has ended.",
		endpointLabels}
	casesOpen = Metric{"cx_cases_open",
		"Cases that are not resolved: customers who asked to be contacted, or whose low answer opened a case. The label touchpoint is empty for the program's own page. It says nothing about anyone's performance.",
		surveyLabels}
	casesOverdue = Metric{"cx_cases_overdue",
		"Cases of cx_cases_open that nobody contacted by the promised time.",
		surveyLabels}
	casesOldest = Metric{"cx_cases_oldest_open_timestamp_seconds",
		"The hour in which the oldest case of cx_cases_open was opened, in seconds since 1970. No series where none is open.",
		surveyLabels}
	followUp = Metric{"cx_follow_up_kept_ratio",
		"Customers who were contacted in time, of those who were contacted or whose time has passed, in the last 90 days, from 0 to 1. No series where there were none.",
		surveyLabels}
	followUpLower = Metric{"cx_follow_up_kept_ratio_lower",
		"Lower end of the confidence interval of cx_follow_up_kept_ratio.",
		surveyLabels}
	followUpUpper = Metric{"cx_follow_up_kept_ratio_upper",
		"Upper end of the confidence interval of cx_follow_up_kept_ratio.",
		surveyLabels}
	programStage = Metric{"cx_program_stage",
		"Stage of a program: 1 for the one that it is in, 0 for the others (Design, Listen, Understand, Transform, Realize).",
		with(endpointLabels, stageLabel)}
	planEffect = Metric{"cx_action_plan_effect",
		"Whether an action plan worked: 1 for the verdict, 0 for the others (TooEarly, Improved, NoEvidenceOfChange, Worsened). No series before a plan has begun.",
		with(planLabels, verdictLabel)}
	planChange = Metric{"cx_action_plan_change",
		"Change of the objective's score from before a plan to after it, in the metric's unit." + floor,
		planLabels}
	planChangeLower = Metric{"cx_action_plan_change_lower",
		"Lower end of the confidence interval of cx_action_plan_change." + floor,
		planLabels}
	planChangeUpper = Metric{"cx_action_plan_change_upper",
		"Upper end of the confidence interval of cx_action_plan_change." + floor,
		planLabels}
	teamPlans = Metric{"cx_team_open_plans",
		"Action plans that a team owns and that are neither complete nor cancelled.",
		teamLabels}
	teamPlansOverdue = Metric{"cx_team_overdue_plans",
		"Action plans of cx_team_open_plans past their due date.",
		teamLabels}
	teamActions = Metric{"cx_team_open_actions",
		"Actions of open plans that a team owns and that are neither complete nor cancelled.",
		teamLabels}
	teamActionsOverdue = Metric{"cx_team_overdue_actions",
		"Actions of cx_team_open_actions past their due date.",
		teamLabels}
	reviewDue = Metric{"cx_review_due_timestamp_seconds",
		"Until when a review is to be held, in seconds since 1970.",
		reviewLabels}
	reviewHeld = Metric{"cx_review_held_timestamp_seconds",
		"When a review was held, in seconds since 1970. No series until then.",
		reviewLabels}
	noticesPending = Metric{"cx_notifications_pending",
		"Messages about an object to a team that are still to be sent, or to be sent again.",
		noticeLabels}
	noticesDead = Metric{"cx_notifications_dead",
		"Messages about an object to a team that were given up. They can be replayed.",
		noticeLabels}
)

// floor ends the help of metrics that are not shown of few people.
const floor = " No series below the privacy floor."

func with(labels []string, more ...string) []string { return append(slices.Clone(labels), more...) }

// Metrics returns the metrics of the manager in the order in which they are documented.
func Metrics() []Metric {
	return []Metric{
		objectiveScore, objectiveLower, objectiveUpper, objectiveTarget, objectiveResponses, objectiveState,
		planState, planDue, planOpened, planAcknowledgeBy, planAcknowledged, breachOpen, breachStart, pageInfo,
		visitsStarted, visitsCompleted, completion, completionLower, completionUpper, visitsUnfinished, duration,
		invitations, invitationsAnswered, responseRate, responseRateLower, responseRateUpper, invitationsSkipped,
		responsesSuspect,
		endpointReplicas, endpointReady, endpointReadable,
		casesOpen, casesOverdue, casesOldest, followUp, followUpLower, followUpUpper,
		programStage, planEffect, planChange, planChangeLower, planChangeUpper,
		teamPlans, teamPlansOverdue, teamActions, teamActionsOverdue, reviewDue, reviewHeld,
		noticesPending, noticesDead,
	}
}

// objectiveMetrics are those of objectives, and otherMetrics all others.
var (
	objectiveMetrics = Metrics()[:6]
	otherMetrics     = Metrics()[6:]
)

func (m Metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil) }
