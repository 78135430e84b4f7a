package apply

import (
	"context"
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/internal/render"
)

// core returns an object of each kind that render makes and every cluster has, but for claims: those that send people to the pods
// first, then the pods, then what they need.
func core() []render.Object {
	return []render.Object{
		&networkingv1.Ingress{},
		&autoscalingv2.HorizontalPodAutoscaler{},
		&policyv1.PodDisruptionBudget{},
		&appsv1.Deployment{},
		&appsv1.StatefulSet{},
		&corev1.Service{},
		&networkingv1.NetworkPolicy{},
		&corev1.ConfigMap{},
		&corev1.ServiceAccount{},
	}
}

// optional returns an object of each kind that a cluster may lack.
func optional() map[string]render.Object {
	return map[string]render.Object{"HTTPRoute": &gatewayv1.HTTPRoute{}, monitoringv1.ServiceMonitorsKind: &monitoringv1.ServiceMonitor{}}
}

// prune deletes what is the owner's and not wanted. All objects of an owner have one name, so that none is searched for.
func (p *pass) prune(ctx context.Context, wanted []render.Object) error {
	kinds := map[string]bool{}
	for _, object := range wanted {
		kinds[object.GetObjectKind().GroupVersionKind().Kind] = true
	}
	for _, object := range core() {
		if err := p.pruneKind(ctx, p.Client, object, kinds); err != nil {
			return err
		}
	}
	return p.pruneOptional(ctx, kinds)
}

// pruneOptional looks at the API server only for what an owner is known to have of a kind.
func (p *pass) pruneOptional(ctx context.Context, wanted map[string]bool) error {
	for kind, object := range optional() {
		if wanted[kind] {
			continue
		}
		has, err := p.hasLeft(ctx, object, p.owner.GetUID())
		if err != nil {
			return err
		}
		if !has {
			continue
		}
		if err := p.pruneKind(ctx, p.reader(), object, nil); err != nil {
			return err
		}
		p.leftovers.clear(kind, p.owner.GetUID())
	}
	return nil
}

// pruneKind deletes what is the owner's of a kind that is not wanted. A kind that the cluster lacks has none.
func (p *pass) pruneKind(ctx context.Context, reader client.Reader, object render.Object, wanted map[string]bool) error {
	gvk, err := p.Client.GroupVersionKindFor(object)
	if err != nil {
		return err
	}
	if wanted[gvk.Kind] {
		return nil
	}
	key := client.ObjectKey{Namespace: p.owner.GetNamespace(), Name: render.EndpointName(p.owner.GetName())}
	err = reader.Get(ctx, key, object)
	if isAbsent(err) {
		object.SetNamespace(key.Namespace)
		object.SetName(key.Name)
		p.result.Behind = p.result.Behind || p.written.awaits(gvk.Kind+"/"+key.Name, object, p.Lag)
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what is wanted no longer (%s): %w", gvk.Kind, err)
	}
	if !metav1.IsControlledBy(object, p.owner) || object.GetDeletionTimestamp() != nil {
		return nil
	}
	return p.remove(ctx, object, gvk.Kind)
}

func (p *pass) remove(ctx context.Context, object client.Object, kind string) error {
	p.written.forget(kind+"/"+object.GetName(), object)
	err := client.IgnoreNotFound(p.Client.Delete(ctx, object, client.Preconditions{UID: ptr.To(object.GetUID())}))
	if err != nil && isRefusal(err) {
		p.refused(kind, object.GetName(), messageOf(err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", kind, object.GetName(), err)
	}
	return nil
}
