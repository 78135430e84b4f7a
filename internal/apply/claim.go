package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// claim creates a claim, or brings one that exists as near to what is wanted as can be without losing what it holds.
func (a *Applier) claim(ctx context.Context, wanted, current *corev1.PersistentVolumeClaim, result *Result) error {
	if current == nil {
		created := wanted.DeepCopy()
		err := a.Client.Create(ctx, created, a.Owner)
		if apierrors.IsAlreadyExists(err) {
			return errors.New("it was just made") // passing: the next pass finds it
		}
		return err
	}
	if !madeHere(current) || metav1.GetControllerOf(current) != nil && !isStore(*metav1.GetControllerOf(current)) {
		result.Taken = append(result.Taken, nameOf(wanted))
		return nil
	}
	if reason := unfit(wanted, current); reason != "" {
		result.Refused = append(result.Refused, Refusal{Kind: "PersistentVolumeClaim", Name: wanted.Name, Message: reason})
		return nil
	}
	next := current.DeepCopy()
	next.Labels = maps.Clone(current.Labels)
	maps.Copy(next.Labels, wanted.Labels)
	next.OwnerReferences = append(slices.DeleteFunc(next.OwnerReferences, isStore), wanted.OwnerReferences...)
	size := wanted.Spec.Resources.Requests[corev1.ResourceStorage]
	if has := current.Spec.Resources.Requests[corev1.ResourceStorage]; size.Cmp(has) > 0 {
		next.Spec.Resources.Requests[corev1.ResourceStorage] = size
	}
	patch := client.MergeFromWithOptions(current, client.MergeFromWithOptimisticLock{})
	if alike(current, next) {
		return nil
	}
	return a.Client.Patch(ctx, next, patch, a.Owner)
}

// unfit says why a claim that exists cannot be used as wanted; empty where it can.
func unfit(wanted, current *corev1.PersistentVolumeClaim) string {
	if current.DeletionTimestamp != nil {
		return "it is being deleted, and its volume with it"
	}
	class, have := wanted.Spec.StorageClassName, ptr.Deref(current.Spec.StorageClassName, "")
	if class != nil && *class != have {
		return fmt.Sprintf("its storage class is %q and cannot become %q: the answers would stay on the old volume", have, *class)
	}
	return ""
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
