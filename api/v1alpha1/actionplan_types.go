package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// WorkState is how far a plan or an action is. People set it.
// +kubebuilder:validation:Enum=NotStarted;OnHold;InProgress;Complete;Cancelled
type WorkState string

// The states of plans and actions.
const (
	// WorkNotStarted has not begun.
	WorkNotStarted WorkState = "NotStarted"
	// WorkOnHold waits; its clocks go on.
	WorkOnHold WorkState = "OnHold"
	// WorkInProgress is under way.
	WorkInProgress WorkState = "InProgress"
	// WorkComplete is done.
	WorkComplete WorkState = "Complete"
	// WorkCancelled was given up.
	WorkCancelled WorkState = "Cancelled"
)

// Open says whether a plan or action in this state is still to be done.
func (s WorkState) Open() bool { return s != WorkComplete && s != WorkCancelled }

// ActionCategory is what an action changes.
// +kubebuilder:validation:Enum=Organisation;Process;Tool;Skill;Training
type ActionCategory string

// Acknowledgement says who took a plan over, and when.
type Acknowledgement struct {
	// by: the role that took the plan over.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	By string `json:"by"`
	// time at which it was taken over (RFC 3339).
	// +required
	Time metav1.Time `json:"time"`
}

// Action is one step of a plan.
type Action struct {
	// name of the action, unique within the plan: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// description of what is done.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Description string `json:"description"`
	// category: Organisation, Process, Tool, Skill or Training.
	// +optional
	Category ActionCategory `json:"category,omitempty"`
	// ownerRef names the team that does it; the default is the plan's owner.
	// +optional
	OwnerRef *NameRef `json:"ownerRef,omitempty"`
	// dueDate of the action, 2026-12-31; it ends at 24:00 in the program's time zone.
	// +optional
	// +kubebuilder:validation:Format=date
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	DueDate string `json:"dueDate,omitempty"`
	// state: NotStarted, OnHold, InProgress, Complete or Cancelled.
	// +optional
	// +default="NotStarted"
	State WorkState `json:"state,omitempty"`
}

// Expected is the effect that a plan is to have.
type Expected struct {
	// target that the objective's metric is to reach, in the metric's unit: 65, or "62.5" for decimals.
	// +required
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?$`
	Target intstr.IntOrString `json:"target"`
}

// ActionPlanSpec is a plan to improve one objective. It belongs to people, even where the operator opened it.
// +kubebuilder:validation:XValidation:rule="has(self.touchpointRef) != has(self.programRef)",message="exactly one of touchpointRef and programRef must be set"
type ActionPlanSpec struct {
	// touchpointRef names the touchpoint whose objective the plan is for.
	// +optional
	TouchpointRef *NameRef `json:"touchpointRef,omitempty"`
	// programRef names the program whose own objective the plan is for.
	// +optional
	ProgramRef *NameRef `json:"programRef,omitempty"`
	// objective of the touchpoint or program that is to improve.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective"`
	// problem in words: what customers say.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Problem string `json:"problem"`
	// ownerRef names the team that owns the plan; the default is the touchpoint's or program's owner.
	// +optional
	OwnerRef *NameRef `json:"ownerRef,omitempty"`
	// assignee is the role that drives the plan.
	// +optional
	Assignee *Person `json:"assignee,omitempty"`
	// dueDate of the plan, 2026-12-31; it ends at 24:00 in the program's time zone.
	// +required
	// +kubebuilder:validation:Format=date
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	DueDate string `json:"dueDate"`
	// state: NotStarted, OnHold, InProgress, Complete or Cancelled; set by people.
	// +optional
	// +default="NotStarted"
	State WorkState `json:"state,omitempty"`
	// acknowledgement says who took the plan over. Until then, and after the hours allowed, the breach
	// PlanUnacknowledged is open.
	// +optional
	Acknowledgement *Acknowledgement `json:"acknowledgement,omitempty"`
	// actions of the plan.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Actions []Action `json:"actions,omitempty"`
	// expected effect of the plan.
	// +optional
	Expected *Expected `json:"expected,omitempty"`
	// hypothesis: why the actions are thought to help.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Hypothesis string `json:"hypothesis,omitempty"`
	// effect says how it is measured whether the plan worked.
	// +optional
	// +default={}
	Effect EffectRule `json:"effect,omitempty"`
	// business says what the plan costs, what a change is worth, and which goal it serves.
	// +optional
	Business *Business `json:"business,omitempty"`
}

