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
	// TokenImport lets its holder import answers, annul them and bring them back.
	TokenImport = "import"
	// TokenRead lets its holder export answers.
	TokenRead = "read"
	// TokenInternal is for the operations port.
	TokenInternal = "internal"
	// TokenSign lets its holder make links, and is what their signatures are derived from.
	TokenSign = "sign"
)

// Keys of the Secret with a store's keys.
const (
	// KeyContacts has the secret under which contacts are hashed.
	KeyContacts = "contacts"
	// KeyCases has the secrets that seal the contacts of cases, one in each line, the newest first.
	KeyCases = "cases"
)

// TokensName returns the name of the Secret with a program's tokens.
func TokensName(program string) string { return program + "-tokens" }

// KeysName returns the name of the Secret with a store's keys.
func KeysName(store string) string { return store + "-keys" }

// Tokens returns the Secret with a program's tokens. Values that current (which may be nil) has are kept; random makes
// the others. It returns nil where current needs no change.
func Tokens(program *v1alpha1.SurveyProgram, current *corev1.Secret, random func() string) *corev1.Secret {
	return settle(wanted{
		owner: program, kind: "SurveyProgram", name: TokensName(program.Name),
		keys:   []string{TokenImport, TokenInternal, TokenRead, TokenSign},
		labels: map[string]string{v1alpha1.LabelProgram: program.Name},
	}, current, random)
}

// Keys returns the Secret with a store's keys, as Tokens does with those of a program.
func Keys(store *v1alpha1.ResponseStore, current *corev1.Secret, random func() string) *corev1.Secret {
	return settle(wanted{
		owner: store, kind: "ResponseStore", name: KeysName(store.Name), keys: []string{KeyCases, KeyContacts},
	}, current, random)
}

// wanted is what a Secret of random values must have.
type wanted struct {
	owner      metav1.Object
	kind, name string
	keys       []string
	// labels beside those that all have.
	labels map[string]string
}

// settle returns the current Secret with what it lacks; nil where it lacks nothing.
func settle(w wanted, current *corev1.Secret, random func() string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.owner.GetNamespace(), Name: w.name}}
	changed := current == nil
	if current != nil {
		secret = current.DeepCopy()
	}
	for _, key := range w.keys {
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
	maps.Copy(labels, w.labels)
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedByValue
	labels[v1alpha1.LabelTokens] = "true"
	if !maps.Equal(labels, secret.Labels) {
		secret.Labels = labels
		changed = true
	}
	if metav1.GetControllerOf(secret) == nil {
		owner := metav1.NewControllerRef(w.owner, v1alpha1.GroupVersion.WithKind(w.kind))
		secret.OwnerReferences = append(secret.OwnerReferences, *owner)
		changed = true
	}
	if !changed {
		return nil
	}
	return secret
}
