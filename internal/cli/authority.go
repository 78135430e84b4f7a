package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/pki"
)

// Names in the operator's namespace of what all Dedicated endpoints share.
const (
	// authorityName is that of the Secret with the authority's certificate and key, and of the ConfigMap with its certificate
	// alone, which Prometheus reads.
	authorityName = "cx-operator-endpoints-ca"
	// authorityKey is the ConfigMap's key.
	authorityKey = "ca.crt"
	// scrapeName is that of the Secret with the token by which the metrics of all endpoints may be read.
	scrapeName = "cx-operator-scrape"
	// scrapeKey is its key.
	scrapeKey = "token"
	// managerName and managerHost are names of the manager's own certificate.
	managerName = "cx-operator"
	managerHost = "manager.cx-operator.internal"
)

// namespaceFile holds the namespace of a pod that has a service account.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// operatorNamespace returns the namespace that the operator runs in, empty where that cannot be found out.
func operatorNamespace(flag string) string {
	if flag != "" {
		return flag
	}
	if name := os.Getenv("POD_NAMESPACE"); name != "" {
		return name
	}
	name, err := os.ReadFile(namespaceFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// shared is what all Dedicated endpoints of an installation have in common.
type shared struct {
	// namespace that the operator runs in.
	namespace string
	authority pki.Pair
	// scrapeHash is the SHA-256, in hexadecimal, of the scrape token.
	scrapeHash string
}

// share reads what all endpoints have in common from the operator's namespace, and makes what is absent. Replicas that start at
// once agree: whoever comes second takes what the first one made.
func share(ctx context.Context, c client.Client, namespace string) (*shared, error) {
	made, err := keep(ctx, c, namespace, authorityName, corev1.SecretTypeTLS, func() (map[string][]byte, error) {
		pair, err := pki.NewAuthority(rand.Reader, time.Now())
		return map[string][]byte{corev1.TLSCertKey: pair.Certificate, corev1.TLSPrivateKeyKey: pair.Key}, err
	})
	if err != nil {
		return nil, err
	}
	s := &shared{namespace: namespace, authority: pki.Pair{Certificate: made.Data[corev1.TLSCertKey], Key: made.Data[corev1.TLSPrivateKeyKey]}}
	if _, err := s.authority.Issue(rand.Reader, time.Now(), []string{managerHost}); err != nil {
		return nil, fmt.Errorf("the Secret %s/%s has no authority; delete it to have it made anew: %w", namespace, authorityName, err)
	}
	scrape, err := keep(ctx, c, namespace, scrapeName, corev1.SecretTypeOpaque, func() (map[string][]byte, error) {
		return map[string][]byte{scrapeKey: []byte(rand.Text())}, nil
	})
	if err != nil {
		return nil, err
	}
	if len(scrape.Data[scrapeKey]) > 0 {
		sum := sha256.Sum256(scrape.Data[scrapeKey])
		s.scrapeHash = hex.EncodeToString(sum[:])
	}
	return s, publish(ctx, c, namespace, string(s.authority.Certificate))
}

var ownLabels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue}

// keep returns a Secret, which is made where it is absent.
func keep(ctx context.Context, c client.Client, namespace, name string, kind corev1.SecretType, build func() (map[string][]byte, error)) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	current := &corev1.Secret{}
	err := c.Get(ctx, key, current)
	if err == nil {
		return current, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	data, err := build()
	if err != nil {
		return nil, err
	}
	made := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: ownLabels}, Type: kind, Data: data}
	err = c.Create(ctx, made, env.FieldOwner)
	if apierrors.IsAlreadyExists(err) {
		if err := c.Get(ctx, key, current); err != nil {
			return nil, fmt.Errorf("read Secret %s: %w", key, err)
		}
		return current, nil
	}
	if err != nil {
		return nil, fmt.Errorf("make Secret %s: %w", key, err)
	}
	return made, nil
}

// publish sees to it that the authority's certificate can be read by those who may not read its key.
func publish(ctx context.Context, c client.Client, namespace, certificate string) error {
	key := client.ObjectKey{Namespace: namespace, Name: authorityName}
	current := &corev1.ConfigMap{}
	err := c.Get(ctx, key, current)
	switch {
	case apierrors.IsNotFound(err):
		made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: authorityName, Labels: ownLabels}, Data: map[string]string{authorityKey: certificate}}
		err = c.Create(ctx, made, env.FieldOwner)
		if apierrors.IsAlreadyExists(err) {
			return nil // by another replica, with the same certificate
		}
	case err == nil && current.Data[authorityKey] != certificate:
		next := current.DeepCopy()
		if next.Data == nil {
			next.Data = map[string]string{}
		}
		next.Data[authorityKey] = certificate
		err = c.Patch(ctx, next, client.MergeFrom(current), env.FieldOwner)
	}
	if err != nil {
		return fmt.Errorf("publish the authority in ConfigMap %s: %w", key, err)
	}
	return nil
}

// ownCertificate is a server's certificate from the authority, renewed in time. Each process makes its own.
type ownCertificate struct {
	authority pki.Pair
	names     []string
	clock     func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	renewal time.Time
}

// newOwnCertificate returns that of the manager in a namespace.
func newOwnCertificate(authority pki.Pair, namespace string) *ownCertificate {
	return &ownCertificate{
		authority: authority, clock: time.Now,
		names: []string{managerName + "." + namespace + ".svc", managerName + "." + namespace, managerName, managerHost},
	}
}

// get implements tls.Config.GetCertificate.
func (o *ownCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.clock()
	if o.current != nil && now.Before(o.renewal) {
		return o.current, nil
	}
	pair, err := o.authority.Issue(rand.Reader, now, o.names)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of /metrics: %w", err)
	}
	next, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of /metrics: %w", err)
	}
	if o.renewal, err = pair.RenewAt(); err != nil {
		return nil, err
	}
	o.current = &next
	return o.current, nil
}
