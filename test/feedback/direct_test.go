package feedback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/test/testenv"
)

// selfMade is a certificate of the front proxy's name that nobody vouches for.
func selfMade(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "front-proxy-client"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// TestHeadersAreBelievedOfTheAPIServerOnly asks the server itself, past the cluster's API server.
func TestHeadersAreBelievedOfTheAPIServerOnly(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	s, program := i.open(t, namespace, "stay")
	name := answer(t, s, program, 700, "", "ada@example.org", 48)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(i.authority.Certificate)
	proxy, err := tls.LoadX509KeyPair(filepath.Join(folder, "client.crt"), filepath.Join(folder, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := testenv.New(t)
	admin, err := tls.X509KeyPair(cfg.CertData, cfg.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	i.grant(t, "viewer", namespace, rule("cases", "get", "list"))
	ask := func(certificate *tls.Certificate, user, token string) int {
		config := &tls.Config{RootCAs: trusted, ServerName: serviceName + "." + systemNamespace + ".svc", MinVersion: tls.VersionTLS12}
		if certificate != nil {
			config.Certificates = []tls.Certificate{*certificate}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+i.address+contactPath(namespace, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.Header.Set("X-Remote-User", user)
			r.Header.Set("X-Remote-Group", "system:masters")
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		transport := &http.Transport{TLSClientConfig: config}
		defer transport.CloseIdleConnections()
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	forged := selfMade(t)
	for _, c := range []struct {
		what        string
		certificate *tls.Certificate
		user, token string
		want        int
	}{
		{"nobody", nil, "", "", http.StatusUnauthorized},
		{"a header without a certificate", nil, "admin", "", http.StatusUnauthorized},
		{"a header with a certificate that nobody vouches for", &forged, "admin", "", http.StatusUnauthorized},
		{"a token that is none", nil, "", strings.Repeat("t", 40), http.StatusUnauthorized},
		{"the API server for an administrator", &proxy, "admin", "", http.StatusOK},
		{"an administrator's own certificate", &admin, "", "", http.StatusOK},
	} {
		if got := ask(c.certificate, c.user, c.token); got != c.want {
			t.Errorf("%s: status %d, want %d", c.what, got, c.want)
		}
	}
}

// TestLimits: a body that is too large is refused before it is read to its end.
func TestLimits(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	s, program := i.open(t, namespace, "stay")
	name := answer(t, s, program, 800, "", "ada@example.org", 48)
	client := i.kube.Discovery().RESTClient()
	body := `{"spec":{"note":"` + strings.Repeat("n", 2<<20) + `"}}`
	result := client.Patch("application/merge-patch+json").AbsPath("/apis/feedback.cx-operator.io/v1alpha1/namespaces/" + namespace + "/cases/" + name).
		Body([]byte(body)).MaxRetries(0).Do(t.Context())
	var code int
	if result.StatusCode(&code); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 2 MiB: status %d, %v", code, result.Error())
	}
}
