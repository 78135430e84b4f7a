package env

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// KeepSecret sees to it that a Secret is what build makes of the current one, which is nil where there is none; build
// returns nil where it needs no change. The cache holds labelled Secrets only, so that one of people's is read by live from
// the API server.
func (e *Env) KeepSecret(ctx context.Context, live client.Reader, name types.NamespacedName, build func(current *corev1.Secret) *corev1.Secret) (*corev1.Secret, error) {
	current, err := readSecret(ctx, name, e.Client, live)
	if err != nil {
		return nil, err
	}
	secret := build(current)
	switch {
	case secret == nil:
		return current, nil
	case current == nil:
		err = e.Client.Create(ctx, secret, FieldOwner)
	default:
		patch := client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{})
		err = e.Client.Patch(ctx, secret, patch, FieldOwner)
	}
	if err != nil {
		return nil, fmt.Errorf("write secret %s: %w", name, err)
	}
	return secret, nil
}

// readSecret returns what the first of the readers has, nil where none has it.
func readSecret(ctx context.Context, name types.NamespacedName, readers ...client.Reader) (*corev1.Secret, error) {
	for _, reader := range readers {
		secret := &corev1.Secret{}
		err := reader.Get(ctx, name, secret)
		if err == nil {
			return secret, nil
		}
		if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read secret %s: %w", name, err)
		}
	}
	return nil, nil
}
