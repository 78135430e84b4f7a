package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CaseState is how far a case is.
// +kubebuilder:validation:Enum=Open;Contacted;Resolved;Informed
// +enum
type CaseState string

// The states of a case, in their order. A case moves forward only, and may leave states out.
const (
	// CaseOpen waits for somebody to contact the customer.
	CaseOpen CaseState = "Open"
	// CaseContacted has been contacted.
	CaseContacted CaseState = "Contacted"
	// CaseResolved is settled.
	CaseResolved CaseState = "Resolved"
	// CaseInformed is closed: the customer was told what was done.
	CaseInformed CaseState = "Informed"
)

// CaseReason says why a case was opened.
// +kubebuilder:validation:Enum=Detractor;LowScore;ContactRequested
// +enum
type CaseReason string

// The reasons of cases.
const (
	// CaseDetractor is an NPS answer that is a detractor's.
	CaseDetractor CaseReason = "Detractor"
	// CaseLowScore is a CSAT, CES or Rating answer that is low.
	CaseLowScore CaseReason = "LowScore"
	// CaseContactRequested is that the respondent asked to be contacted.
	CaseContactRequested CaseReason = "ContactRequested"
)

// PlanRef names an ActionPlan in the same namespace.
type PlanRef struct {
	// name of the ActionPlan.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// CaseSpec is what people change of a case.
type CaseSpec struct {
	// state of the case: Open, Contacted, Resolved or Informed. It moves forward only, and may leave states out.
	// +required
	State CaseState `json:"state,omitempty"`
	// planRef names the ActionPlan that the case led to.
	// +optional
	PlanRef *PlanRef `json:"planRef,omitempty"`
	// note is added to the history with the change, at most 2000 bytes. It is write-only: what was noted stands in
	// status.history.
	// +optional
	// +kubebuilder:validation:MaxLength=2000
	Note string `json:"note,omitempty"`
}

// CaseAnswer is one answer of the response that opened the case.
type CaseAnswer struct {
	// question that was answered.
	// +required
	Question string `json:"question,omitempty"`
	// revision of the question, 1 or more.
	// +required
	Revision int32 `json:"revision,omitempty"`
	// values: one integer, one choice, one or more choices, or one text.
	// +required
	// +listType=atomic
	Values []string `json:"values,omitempty"`
}

// CaseEvent is one entry of the history of a case.
type CaseEvent struct {
	// time of the event.
	// +required
	Time metav1.Time `json:"time,omitempty,omitzero"`
	// by is who acted, as the API server calls them; empty for the store itself.
	// +optional
	By string `json:"by,omitempty"`
	// state after the event.
	// +required
	State CaseState `json:"state,omitempty"`
	// note in words.
	// +optional
	Note string `json:"note,omitempty"`
}

// CaseStatus is what is known of a case. It does not change by writing it.
type CaseStatus struct {
	// program that the response was given to.
	// +required
	Program string `json:"program,omitempty"`
	// touchpoint that the response was given at; empty where there was none.
	// +optional
	Touchpoint string `json:"touchpoint,omitempty"`
	// owner is the team that contacts the customer: the touchpoint's owner, else the program's; for a Person the nearest
	// team above. Empty where nobody owns them.
	// +optional
	Owner string `json:"owner,omitempty"`
	// language of the response, as a BCP 47 tag.
	// +optional
	Language string `json:"language,omitempty"`
	// reasons for which the case was opened: Detractor, LowScore, ContactRequested.
	// +required
	// +listType=set
	Reasons []CaseReason `json:"reasons,omitempty"`
	// promisedBy is when the customer is to be contacted at the latest, a full hour.
	// +required
	PromisedBy metav1.Time `json:"promisedBy,omitempty,omitzero"`
	// overdue is true while the case is Open and promisedBy has passed.
	// +optional
	Overdue bool `json:"overdue"`
	// contactedTime is when the customer was contacted; it is set also where a later state left Contacted out.
	// +optional
	ContactedTime *metav1.Time `json:"contactedTime,omitempty"`
	// resolvedTime is when the case was settled.
	// +optional
	ResolvedTime *metav1.Time `json:"resolvedTime,omitempty"`
	// informedTime is when the customer was told what was done.
	// +optional
	InformedTime *metav1.Time `json:"informedTime,omitempty"`
	// answers of the response, while retention keeps them. A list of cases leaves them out.
	// +optional
	// +listType=atomic
	Answers []CaseAnswer `json:"answers,omitempty"`
	// history of the case, the oldest first, at most 100 entries. A list of cases leaves it out.
	// +optional
	// +listType=atomic
	History []CaseEvent `json:"history,omitempty"`
	// contactErasedTime is when the customer's contact was erased; absent while it is kept.
	// +optional
	ContactErasedTime *metav1.Time `json:"contactErasedTime,omitempty"`
}

// Case is the promise to one respondent who left a way to be contacted. Its name is that of the program, a dot, and a
// random UUID; its resourceVersion counts its changes; its creationTimestamp is when the response was given.
// +kubebuilder:object:root=true
type Case struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the case: name, namespace, resourceVersion, creationTimestamp and labels; nothing else is kept.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec CaseSpec `json:"spec,omitempty,omitzero"`
	// status is what is known of the case.
	// +optional
	Status CaseStatus `json:"status,omitempty,omitzero"`
}

// CaseList is a page of cases, by program and by what is promised first.
// +kubebuilder:object:root=true
type CaseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the cases.
	Items []Case `json:"items"`
}

// Contact is how the customer of a case can be reached: the subresource "contact" of a case, which has a right of its own.
// +kubebuilder:object:root=true
type Contact struct {
	metav1.TypeMeta `json:",inline"`
	// metadata has the name and namespace of the case.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// address that the customer left, in clear.
	// +required
	Address string `json:"address,omitempty"`
}
