// Package v1alpha1 holds what the operator serves from the stores of answers: cases, the contact of a case, erasures and
// the coaching view. Nothing of it is kept in the cluster: the manager answers for it as an aggregated API.
// +kubebuilder:object:generate=true
// +k8s:openapi-gen=true
// +k8s:openapi-model-package=io.cx-operator.feedback.v1alpha1
// +kubebuilder:skip
// +groupName=feedback.cx-operator.io
package v1alpha1
