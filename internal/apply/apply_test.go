package apply_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/apply"
)

const name = "flights-endpoint"

func decodeYAML(content []byte, into any) error { return yaml.Unmarshal(content, into) }

func everything(w *world) {
	w.wanted.Program.Spec.Endpoint = v1alpha1.Endpoint{
		Mode:        v1alpha1.EndpointDedicated,
		Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 5},
		Exposure: &v1alpha1.Exposure{Hostname: "survey.example.org", Ingress: &v1alpha1.IngressExposure{
			Annotations: map[string]string{"example.org/a": "b"}, Issuer: &v1alpha1.CertificateIssuer{Name: "letters"},
		}},
		TrustedProxies: []string{"10.0.0.0/8"},
		Pod: &v1alpha1.EndpointPod{
			Resources: &corev1.ResourceRequirements{
				// 1000m and 0.5Gi are written in another form by the API server.
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000m"), corev1.ResourceMemory: resource.MustParse("0.5Gi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1024Mi")},
			},
			NodeSelector:     map[string]string{"disk": "fast"},
			Tolerations:      []corev1.Toleration{{Key: "only", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
			ImagePullSecrets: []v1alpha1.NameRef{{Name: "registry"}},
			Labels:           map[string]string{"team": "web"},
			Annotations:      map[string]string{"note": "x"},
			Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
				Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{"fast"}}}},
			}}}},
		},
	}
}

func TestASteadyStateWritesNothing(t *testing.T) {
	for what, prepare := range map[string]func(t *testing.T) *world{
		"SQLite":     func(t *testing.T) *world { return newWorld(t, sqliteSpec()) },
		"PostgreSQL": func(t *testing.T) *world { return newWorld(t, postgresSpec()) },
		"everything": func(t *testing.T) *world {
			w := newWorld(t, postgresSpec())
			everything(w)
			return w
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := prepare(t)
			result, n := w.apply()
			if n == 0 || len(result.Absent)+len(result.Taken)+len(result.Refused) > 0 {
				t.Fatalf("%d writes, %+v", n, result)
			}
			w.still()
			// Another process remembers nothing.
			w.applier = &apply.Applier{Client: w.applier.Client, Reader: w.applier.Reader, Owner: w.applier.Owner}
			w.still()
		})
	}
}

func TestStatusAndForeignAdditionsAreNoLoop(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.apply()
	deployment := &appsv1.Deployment{}
	w.mustGet(name, deployment)
	deployment.Status.Replicas, deployment.Status.ObservedGeneration = 2, 1
	if err := w.people.Status().Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	w.patch(deployment, func() {
		metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, "deployment.kubernetes.io/revision", "1")
		deployment.Labels["theirs"] = "yes"
		metav1.SetMetaDataAnnotation(&deployment.Spec.Template.ObjectMeta, "kubectl.kubernetes.io/restartedAt", "now")
		// A sidecar before the container, as some inject it.
		deployment.Spec.Template.Spec.Containers = append([]corev1.Container{{Name: "proxy", Image: "proxy:1"}}, deployment.Spec.Template.Spec.Containers...)
	})
	w.still()
	w.mustGet(name, deployment)
	if len(deployment.Spec.Template.Spec.Containers) != 2 || deployment.Labels["theirs"] != "yes" {
		t.Error("what others added is gone")
	}
}

