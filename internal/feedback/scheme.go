package feedback

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
)

// newScheme knows the kinds of the API. The library works on an internal version of each; here that is the same Go type, so
// that nothing is converted.
func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(feedbackv1alpha1.AddToScheme(s))
	s.AddKnownTypes(schema.GroupVersion{Group: feedbackv1alpha1.GroupVersion.Group, Version: runtime.APIVersionInternal}, feedbackv1alpha1.Objects()...)
	utilruntime.Must(s.SetVersionPriority(feedbackv1alpha1.GroupVersion))
	utilruntime.Must(s.AddFieldLabelConversionFunc(feedbackv1alpha1.GroupVersion.WithKind("Case"), caseField))
	v1 := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(s, v1)
	s.AddUnversionedTypes(v1, &metav1.Status{}, &metav1.APIVersions{}, &metav1.APIGroupList{}, &metav1.APIGroup{}, &metav1.APIResourceList{})
	return s
}

// caseField says by which fields cases can be selected.
func caseField(label, value string) (name, same string, err error) {
	switch label {
	case feedbackv1alpha1.FieldName, "metadata.namespace", feedbackv1alpha1.FieldState, feedbackv1alpha1.FieldTouchpoint, feedbackv1alpha1.FieldOverdue:
		return label, value, nil
	}
	return "", "", fmt.Errorf("cases can be selected by the fields metadata.name, metadata.namespace, spec.state, status.touchpoint and status.overdue, not by %q", label)
}

// readable are the media types of a codec without Protobuf, which these kinds have no form in: a client that prefers it gets
// JSON instead of an error.
type readable struct {
	runtime.NegotiatedSerializer
}

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (r readable) SupportedMediaTypes() []runtime.SerializerInfo {
	var kept []runtime.SerializerInfo
	for _, info := range r.NegotiatedSerializer.SupportedMediaTypes() {
		if info.MediaType != runtime.ContentTypeProtobuf {
			kept = append(kept, info)
		}
	}
	return kept
}

// group is what the library serves.
func group(b *Backend, s *runtime.Scheme) *genericapiserver.APIGroupInfo {
	g := genericapiserver.NewDefaultAPIGroupInfo(feedbackv1alpha1.GroupVersion.Group, s, runtime.NewParameterCodec(s), serializer.NewCodecFactory(s))
	g.NegotiatedSerializer = readable{g.NegotiatedSerializer}
	g.VersionedResourcesStorageMap[feedbackv1alpha1.GroupVersion.Version] = map[string]rest.Storage{
		"cases": cases{b}, "cases/contact": contacts{b}, "erasures": erasures{b}, "coachings": coachings{b},
	}
	return &g
}
