package apply

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/internal/render"
)

// handOver keeps a Deployment's number of pods when an autoscaler takes over. The number is in no manifest from then on; applying
// that would give up the operator's claim to the field, and with it the field: one pod would be left until the autoscaler looks.
// So another name claims the number as it is, until the autoscaler writes it.
func (a *Applier) handOver(ctx context.Context, wanted, current render.Object) error {
	deployment, ok := wanted.(*appsv1.Deployment)
	if !ok || deployment.Spec.Replicas != nil || current == nil || a.Reader == nil {
		return nil
	}
	live := &appsv1.Deployment{} // the cache need not have the managed fields
	if err := a.Reader.Get(ctx, client.ObjectKeyFromObject(wanted), live); err != nil {
		return client.IgnoreNotFound(err)
	}
	if live.Spec.Replicas == nil || !a.ownsReplicas(live) {
		return nil
	}
	number := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"namespace": live.Namespace, "name": live.Name},
		"spec":     map[string]any{"replicas": int64(*live.Spec.Replicas)},
	}}
	return a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(number), a.Owner+"-autoscaling")
}

// ownsReplicas says whether the API server keeps the number of pods as applied by the operator.
func (a *Applier) ownsReplicas(live *appsv1.Deployment) bool {
	for _, entry := range live.ManagedFields {
		if entry.Manager != string(a.Owner) || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		if _, ok := fields.Spec["f:replicas"]; ok {
			return true
		}
	}
	return false
}
