package cli

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// Replicas that start at once agree on one authority and one token, and another start keeps both.
func TestShare(t *testing.T) {
	c, err := client.New(testenv.New(t), client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	namespace := testenv.Namespace(t)
	all := make([]*shared, 4)
	var starts sync.WaitGroup
	for i := range all {
		starts.Go(func() {
			var err error
			if all[i], err = share(t.Context(), c, namespace); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, s := range all[1:] {
		if string(s.authority.Key) != string(all[0].authority.Key) || s.scrapeHash != all[0].scrapeHash {
			t.Error("two replicas differ")
		}
	}
	key := func(name string) client.ObjectKey { return client.ObjectKey{Namespace: namespace, Name: name} }
	scrape, published := &corev1.Secret{}, &corev1.ConfigMap{}
	if err := c.Get(t.Context(), key("cx-operator-scrape"), scrape); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(scrape.Data["token"]); len(scrape.Data["token"]) < 26 || all[0].scrapeHash != hex.EncodeToString(sum[:]) {
		t.Errorf("a token of %d characters, or another's hash", len(scrape.Data["token"]))
	}
	if err := c.Get(t.Context(), key("cx-operator-endpoints-ca"), published); err != nil {
		t.Fatal(err)
	}
	if published.Data["ca.crt"] != string(all[0].authority.Certificate) || len(published.Data) != 1 {
		t.Errorf("published %q", published.Data)
	}
	published.Data["ca.crt"] = "nonsense"
	if err := c.Update(t.Context(), published); err != nil {
		t.Fatal(err)
	}
	again, err := share(t.Context(), c, namespace)
	if err != nil || string(again.authority.Certificate) != string(all[0].authority.Certificate) {
		t.Fatalf("another start: %v", err)
	}
	if err := c.Get(t.Context(), key("cx-operator-endpoints-ca"), published); err != nil || published.Data["ca.crt"] != string(again.authority.Certificate) {
		t.Errorf("not published again: %v %q", err, published.Data)
	}

	authority := &corev1.Secret{}
	if err := c.Get(t.Context(), key("cx-operator-endpoints-ca"), authority); err != nil {
		t.Fatal(err)
	}
	authority.Data["tls.key"] = []byte("nonsense")
	if err := c.Update(t.Context(), authority); err != nil {
		t.Fatal(err)
	}
	if _, err := share(t.Context(), c, namespace); err == nil || !strings.Contains(err.Error(), namespace+"/cx-operator-endpoints-ca has no authority") {
		t.Errorf("an authority that is none: %v", err)
	}
}

// The manager's certificate is of the authority, has its names, and is renewed in time.
func TestOwnCertificate(t *testing.T) {
	c, err := client.New(testenv.New(t), client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := share(t.Context(), c, testenv.Namespace(t))
	if err != nil {
		t.Fatal(err)
	}
	own := newOwnCertificate(s.authority, "system")
	now := time.Now()
	own.clock = func() time.Time { return now }
	get := func() *tls.Certificate {
		t.Helper()
		certificate, err := own.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	first := get()
	leaf, err := x509.ParseCertificate(first.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cx-operator.system.svc", "manager.cx-operator.internal"} {
		if !slices.Contains(leaf.DNSNames, name) {
			t.Errorf("names %v lack %s", leaf.DNSNames, name)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.authority.Certificate)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "manager.cx-operator.internal"}); err != nil {
		t.Error(err)
	}
	if now = now.Add(59 * 24 * time.Hour); get() != first {
		t.Error("renewed too early")
	}
	if now = now.Add(2 * 24 * time.Hour); get() == first {
		t.Error("not renewed")
	}
}

func TestUnauthorized(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		text   string
	}{
		"a token that is none": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Authentication failed", http.StatusInternalServerError)
		}, 401, "Unauthorized\n"},
		"another fault": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "gathering failed", http.StatusInternalServerError)
		}, 500, "gathering failed\n"},
		"a fault without a word":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 500, ""},
		"who may not":             {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, 403, "no\n"},
		"metrics":                 {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Authentication failed 1")) }, 200, "Authentication failed 1"},
		"metrics, in many pieces": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a")); _, _ = w.Write([]byte("b")) }, 200, "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRecorder()
			unauthorized(c.answer).ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			if r.Code != c.status || r.Body.String() != c.text {
				t.Errorf("%d %q, want %d %q", r.Code, r.Body, c.status, c.text)
			}
		})
	}
}
