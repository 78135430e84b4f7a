package controllers_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const endpointName = "visits-endpoint"

// startDedicated brings an operator to a Dedicated program that is in service on SQLite.
func startDedicated(t *testing.T, more ...any) *world {
	t.Helper()
	w := newDedicatedWorld(t)
	w.start()
	w.apply(asDedicated(parse(t, missedVisits()), more...)...)
	w.inService("visits")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	return w
}

// gone waits until an object is not there.
func gone[T client.Object](w *world, name string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%T %s is gone", *new(T), name), func() error {
		err := w.c.Get(context.Background(), w.key(name), newOf[T]())
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %w", cmp.Or(err, errors.New("found")))
	})
}

// What somebody edits or deletes comes back, and nothing but that is written.
func TestDedicatedChildren(t *testing.T) {
	t.Parallel()
	w := startDedicated(t, "exposure", map[string]any{"hostname": "survey.test", "ingress": map[string]any{}})
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Exposed", "True/Applied")
	if url := get[*v1alpha1.SurveyProgram](w, "visits").Status.URL; url != "https://survey.test/s/"+w.ns+"/visits" {
		t.Errorf("url %q", url)
	}
	w.settle()
	comesBack[*corev1.Service](w, func(o *corev1.Service) { o.Spec.Ports = o.Spec.Ports[:1] })
	comesBack[*corev1.ConfigMap](w, func(o *corev1.ConfigMap) { o.Data["survey.json"] = "{}" })
	comesBack[*corev1.ServiceAccount](w, func(o *corev1.ServiceAccount) { o.AutomountServiceAccountToken = ptr.To(true) })
	comesBack[*networkingv1.NetworkPolicy](w, func(o *networkingv1.NetworkPolicy) { o.Spec.Ingress = nil })
	comesBack[*networkingv1.Ingress](w, func(o *networkingv1.Ingress) { o.Spec.Rules[0].Host = "other.test" })
	comesBack[*appsv1.StatefulSet](w, func(o *appsv1.StatefulSet) { o.Spec.Template.Spec.Containers[0].Image = "other" })
	w.inService("visits")

	certificate := get[*corev1.Secret](w, endpointName+"-tls")
	change(w, endpointName+"-tls", func(s *corev1.Secret) { s.Data["tls.crt"] = []byte("nonsense") })
	w.eventually("a new certificate", func() error {
		if text := string(get[*corev1.Secret](w, certificate.Name).Data["tls.crt"]); !strings.HasPrefix(text, "-----BEGIN CERTIFICATE") {
			return fmt.Errorf("%q", text)
		}
		return nil
	})
	w.settle()
	// Two months later it is renewed without anybody's doing.
	last := string(get[*corev1.Secret](w, certificate.Name).Data["tls.crt"])
	w.clock.Advance(61 * 24 * time.Hour)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Annotations = map[string]string{"looked-at": "later"} })
	w.eventually("a renewed certificate", func() error {
		if string(get[*corev1.Secret](w, certificate.Name).Data["tls.crt"]) == last {
			return fmt.Errorf("it is the old one")
		}
		return nil
	})
}

// comesBack edits a child, then deletes it.
func comesBack[T client.Object](w *world, edit func(T)) {
	w.t.Helper()
	good := specOf(get[T](w, endpointName))
	change(w, endpointName, edit)
	back := func() error {
		o := newOf[T]()
		if err := w.c.Get(context.Background(), w.key(endpointName), o); err != nil {
			return err
		}
		if now := specOf(o); now != good {
			return fmt.Errorf("it is\n%s\nand was\n%s", now, good)
		}
		return nil
	}
	w.eventually(fmt.Sprintf("%T is as it was", *new(T)), back)
	uid := get[T](w, endpointName).GetUID()
	remove[T](w, endpointName)
	w.eventually(fmt.Sprintf("%T is back", *new(T)), func() error {
		if err := back(); err != nil {
			return err
		}
		if get[T](w, endpointName).GetUID() == uid {
			return fmt.Errorf("it was not deleted")
		}
		return nil
	})
	w.settle()
}

// specOf is what an object says, without what the API server gives each object anew.
func specOf(o client.Object) string {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return err.Error()
	}
	if spec, ok := content["spec"].(map[string]any); ok {
		for _, own := range []string{"clusterIP", "clusterIPs"} {
			delete(spec, own)
		}
	}
	delete(content, "metadata")
	delete(content, "status")
	text, err := json.Marshal(content)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// An object that is somebody else's is left alone, whatever it is, and the program says so until it is gone.
func TestDedicatedNameTaken(t *testing.T) {
	t.Parallel()
	w := newDedicatedWorld(t)
	others := []client.Object{
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: endpointName}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: endpointName + "-tls"}, Data: map[string][]byte{"mine": []byte("yes")}},
	}
	for _, o := range others {
		if err := w.c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	w.apply(asDedicated(parse(t, missedVisits()))...)
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/NameTaken", "Stalled", "True/NameTaken", "EndpointReady", "False/EndpointStarting")
	if c := meta.FindStatusCondition(program.Status.Conditions, "Ready"); !strings.Contains(c.Message, "Secret/"+endpointName+"-tls") {
		t.Errorf("message %q", c.Message)
	}
	remove[*corev1.Secret](w, endpointName+"-tls")
	w.eventually("the Service is named", func() error {
		c := meta.FindStatusCondition(get[*v1alpha1.SurveyProgram](w, "visits").Status.Conditions, "Ready")
		if !strings.Contains(c.Message, "Service/"+endpointName) {
			return fmt.Errorf("message %q", c.Message)
		}
		return nil
	})
	if ports := get[*corev1.Service](w, endpointName).Spec.Ports; len(ports) != 1 || ports[0].Port != 1 {
		t.Errorf("the Service was changed: %v", ports)
	}
	gone[*appsv1.StatefulSet](w, endpointName)
	remove[*corev1.Service](w, endpointName)
	w.inService("visits")
}

