package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Stage is where in the journey a touchpoint lies.
// +kubebuilder:validation:Enum=Before;During;After
type Stage string

// The stages.
const (
	// StageBefore is before the service is used.
	StageBefore Stage = "Before"
	// StageDuring is while the service is used.
	StageDuring Stage = "During"
	// StageAfter is after the service was used.
	StageAfter Stage = "After"
)

// Importance is how much a touchpoint matters to a customer.
// +kubebuilder:validation:Enum=Critical;Standard
type Importance string

// The importances.
const (
	// ImportanceCritical must be measured.
	ImportanceCritical Importance = "Critical"
	// ImportanceStandard may be measured.
	ImportanceStandard Importance = "Standard"
)

// Channel is how a customer meets the organisation at a touchpoint.
// +kubebuilder:validation:Enum=Web;App;Email;Phone;Chat;OnSite;Mail;Social;Other
type Channel string

// Handoff is what a customer meets next.
type Handoff struct {
	// toRef names the touchpoint to which the customer is handed over.
	// +required
	ToRef NameRef `json:"toRef"`
}

// TouchpointSpec is one moment of the journey, who owns it and what is promised.
type TouchpointSpec struct {
	// displayName of the touchpoint, as customers and colleagues see it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	DisplayName string `json:"displayName"`
	// programRef names the program that measures the touchpoint. It is fixed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.name == oldSelf.name",message="programRef cannot be changed: the answers belong to the program; create another Touchpoint"
	ProgramRef NameRef `json:"programRef"`
	// stage: Before, During or After the service is used.
	// +required
	Stage Stage `json:"stage"`
	// importance: Critical touchpoints must be measured.
	// +optional
	// +default="Standard"
	Importance Importance `json:"importance,omitempty"`
	// channel: Web, App, Email, Phone, Chat, OnSite, Mail, Social or Other.
	// +optional
	// +default="Other"
	Channel Channel `json:"channel,omitempty"`
	// ownerRef names the team that owns the touchpoint. Without one the breach OwnerMissing is open.
	// +optional
	OwnerRef *NameRef `json:"ownerRef,omitempty"`
	// supportingTeamRefs name the teams that help the owner.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	SupportingTeamRefs []NameRef `json:"supportingTeamRefs,omitempty"`
	// handoff is what the customer meets next.
	// +optional
	Handoff *Handoff `json:"handoff,omitempty"`
	// questions of the program's survey that the touchpoint's page serves. The default is those of its objectives, and
	// without objectives all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Questions []string `json:"questions,omitempty"`
	// objectives: what is promised at this touchpoint.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []Objective `json:"objectives,omitempty"`
	// onMissed says what follows when an objective stands Missed.
	// +optional
	OnMissed *OnMissed `json:"onMissed,omitempty"`
}

// TouchpointStatus is what the operator found and judged.
type TouchpointStatus struct {
	// conditions: Ready, Stalled, Reconciling, OwnerAssigned, Measured, ObjectivesMet, Accountable.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// url of the touchpoint's page.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url,omitempty"`
	// objectives are the last published verdicts.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []ObjectiveStatus `json:"objectives,omitempty"`
	// breaches that are open on the touchpoint itself.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Breaches []Breach `json:"breaches,omitempty"`
	// judged records how far the objectives were judged.
	// +optional
	Judged *Judging `json:"judged,omitempty"`
	// participation is how many people began, finished and were invited, for the touchpoint; absent where
	// nothing may be shown.
	// +optional
	Participation *Participation `json:"participation,omitempty"`
}

// Touchpoint is one moment of the journey that matters to a customer.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Program",type=string,JSONPath=`.spec.programRef.name`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.ownerRef.name`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.objectives[0].state`
// +kubebuilder:printcolumn:name="Score",type=string,JSONPath=`.status.objectives[0].score`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.status.objectives[0].target`
// +kubebuilder:printcolumn:name="Responses",type=integer,JSONPath=`.status.objectives[0].responses`
// +kubebuilder:printcolumn:name="Accountable",type=string,JSONPath=`.status.conditions[?(@.type=="Accountable")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Stage",type=string,JSONPath=`.spec.stage`,priority=1
// +kubebuilder:printcolumn:name="Importance",type=string,JSONPath=`.spec.importance`,priority=1
// +kubebuilder:printcolumn:name="Completion",type=string,JSONPath=`.status.participation.completion.percent`,priority=1
// +kubebuilder:printcolumn:name="Response Rate",type=string,JSONPath=`.status.participation.responseRate.percent`,priority=1
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",message="metadata.name must be at most 63 lower-case letters, digits and '-' (it becomes a label and part of an address)"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.handoff) || self.spec.handoff.toRef.name != self.metadata.name",message="spec.handoff.toRef.name must not be the touchpoint itself"
type Touchpoint struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the touchpoint.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec TouchpointSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status TouchpointStatus `json:"status,omitempty"`
}

// TouchpointList is a list of touchpoints.
// +kubebuilder:object:root=true
type TouchpointList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the touchpoints.
	Items []Touchpoint `json:"items"`
}