// Baseline is what the objective stood at when the plan began.
type Baseline struct {
	// score in the metric's unit.
	// +required
	// +kubebuilder:validation:MaxLength=16
	Score string `json:"score"`
	// lower end of the confidence interval.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Lower string `json:"lower,omitempty"`
	// upper end of the confidence interval.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Upper string `json:"upper,omitempty"`
	// target of the objective.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Target string `json:"target,omitempty"`
	// responses in the window.
	// +required
	// +kubebuilder:validation:Minimum=0
	Responses int64 `json:"responses"`
}

// ActionPlanStatus is what the operator found and timed.
type ActionPlanStatus struct {
	// conditions: Ready, Stalled, Reconciling, OwnerAssigned, Accountable, OnTime, Effective, Unconflicted.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// baseline is what the objective stood at when the operator first saw the plan; it does not change.
	// +optional
	Baseline *Baseline `json:"baseline,omitempty"`
	// acknowledgeBy is when the plan must have been acknowledged.
	// +optional
	AcknowledgeBy *metav1.Time `json:"acknowledgeBy,omitempty"`
	// dueTime is the instant at which dueDate ends in the program's time zone.
	// +optional
	DueTime *metav1.Time `json:"dueTime,omitempty"`
	// state is spec.state as the operator last saw it.
	// +optional
	State WorkState `json:"state,omitempty"`
	// stateSince is when the operator first saw that state.
	// +optional
	StateSince *metav1.Time `json:"stateSince,omitempty"`
	// breaches that are open on the plan.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Breaches []Breach `json:"breaches,omitempty"`
	// startedTime is when the operator first saw the plan in progress or complete. The baseline window ends here.
	// +optional
	StartedTime *metav1.Time `json:"startedTime,omitempty"`
	// effect of the plan.
	// +optional
	Effect *Effect `json:"effect,omitempty"`
	// revisions of the plan by people, the last 20.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Revisions []Revision `json:"revisions,omitempty"`
	// observed is a summary of the spec that revisions are told from: field by field, texts as digests.
	// +optional
	// +kubebuilder:validation:MaxProperties=256
	Observed map[string]string `json:"observed,omitempty"`
	// conflicts names other open plans for the same objective.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Conflicts []string `json:"conflicts,omitempty"`
	// outbox holds what is told to people about the resource: what waits, what died, and what was delivered lately.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Outbox []Notice `json:"outbox,omitempty"`
}

// ActionPlan is a dated, owned plan to improve one objective.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Touchpoint",type=string,JSONPath=`.spec.touchpointRef.name`
// +kubebuilder:printcolumn:name="Objective",type=string,JSONPath=`.spec.objective`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.ownerRef.name`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.spec.state`
// +kubebuilder:printcolumn:name="Due",type=string,JSONPath=`.spec.dueDate`
// +kubebuilder:printcolumn:name="Acknowledged By",type=string,JSONPath=`.spec.acknowledgement.by`
// +kubebuilder:printcolumn:name="Accountable",type=string,JSONPath=`.status.conditions[?(@.type=="Accountable")].status`
// +kubebuilder:printcolumn:name="Effect",type=string,JSONPath=`.status.effect.verdict`
// +kubebuilder:printcolumn:name="Change",type=string,JSONPath=`.status.effect.change`,priority=1
// +kubebuilder:printcolumn:name="Program",type=string,JSONPath=`.spec.programRef.name`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ActionPlan struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the plan.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec ActionPlanSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status ActionPlanStatus `json:"status,omitempty"`
}

// ActionPlanList is a list of plans.
// +kubebuilder:object:root=true
type ActionPlanList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the plans.
	Items []ActionPlan `json:"items"`
}
