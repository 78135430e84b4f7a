package pinned

import (
	"errors"
	"fmt"
)

// Node is the control plane of Kube and what a node runs beside it, in the same folder.
func Node(root string) (Set, error) {
	set, err := Kube(root)
	if err != nil {
		return Set{}, err
	}
	set.Programs = append(set.Programs,
		Program{Name: "kube-scheduler", Package: "k8s.io/kubernetes/cmd/kube-scheduler"},
		Program{Name: "kubelet", Package: "k8s.io/kubernetes/cmd/kubelet"},
		Program{Name: "kube-proxy", Package: "k8s.io/kubernetes/cmd/kube-proxy"},
	)
	set.Note += " The programs of a node take a minute or two more."
	return set, nil
}

// ErrNodeMissing says that the programs of a node have not been built here.
var ErrNodeMissing = errors.New("the programs of a Kubernetes node are not built: run 'make node-tools' (once per machine)")

// NodeAssets is the folder of a node's programs for the checkout at root. The error wraps ErrNodeMissing where one of them
// was not built yet. EnvAssets has no say: the folders it names hold no kubelet.
func NodeAssets(root string) (string, error) {
	set, err := Node(root)
	if err != nil {
		return "", err
	}
	if missing := set.Missing(); len(missing) > 0 {
		return "", fmt.Errorf("no %s in %s: %w", names(missing), set.Dir, ErrNodeMissing)
	}
	return set.Dir, nil
}
