package render

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// CertificateSecret returns the Secret with the certificate and key, both PEM, of a Dedicated endpoint's operations port. It
// has LabelTokens, so that the operator caches it.
func CertificateSecret(program *v1alpha1.SurveyProgram, certPEM, keyPEM []byte) *corev1.Secret {
	labels := Labels(program.Name)
	labels[v1alpha1.LabelTokens] = "true"
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: program.Namespace, Name: CertificateName(program.Name), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{controllerOf(program)},
		},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certPEM, corev1.TLSPrivateKeyKey: keyPEM},
	}
}
