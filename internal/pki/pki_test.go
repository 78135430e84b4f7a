package pki

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day   = 24 * time.Hour
	names = []string{"flights-endpoint.sfo.svc", "flights-endpoint", "endpoint.cx-operator.internal"}
)

func authority(t *testing.T) Pair {
	t.Helper()
	a, err := NewAuthority(rand.Reader, start)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issued(t *testing.T, a Pair, at time.Time) Pair {
	t.Helper()
	leaf, err := a.Issue(rand.Reader, at, names)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func certificateOf(t *testing.T, p Pair) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(p.Certificate)
	if block == nil || len(rest) > 0 {
		t.Fatal("not one certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestTheChainVerifies(t *testing.T) {
	a := authority(t)
	leaf := certificateOf(t, issued(t, a, start))
	if diff := cmp.Diff(names, leaf.DNSNames); diff != "" {
		t.Errorf("names: %s", diff)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.Certificate)
	for name, c := range map[string]struct {
		host string
		at   time.Time
		ok   bool
	}{
		"now":                   {names[0], start, true},
		"another of its names":  {names[2], start, true},
		"a clock behind":        {names[0], start.Add(-30 * time.Minute), true},
		"before it":             {names[0], start.Add(-2 * time.Hour), false},
		"at its end":            {names[0], start.Add(90 * day), true},
		"after its end":         {names[0], start.Add(90*day + time.Second), false},
		"a name it has not got": {"other.sfo.svc", start, false},
	} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: c.host, CurrentTime: c.at})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := certificateOf(t, a)
	if !root.IsCA || !root.NotAfter.Equal(start.Add(10*365*day)) || leaf.IsCA {
		t.Errorf("authority: CA %v until %v; leaf: CA %v", root.IsCA, root.NotAfter, leaf.IsCA)
	}
}

// A leaf must not be good for vouching for others.
func TestALeafIssuesNothing(t *testing.T) {
	a := authority(t)
	leaf := issued(t, a, start)
	second, err := leaf.Issue(rand.Reader, start, names)
	if err != nil {
		return // it need not even be made
	}
	if second.Fits(a, names, start) {
		t.Error("a certificate that a leaf signed is taken")
	}
}

func TestFits(t *testing.T) {
	a, other := authority(t), authority(t)
	leaf := issued(t, a, start)
	mixed := Pair{Certificate: leaf.Certificate, Key: issued(t, a, start).Key}
	for name, c := range map[string]struct {
		pair, authority Pair
		names           []string
		at              time.Time
		want            bool
	}{
		"new":                   {leaf, a, names, start, true},
		"fewer names":           {leaf, a, names[:1], start, true},
		"before renewal":        {leaf, a, names, start.Add(60*day - time.Second), true},
		"at renewal":            {leaf, a, names, start.Add(60 * day), false},
		"after its end":         {leaf, a, names, start.Add(91 * day), false},
		"before it":             {leaf, a, names, start.Add(-2 * time.Hour), false},
		"another authority":     {leaf, other, names, start, false},
		"a name more":           {leaf, a, append([]string{"more"}, names...), start, false},
		"another's key":         {mixed, a, names, start, false},
		"nothing":               {Pair{}, a, names, start, false},
		"no authority":          {leaf, Pair{}, names, start, false},
		"no key":                {Pair{Certificate: leaf.Certificate}, a, names, start, false},
		"no PEM":                {Pair{Certificate: []byte("x"), Key: leaf.Key}, a, names, start, false},
		"a broken certificate":  {Pair{Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), Key: leaf.Key}, a, names, start, false},
		"a key of another kind": {Pair{Certificate: leaf.Certificate, Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})}, a, names, start, false},
	} {
		if got := c.pair.Fits(c.authority, c.names, c.at); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestRenewAt(t *testing.T) {
	at, err := issued(t, authority(t), start).RenewAt()
	if err != nil || !at.Equal(start.Add(60*day)) {
		t.Errorf("%v, %v; want 60 days", at, err)
	}
	if _, err := (Pair{}).RenewAt(); err == nil {
		t.Error("nothing has a time of renewal")
	}
}

func TestWhatCannotBeIssued(t *testing.T) {
	if _, err := authority(t).Issue(rand.Reader, start, nil); err == nil {
		t.Error("a certificate for nobody")
	}
	if _, err := (Pair{}).Issue(rand.Reader, start, names); err == nil {
		t.Error("nobody signed")
	}
}

func TestSerialNumbersDiffer(t *testing.T) {
	a := authority(t)
	first, second := certificateOf(t, issued(t, a, start)), certificateOf(t, issued(t, a, start))
	if first.SerialNumber.Cmp(second.SerialNumber) == 0 || first.SerialNumber.Sign() <= 0 {
		t.Errorf("%v and %v", first.SerialNumber, second.SerialNumber)
	}
}

// A server with such a certificate is taken by a client that trusts the authority, and by no other.
func TestAHandshake(t *testing.T) {
	now := time.Now()
	a, err := NewAuthority(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := issued(t, a, now)
	certificate, err := tls.X509KeyPair(leaf.Certificate, leaf.Key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, connection) // the handshake, and whatever the client says until it hangs up
			_ = connection.Close()
		}
	}()
	dial := func(trusted []byte) error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(trusted)
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: names[2], MinVersion: tls.VersionTLS12}}
		connection, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err == nil {
			err = connection.Close()
		}
		return err
	}
	if err := dial(a.Certificate); err != nil {
		t.Errorf("the authority's clients: %v", err)
	}
	var unknown x509.UnknownAuthorityError
	if err := dial(authority(t).Certificate); !errors.As(err, &unknown) {
		t.Errorf("another authority's clients: %v", err)
	}
}