func TestEditsAndDeletionsComeBack(t *testing.T) {
	w := newWorld(t, postgresSpec())
	everything(w)
	w.apply()
	for what, harm := range map[string]func(){
		"replaced image": func() {
			d := &appsv1.Deployment{}
			w.mustGet(name, d)
			w.patch(d, func() { d.Spec.Template.Spec.Containers[0].Image = "evil:1" })
		},
		"weaker security": func() {
			d := &appsv1.Deployment{}
			w.mustGet(name, d)
			w.patch(d, func() { d.Spec.Template.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem = ptr.To(false) })
		},
		"another rule of the policy": func() {
			p := &networkingv1.NetworkPolicy{}
			w.mustGet(name, p)
			w.patch(p, func() { p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{}) })
		},
		"other survey": func() {
			c := &corev1.ConfigMap{}
			w.mustGet(name, c)
			w.patch(c, func() { c.Data["survey.json"] = "{}" })
		},
		"label gone": func() {
			s := &corev1.Service{}
			w.mustGet(name, s)
			w.patch(s, func() { delete(s.Labels, "app.kubernetes.io/instance") })
		},
		"digest gone": func() {
			s := &corev1.Service{}
			w.mustGet(name, s)
			w.patch(s, func() { delete(s.Annotations, apply.Annotation) })
		},
		"more pods at the most": func() {
			h := &autoscalingv2.HorizontalPodAutoscaler{}
			w.mustGet(name, h)
			w.patch(h, func() { h.Spec.MaxReplicas = 50 })
		},
		"Deployment deleted": func() {
			d := &appsv1.Deployment{}
			w.mustGet(name, d)
			w.delete(d)
		},
		"Service deleted": func() {
			s := &corev1.Service{}
			w.mustGet(name, s)
			w.delete(s)
		},
		"NetworkPolicy deleted": func() {
			p := &networkingv1.NetworkPolicy{}
			w.mustGet(name, p)
			w.delete(p)
		},
	} {
		t.Run(what, func(t *testing.T) {
			before := snapshot(w)
			harm()
			if cmp.Equal(before, snapshot(w)) {
				t.Fatal("nothing was harmed")
			}
			if _, n := w.apply(); n != 1 {
				t.Errorf("%d writes, want 1", n)
			}
			if diff := cmp.Diff(before, snapshot(w)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			w.still()
		})
	}
}

// snapshot returns what the operator made, without what changes by itself.
func snapshot(w *world) map[string]any {
	w.t.Helper()
	all := map[string]any{}
	for _, object := range []client.Object{
		&appsv1.Deployment{}, &corev1.Service{}, &corev1.ConfigMap{}, &networkingv1.NetworkPolicy{}, &autoscalingv2.HorizontalPodAutoscaler{},
	} {
		if err := w.get(name, object); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			w.t.Fatal(err)
		}
		object.SetResourceVersion("")
		object.SetUID("")
		object.SetGeneration(0)
		object.SetManagedFields(nil)
		object.SetCreationTimestamp(metav1.Time{})
		if service, ok := object.(*corev1.Service); ok {
			service.Spec.ClusterIP, service.Spec.ClusterIPs = "", nil
		}
		all[object.GetObjectKind().GroupVersionKind().Kind+objectType(object)] = object
	}
	return all
}

func objectType(object client.Object) string {
	switch object.(type) {
	case *appsv1.Deployment:
		return "Deployment"
	case *corev1.Service:
		return "Service"
	case *corev1.ConfigMap:
		return "ConfigMap"
	case *networkingv1.NetworkPolicy:
		return "NetworkPolicy"
	}
	return "other"
}

func TestWhatIsWantedNoLongerGoes(t *testing.T) {
	w := newWorld(t, postgresSpec())
	everything(w)
	w.apply()
	deployment := &appsv1.Deployment{}
	w.mustGet(name, deployment)
	if len(deployment.Spec.Template.Spec.Tolerations) != 1 || deployment.Spec.Template.Labels["team"] != "web" {
		t.Fatal("the pod options were not applied")
	}
	w.wanted.Program.Spec.Endpoint = v1alpha1.Endpoint{Mode: v1alpha1.EndpointDedicated, Replicas: ptr.To[int32](1)}
	if result, _ := w.apply(); len(result.Refused)+len(result.Taken) > 0 {
		t.Fatalf("%+v", result)
	}
	deployment = &appsv1.Deployment{}
	w.mustGet(name, deployment)
	pod := deployment.Spec.Template
	if len(pod.Spec.Tolerations)+len(pod.Spec.NodeSelector)+len(pod.Spec.ImagePullSecrets) > 0 || pod.Spec.Affinity != nil || pod.Labels["team"] != "" {
		t.Errorf("pod options stayed: %+v", pod)
	}
	for _, object := range []client.Object{&networkingv1.Ingress{}, &autoscalingv2.HorizontalPodAutoscaler{}, &policyv1.PodDisruptionBudget{}} {
		if err := w.get(name, object); !apierrors.IsNotFound(err) {
			t.Errorf("%T: %v, want it gone", object, err)
		}
	}
	w.still()

	if result, err := w.applier.Apply(t.Context(), w.wanted.Program, nil); err != nil || len(result.Refused) > 0 {
		t.Fatal(result, err)
	}
	for _, object := range []client.Object{
		&appsv1.Deployment{}, &corev1.Service{}, &corev1.ServiceAccount{}, &corev1.ConfigMap{}, &networkingv1.NetworkPolicy{},
	} {
		if err := w.get(name, object); !apierrors.IsNotFound(err) {
			t.Errorf("%T: %v, want it gone", object, err)
		}
	}
}

