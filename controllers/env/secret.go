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
// returns nil where it needs no change. The cache holds labelled Secrets only. One that it lacks is most often not there, so it
// is made; where that finds one, of people or not in the cache yet, that one is read by live from the API server. One that was
// made a moment ago is the one that was made: unseen says so, and that the caller is to come back after SecretLag, since
// somebody may have deleted it so soon that the cache never showed it.
func (e *Env) KeepSecret(ctx context.Context, live client.Reader, name types.NamespacedName, build func(current *corev1.Secret) *corev1.Secret) (kept *corev1.Secret, unseen bool, err error) {
	current, err := readSecret(ctx, name, e.Client)
	if err != nil {
		return nil, false, err
	}
	if current == nil {
		if made := e.writes.made(name); made != nil && build(made) == nil {
			return made, true, nil
		}
	}
	kept, err = e.bringSecret(ctx, live, name, current, build)
	return kept, false, err
}

// bringSecret makes of the Secret, as the cache has it, what build says.
func (e *Env) bringSecret(ctx context.Context, live client.Reader, name types.NamespacedName, current *corev1.Secret, build func(current *corev1.Secret) *corev1.Secret) (*corev1.Secret, error) {
	var err error
	if current == nil && !e.writes.has(current, name) {
		secret, err := e.createSecret(ctx, name, build(nil))
		if !apierrors.IsAlreadyExists(err) {
			return secret, err
		}
	}
	if current == nil {
		if current, err = readSecret(ctx, name, live); err != nil {
			return nil, err
		}
	}
	e.Gone(current, name)
	secret := build(current)
	switch {
	case secret == nil:
		return current, nil
	case current == nil:
		return e.createSecret(ctx, name, secret)
	}
	patch := client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{})
	if err := e.Client.Patch(ctx, secret, patch, FieldOwner); err != nil {
		return nil, fmt.Errorf("write secret %s: %w", name, err)
	}
	return secret, nil
}

func (e *Env) createSecret(ctx context.Context, name types.NamespacedName, secret *corev1.Secret) (*corev1.Secret, error) {
	if err := e.Client.Create(ctx, secret, FieldOwner); err != nil {
		return nil, fmt.Errorf("write secret %s: %w", name, err)
	}
	e.writes.noteSecret(secret)
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
