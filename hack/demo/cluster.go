package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

// startLimit is how long each process may take until it answers: 2 to 4 s on an idle machine.
const startLimit = 2 * time.Minute

// loopback is the address that everything of the demo listens on.
const loopback = "127.0.0.1"

// localCluster starts etcd, kube-apiserver and, where it was built, kube-controller-manager, writes the kubeconfig and
// returns a configuration with all rights. The processes end with the children.
func (d *demo) localCluster(ctx context.Context) (*rest.Config, error) {
	assets, err := pinned.Assets(".")
	if err != nil {
		return nil, err
	}
	d.kubectl, _ = executable(assets, "kubectl")
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return nil, err
	}
	keys, err := d.dir.writeKeys()
	if err != nil {
		return nil, err
	}
	d.say.step("Starting etcd and kube-apiserver from %s", assets)
	etcd := fmt.Sprintf("http://%s:%d", loopback, ports[0])
	if err := d.startEtcd(ctx, assets, etcd, fmt.Sprintf("http://%s:%d", loopback, ports[1])); err != nil {
		return nil, err
	}
	config, err := d.startAPIServer(ctx, assets, etcd, ports[2], keys)
	if err != nil {
		return nil, err
	}
	return config, d.startControllerManager(ctx, assets, keys)
}

// startEtcd does not make writes durable: what it holds is thrown away at the next start.
func (d *demo) startEtcd(ctx context.Context, assets, clients, peers string) error {
	_, err := d.children.start(ctx, "etcd", filepath.Join(assets, "etcd"),
		"--name=demo",
		"--data-dir="+d.dir.file("etcd"),
		"--listen-client-urls="+clients, "--advertise-client-urls="+clients,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=demo="+peers,
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	return d.awaitOK(ctx, "etcd", clients+"/health", func() (*http.Client, error) { return http.DefaultClient, nil })
}

func (d *demo) startAPIServer(ctx context.Context, assets, etcd string, port int, keys clusterKeys) (*rest.Config, error) {
	certs := d.dir.file("kube-apiserver")
	_, err := d.children.start(ctx, "kube-apiserver", filepath.Join(assets, "kube-apiserver"),
		"--etcd-servers="+etcd,
		"--cert-dir="+certs,
		"--bind-address="+loopback, "--advertise-address="+loopback, fmt.Sprintf("--secure-port=%d", port),
		"--endpoint-reconciler-type=none", // nothing inside the cluster calls it
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+keys.serviceAccounts,
		"--service-account-signing-key-file="+keys.serviceAccounts,
		"--token-auth-file="+keys.tokens,
		"--authorization-mode=Node,RBAC",
		"--shutdown-delay-duration=0",
	)
	if err != nil {
		return nil, err
	}
	server := fmt.Sprintf("https://%s:%d", loopback, port)
	authority := filepath.Join(certs, "apiserver.crt") // made by kube-apiserver, signed by itself
	var config *rest.Config
	err = d.awaitOK(ctx, "kube-apiserver", server+"/readyz", func() (*http.Client, error) {
		ca, err := os.ReadFile(authority)
		if err != nil {
			return nil, err
		}
		config = &rest.Config{
			Host: server, BearerToken: keys.token, TLSClientConfig: rest.TLSClientConfig{CAData: ca},
			QPS: 100, Burst: 200,
		}
		return rest.HTTPClientFor(config)
	})
	if err != nil {
		return nil, err
	}
	return config, d.writeKubeconfig(config)
}

// startControllerManager starts what deletes the contents of deleted namespaces and what deleted owners leave behind.
// A folder of binaries that a user names may lack it; the demo itself does without.
func (d *demo) startControllerManager(ctx context.Context, assets string, keys clusterKeys) error {
	if !pinned.HasControllerManager(assets) {
		return nil
	}
	const name = "kube-controller-manager"
	_, err := d.children.start(ctx, name, filepath.Join(assets, name),
		"--kubeconfig="+d.dir.file(kubeconfig),
		"--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller,"+
			"root-ca-certificate-publisher-controller",
		"--service-account-private-key-file="+keys.serviceAccounts,
		"--root-ca-file="+filepath.Join(d.dir.file("kube-apiserver"), "apiserver.crt"),
		"--leader-elect=false",
		"--secure-port=0",
	)
	return err
}

// writeKubeconfig writes the file that kubectl and the operator read. It holds all that they need.
func (d *demo) writeKubeconfig(config *rest.Config) error {
	const name = "cx-demo"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: config.BearerToken}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	content, err := clientcmd.Write(*file)
	if err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return d.dir.write(kubeconfig, content)
}

// clusterKeys are the secrets of the local cluster. They are new at each start.
type clusterKeys struct {
	token           string // of a user with all rights
	tokens          string // name of the file with the token
	serviceAccounts string // name of the file with the key that signs the tokens of ServiceAccounts
}

func (d workDir) writeKeys() (clusterKeys, error) {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return clusterKeys{}, fmt.Errorf("making the key for ServiceAccounts: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	keys := clusterKeys{token: rand.Text(), tokens: d.file("tokens.csv"), serviceAccounts: d.file("service-accounts.key")}
	return keys, errors.Join(
		d.write("service-accounts.key", pem.EncodeToMemory(block)),
		d.write("tokens.csv", []byte(keys.token+`,admin,admin,"system:masters"`+"\n")),
	)
}

// freePorts returns so many different free ports of the loopback address.
func freePorts(ctx context.Context, n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer listener.Close() // only now: each gets another port
		address, ok := listener.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("finding a free port: %s is no TCP address", listener.Addr())
		}
		ports = append(ports, address.Port)
	}
	return ports, nil
}

// awaitOK waits until an address answers 200. The client is made anew for each try, since what it trusts may not exist yet.
func (d *demo) awaitOK(ctx context.Context, name, address string, client func() (*http.Client, error)) error {
	return d.say.await(ctx, startLimit, func(ctx context.Context) ([]string, error) {
		pending := []string{name + " to answer"}
		c, err := client()
		if err != nil {
			return pending, nil // no error yet: what it trusts is not there yet
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return nil, fmt.Errorf("asking %s: %w", name, err)
		}
		response, err := c.Do(request)
		if err != nil {
			return pending, nil // no error yet: it does not listen yet
		}
		if err := response.Body.Close(); err != nil {
			return nil, fmt.Errorf("asking %s: %w", name, err)
		}
		if response.StatusCode != http.StatusOK {
			return pending, nil
		}
		return nil, nil
	})
}
