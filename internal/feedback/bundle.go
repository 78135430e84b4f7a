package feedback

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
)

// APIServiceName is the name of the APIService that points the cluster to this API.
var APIServiceName = feedbackv1alpha1.GroupVersion.Version + "." + feedbackv1alpha1.GroupVersion.Group

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

// lookAgain is after how long the APIService is looked at again where a write failed.
const lookAgain = time.Minute

// Bundle keeps the authority of the server's certificate in the APIService, also where that is made anew. It implements
// manager.Runnable, for the leader.
type Bundle struct {
	// Client reads and writes the one APIService.
	Client dynamic.Interface
	// Namespace and Service that the APIService must point to: another installation's is left alone.
	Namespace, Service string
	// Authority is the certificate, as PEM.
	Authority []byte
	// Log takes what goes wrong.
	Log logr.Logger
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (b *Bundle) NeedLeaderElection() bool { return true }

// Start watches the APIService until the context ends.
func (b *Bundle) Start(ctx context.Context) error {
	only := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", APIServiceName).String()
	}
	informer := dynamicinformer.NewFilteredDynamicInformer(b.Client, apiServices, "", lookAgain, cache.Indexers{}, only).Informer()
	keep := func(object any) {
		if err := b.keep(ctx, object); err != nil {
			b.Log.Error(err, "Cannot tell the cluster whom to trust as the feedback API")
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: keep, UpdateFunc: func(_, object any) { keep(object) },
	}); err != nil {
		return fmt.Errorf("watch APIService %s: %w", APIServiceName, err)
	}
	informer.RunWithContext(ctx)
	return nil
}

// keep writes the authority where it is not what the APIService says.
func (b *Bundle) keep(ctx context.Context, object any) error {
	o, ok := object.(*unstructured.Unstructured)
	if !ok || o.GetName() != APIServiceName {
		return nil
	}
	namespace, _, _ := unstructured.NestedString(o.Object, "spec", "service", "namespace")
	service, _, _ := unstructured.NestedString(o.Object, "spec", "service", "name")
	if namespace != b.Namespace || service != b.Service {
		b.Log.Info("The APIService points to another Service, so it is left alone", "name", APIServiceName, "service", namespace+"/"+service)
		return nil
	}
	want := base64.StdEncoding.EncodeToString(b.Authority)
	if have, _, _ := unstructured.NestedString(o.Object, "spec", "caBundle"); have == want {
		return nil
	}
	patch := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"spec":{"caBundle":%q}}`, o.GetResourceVersion(), want)
	if _, err := b.Client.Resource(apiServices).Patch(ctx, APIServiceName, "application/merge-patch+json", patch, metav1.PatchOptions{FieldManager: "cx-operator"}); err != nil {
		return fmt.Errorf("write spec.caBundle of APIService %s: %w", APIServiceName, err)
	}
	return nil
}
