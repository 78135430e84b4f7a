package apply

import (
	"maps"
	"reflect"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
)

// inPlace marks objects in a cache that say what was applied, and of which the cache has no more than that. No object of an API
// server has a self link any more.
const inPlace = "in place"

// Trim returns a transform for a cache that leaves out what nobody reads of an object: who wrote which field and, of an object that
// owner applied and that still says what was applied, what it says. The digest of the latter stands for it: that of the fields that
// owner has, as the API server keeps them, is what Annotation says. An object that differs is left whole, for Apply to compare.
func Trim(owner client.FieldOwner) toolscache.TransformFunc {
	return func(o any) (any, error) {
		object, ok := o.(render.Object)
		if !ok { // a tombstone
			return o, nil
		}
		fields := object.GetManagedFields()
		if Trimmed(object) && len(fields) == 0 {
			return o, nil // a cache may ask twice
		}
		object.SetSelfLink("")
		object.SetManagedFields(nil)
		if bare := bareOf(object); bare != nil && settledAs(object, fields, string(owner)) {
			return trimmed(object, bare), nil
		}
		return o, nil
	}
}

// Trimmed says whether a cache that trims has nothing of what an object says.
func Trimmed(object metav1.Object) bool { return object.GetSelfLink() == inPlace }

// bareOf returns an object with all that is read of one that is in place, beside what identifies it; nil for kinds that are never
// trimmed.
func bareOf(object render.Object) render.Object {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: o.Spec.Replicas}, Status: o.Status}
	case *appsv1.StatefulSet:
		return &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: o.Spec.Replicas}, Status: o.Status}
	case *networkingv1.Ingress, *autoscalingv2.HorizontalPodAutoscaler, *policyv1.PodDisruptionBudget, *corev1.Service,
		*networkingv1.NetworkPolicy, *corev1.ConfigMap, *corev1.ServiceAccount, *gatewayv1.HTTPRoute, *monitoringv1.ServiceMonitor:
		return empty(object)
	}
	return nil
}

// trimmed gives bare what identifies an object, and who it belongs to.
func trimmed(object, bare render.Object) render.Object {
	bare.SetNamespace(object.GetNamespace())
	bare.SetName(object.GetName())
	bare.SetUID(object.GetUID())
	bare.SetResourceVersion(object.GetResourceVersion())
	bare.SetGeneration(object.GetGeneration())
	bare.SetCreationTimestamp(object.GetCreationTimestamp())
	bare.SetDeletionTimestamp(object.GetDeletionTimestamp())
	bare.SetOwnerReferences(object.GetOwnerReferences())
	labels := object.GetLabels()
	maps.DeleteFunc(labels, func(key, _ string) bool { return key != v1alpha1.LabelManagedBy && key != v1alpha1.LabelProgram })
	bare.SetLabels(maps.Clone(labels))
	bare.SetAnnotations(map[string]string{Annotation: object.GetAnnotations()[Annotation]})
	bare.SetSelfLink(inPlace)
	return bare
}

// settledAs says whether the fields that owner applied to an object are what Annotation says that it applied.
func settledAs(object render.Object, fields []metav1.ManagedFieldsEntry, owner string) bool {
	digest := object.GetAnnotations()[Annotation]
	if digest == "" || !madeHere(object) {
		return false
	}
	for i := range fields {
		entry := &fields[i]
		if entry.Manager != owner || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return false
		}
		own, err := fieldsOf(content, entry.FieldsV1.GetRawBytes())
		if err != nil {
			return false
		}
		asApplied(own, object, entry.APIVersion)
		got, err := digestOf(own)
		return err == nil && got == digest
	}
	return false
}

// asApplied adds what an applied object says beside its fields, and takes away what the digest is not of.
func asApplied(own map[string]any, object render.Object, apiVersion string) {
	own["apiVersion"], own["kind"] = apiVersion, reflect.TypeOf(object).Elem().Name()
	metadata, _ := own["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		own["metadata"] = metadata
	}
	metadata["namespace"], metadata["name"] = object.GetNamespace(), object.GetName()
	if annotations, ok := metadata["annotations"].(map[string]any); ok {
		delete(annotations, Annotation)
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
	}
}
