package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TeamLevel is how large a part of the organisation a team is.
// +kubebuilder:validation:Enum=Company;Department;Location;Person
type TeamLevel string

// The levels of a team.
const (
	// TeamCompany is the whole organisation.
	TeamCompany TeamLevel = "Company"
	// TeamDepartment is a department or function.
	TeamDepartment TeamLevel = "Department"
	// TeamLocation is a place: a store, a branch, a boarding area.
	TeamLocation TeamLevel = "Location"
	// TeamPerson is one person. A person is never shown in metrics, alerts or rankings: the nearest ancestor stands in.
	TeamPerson TeamLevel = "Person"
)

// TeamFunction is what a team does in the organisation.
// +kubebuilder:validation:Enum=Management;Marketing;Sales;Operations;CustomerCare;Product;IT;HR;Pricing;Finance;Legal;Facilities;Other
type TeamFunction string

// TeamSpec says who a team is.
// +kubebuilder:validation:XValidation:rule="self.level != 'Company' || !has(self.parentRef)",message="a team of level Company has no parentRef",fieldPath=".parentRef"
type TeamSpec struct {
	// displayName of the team, as people know it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	DisplayName string `json:"displayName"`
	// level of the team: Company, Department, Location or Person.
	// +required
	Level TeamLevel `json:"level"`
	// function of the team in the organisation.
	// +optional
	// +default="Other"
	Function TeamFunction `json:"function,omitempty"`
	// parentRef names the team that this one belongs to.
	// +optional
	ParentRef *NameRef `json:"parentRef,omitempty"`
	// lead is who speaks for the team.
	// +optional
	Lead *Person `json:"lead,omitempty"`
	// notify says how the team is told of breaches, cases, reviews and recognitions.
	// +optional
	Notify *Notify `json:"notify,omitempty"`
}

// TeamLoad is how much a team has to do. There is none for a Person.
type TeamLoad struct {
	// openPlans that the team owns.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OpenPlans int32 `json:"openPlans"`
	// overduePlans of these.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OverduePlans int32 `json:"overduePlans"`
	// openActions that the team owns, of open plans.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OpenActions int32 `json:"openActions"`
	// overdueActions of these.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OverdueActions int32 `json:"overdueActions"`
	// effortDays that the open plans of the team declare.
	// +optional
	// +kubebuilder:validation:Minimum=0
	EffortDays int32 `json:"effortDays"`
	// breaches that are open with the team as their owner.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Breaches int32 `json:"breaches"`
}

// TeamStatus is what the operator found.
type TeamStatus struct {
	// conditions: Ready, Stalled, Reconciling.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// load of the team.
	// +optional
	Load *TeamLoad `json:"load,omitempty"`
}

// Team can own programs, touchpoints, plans and actions, and can be what an answer speaks of (a store, a boarding area).
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Team",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Level",type=string,JSONPath=`.spec.level`
// +kubebuilder:printcolumn:name="Function",type=string,JSONPath=`.spec.function`
// +kubebuilder:printcolumn:name="Parent",type=string,JSONPath=`.spec.parentRef.name`
// +kubebuilder:printcolumn:name="Lead",type=string,JSONPath=`.spec.lead.displayName`,priority=1
// +kubebuilder:printcolumn:name="Plans",type=integer,JSONPath=`.status.load.openPlans`,priority=1
// +kubebuilder:printcolumn:name="Overdue",type=integer,JSONPath=`.status.load.overduePlans`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",message="metadata.name must be at most 63 lower-case letters, digits and '-' (it becomes a label and part of an address)"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.parentRef) || self.spec.parentRef.name != self.metadata.name",message="spec.parentRef.name must not be the team itself"
type Team struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the team.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec TeamSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status TeamStatus `json:"status,omitempty"`
}

// TeamList is a list of teams.
// +kubebuilder:object:root=true
type TeamList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the teams.
	Items []Team `json:"items"`
}
