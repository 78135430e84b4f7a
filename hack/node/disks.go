//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Disk is a volume of a few megabytes, the only one of its StorageClass, that can be filled up.
type Disk struct {
	node *Node
	name string
}

// AddDisk makes a disk of so many megabytes, 1 to 1024, in memory, and a StorageClass with its name that a claim gets it by.
func (n *Node) AddDisk(ctx context.Context, name string, megabytes int) (*Disk, error) {
	const most = 1024
	if megabytes < 1 || megabytes > most {
		return nil, fmt.Errorf("a disk of %d MB: want 1 to %d", megabytes, most)
	}
	clients, err := kubernetes.NewForConfig(n.config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	folder := n.file("volumes/" + name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making a disk: %w", err)
	}
	size := strconv.Itoa(megabytes) + "M"
	if err := command(ctx, "nsenter", n.inside("mount", "-t", "tmpfs", "-o", "mode=700,size="+size, name, folder)...); err != nil {
		return nil, fmt.Errorf("making a disk: %w", err)
	}
	if _, err := clients.StorageV1().StorageClasses().Create(ctx, storageClass(name), metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("making the disk's StorageClass: %w", err)
	}
	volume := localVolume(name, folder)
	volume.Spec.StorageClassName = name
	volume.Spec.Capacity[corev1.ResourceStorage] = resource.MustParse(volumeSize) // claims ask for more than a disk to be filled has
	if _, err := clients.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("making a disk: %w", err)
	}
	return &Disk{node: n, name: name}, nil
}

// Fill writes to the disk until nothing fits any more.
func (d *Disk) Fill(ctx context.Context) error {
	file := filepath.Join(d.node.file("volumes/"+d.name), "filler")
	// dd ends with an error because the disk is full, which is what it is for; that it is full is what is checked.
	script := `dd if=/dev/zero of="$0" bs=4096 2>/dev/null; ! dd if=/dev/zero of="$0" bs=4096 count=1 oflag=append conv=notrunc 2>/dev/null`
	if err := command(ctx, "nsenter", d.node.inside("sh", "-c", script, file)...); err != nil {
		return fmt.Errorf("filling the disk %s: %w", d.name, err)
	}
	return nil
}

// Free removes what Fill wrote.
func (d *Disk) Free(ctx context.Context) error {
	if err := command(ctx, "nsenter", d.node.inside("rm", filepath.Join(d.node.file("volumes/"+d.name), "filler"))...); err != nil {
		return fmt.Errorf("freeing the disk %s: %w", d.name, err)
	}
	return nil
}

// ReuseVolumes empties the volumes of the default class whose claims are gone, and offers them again. It returns how many.
func (n *Node) ReuseVolumes(ctx context.Context) (int, error) {
	clients, err := kubernetes.NewForConfig(n.config)
	if err != nil {
		return 0, fmt.Errorf("making a client: %w", err)
	}
	list, err := clients.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, fmt.Errorf("listing the volumes: %w", err)
	}
	reused := 0
	for i := range list.Items {
		volume := &list.Items[i]
		if volume.Status.Phase != corev1.VolumeReleased || volume.Spec.StorageClassName != StorageClass {
			continue
		}
		if err := emptyFolder(n.file("volumes/" + volume.Name)); err != nil {
			return reused, err
		}
		volume.Spec.ClaimRef = nil
		if _, err := clients.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return reused, fmt.Errorf("offering the volume %s again: %w", volume.Name, err)
		}
		reused++
	}
	return reused, nil
}

// emptyFolder keeps the folder itself: pods have it mounted by what it is, not by its name.
func emptyFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("emptying a volume: %w", err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(folder, entry.Name())); err != nil {
			return fmt.Errorf("emptying a volume: %w", err)
		}
	}
	return nil
}
