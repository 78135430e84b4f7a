//go:build linux

package node

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// startControlPlane starts what a managed cluster runs for its users: outside the node, at the machine's end of the cable.
func (n *Node) startControlPlane(ctx context.Context, k keys) error {
	n.say("Starting the control plane from %s", n.assets)
	if err := n.startEtcd(ctx); err != nil {
		return err
	}
	authority, err := n.startAPIServer(ctx, k)
	if err != nil {
		return err
	}
	for user, file := range map[string]string{
		"admin":                          n.Kubeconfig(),
		"system:kube-controller-manager": n.file("keys/kube-controller-manager.kubeconfig"),
		"system:kube-scheduler":          n.file("keys/kube-scheduler.kubeconfig"),
		"system:kube-proxy":              n.file("keys/kube-proxy.kubeconfig"),
		"system:node:" + Name:            n.file("keys/kubelet.kubeconfig"),
	} {
		if err := k.kubeconfig(file, user, n.config.Host, n.config.CAData); err != nil {
			return err
		}
	}
	_, err = n.processes.start(0, string(ControllerManager), n.asset("kube-controller-manager"),
		"--kubeconfig="+n.file("keys/kube-controller-manager.kubeconfig"),
		"--use-service-account-credentials",
		"--service-account-private-key-file="+k.serviceAccounts,
		"--root-ca-file="+authority,
		"--leader-elect=false",
		"--bind-address="+HostAddress,
	)
	if err != nil {
		return err
	}
	_, err = n.processes.start(0, string(Scheduler), n.asset("kube-scheduler"),
		"--kubeconfig="+n.file("keys/kube-scheduler.kubeconfig"),
		"--authentication-kubeconfig="+n.file("keys/kube-scheduler.kubeconfig"),
		"--authorization-kubeconfig="+n.file("keys/kube-scheduler.kubeconfig"),
		"--leader-elect=false",
		"--bind-address="+HostAddress,
	)
	return err
}

// startEtcd does not make writes durable: what it holds is thrown away at the next start.
func (n *Node) startEtcd(ctx context.Context) error {
	const clients, peers = etcdAddress, "http://" + HostAddress + ":2380"
	_, err := n.processes.start(0, string(Etcd), n.asset("etcd"),
		"--name=node",
		"--data-dir="+n.file("etcd"),
		"--listen-client-urls="+clients, "--advertise-client-urls="+clients,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=node="+peers,
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	return n.awaitPart(ctx, Etcd)
}

// startAPIServer returns the file with the certificate that it made and signed itself.
func (n *Node) startAPIServer(ctx context.Context, k keys) (authority string, err error) {
	folder := n.file("kube-apiserver")
	_, err = n.processes.start(0, string(APIServer), n.asset("kube-apiserver"),
		"--etcd-servers="+etcdAddress,
		"--cert-dir="+folder,
		"--bind-address="+HostAddress, "--advertise-address="+HostAddress, "--secure-port="+apiPort,
		"--service-cluster-ip-range="+serviceRange,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+k.serviceAccounts,
		"--service-account-signing-key-file="+k.serviceAccounts,
		"--token-auth-file="+k.tokenFile,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged",
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+k.kubeletClient,
		"--kubelet-client-key="+k.kubeletClient,
		// So that it can pass requests on to aggregated APIs, and these believe it who asks.
		"--requestheader-client-ca-file="+k.frontProxyCA,
		"--requestheader-allowed-names="+frontProxyName,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+k.frontProxy,
		"--proxy-client-key-file="+k.frontProxy,
		"--shutdown-delay-duration=0",
	)
	if err != nil {
		return "", err
	}
	authority = filepath.Join(folder, "apiserver.crt")
	err = n.await(ctx, "kube-apiserver to answer", func(ctx context.Context) (bool, error) {
		ca, err := os.ReadFile(authority)
		if err != nil {
			return false, nil // not made yet
		}
		n.config = &rest.Config{
			Host: "https://" + HostAddress + ":" + apiPort, BearerToken: k.tokens["admin"],
			TLSClientConfig: rest.TLSClientConfig{CAData: ca}, QPS: 100, Burst: 200,
		}
		client, err := rest.HTTPClientFor(n.config)
		if err != nil {
			return false, nil // written only in part
		}
		return answersOK(ctx, client, n.config.Host+"/readyz"), nil
	})
	return authority, err
}

// answersOK tells whether an address answers 200.
func answersOK(ctx context.Context, client *http.Client, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (n *Node) asset(name string) string { return filepath.Join(n.assets, name) }
