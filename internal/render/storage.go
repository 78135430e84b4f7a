package render

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// defaultSize is the API's default, for stores that no API server has seen.
var defaultSize = resource.MustParse("5Gi")

// claim is for the volume with the answers. It belongs to the store: the program's end leaves it, and the store's takes it along
// only where its deletionPolicy says so.
func (d Dedicated) claim() *corev1.PersistentVolumeClaim {
	labels := Labels(d.Program.Name)
	labels[v1alpha1.LabelStore] = d.Store.Name
	claim := &corev1.PersistentVolumeClaim{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Store.Namespace, Name: ClaimName(d.Store.Name), Labels: labels,
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: ptr.Deref(d.Store.Spec.SQLite.Size, defaultSize),
			}},
		},
	}
	if class := d.Store.Spec.SQLite.StorageClassName; class != "" {
		claim.Spec.StorageClassName = &class
	}
	if d.Store.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		claim.OwnerReferences = ownedBy(d.Store, "ResponseStore")
	}
	return claim
}