// crd is a kind that takes anything.
func crd(group, version, kind, plural string) *apiextensionsv1.CustomResourceDefinition {
	anything := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: ptr.To(true)}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group, Annotations: map[string]string{"api-approved.kubernetes.io": "unapproved, for tests"}},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, ListKind: kind + "List", Plural: plural, Singular: strings.ToLower(kind)},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: version, Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: anything},
			}},
		},
	}
}

// APIs that the cluster lacks are a condition. They are used, and what is made of them is watched, once they appear.
func TestDedicatedAPIs(t *testing.T) {
	t.Parallel()
	w := startDedicatedAbsent(t)
	program := get[*v1alpha1.SurveyProgram](w, "visits")
	w.expect(is(program, "EndpointReady", "True/EndpointReady"))
	for _, o := range []*apiextensionsv1.CustomResourceDefinition{
		crd("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"), crd("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
	} {
		definitions := w.definitions()
		if err := definitions.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = definitions.Delete(context.Background(), o) })
	}
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Exposed", "True/Applied", "Monitored", "True/Applied", "Ready", "True/Reconciled")
	for kind, group := range map[string]string{"HTTPRoute": "gateway.networking.k8s.io/v1", "ServiceMonitor": "monitoring.coreos.com/v1"} {
		o := &unstructured.Unstructured{}
		o.SetAPIVersion(group)
		o.SetKind(kind)
		if err := w.c.Get(t.Context(), w.key(endpointName), o); err != nil {
			t.Fatal(err)
		}
		uid := o.GetUID()
		if err := w.c.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		w.eventually(kind+" comes back", func() error {
			if err := w.c.Get(context.Background(), w.key(endpointName), o); err != nil {
				return err
			}
			if o.GetUID() == uid {
				return fmt.Errorf("it was not deleted")
			}
			return nil
		})
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Exposure, p.Spec.Endpoint.Monitoring = nil, nil })
	w.eventually("neither is asked for any more", func() error {
		p := get[*v1alpha1.SurveyProgram](w, "visits")
		if meta.FindStatusCondition(p.Status.Conditions, "Exposed") != nil || meta.FindStatusCondition(p.Status.Conditions, "Monitored") != nil {
			return fmt.Errorf("conditions %+v", p.Status.Conditions)
		}
		return nil
	})
}

func startDedicatedAbsent(t *testing.T) *world {
	t.Helper()
	w := newDedicatedWorld(t)
	w.start()
	w.apply(asDedicated(parse(t, missedVisits()),
		"exposure", map[string]any{"hostname": "survey.test", "gateway": map[string]any{"parentRefs": []any{map[string]any{"name": "web"}}}},
		"monitoring", map[string]any{"serviceMonitor": map[string]any{}})...)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Exposed", "False/APINotInstalled", "Monitored", "False/APINotInstalled",
		"EndpointReady", "True/EndpointReady", "Ready", "False/APINotInstalled", "Stalled", "False/AsExpected", "Reconciling", "True/Waiting")
	return w
}

// What the spec no longer asks for goes, and what it asks for anew comes.
func TestDedicatedParts(t *testing.T) {
	t.Parallel()
	w := newDedicatedWorld(t)
	w.connection("uri", startServer(t, "").DSN(nil))
	w.start()
	w.apply(onPostgres(asDedicated(parse(t, missedVisits()), "replicas", int64(3)))...)
	if e := w.inService("visits").Status.Endpoint; *e.Replicas != 3 || *e.ReadyReplicas != 3 {
		t.Errorf("endpoint %+v", e)
	}
	get[*policyv1.PodDisruptionBudget](w, endpointName)
	w.node.hold(endpointName, true)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointStarting", "Reconciling", "True/Waiting", "EndpointReady", "False/EndpointStarting")
	w.node.hold(endpointName, false)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Replicas = ptr.To[int32](1) })
	w.inService("visits")
	gone[*policyv1.PodDisruptionBudget](w, endpointName)

	w.node.hold(endpointName, true)
	change(w, endpointName, func(d *appsv1.Deployment) { d.Annotations["looked-at"] = "now" })
	w.eventually("the rollout fails", func() error {
		d := get[*appsv1.Deployment](w, endpointName)
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
		return w.c.Status().Update(context.Background(), d)
	})
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointFailed", "Stalled", "True/EndpointFailed", "EndpointReady", "False/EndpointFailed")
	w.node.hold(endpointName, false)
	w.inService("visits")
	w.postAt("visits", answer("desk", "ease", 2))
	if status, _ := w.callAt(w.node.survey("visits"), http.MethodGet, "/s/"+w.ns+"/visits/desk", "", "", nil); status != http.StatusOK {
		t.Errorf("the page answers %d", status)
	}
}
