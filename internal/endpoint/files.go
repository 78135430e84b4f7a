package endpoint

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/render"
)

// The largest files that are read, in bytes. Kubernetes allows ConfigMaps and Secrets of 1 MiB.
const (
	maxSurvey = 2 << 20
	maxSecret = 64 << 10
	maxTLS    = 1 << 20
)

// secrets are the program's tokens, and its store's keys.
type secrets struct {
	tokens     intake.Tokens
	internal   string
	contactKey string
	caseKeys   string
}

// readSecrets reads the tokens and the keys as they are, with every byte: links are signed with them. A file that is missing is
// a token that nobody has.
func readSecrets(tokensDir, keysDir string) (secrets, error) {
	var s secrets
	for _, f := range []struct {
		dir, name string
		into      *string
	}{
		{tokensDir, render.TokenImport, &s.tokens.Import},
		{tokensDir, render.TokenRead, &s.tokens.Read},
		{tokensDir, render.TokenSign, &s.tokens.Sign},
		{tokensDir, render.TokenInternal, &s.internal},
		{keysDir, render.KeyContacts, &s.contactKey},
		{keysDir, render.KeyCases, &s.caseKeys},
	} {
		data, err := readFile(filepath.Join(f.dir, f.name), maxSecret)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return secrets{}, fmt.Errorf("read the token %s: %w", f.name, err)
		}
		*f.into = string(data)
	}
	return s, nil
}

func readFile(name string, most int64) ([]byte, error) {
	file, err := os.Open(name) //nolint:gosec // files are named by who runs the program
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return data, nil
}

// certificate is that of the operations port, which changes.
type certificate struct {
	dir string

	mu        sync.Mutex
	cert, key []byte
	pair      *tls.Certificate
}

func readCertificate(dir string) (*certificate, error) {
	c := &certificate{dir: dir}
	if err := c.reread(); err != nil {
		return nil, fmt.Errorf("read the certificate of the operations port: %w", err)
	}
	return c, nil
}

// reread takes over a certificate that has changed. One whose key is not its own yet, because the files are being replaced,
// is an error, and leaves the former one.
func (c *certificate) reread() error {
	cert, err := readFile(filepath.Join(c.dir, "tls.crt"), maxTLS)
	if err != nil {
		return err
	}
	key, err := readFile(filepath.Join(c.dir, "tls.key"), maxTLS)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	c.cert, c.key, c.pair = cert, key, &pair
	return nil
}

// config is that of a server with the certificate as it is at each connection.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.pair, nil
	}}
}

// complaints are logged when they are new, not each time. They are for one goroutine.
type complaints struct {
	log  logr.Logger
	last map[string]string
}

// note logs an error under a message, unless the last one under it was the same; nil is the end of it.
func (c *complaints) note(message string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if c.last == nil {
		c.last = map[string]string{}
	}
	if text != "" && text != c.last[message] {
		c.log.Error(err, message)
	}
	c.last[message] = text
}
