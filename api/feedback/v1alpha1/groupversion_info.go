package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every resource in this package.
var GroupVersion = schema.GroupVersion{Group: "feedback.cx-operator.io", Version: "v1alpha1"}

// SchemeBuilder collects the functions that add this package's types to a scheme.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme adds this package's types to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, Objects()...)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Objects returns a new object of each kind of this package.
func Objects() []runtime.Object {
	return []runtime.Object{&Case{}, &CaseList{}, &Contact{}, &Erasure{}, &Coaching{}, &CoachingList{}}
}

// Labels and fields by which cases are selected.
const (
	// LabelProgram on a case names its SurveyProgram.
	LabelProgram = "cx-operator.io/program"
	// LabelTouchpoint on a case names its Touchpoint; absent where it has none.
	LabelTouchpoint = "cx-operator.io/touchpoint"

	// FieldState selects cases by spec.state.
	FieldState = "spec.state"
	// FieldTouchpoint selects cases by status.touchpoint; an empty value selects those without one.
	FieldTouchpoint = "status.touchpoint"
	// FieldOverdue selects cases that are overdue; its only value is true.
	FieldOverdue = "status.overdue"
	// FieldName selects one object by metadata.name.
	FieldName = "metadata.name"
)
