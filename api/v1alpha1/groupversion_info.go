// Package v1alpha1 holds the resources of a customer-experience (CX) program: what is promised at which
// moment, who owns it, how it is measured, and what follows when it is missed.
//
// Only people (or Git) write spec; the operator writes status.
// +kubebuilder:object:generate=true
// +groupName=cx-operator.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every resource in this package.
var GroupVersion = schema.GroupVersion{Group: "cx-operator.io", Version: "v1alpha1"}

// SchemeBuilder collects the functions that add this package's types to a scheme.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme adds this package's types to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Team{}, &TeamList{},
		&ResponseStore{}, &ResponseStoreList{},
		&SurveyProgram{}, &SurveyProgramList{},
		&Touchpoint{}, &TouchpointList{},
		&ActionPlan{}, &ActionPlanList{},
		&AccountabilityPolicy{}, &AccountabilityPolicyList{},
		&Review{}, &ReviewList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
