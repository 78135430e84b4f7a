package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Option changes how the API server of a package starts.
type Option func(server *envtest.APIServer) error

// Aggregation lets APIServices point to servers of the test: the API server then has a certificate by which it vouches for
// users in headers, with its authority and key in a folder that exists. A Service of type ExternalName reaches localhost.
func Aggregation(dir string) Option {
	return func(server *envtest.APIServer) error {
		if err := frontProxy(dir); err != nil {
			return fmt.Errorf("making the front proxy's certificate: %w", err)
		}
		for flag, value := range map[string]string{
			"requestheader-client-ca-file": filepath.Join(dir, "ca.crt"), "requestheader-allowed-names": "front-proxy-client",
			"requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group",
			"requestheader-extra-headers-prefix": "X-Remote-Extra-",
			"proxy-client-cert-file":             filepath.Join(dir, "client.crt"), "proxy-client-key-file": filepath.Join(dir, "client.key"),
		} {
			server.Configure().Set(flag, value)
		}
		return nil
	}
}

// Audit has the API server write who did what to files of a folder that exists: one line of JSON for each request, without
// bodies, in audit.log.
func Audit(dir string) Option {
	return func(server *envtest.APIServer) error {
		policy := filepath.Join(dir, "audit-policy.yaml")
		text := "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
		if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
			return err
		}
		server.Configure().Set("audit-policy-file", policy).Set("audit-log-path", filepath.Join(dir, "audit.log"))
		return nil
	}
}

// frontProxy writes an authority (ca.crt) and a client certificate that it signed (client.crt, client.key).
func frontProxy(dir string) error {
	authority, authorityKey, err := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "front-proxy-ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return err
	}
	client, key, err := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "front-proxy-client"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, authority, authorityKey)
	if err != nil {
		return err
	}
	keyBytes, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: authority.Raw}, "client.crt": {Type: "CERTIFICATE", Bytes: client.Raw}, "client.key": {Type: "EC PRIVATE KEY", Bytes: keyBytes},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// certify makes a certificate that is good for a day, signed by its parent or by itself.
func certify(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	now := time.Now()
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(now.UnixNano()), now.Add(-time.Hour), now.Add(24*time.Hour)
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, err
}
