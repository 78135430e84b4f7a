package apply_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/apply"
)

// eventually waits until a check of what the cache has is without an error.
func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %v", what, err)
		}
	}
}

// isTrimmed waits until the cache has an object without what it says, or with it.
func (w *world) isTrimmed(object client.Object, want bool) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%T is trimmed: %t", object, want), func() error {
		if err := w.applier.Client.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, object); err != nil {
			return err
		}
		if got := apply.Trimmed(object); got != want {
			return fmt.Errorf("%t: %+v", got, object)
		}
		return nil
	})
}

// Of what is in place the cache has next to nothing, whatever its kind; what others add changes nothing of that, what they change
// does, and is mended.
func TestWhatIsInPlaceIsTrimmed(t *testing.T) {
	onSQLite, onPostgres := newWorld(t, sqliteSpec()), newWorld(t, postgresSpec())
	everything(onPostgres)
	for _, w := range []*world{onSQLite, onPostgres} {
		w.cached()
		w.apply()
		w.isTrimmed(&corev1.ServiceAccount{}, true)
		w.isTrimmed(&corev1.ConfigMap{}, true)
		w.isTrimmed(&networkingv1.NetworkPolicy{}, true)
		w.isTrimmed(&corev1.Service{}, true)
	}
	onSQLite.isTrimmed(&appsv1.StatefulSet{}, true)
	w := onPostgres
	w.isTrimmed(&autoscalingv2.HorizontalPodAutoscaler{}, true)
	w.isTrimmed(&networkingv1.Ingress{}, true)
	w.isTrimmed(&policyv1.PodDisruptionBudget{}, true)
	cached := &appsv1.Deployment{}
	w.isTrimmed(cached, true)
	if len(cached.Spec.Template.Spec.Containers) > 0 || cached.Labels[v1alpha1.LabelProgram] != "flights" || len(cached.OwnerReferences) != 1 {
		t.Errorf("%+v", cached)
	}
	w.still()

	live := &appsv1.Deployment{}
	w.mustGet(name, live)
	w.patch(live, func() {
		live.Labels["theirs"] = "yes"
		live.Spec.Template.Spec.Containers = append([]corev1.Container{{Name: "proxy", Image: "proxy:1"}}, live.Spec.Template.Spec.Containers...)
	})
	w.eventually("the cache has the sidecar's version", func() error {
		w.isTrimmed(cached, true)
		if cached.ResourceVersion != live.ResourceVersion {
			return fmt.Errorf("%s", cached.ResourceVersion)
		}
		return nil
	})
	w.still()

	for what, harm := range map[string]func(){
		"replaced image": func() {
			w.patch(live, func() { live.Spec.Template.Spec.Containers[1].Image = "evil:1" })
		},
		"weaker security": func() {
			w.patch(live, func() { live.Spec.Template.Spec.Containers[1].SecurityContext.ReadOnlyRootFilesystem = ptr.To(false) })
		},
		"forged digest": func() {
			w.patch(live, func() { live.Annotations[apply.Annotation] = "0" })
		},
		"forged mark": func() {
			//nolint:staticcheck // a field that nobody here looks at
			w.patch(live, func() { live.SelfLink, live.Spec.Template.Spec.Containers[1].Image = "in place", "evil:1" })
		},
	} {
		w.mustGet(name, live)
		harm()
		w.isTrimmed(cached, false)
		if _, n := w.apply(); n != 1 {
			t.Errorf("%s: %d writes, want 1", what, n)
		}
		w.isTrimmed(cached, true)
		w.still()
	}
}
