package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Metric is what an objective measures. All are higher-is-better.
// +kubebuilder:validation:Enum=NPS;CSAT;CESMean;CESTopBox;CESNet;Mean
type Metric string

// The metrics.
const (
	// MetricNPS is percent of 9-10 minus percent of 0-6, -100 to 100; on NPS questions.
	MetricNPS Metric = "NPS"
	// MetricCSAT is the percent of satisfied answers, 0 to 100; on CSAT and Rating questions.
	MetricCSAT Metric = "CSAT"
	// MetricCESMean is the mean, 1 to 7; on CES questions.
	MetricCESMean Metric = "CESMean"
	// MetricCESTopBox is the percent of 5-7, 0 to 100; on CES questions.
	MetricCESTopBox Metric = "CESTopBox"
	// MetricCESNet is the percent of 6-7 minus the percent of 1-3, -100 to 100; on CES questions.
	MetricCESNet Metric = "CESNet"
	// MetricMean is the mean on the question's own scale; on CSAT, CES and Rating questions.
	MetricMean Metric = "Mean"
)

// Objective is a promise: a metric of one question reaches a target over a rolling window.
// +kubebuilder:validation:XValidation:rule="self.metric != 'NPS' || (double(self.target) >= -100.0 && double(self.target) <= 100.0)",message="target of metric NPS must be from -100 to 100",fieldPath=".target"
// +kubebuilder:validation:XValidation:rule="self.metric != 'CESNet' || (double(self.target) >= -100.0 && double(self.target) <= 100.0)",message="target of metric CESNet must be from -100 to 100",fieldPath=".target"
// +kubebuilder:validation:XValidation:rule="!(self.metric in ['CSAT', 'CESTopBox']) || (double(self.target) >= 0.0 && double(self.target) <= 100.0)",message="target of metrics CSAT and CESTopBox must be from 0 to 100 (percent)",fieldPath=".target"
// +kubebuilder:validation:XValidation:rule="self.metric != 'CESMean' || (double(self.target) >= 1.0 && double(self.target) <= 7.0)",message="target of metric CESMean must be from 1 to 7",fieldPath=".target"
// +kubebuilder:validation:XValidation:rule="self.metric == 'CSAT' || !has(self.satisfiedValues)",message="satisfiedValues is for metric CSAT only",fieldPath=".satisfiedValues"
type Objective struct {
	// name of the objective, unique within the resource: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// question of the program's survey that is judged.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Question string `json:"question"`
	// metric: NPS, CSAT, CESMean, CESTopBox, CESNet or Mean. It must fit the question's type.
	// +required
	Metric Metric `json:"metric"`
	// target that the metric must reach, in the metric's unit: -100..100 for NPS and CESNet, 0..100 percent for CSAT and
	// CESTopBox, 1..7 for CESMean, the question's scale for Mean. An integer is written plainly (35), decimals as a
	// string with at most two ("62.5"); a YAML float (62.5 without quotes) is refused.
	// +required
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?$`
	Target intstr.IntOrString `json:"target"`
	// windowDays is the length of the rolling window in days of 24 hours, 1 to 400.
	// +optional
	// +default=90
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=400
	WindowDays int32 `json:"windowDays,omitempty"`
	// satisfiedValues are the values that count as satisfied for metric CSAT. The default is 4 and 5 on a scale of
	// 1 to 5; on any other scale there is no default.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=11
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=10
	SatisfiedValues []int32 `json:"satisfiedValues,omitempty"`
}

// OnMissed says what follows when an objective stands Missed.
type OnMissed struct {
	// actionPlan says whether the operator opens an ActionPlan, and which clocks run.
	// +optional
	ActionPlan *ActionPlanRule `json:"actionPlan,omitempty"`
}

// PlanMode says whether the operator opens plans.
// +kubebuilder:validation:Enum=Create;None
type PlanMode string

// The plan modes.
const (
	// PlanModeCreate lets the operator open one ActionPlan per breach episode.
	PlanModeCreate PlanMode = "Create"
	// PlanModeNone leaves the writing of plans to people.
	PlanModeNone PlanMode = "None"
)

// ActionPlanRule says how plans are opened and by when they must be taken over and done.
type ActionPlanRule struct {
	// mode: Create lets the operator open a plan, None leaves it to people.
	// +optional
	// +default="Create"
	Mode PlanMode `json:"mode,omitempty"`
	// acknowledgeWithinHours is how long a plan may stay unacknowledged after it was created, in hours, 1 to 720.
	// +optional
	// +default=48
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=720
	AcknowledgeWithinHours int32 `json:"acknowledgeWithinHours,omitempty"`
	// dueWithinDays is the due date of a plan that the operator opens, in calendar days from that day, 1 to 366.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=366
	DueWithinDays int32 `json:"dueWithinDays,omitempty"`
	// missingAfterHours is how long a missed objective may be without a plan before that is a breach, in hours, 0 to 720.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=720
	MissingAfterHours int32 `json:"missingAfterHours,omitempty"`
}

// ObjectiveState is the verdict on an objective.
// +kubebuilder:validation:Enum=InsufficientData;Met;Missed;AtRisk;OnTrack;Stale
type ObjectiveState string

// The states of an objective.
const (
	// StateInsufficientData means that there are fewer answers than minimumResponses. It is never a breach.
	StateInsufficientData ObjectiveState = "InsufficientData"
	// StateMet means that the interval's lower end is at or above the target.
	StateMet ObjectiveState = "Met"
	// StateMissed means that the interval's upper end is below the target.
	StateMissed ObjectiveState = "Missed"
	// StateAtRisk means that the score is below the target but the interval still reaches it.
	StateAtRisk ObjectiveState = "AtRisk"
	// StateOnTrack means that the score is at or above the target but the interval still reaches below it.
	StateOnTrack ObjectiveState = "OnTrack"
	// StateStale means that the counts could not be read lately; the last figures are history.
	StateStale ObjectiveState = "Stale"
)

// ObjectiveStatus is the last published verdict on an objective. The live figures are in the metrics.
type ObjectiveStatus struct {
	// name of the objective.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// state is the verdict.
	// +required
	State ObjectiveState `json:"state"`
	// score in the metric's unit with two decimals; absent below the privacy floor.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Score string `json:"score,omitempty"`
	// lower end of the confidence interval; absent below the privacy floor.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Lower string `json:"lower,omitempty"`
	// upper end of the confidence interval; absent below the privacy floor.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Upper string `json:"upper,omitempty"`
	// target of the objective when it was judged.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Target string `json:"target,omitempty"`
	// responses is the number of answers in the window.
	// +required
	// +kubebuilder:validation:Minimum=0
	Responses int64 `json:"responses"`
	// stateSince is when the state was entered.
	// +optional
	StateSince *metav1.Time `json:"stateSince,omitempty"`
	// releasedAnswers is the number of answers to the question, ever, when the figures were last published. The privacy
	// rule for publishing counts from here.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReleasedAnswers int64 `json:"releasedAnswers,omitempty"`
	// releasedResponses is the number of answers in the window when the figures were last published.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReleasedResponses int64 `json:"releasedResponses,omitempty"`
	// recognizedTime is when the owner's team was told that the objective is Met; absent where it was not, or is no longer.
	// +optional
	RecognizedTime *metav1.Time `json:"recognizedTime,omitempty"`
	// definition is a digest of what is measured (question, revision, metric, window, satisfied values, confidence). A new
	// one starts the figures and the verdict anew.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Definition string `json:"definition,omitempty"`
}

// Judging records how far objectives were judged, so that a restart neither forgets nor repeats a judgement.
type Judging struct {
	// through is the last day that was judged, in the program's time zone: 2026-11-20.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	Through string `json:"through,omitempty"`
	// import is the identity of the last import into the program that was judged.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Import string `json:"import,omitempty"`
}
