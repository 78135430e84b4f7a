package render

import (
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Object is any object of Kubernetes.
type Object interface {
	metav1.Object
	runtime.Object
}

// Options are what the operator was started with, as far as Dedicated endpoints need it.
type Options struct {
	// Image of the pods. It must be set.
	Image string
	// PullPolicy of the image; Kubernetes' default where empty.
	PullPolicy corev1.PullPolicy
	// PullSecrets are names of Secrets in the program's namespace that every pod pulls with.
	PullSecrets []string
	// OperatorNamespace is where the operator's pods are, which alone may reach the operations port.
	OperatorNamespace string
	// MonitoringNamespaces may reach the operations port, too.
	MonitoringNamespaces []string
	// ScrapeTokenHash is the SHA-256, in hexadecimal, of the token by which metrics of all endpoints may be read; empty for none.
	ScrapeTokenHash string
}

// Dedicated is a program whose pages are served by pods of its own.
type Dedicated struct {
	Program *v1alpha1.SurveyProgram
	// Store that the program names.
	Store *v1alpha1.ResponseStore
	// Survey is the last good one.
	Survey  *survey.Survey
	Options Options
}

// Objects returns all that the program is made of but the Secrets, in the order in which they are to be applied, each with its
// TypeMeta. The error says what cannot be rendered, and names the field where one is the cause.
func (d Dedicated) Objects() ([]Object, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	configMap, err := d.configMap()
	if err != nil {
		return nil, err
	}
	objects := []Object{d.serviceAccount(), configMap, d.networkPolicy(), d.service()}
	if d.sqlite() {
		objects = append(objects, d.claim(), d.statefulSet(surveyHash(configMap)))
	} else {
		objects = append(objects, d.deployment(surveyHash(configMap)))
	}
	return append(objects, d.optional()...), nil
}

// check finds what admission could not refuse, since it depends on the store or on how the operator was started.
func (d Dedicated) check() error {
	endpoint := d.Program.Spec.Endpoint
	switch {
	case d.Options.Image == "":
		return errors.New("no image is known for the pods of Dedicated endpoints: the operator needs --endpoint-image")
	case d.Store.Spec.SQLite == nil && d.Store.Spec.Postgres == nil:
		return fmt.Errorf("the ResponseStore %s has neither sqlite nor postgres", d.Store.Name)
	case d.sqlite() && ptr.Deref(endpoint.Replicas, 1) > 1:
		return fmt.Errorf("spec.endpoint.replicas: the file of the SQLite store %s is opened by one pod, so 1 is allowed", d.Store.Name)
	case d.sqlite() && endpoint.Autoscaling != nil:
		return fmt.Errorf("spec.endpoint.autoscaling: the file of the SQLite store %s is opened by one pod, so it cannot be set", d.Store.Name)
	}
	return nil
}

// optional returns what some programs have.
func (d Dedicated) optional() []Object {
	var objects []Object
	endpoint := d.Program.Spec.Endpoint
	if d.mostReplicas() > 1 {
		objects = append(objects, d.disruptionBudget())
	}
	if endpoint.Autoscaling != nil {
		objects = append(objects, d.autoscaler())
	}
	if exposure := endpoint.Exposure; exposure != nil && exposure.Ingress != nil {
		objects = append(objects, d.ingress(exposure))
	}
	if exposure := endpoint.Exposure; exposure != nil && exposure.Gateway != nil {
		objects = append(objects, d.route(exposure))
	}
	if monitoring := endpoint.Monitoring; monitoring != nil && monitoring.ServiceMonitor != nil {
		objects = append(objects, d.serviceMonitor(monitoring.ServiceMonitor))
	}
	return objects
}

func (d Dedicated) sqlite() bool { return d.Store.Spec.SQLite != nil }

// meta is that of every object of the program.
func (d Dedicated) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: d.Program.Namespace, Name: EndpointName(d.Program.Name), Labels: Labels(d.Program.Name),
		OwnerReferences: ownedBy(d.Program, "SurveyProgram"),
	}
}

// Labels returns the labels of everything that a Dedicated program is made of.
func Labels(program string) map[string]string {
	labels := selector(program)
	labels["app.kubernetes.io/instance"] = program
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedByValue
	return labels
}

// selector returns the labels by which a program's pods are found.
func selector(program string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": NameLabel, v1alpha1.LabelProgram: program}
}

// ownedBy returns the reference to the controlling owner; none where the owner is not in a cluster.
func ownedBy(owner metav1.Object, kind string) []metav1.OwnerReference {
	if owner.GetUID() == "" {
		return nil
	}
	return []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.GroupVersion.WithKind(kind))}
}

// merged returns the extra entries and the operator's own, which win.
func merged(extra, own map[string]string) map[string]string {
	all := maps.Clone(extra)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	return all
}
