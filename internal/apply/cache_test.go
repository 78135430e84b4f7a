package apply_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/cluster"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// cached reads through a cache that holds the operator's own objects alone and trims them, as the manager's does.
func (w *world) cached() {
	w.t.Helper()
	cfg := testenv.New(w.t)
	cfg.QPS = -1
	cfg.Wrap(w.countWrites)
	own := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue})
	c, err := cluster.New(cfg, func(o *cluster.Options) {
		o.Scheme = scheme()
		o.Cache = cache.Options{
			DefaultNamespaces: map[string]cache.Config{w.ns: {}}, DefaultTransform: apply.Trim("cx-operator"), DefaultLabelSelector: own,
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Start(ctx) // it ends with the test
	}()
	w.t.Cleanup(func() { stop(); <-done })
	if !c.GetCache().WaitForCacheSync(ctx) {
		w.t.Fatal("the cache did not fill")
	}
	w.applier = &apply.Applier{Client: c.GetClient(), Reader: c.GetAPIReader(), Owner: "cx-operator", Lag: 10 * time.Second}
}

// eventuallyStill waits until a pass writes nothing: a cache is a moment behind.
func (w *world) eventuallyStill() {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		result, n := w.apply()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it goes on writing: %+v", result)
		}
	}
}

func TestBehindACache(t *testing.T) {
	w := newWorld(t, postgresSpec())
	everything(w)
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}}
	w.create(foreign) // the cache does not have it
	w.cached()
	result, _ := w.apply()
	if diff := cmp.Diff([]string{"ConfigMap/" + name}, result.Taken); diff != "" {
		t.Fatalf("taken: %s", diff)
	}
	w.delete(foreign)
	w.eventuallyStill()
	w.mustGet(name, &appsv1.Deployment{})

	w.wanted.Program.Spec.Endpoint.Exposure = &v1alpha1.Exposure{Hostname: "survey.example.org", Gateway: &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}}}
	w.eventuallyStill()
	result, _ = w.apply()
	if len(result.Absent) != 1 || result.Absent[0].Kind != "HTTPRoute" {
		t.Errorf("absent: %v", result.Absent)
	}
	crd := gatewayCRD(t)
	w.create(crd)
	t.Cleanup(func() { w.removeCRD(crd) })
	deadline := time.Now().Add(30 * time.Second)
	for len(result.Absent) > 0 && time.Now().Before(deadline) {
		result, _ = w.apply()
	}
	if len(result.Absent) > 0 {
		t.Fatalf("still absent: %v", result.Absent)
	}
	w.eventuallyStill()
	if len(result.Refused) > 0 {
		t.Errorf("%+v", result)
	}
}
