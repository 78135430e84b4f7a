package pinned

import (
	"errors"
	"strings"
	"testing"
)

func TestNodeIsTheControlPlaneAndMore(t *testing.T) {
	t.Setenv(EnvKubeCache, t.TempDir())
	root := checkout(t, "require k8s.io/kubernetes v1.99.0\n")
	kube, err := Kube(root)
	if err != nil {
		t.Fatal(err)
	}
	node, err := Node(root)
	if err != nil {
		t.Fatal(err)
	}
	if node.Dir != kube.Dir || node.Stamp != kube.Stamp {
		t.Errorf("Node stands in %s with stamp %s, want %s with %s: they share what is built", node.Dir, node.Stamp, kube.Dir, kube.Stamp)
	}
	want := names(kube.Programs) + ", kube-scheduler, kubelet, kube-proxy"
	if got := names(node.Programs); got != want {
		t.Errorf("programs = %s, want %s", got, want)
	}
}

func TestNodeAssets(t *testing.T) {
	t.Setenv(EnvKubeCache, t.TempDir())
	t.Setenv(EnvAssets, t.TempDir()) // a folder without a kubelet must not matter
	root := checkout(t, "require k8s.io/kubernetes v1.99.0\n")
	set, err := Node(root)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, set.Dir, "etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kube-scheduler", "kube-proxy")
	_, err = NodeAssets(root)
	if !errors.Is(err, ErrNodeMissing) || !strings.Contains(err.Error(), "no kubelet in") {
		t.Errorf("error = %v, want ErrNodeMissing that names kubelet", err)
	}
	fill(t, set.Dir, "kubelet")
	if dir, err := NodeAssets(root); err != nil || dir != set.Dir {
		t.Errorf("NodeAssets() = %s, %v; want %s", dir, err, set.Dir)
	}
}
