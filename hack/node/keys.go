//go:build linux

package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// users are who calls the API server, with the groups that give them their rights. They are Kubernetes' own names.
var users = map[string]string{
	"admin":                          "system:masters",
	"system:kube-controller-manager": "",
	"system:kube-scheduler":          "",
	"system:kube-proxy":              "",
	"system:node:" + Name:            "system:nodes",
}

// keys are the secrets of the cluster, new at each start, as files.
type keys struct {
	tokens          map[string]string // by user
	tokenFile       string
	serviceAccounts string // the key that signs tokens of ServiceAccounts
	kubeletClient   string // certificate and key by which kubelet knows the API server
	kubeletClientCA string
	frontProxy      string // certificate and key by which aggregated APIs know the API server
	frontProxyCA    string
}

func makeKeys(folder string, now time.Time) (keys, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return keys{}, fmt.Errorf("making the folder for keys: %w", err)
	}
	k := keys{
		tokens:          map[string]string{},
		tokenFile:       filepath.Join(folder, "tokens.csv"),
		serviceAccounts: filepath.Join(folder, "service-accounts.key"),
		kubeletClient:   filepath.Join(folder, "kubelet-client.pem"),
		kubeletClientCA: filepath.Join(folder, "kubelet-client-ca.pem"),
		frontProxy:      filepath.Join(folder, "front-proxy.pem"),
		frontProxyCA:    filepath.Join(folder, "front-proxy-ca.pem"),
	}
	var lines strings.Builder
	for user, group := range users {
		k.tokens[user] = rand.Text()
		fmt.Fprintf(&lines, "%s,%s,%s,%q\n", k.tokens[user], user, user, group)
	}
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keys{}, fmt.Errorf("making the key for ServiceAccounts: %w", err)
	}
	accountsPEM, err := keyPEM(accounts)
	if err != nil {
		return keys{}, err
	}
	err = errors.Join(
		os.WriteFile(k.tokenFile, []byte(lines.String()), 0o600),
		os.WriteFile(k.serviceAccounts, accountsPEM, 0o600),
		// With it the API server may do everything at kubelet.
		certify(k.kubeletClientCA, k.kubeletClient, pkix.Name{CommonName: "kube-apiserver", Organization: []string{"system:masters"}}, now),
		// With it the API server says in headers who asks.
		certify(k.frontProxyCA, k.frontProxy, pkix.Name{CommonName: frontProxyName}, now),
	)
	return k, err
}

// frontProxyName is what the API server calls itself to aggregated APIs.
const frontProxyName = "front-proxy-client"

// certify writes an authority, and a client certificate by it with its key. The authority's key is forgotten.
func certify(authorityFile, clientFile string, subject pkix.Name, now time.Time) error {
	authority, client, err := clientCertificate(subject, now)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(authorityFile, authority, 0o600), os.WriteFile(clientFile, client, 0o600))
}

func clientCertificate(subject pkix.Name, now time.Time) (authority, client []byte, err error) {
	const valid = 7 * 24 * time.Hour
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cx-node-" + subject.CommonName + "-ca"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making an authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: subject,
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making a certificate: %w", err)
	}
	private, err := keyPEM(key)
	if err != nil {
		return nil, nil, err
	}
	return certificatePEM(caDER), append(certificatePEM(leafDER), private...), nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// kubeconfig writes how a user reaches the API server.
func (k keys) kubeconfig(file, user, server string, authority []byte) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[Name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[Name] = &clientcmdapi.AuthInfo{Token: k.tokens[user]}
	config.Contexts[Name] = &clientcmdapi.Context{Cluster: Name, AuthInfo: Name}
	config.CurrentContext = Name
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
	}
	return os.WriteFile(file, content, 0o600)
}
