// Package pki makes the certificates of operations ports: one authority for the whole installation, and short-lived
// certificates that it signs. It is pure but for the random bytes that it is given.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
)

const (
	// authorityLife is how long an authority is good for.
	authorityLife = 10 * 365 * 24 * time.Hour
	// leafLife is how long a certificate is good for, and leafRenewal how long after it was made it is replaced.
	leafLife    = 90 * 24 * time.Hour
	leafRenewal = 60 * 24 * time.Hour
	// backdate is for clocks that are behind.
	backdate = time.Hour
)

// Pair is a certificate and its key, both PEM.
type Pair struct {
	Certificate, Key []byte
}

// NewAuthority returns a new authority, good for ten years: a certificate that vouches for itself, and its key.
func NewAuthority(random io.Reader, now time.Time) (Pair, error) {
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "cx-operator endpoints"},
		IsCA:     true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, MaxPathLenZero: true,
		NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityLife),
	}
	return issue(random, template, nil, nil)
}

// Issue returns a certificate for servers of these names, good for 90 days, signed by the authority.
func (p Pair) Issue(random io.Reader, now time.Time, names []string) (Pair, error) {
	if len(names) == 0 {
		return Pair{}, errors.New("a certificate needs a name")
	}
	parent, key, err := p.parse()
	if err != nil {
		return Pair{}, fmt.Errorf("read the authority: %w", err)
	}
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "cx-operator"}, // clients look at the names below; a common name has at most 64 characters
		DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		NotBefore:             now.Add(-backdate), NotAfter: now.Add(leafLife),
	}
	return issue(random, template, parent, key)
}

// issue signs a template by its parent, or by itself where there is none.
func issue(random io.Reader, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return Pair{}, fmt.Errorf("make a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(random, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return Pair{}, fmt.Errorf("make a serial number: %w", err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	certificate, err := x509.CreateCertificate(random, template, parent, key.Public(), parentKey)
	if err != nil {
		return Pair{}, fmt.Errorf("sign a certificate: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("write a key: %w", err)
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	}, nil
}

// RenewAt returns when a certificate should be replaced: 60 days after it was made, a month before it ends.
func (p Pair) RenewAt() (time.Time, error) {
	certificate, _, err := p.parse()
	if err != nil {
		return time.Time{}, err
	}
	return certificate.NotAfter.Add(leafRenewal - leafLife), nil
}

// Fits says whether a certificate can go on to be used: the authority vouches for it, now and until it is to be replaced, it
// has all these names, and the key is its own.
func (p Pair) Fits(authority Pair, names []string, now time.Time) bool {
	certificate, _, err := p.parse()
	if err != nil {
		return false
	}
	root, _, err := authority.parse()
	if err != nil {
		return false
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err != nil {
		return false
	}
	renewal := certificate.NotAfter.Add(leafRenewal - leafLife)
	missing := slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(certificate.DNSNames, name) })
	return now.Before(renewal) && !missing
}

// parse returns the certificate and its key, which must belong together.
func (p Pair) parse() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(p.Certificate)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, nil, errors.New("no certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read a certificate: %w", err)
	}
	if block, _ = pem.Decode(p.Key); block == nil || block.Type != "PRIVATE KEY" {
		return nil, nil, errors.New("no key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read a key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, errors.New("the key is not the certificate's")
	}
	return certificate, key, nil
}
