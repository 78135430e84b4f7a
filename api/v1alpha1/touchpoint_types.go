package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
	// promise of the handoff: what the next team can rely on.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	Promise string `json:"promise,omitempty"`
}

// Roles say who does what at a touchpoint. The owner is accountable.
type Roles struct {
	// responsible teams do the work.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Responsible []NameRef `json:"responsible,omitempty"`
	// consulted teams are asked before something changes.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Consulted []NameRef `json:"consulted,omitempty"`
	// informed teams are told afterwards.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Informed []NameRef `json:"informed,omitempty"`
}

// Teams returns every team of the roles: responsible, consulted, informed, in this order. Nil has none.
func (r *Roles) Teams() []NameRef {
	if r == nil {
		return nil
	}
	return slices.Concat(r.Responsible, r.Consulted, r.Informed)
}

// CaseFigures are how the promise to contact customers is kept, over cases whose time ran out or who were contacted in the
// last 90 days.
type CaseFigures struct {
	// open cases: not resolved yet.
	// +required
	Open int64 `json:"open"`
	// overdue cases: not contacted, and the promise has passed.
	// +required
	Overdue int64 `json:"overdue"`
	// kept is how many were contacted in time.
	// +required
	Kept int64 `json:"kept"`
	// due is how many were contacted, or whose promise has passed.
	// +required
	Due int64 `json:"due"`
	// sharePercent is 100 kept / due; absent where due is 0.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	SharePercent string `json:"sharePercent,omitempty"`
	// shareLower is the lower end of its confidence interval (Wilson).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	ShareLower string `json:"shareLower,omitempty"`
	// shareUpper is the upper end of its confidence interval (Wilson).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	ShareUpper string `json:"shareUpper,omitempty"`
	// oldestOpenTime is the hour at which the oldest open case was opened.
	// +optional
	OldestOpenTime *metav1.Time `json:"oldestOpenTime,omitempty"`
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
	// roles say which teams are responsible, consulted and informed (RACI); ownerRef is who is accountable.
	// +optional
	Roles *Roles `json:"roles,omitempty"`
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
	// conditions: Ready, Stalled, Reconciling, OwnerAssigned, Measured, ObjectivesMet, Accountable, FollowedUp, Governed,
	// RolesAssigned, HandoffCovered.
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
	// policyRef names the AccountabilityPolicy that governs the touchpoint.
	// +optional
	PolicyRef *NameRef `json:"policyRef,omitempty"`
	// cases of the touchpoint; absent where there were none.
	// +optional
	Cases *CaseFigures `json:"cases,omitempty"`
	// outbox holds what is told to people about the resource: what waits, what died, and what was delivered lately.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Outbox []Notice `json:"outbox,omitempty"`
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
