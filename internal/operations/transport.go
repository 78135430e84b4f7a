package operations

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// dialTimeout bounds a connection until TLS stands.
	dialTimeout = 10 * time.Second
	// keptIdle is how long a connection is kept without a call.
	keptIdle = time.Minute
)

// errNoAuthority says that nothing tells which endpoints to trust.
var errNoAuthority = errors.New("there is no certificate authority for endpoints yet")

// NewTransport returns a transport that trusts the authorities whose certificates in PEM authority returns, as they are at
// each new connection, and nobody else. One transport serves the clients of many endpoints, with a connection or two each, and a few where people
// work on many cases at once.
func NewTransport(authority func() []byte) *http.Transport {
	d := &dialer{authority: authority, net: net.Dialer{Timeout: dialTimeout}}
	return &http.Transport{
		DialTLSContext: d.dial, MaxIdleConnsPerHost: 1, MaxConnsPerHost: 6, IdleConnTimeout: keptIdle,
		ResponseHeaderTimeout: pollTimeout, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
	}
}

// dialer connects by TLS.
type dialer struct {
	authority func() []byte
	net       net.Dialer

	mu   sync.Mutex
	pem  []byte
	pool *x509.CertPool
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	pool, err := d.trusted()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	// A dialer of tls takes the server's name from the address.
	return (&tls.Dialer{NetDialer: &d.net, Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}).DialContext(ctx, network, address)
}

// trusted returns the authorities, which are parsed again only where they changed.
func (d *dialer) trusted() (*x509.CertPool, error) {
	pem := d.authority()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pool != nil && bytes.Equal(pem, d.pem) {
		return d.pool, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errNoAuthority
	}
	d.pem, d.pool = bytes.Clone(pem), pool
	return pool, nil
}

// unreachableError says why an endpoint gave no answer, without the numbers that change from one try to the next.
type unreachableError struct {
	why   string
	cause error
}

func (e *unreachableError) Error() string { return "the endpoint cannot be reached: " + e.why }

func (e *unreachableError) Unwrap() error { return e.cause }

func unreachable(err error) error {
	return &unreachableError{why: explain(err), cause: err}
}

func explain(err error) string {
	var name *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, errNoAuthority):
		return errNoAuthority.Error()
	case errors.Is(err, context.Canceled):
		return "the call was given up"
	case errors.As(err, &untrusted):
		return "its certificate is not trusted, has expired, or is another's"
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	}
	return "the connection failed"
}
