//go:build linux

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

const (
	containerdSocket = "/run/containerd/containerd.sock" // as the node sees it
	clusterDomain    = "cluster.local"
)

// startWorker starts what every machine of a cluster runs.
func (n *Node) startWorker(ctx context.Context, k keys, plugins, pause string) error {
	n.say("Starting containerd, kubelet and kube-proxy")
	err := errors.Join(
		n.write("containerd.toml", []byte(containerdConfig(n.dir, plugins))),
		n.writeYAML("cni/10-node.conflist", networkConfig()),
		n.writeYAML("kubelet.yaml", kubeletConfig(n.dir, k.kubeletClientCA)),
		n.write("resolv.conf", nil), // names outside the cluster lead nowhere
	)
	if err != nil {
		return err
	}
	if err := n.startInside(Containerd, "containerd", "--config", n.file("containerd.toml")); err != nil {
		return err
	}
	if err := n.awaitPart(ctx, Containerd); err != nil {
		return err
	}
	archive := n.file("bin/pause.tar")
	if err := writePauseImage(archive, pause); err != nil {
		return err
	}
	if err := n.LoadImage(ctx, archive); err != nil {
		return err
	}
	err = n.startInside(Kubelet, n.asset("kubelet"),
		"--config="+n.file("kubelet.yaml"),
		"--kubeconfig="+n.file("keys/kubelet.kubeconfig"),
		"--hostname-override="+Name,
		"--node-ip="+Address,
	)
	if err != nil {
		return err
	}
	err = n.startInside(Proxy, n.asset("kube-proxy"),
		"--kubeconfig="+n.file("keys/kube-proxy.kubeconfig"),
		"--hostname-override="+Name,
		"--proxy-mode=iptables",
		// Limits that belong to the machine, not to a network namespace.
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
	)
	if err != nil {
		return err
	}
	return n.awaitPart(ctx, Proxy)
}

// containerdConfig keeps containerd's data in the node's folder.
func containerdConfig(dir, plugins string) string {
	return fmt.Sprintf(`version = 2
root = %[1]q
state = "/run/containerd"
[grpc]
  address = %[2]q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[3]q
  # Without CAP_SYS_RESOURCE, which many virtual machines lack, runc cannot make a process less likely to be killed.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %[4]q
    conf_dir = %[5]q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`, filepath.Join(dir, "containerd"), containerdSocket, pauseImage, plugins, filepath.Join(dir, "cni"))
}

// networkConfig gives each pod a cable of its own to the node, which routes between them: so every packet passes the
// rules of kube-proxy, which it would not on a bridge unless the kernel is told so.
func networkConfig() map[string]any {
	return map[string]any{
		"cniVersion": "0.4.0",
		"name":       Name,
		"plugins": []any{map[string]any{
			"type": "ptp",
			"mtu":  1500,
			"ipam": map[string]any{
				"type":    "host-local",
				"dataDir": "/run/cni",
				"ranges":  []any{[]any{map[string]any{"subnet": podRange}}},
				"routes":  []any{map[string]any{"dst": "0.0.0.0/0"}},
			},
		}},
	}
}

func kubeletConfig(dir, clientCA string) map[string]any {
	return map[string]any{
		"apiVersion":               "kubelet.config.k8s.io/v1beta1",
		"kind":                     "KubeletConfiguration",
		"address":                  Address,
		"healthzBindAddress":       Address,
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": clientCA},
		},
		"authorization":          map[string]any{"mode": "Webhook"},
		"clusterDNS":             []string{HostAddress},
		"clusterDomain":          clusterDomain,
		"resolvConf":             filepath.Join(dir, "resolv.conf"),
		"volumePluginDir":        filepath.Join(dir, "volume-plugins"),
		"cgroupDriver":           "cgroupfs",
		"cgroupRoot":             "/" + cgroupRoot,
		"failCgroupV1":           false,
		"failSwapOn":             false,
		"enforceNodeAllocatable": []string{},
		// A developer's disk is full more often than not, and there is no registry to pull a removed image from again.
		"evictionHard":                map[string]string{"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
		"imageGCHighThresholdPercent": 100,
	}
}

func (n *Node) write(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(n.file(name)), 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.WriteFile(n.file(name), content, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// writeYAML writes JSON where the name does not end in .yaml.
func (n *Node) writeYAML(name string, value any) error {
	marshal := json.Marshal
	if filepath.Ext(name) == ".yaml" {
		marshal = func(v any) ([]byte, error) { return yaml.Marshal(v) }
	}
	content, err := marshal(value)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return n.write(name, content)
}
