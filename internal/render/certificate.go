package render

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// keyAuthority is the key of the Secret with the certificate of the authority that vouches for the other one, where
// cert-manager and others put it, too.
const keyAuthority = "ca.crt"

// CertificateSecret returns the Secret with the certificate and key of a Dedicated endpoint's operations port, and the
// certificate of the authority, which a ServiceMonitor of the program's namespace refers to; all of them PEM. It has LabelTokens,
// so that the operator caches it.
func CertificateSecret(program *v1alpha1.SurveyProgram, certPEM, keyPEM, authorityPEM []byte) *corev1.Secret {
	labels := Labels(program.Name)
	labels[v1alpha1.LabelTokens] = "true"
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: program.Namespace, Name: CertificateName(program.Name), Labels: labels,
			OwnerReferences: ownedBy(program, "SurveyProgram"),
		},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certPEM, corev1.TLSPrivateKeyKey: keyPEM, keyAuthority: authorityPEM},
	}
}
