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
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
)

// core returns a list of each kind that render makes and every cluster has, but for claims: those that send people to the pods
// first, then the pods, then what they need.
func core() []client.ObjectList {
	return []client.ObjectList{
		&networkingv1.IngressList{},
		&autoscalingv2.HorizontalPodAutoscalerList{},
		&policyv1.PodDisruptionBudgetList{},
		&appsv1.DeploymentList{},
		&appsv1.StatefulSetList{},
		&corev1.ServiceList{},
		&networkingv1.NetworkPolicyList{},
		&corev1.ConfigMapList{},
		&corev1.ServiceAccountList{},
	}
}

// optional returns a list of each kind that a cluster may lack.
func optional() map[string]client.ObjectList {
	return map[string]client.ObjectList{"HTTPRoute": &gatewayv1.HTTPRouteList{}, monitoringv1.ServiceMonitorsKind: &monitoringv1.ServiceMonitorList{}}
}

// prune deletes what is the owner's and not wanted.
func (p *pass) prune(ctx context.Context, wanted []render.Object) error {
	keep, kinds := map[string]bool{}, map[string]bool{}
	for _, object := range wanted {
		keep[nameOf(object)] = true
		kinds[object.GetObjectKind().GroupVersionKind().Kind] = true
	}
	for _, list := range core() {
		if err := p.pruneList(ctx, p.Client, list, keep); err != nil {
			return err
		}
	}
	return p.pruneOptional(ctx, kinds)
}

// pruneOptional looks once, at the API server, for what an owner has of an optional kind that it does not want, and not again
// until it has wanted one: to ask for a kind that the cluster lacks is a request each time.
func (p *pass) pruneOptional(ctx context.Context, wanted map[string]bool) error {
	reader := p.Reader
	if reader == nil {
		reader = p.Client
	}
	for kind, list := range optional() {
		key := kind + "/" + client.ObjectKeyFromObject(p.owner).String()
		if wanted[kind] || p.isCleared(key) {
			p.setCleared(key, !wanted[kind])
			continue
		}
		if err := p.pruneList(ctx, reader, list, nil); err != nil {
			return err
		}
		p.setCleared(key, true)
	}
	return nil
}

func (a *Applier) isCleared(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cleared[key]
}

func (a *Applier) setCleared(key string, cleared bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cleared == nil {
		a.cleared = map[string]bool{}
	}
	if cleared {
		a.cleared[key] = true
	} else {
		delete(a.cleared, key)
	}
}

// pruneList deletes what is the owner's of one kind and not to be kept. A kind that the cluster lacks has none.
func (p *pass) pruneList(ctx context.Context, reader client.Reader, list client.ObjectList, keep map[string]bool) error {
	err := reader.List(ctx, list, client.InNamespace(p.owner.GetNamespace()), client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue})
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what is wanted no longer (%T): %w", list, err)
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		object, ok := item.(client.Object)
		if !ok || !metav1.IsControlledBy(object, p.owner) || object.GetDeletionTimestamp() != nil {
			return nil
		}
		gvk, err := p.Client.GroupVersionKindFor(object)
		if err != nil {
			return err
		}
		if keep[gvk.Kind+"/"+object.GetName()] {
			return nil
		}
		return p.remove(ctx, object, gvk.Kind)
	})
}

func (p *pass) remove(ctx context.Context, object client.Object, kind string) error {
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
