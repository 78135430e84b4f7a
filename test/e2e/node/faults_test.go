//go:build linux && e2e

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

const patience = 2 * time.Minute

// broken is a node with clients, on which faults are tried one after the other.
type broken struct {
	*node.Node
	clients *kubernetes.Clientset
}

// What faults do is what they say, and ends with them.
func TestFaults(t *testing.T) {
	n := cluster.StartNode(t)
	clients, err := kubernetes.NewForConfig(n.Config())
	if err != nil {
		t.Fatal(err)
	}
	b := &broken{Node: n, clients: clients}
	t.Run("network", b.testCut)
	t.Run("disk", b.testDisk)
	t.Run("container", b.testSignal)
	t.Run("parts", b.testParts)
	t.Run("volumes", b.testReuse)
}

func (b *broken) testCut(t *testing.T) {
	pod := b.pod(t, "far", nil)
	// Nobody listens there, which a pod that is reached says at once.
	reaches := func() bool {
		dialer := net.Dialer{Timeout: 2 * time.Second}
		_, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(pod.Status.PodIP, "9"))
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	if !reaches() {
		t.Fatal("the pod cannot be reached to begin with")
	}
	mend, err := b.Cut(t.Context(), node.HostAddress, pod.Status.PodIP)
	if err != nil {
		t.Fatal(err)
	}
	if reaches() {
		t.Error("the pod can be reached although the way is cut")
	}
	if err := mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !reaches() {
		t.Error("the pod cannot be reached again")
	}
}

func (b *broken) testDisk(t *testing.T) {
	disk, err := b.AddDisk(t.Context(), "small", 2)
	if err != nil {
		t.Fatal(err)
	}
	b.claim(t, "small", "small")
	b.pod(t, "writer", claimed("small"))
	// Seen from the machine, the disk is a folder in the node's own mounts: by way of a process there.
	inside := filepath.Join("/proc", b.firstProcess(t, "kubelet"), "root", b.Kubeconfig(), "..", "volumes", "small")
	write := func(name string) error { return os.WriteFile(filepath.Join(inside, name), make([]byte, 64<<10), 0o600) }
	if err := write("before"); err != nil {
		t.Fatal(err)
	}
	if err := disk.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := write("after"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to a full disk: %v", err)
	}
	if err := disk.Free(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := write("after"); err != nil {
		t.Errorf("writing to a disk that is free again: %v", err)
	}
}

func (b *broken) testSignal(t *testing.T) {
	pod := b.pod(t, "victim", nil)
	before := pod.Status.ContainerStatuses[0]
	if err := b.Signal(before.ContainerID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cluster.Await(t, "the container to run again", patience, func(context.Context) error {
		now := b.pod(t, "victim", nil).Status.ContainerStatuses[0]
		if now.RestartCount != before.RestartCount+1 || now.State.Running == nil {
			return fmt.Errorf("status %+v", now)
		}
		if code := now.LastTerminationState.Terminated.ExitCode; code != 137 {
			t.Errorf("exit code %d, want 137: killed", code)
		}
		return nil
	})
}

// The API server and etcd come back with what they had, and each other part can be killed and goes on with its work.
func (b *broken) testParts(t *testing.T) {
	pod := b.pod(t, "far", nil)
	if err := b.Kill(node.APIServer, node.Etcd); err != nil {
		t.Fatal(err)
	}
	if _, err := b.clients.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("the API server answers after it was killed")
	}
	if err := b.Restart(t.Context(), node.Etcd, node.APIServer); err != nil {
		t.Fatal(err)
	}
	if again := b.pod(t, "far", nil); again.UID != pod.UID {
		t.Error("the pod is another one: etcd has lost it")
	}
	others := []node.Part{node.ControllerManager, node.Scheduler, node.Containerd, node.Kubelet, node.Proxy}
	if err := b.Kill(others...); err != nil {
		t.Fatal(err)
	}
	if err := b.Restart(t.Context(), others...); err != nil {
		t.Fatal(err)
	}
	if again := b.pod(t, "far", nil); again.Status.ContainerStatuses[0].RestartCount != 0 {
		t.Error("the container did not survive the end of containerd")
	}
	b.pod(t, "later", nil) // the scheduler, kubelet and containerd work
	if err := b.Freeze(t.Context(), node.APIServer); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := b.clients.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err == nil {
		t.Error("the API server answers although it is frozen")
	}
	if err := b.Thaw(node.APIServer); err != nil {
		t.Fatal(err)
	}
	if _, err := b.clients.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func (b *broken) testReuse(t *testing.T) {
	if n, err := b.ReuseVolumes(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d reused, %v, want none yet", n, err)
	}
	b.claim(t, "used", node.StorageClass)
	b.pod(t, "user", claimed("used"))
	now := int64(0)
	pods, claims := b.clients.CoreV1().Pods("default"), b.clients.CoreV1().PersistentVolumeClaims("default")
	if err := pods.Delete(t.Context(), "user", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	claim, err := claims.Get(t.Context(), "used", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := claims.Delete(t.Context(), "used", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(filepath.Dir(b.Kubeconfig()), "volumes", claim.Spec.VolumeName)
	if err := os.WriteFile(filepath.Join(folder, "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.Await(t, "the volume to be reused", patience, func(ctx context.Context) error {
		if n, err := b.ReuseVolumes(ctx); err != nil || n != 1 {
			return fmt.Errorf("%d reused, %w", n, err)
		}
		return nil
	})
	if _, err := os.Stat(filepath.Join(folder, "old")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the former user's file: %v, want that it is gone", err)
	}
	cluster.Await(t, "the volume to be available", patience, func(ctx context.Context) error {
		volume, err := b.clients.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err == nil && volume.Status.Phase != corev1.VolumeAvailable {
			err = fmt.Errorf("it is %s", volume.Status.Phase)
		}
		return err
	})
}

// pod returns a running pod of that name, and makes it where there is none.
func (b *broken) pod(t *testing.T, name string, volumes []corev1.Volume) *corev1.Pod {
	t.Helper()
	pods := b.clients.CoreV1().Pods("default")
	container := corev1.Container{Name: "c", Image: "cx-operator.local/pause:1", ImagePullPolicy: corev1.PullNever}
	for _, volume := range volumes {
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: volume.Name, MountPath: "/data"})
	}
	var got *corev1.Pod
	cluster.Await(t, "the pod "+name, patience, func(ctx context.Context) (err error) {
		got, err = pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			got = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{container}, Volumes: volumes}}
			_, err = pods.Create(ctx, got, metav1.CreateOptions{})
			return errors.Join(errors.New("it has only just been made"), err)
		}
		if got.Status.Phase != corev1.PodRunning || got.Status.PodIP == "" {
			return fmt.Errorf("it is %s: %+v", got.Status.Phase, got.Status.ContainerStatuses)
		}
		return nil
	})
	return got
}

func claimed(name string) []corev1.Volume {
	return []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
	}}}
}

func (b *broken) claim(t *testing.T, name, class string) {
	t.Helper()
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")}},
		},
	}
	if _, err := b.clients.CoreV1().PersistentVolumeClaims("default").Create(t.Context(), claim, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// firstProcess is the id of a process that runs a program of this node.
func (b *broken) firstProcess(t *testing.T, program string) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		words := strings.Split(string(content), "\x00")
		if err == nil && filepath.Base(words[0]) == program && strings.Contains(string(content), filepath.Dir(b.Kubeconfig())) {
			return filepath.Base(filepath.Dir(file))
		}
	}
	t.Fatalf("no process runs %s", program)
	return ""
}
