package apply_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// The number of pods stays when an autoscaler takes over, and is the spec's again when it goes.
func TestAnAutoscalerTakesTheNumberOver(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.wanted.Program.Spec.Endpoint.Replicas = ptr.To[int32](4)
	w.apply()
	wantReplicas := func(want int32) {
		t.Helper()
		d := &appsv1.Deployment{}
		w.mustGet(name, d)
		if *d.Spec.Replicas != want {
			t.Errorf("%d replicas, want %d", *d.Spec.Replicas, want)
		}
	}
	wantReplicas(4)
	w.wanted.Program.Spec.Endpoint.Replicas = nil
	w.wanted.Program.Spec.Endpoint.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}
	w.apply()
	wantReplicas(4)
	w.still()

	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 7}}
	d := &appsv1.Deployment{}
	w.mustGet(name, d)
	if err := w.people.SubResource("scale").Update(t.Context(), d, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	wantReplicas(7)
	w.still()
	w.wanted.Options.Image = "registry.example.org/cx-operator:2"
	w.apply()
	wantReplicas(7)

	w.wanted.Program.Spec.Endpoint.Autoscaling = nil
	w.wanted.Program.Spec.Endpoint.Replicas = ptr.To[int32](3)
	w.apply()
	wantReplicas(3)
	w.still()
}

func TestAnAPIThatAppearsLater(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.wanted.Program.Spec.Endpoint = v1alpha1.Endpoint{
		Mode: v1alpha1.EndpointDedicated,
		Exposure: &v1alpha1.Exposure{Hostname: "survey.example.org", Gateway: &v1alpha1.GatewayExposure{
			ParentRefs: []v1alpha1.GatewayRef{{Name: "public", Namespace: "gateways", SectionName: "https"}},
		}},
		Monitoring: &v1alpha1.Monitoring{ServiceMonitor: &v1alpha1.ServiceMonitor{}},
	}
	result, _ := w.apply()
	route, monitor := schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "HTTPRoute"}, monitoringv1.SchemeGroupVersion.WithKind("ServiceMonitor")
	if diff := cmp.Diff([]schema.GroupVersionKind{route, monitor}, result.Absent); diff != "" {
		t.Fatalf("absent: %s", diff)
	}
	w.mustGet(name, &appsv1.Deployment{})
	w.still()

	for _, crd := range []client.Object{gatewayCRD(t), monitorCRD()} {
		w.create(crd)
		t.Cleanup(func() { w.removeCRD(crd) })
	}
	deadline := time.Now().Add(30 * time.Second)
	for result, _ = w.apply(); len(result.Absent) > 0; result, _ = w.apply() {
		if time.Now().After(deadline) {
			t.Fatalf("still absent: %v", result.Absent)
		}
	}
	applied := &gatewayv1.HTTPRoute{}
	w.mustGet(name, applied)
	if len(applied.Spec.ParentRefs) != 1 || applied.Spec.ParentRefs[0].Name != "public" {
		t.Errorf("%+v", applied.Spec)
	}
	w.mustGet(name, &monitoringv1.ServiceMonitor{})
	w.still()

	w.wanted.Program.Spec.Endpoint.Exposure, w.wanted.Program.Spec.Endpoint.Monitoring = nil, nil
	w.apply()
	if err := w.get(name, applied); !apierrors.IsNotFound(err) {
		t.Errorf("HTTPRoute: %v, want it gone", err)
	}
	if err := w.get(name, &monitoringv1.ServiceMonitor{}); !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		t.Errorf("ServiceMonitor: %v, want it gone", err)
	}
	w.still()
}
