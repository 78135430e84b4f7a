//go:build linux

package node

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// volumeCount is how many volumes there are. A released volume keeps its data until ReuseVolumes.
const volumeCount = 16

// volumeSize is what each volume claims to hold. It is a folder: nobody measures.
const volumeSize = "100Gi"

// addVolumes makes the default StorageClass and its volumes. They are of type local rather than hostPath, since kubelet
// hands only those over to a pod's fsGroup.
func (n *Node) addVolumes(ctx context.Context, clients kubernetes.Interface) error {
	class := storageClass(StorageClass)
	class.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
	if _, err := clients.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("making the StorageClass: %w", err)
	}
	for i := range volumeCount {
		name := fmt.Sprintf("local-%02d", i)
		folder := n.file("volumes/" + name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("making a volume: %w", err)
		}
		if _, err := clients.CoreV1().PersistentVolumes().Create(ctx, localVolume(name, folder), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("making a volume: %w", err)
		}
	}
	return nil
}

// storageClass is one whose volumes are made by hand and keep their data.
func storageClass(name string) *storagev1.StorageClass {
	wait, retain := storagev1.VolumeBindingWaitForFirstConsumer, corev1.PersistentVolumeReclaimRetain
	return &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: name},
		Provisioner: "kubernetes.io/no-provisioner", VolumeBindingMode: &wait, ReclaimPolicy: &retain,
	}
}

func localVolume(name, folder string) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName:              StorageClass,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(volumeSize)},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: folder}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{Name},
				}}}},
			}},
		},
	}
}