func TestOthersObjectsAreNotTouched(t *testing.T) {
	w := newWorld(t, postgresSpec())
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}}
	w.create(foreign)
	other := w.program("other")
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: w.ns, Name: "other-endpoint", Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(other, v1alpha1.GroupVersion.WithKind("SurveyProgram"))},
	}}
	w.create(kept)

	result, _ := w.apply()
	if diff := cmp.Diff([]string{"Service/" + name}, result.Taken); diff != "" {
		t.Errorf("taken: %s", diff)
	}
	after := &corev1.Service{}
	w.mustGet(name, after)
	if after.ResourceVersion != foreign.ResourceVersion {
		t.Error("somebody else's Service was written")
	}
	if err := w.get(name, &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("pods without their Service: %v", err)
	}
	w.still()

	w.delete(foreign)
	if result, _ := w.apply(); len(result.Taken) > 0 {
		t.Errorf("%+v", result)
	}
	w.mustGet(name, &appsv1.Deployment{})
	w.mustGet("other-endpoint", kept) // not pruned: it is another program's
}

func TestAnOrphanOfItsOwnIsAdopted(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.apply()
	service := &corev1.Service{}
	w.mustGet(name, service)
	w.patch(service, func() { service.OwnerReferences = nil })
	if result, n := w.apply(); n != 1 || len(result.Taken) > 0 {
		t.Errorf("%d writes, %+v", n, result)
	}
	w.mustGet(name, service)
	if diff := cmp.Diff([]string{string(w.wanted.Program.UID)}, ownerUIDs(service)); diff != "" {
		t.Error(diff)
	}
}

func TestAFormerProgramsObjectsAreWaitedFor(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.apply()
	w.delete(w.wanted.Program)
	w.wanted.Program = w.program("flights") // no garbage collector runs here
	objects, err := w.wanted.Objects()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.applier.Apply(t.Context(), w.wanted.Program, objects); err == nil {
		t.Error("the former program's objects were applied over")
	}
}

func TestARefusalNamesTheObject(t *testing.T) {
	w := newWorld(t, postgresSpec())
	everything(w)
	w.apply()
	w.wanted.Program.Spec.Endpoint.Exposure.Ingress.Annotations = map[string]string{"not a key": "x"}
	w.wanted.Program.Spec.Endpoint.Autoscaling.MaxReplicas = 7
	result, _ := w.apply()
	if len(result.Refused) != 1 || result.Refused[0].Kind != "Ingress" || result.Refused[0].Name != name || result.Refused[0].Message == "" {
		t.Errorf("%+v", result)
	}
	scaler := &autoscalingv2.HorizontalPodAutoscaler{}
	w.mustGet(name, scaler)
	if scaler.Spec.MaxReplicas != 7 {
		t.Error("what was not refused was not applied")
	}
}

// A workload that the API server refuses must not take with it what serves.
func TestARefusedPodLeavesWhatRuns(t *testing.T) {
	w := newWorld(t, postgresSpec())
	w.apply()
	w.wanted.Program.Spec.Endpoint.Pod = &v1alpha1.EndpointPod{NodeSelector: map[string]string{"not a key": "x"}}
	result, _ := w.apply()
	if len(result.Refused) != 1 || result.Refused[0].Kind != "Deployment" {
		t.Errorf("%+v", result)
	}
	w.mustGet(name, &appsv1.Deployment{})
}
