package render

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

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
// TypeMeta. The error says what cannot be rendered.
func (d Dedicated) Objects() ([]Object, error) {
	if d.Options.Image == "" {
		return nil, errors.New("no image is known for the pods of Dedicated endpoints: set --endpoint-image")
	}
	configMap, err := d.configMap()
	if err != nil {
		return nil, err
	}
	return []Object{configMap}, nil
}
