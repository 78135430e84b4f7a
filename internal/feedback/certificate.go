package feedback

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"

	"github.com/cx-operator/cx-operator/internal/pki"
)

// Certificate is a server's certificate that an authority signs anew in time. It implements
// dynamiccertificates.CertKeyContentProvider: the server asks for it every minute.
type Certificate struct {
	authority pki.Pair
	names     []string
	clock     func() time.Time
	log       logr.Logger

	mu      sync.Mutex
	current pki.Pair
	renewal time.Time
}

var _ dynamiccertificates.CertKeyContentProvider = (*Certificate)(nil)

// NewCertificate returns a certificate with these names.
func NewCertificate(authority pki.Pair, names []string, clock func() time.Time, log logr.Logger) (*Certificate, error) {
	c := &Certificate{authority: authority, names: names, clock: clock, log: log}
	if err := c.renew(clock()); err != nil {
		return nil, err
	}
	return c, nil
}

// ServiceNames are the names of a Service that servers behind it have certificates for.
func ServiceNames(namespace, name string) []string {
	return []string{name + "." + namespace + ".svc", name + "." + namespace, name + "." + namespace + ".svc.cluster.local"}
}

func (c *Certificate) renew(now time.Time) error {
	pair, err := c.authority.Issue(rand.Reader, now, c.names)
	if err != nil {
		return fmt.Errorf("make the certificate of the feedback API: %w", err)
	}
	renewal, err := pair.RenewAt()
	if err != nil {
		return fmt.Errorf("read the certificate of the feedback API: %w", err)
	}
	c.current, c.renewal = pair, renewal
	return nil
}

// Name implements dynamiccertificates.CertKeyContentProvider.
func (c *Certificate) Name() string { return "feedback" }

// AddListener implements dynamiccertificates.Notifier. Nobody is told: whoever uses the certificate asks every minute.
func (c *Certificate) AddListener(dynamiccertificates.Listener) {}

// CurrentCertKeyContent returns the certificate and key as PEM. The old one goes on while a new one cannot be made.
func (c *Certificate) CurrentCertKeyContent() (certificate, key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); !now.Before(c.renewal) {
		if err := c.renew(now); err != nil {
			c.log.Error(err, "Cannot renew a certificate")
		}
	}
	return c.current.Certificate, c.current.Key
}
