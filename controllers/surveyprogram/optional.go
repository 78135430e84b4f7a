package surveyprogram

import (
	"fmt"
	"slices"
	"sync"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	kinds "sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
)

// optional watches kinds that a cluster need not have. A watch begins when the first program has such an object, and the
// cluster the API. The zero value watches nothing.
type optional struct {
	mgr        ctrl.Manager
	controller controller.Controller

	mu      sync.Mutex
	watched map[string]bool
}

func (o *optional) use(mgr ctrl.Manager, c controller.Controller) { o.mgr, o.controller = mgr, c }

// watchOptional sees to it that the objects of optional kinds are watched, but for those that the cluster was found to lack.
func (r *Reconciler) watchOptional(wanted []render.Object, absent []schema.GroupVersionKind) error {
	for _, object := range wanted {
		if slices.Contains(absent, object.GetObjectKind().GroupVersionKind()) {
			continue
		}
		var kind client.Object
		switch object.(type) {
		case *gatewayv1.HTTPRoute:
			kind = &gatewayv1.HTTPRoute{}
		case *monitoringv1.ServiceMonitor:
			kind = &monitoringv1.ServiceMonitor{}
		default:
			continue
		}
		if err := r.optional.watch(kind, object); err != nil {
			return err
		}
	}
	return nil
}

func (o *optional) watch(kind client.Object, like render.Object) error {
	if o.controller == nil {
		return nil
	}
	gvk := like.GetObjectKind().GroupVersionKind()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.watched[gvk.Kind] {
		return nil
	}
	if _, err := o.mgr.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); meta.IsNoMatchError(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look for the API of %s: %w", gvk.Kind, err)
	}
	owned := handler.EnqueueRequestForOwner(o.mgr.GetScheme(), o.mgr.GetRESTMapper(), &v1alpha1.SurveyProgram{}, handler.OnlyControllerOwner())
	if err := o.controller.Watch(kinds.Kind(o.mgr.GetCache(), kind, owned)); err != nil {
		return fmt.Errorf("watch %s: %w", gvk.Kind, err)
	}
	if o.watched == nil {
		o.watched = map[string]bool{}
	}
	o.watched[gvk.Kind] = true
	return nil
}
