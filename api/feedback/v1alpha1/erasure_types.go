package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProgramRef names a SurveyProgram in the same namespace.
type ProgramRef struct {
	// name of the SurveyProgram.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
}

// CaseRef names a Case in the same namespace.
type CaseRef struct {
	// name of the Case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Name string `json:"name,omitempty"`
}

// ErasureSpec says whose contact is erased: exactly one of receipt, contact and caseRef is set.
type ErasureSpec struct {
	// programRef names the program whose cases are meant.
	// +required
	ProgramRef ProgramRef `json:"programRef,omitempty,omitzero"`
	// receipt that the respondent got for the answer. It is not given back.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Receipt string `json:"receipt,omitempty"`
	// contact as the respondent left it. It is not given back.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	Contact string `json:"contact,omitempty"`
	// caseRef names the case.
	// +optional
	CaseRef *CaseRef `json:"caseRef,omitempty"`
}

// ErasureStatus says what was erased.
type ErasureStatus struct {
	// erased is how many cases had the contact and have it no more; 0 where there was none, or none any more.
	// +optional
	Erased int64 `json:"erased"`
}

// Erasure erases the contact of a person from cases. It can be created only; it is done at once, and not kept. The cases
// stay, without the person.
// +kubebuilder:object:root=true
type Erasure struct {
	metav1.TypeMeta `json:",inline"`
	// metadata may be left out.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec says whose contact is erased.
	// +required
	Spec ErasureSpec `json:"spec,omitempty,omitzero"`
	// status says what was erased.
	// +optional
	Status ErasureStatus `json:"status,omitempty,omitzero"`
}
