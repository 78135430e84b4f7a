// Package node runs one real Kubernetes node on a Linux machine, without a virtual machine, Docker or a registry: etcd,
// kube-apiserver, kube-controller-manager and kube-scheduler as processes, and containerd, kubelet and kube-proxy in
// namespaces of their own (mounts, network, processes), as if they were another machine at the end of a cable.
//
// The namespaces are what makes it clean: rules of the firewall, network devices, mounts and containers belong to them, and
// the kernel removes them all when their first process ends, which it kills when the process that called Start dies. What
// remains is the folder, and empty control groups; the next Start removes both.
//
//	n, err := node.Start(ctx, node.Options{Dir: dir, Assets: assets, Say: say})
//	defer n.Stop()
//	err = n.LoadImage(ctx, "dist/cx-operator.oci.tar")
//
// From the machine itself, pods and Services are reached at their cluster addresses, and at their names by asking the name
// server at HostAddress. Pods reach each other, the API server and whatever listens at HostAddress, but not the internet.
// NetworkPolicies are stored and not enforced. The API server passes requests on to aggregated APIs, by their Services.
//
// It needs root, and the Debian packages of hack/node/packages.sh.
package node
