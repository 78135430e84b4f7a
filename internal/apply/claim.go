package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const claimKind = "PersistentVolumeClaim"

// claim brings a claim as near to what is wanted as can be without losing what it holds.
func (p *pass) claim(ctx context.Context, wanted, current *corev1.PersistentVolumeClaim) error {
	if current == nil {
		return errors.New("it was there a moment ago") // passing: the next pass makes it
	}
	if !madeHere(current) || metav1.GetControllerOf(current) != nil && !isStore(*metav1.GetControllerOf(current)) {
		p.taken(wanted)
		return nil
	}
	if current.DeletionTimestamp != nil {
		p.refused(claimKind, wanted.Name, "it is being deleted, and its volume with it")
		p.blocked = true
		return nil
	}
	if class, have := wanted.Spec.StorageClassName, ptr.Deref(current.Spec.StorageClassName, ""); class != nil && *class != have {
		p.refused(claimKind, wanted.Name, fmt.Sprintf("its storage class is %q and cannot become %q: the answers would stay on the old volume", have, *class))
	}
	next := current.DeepCopy()
	next.Labels = maps.Clone(current.Labels)
	maps.Copy(next.Labels, wanted.Labels)
	next.OwnerReferences = append(slices.DeleteFunc(next.OwnerReferences, isStore), wanted.OwnerReferences...)
	size := wanted.Spec.Resources.Requests[corev1.ResourceStorage]
	if has := current.Spec.Resources.Requests[corev1.ResourceStorage]; size.Cmp(has) > 0 {
		next.Spec.Resources.Requests[corev1.ResourceStorage] = size
	}
	if alike(current, next) {
		return nil
	}
	err := p.Client.Patch(ctx, next, client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{}), p.Owner)
	p.written.note(nameOf(wanted), next, err)
	if err != nil && isRefusal(err) {
		p.refused(claimKind, wanted.Name, messageOf(err))
		return nil
	}
	return err
}

// isStore says whether an owner is a ResponseStore, of this or a former life.
func isStore(owner metav1.OwnerReference) bool {
	return owner.APIVersion == v1alpha1.GroupVersion.String() && owner.Kind == "ResponseStore"
}

// alike says whether two states of a claim need no write from one to the other.
func alike(current, next *corev1.PersistentVolumeClaim) bool {
	before, after := current.Spec.Resources.Requests[corev1.ResourceStorage], next.Spec.Resources.Requests[corev1.ResourceStorage]
	return maps.Equal(current.Labels, next.Labels) && before.Cmp(after) == 0 &&
		slices.EqualFunc(current.OwnerReferences, next.OwnerReferences, func(a, b metav1.OwnerReference) bool { return a.UID == b.UID && a.Kind == b.Kind })
}
