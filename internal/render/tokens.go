// Package render builds the objects that the operator applies. It is pure: the same input gives the same object.
package render

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Keys of the Secret with a program's tokens.
const (
	// TokenImport lets its holder import answers.
	TokenImport = "import"
	// TokenRead lets its holder export answers.
	TokenRead = "read"
	// TokenInternal is for the operations port.
	TokenInternal = "internal"
	// TokenSign is the key of signed links.
	TokenSign = "sign"
)

var tokenKeys = []string{TokenImport, TokenInternal, TokenRead, TokenSign}

// TokensName returns the name of the Secret with a program's tokens.
func TokensName(program string) string { return program + "-tokens" }

// Tokens returns the Secret with a program's tokens. Values that current (which may be nil) has are kept; random makes
// the others. It returns nil where current needs no change.
func Tokens(program *v1alpha1.SurveyProgram, current *corev1.Secret, random func() string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: program.Namespace, Name: TokensName(program.Name)}}
	changed := current == nil
	if current != nil {
		secret = current.DeepCopy()
	}
	for _, key := range tokenKeys {
		if len(secret.Data[key]) > 0 {
			continue
		}
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = []byte(random())
		changed = true
	}
	labels := maps.Clone(secret.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedByValue
	labels[v1alpha1.LabelProgram] = program.Name
	labels[v1alpha1.LabelTokens] = "true"
	if !maps.Equal(labels, secret.Labels) {
		secret.Labels = labels
		changed = true
	}
	if metav1.GetControllerOf(secret) == nil {
		owner := metav1.NewControllerRef(program, v1alpha1.GroupVersion.WithKind("SurveyProgram"))
		secret.OwnerReferences = append(secret.OwnerReferences, *owner)
		changed = true
	}
	if !changed {
		return nil
	}
	return secret
}
