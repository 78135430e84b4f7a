package responsestore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/render"
)

// keepKeys sees to it that the store has the keys under which contacts are hashed and sealed. Its programs read them. Again is when
// to look once more; zero for whenever they change.
func (r *Reconciler) keepKeys(ctx context.Context, rs *v1alpha1.ResponseStore) (again time.Duration, err error) {
	name := client.ObjectKey{Namespace: rs.Namespace, Name: render.KeysName(rs.Name)}
	_, unseen, err := r.KeepSecret(ctx, r.APIReader, name, func(current *corev1.Secret) *corev1.Secret {
		return render.Keys(rs, current, newKey)
	})
	if unseen {
		again = env.SecretLag
	}
	return again, err
}

// newKey returns 32 random bytes as text.
func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return base64.RawURLEncoding.EncodeToString(key)
}
