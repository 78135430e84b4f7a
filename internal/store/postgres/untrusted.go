package postgres

import (
	"crypto/tls"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// longestConnect bounds the time that an untrusted URI may give an attempt to connect.
const longestConnect = 30 * time.Second

// parameters are what an untrusted URI may have after its question mark: nothing that names a file, and nothing that is not
// about the connection.
var parameters = []string{
	"channel_binding", "connect_timeout", "dbname", "host", "password", "port", "require_auth", "sslmode", "sslnegotiation",
	"sslsni", "target_session_attrs", "user",
}

// refusal is an error whose text is the same each time and shows nothing that is secret.
type refusal string

func (r refusal) Error() string { return string(r) }

var (
	errNoURI = refusal("the connection URI is not understood: it must read postgres://USER:PASSWORD@HOST:PORT/DATABASE, with " +
		"what is neither letter nor digit percent-encoded")
	errParameters = refusal("the connection URI may have no other parameters than " + strings.Join(parameters, ", "))
	errValues     = refusal("the connection URI is not understood: a port or the value of a parameter is none that PostgreSQL knows")
)

// parseUntrusted reads a URI that may be anything. What the parsers say of it is dropped: they quote what they do not
// understand, and that may be a part of the password.
func parseUntrusted(dsn string) (*pgxpool.Config, error) {
	u, query, err := splitURI(dsn)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errValues
	}
	c := &config.ConnConfig.Config
	// Not the process's own, of its environment or home: a stranger's server would be told.
	c.Password, _ = u.User.Password()
	if query.Has("password") {
		c.Password = query.Get("password")
	}
	dropCertificates(c)
	c.ConnectTimeout = min(c.ConnectTimeout, longestConnect)
	return config, nil
}

func splitURI(dsn string) (*url.URL, url.Values, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" || u.Fragment != "" {
		return nil, nil, errNoURI
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, errNoURI
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			return nil, nil, errParameters
		}
	}
	if u.Host == "" && query.Get("host") == "" {
		return nil, nil, errNoURI
	}
	return u, query, nil
}

func dropCertificates(c *pgconn.Config) {
	if c.TLSConfig != nil {
		c.TLSConfig.Certificates = nil
	}
	for _, f := range c.Fallbacks {
		if f.TLSConfig != nil {
			f.TLSConfig.Certificates = nil
		}
	}
}

// Explain says in one sentence why a store could not be opened, without a name or figure that changes from one attempt to
// the next, and without anything secret.
func Explain(err error) string {
	var told refusal
	var certificate *tls.CertificateVerificationError
	var e *pgconn.PgError
	switch {
	case errors.As(err, &told):
		return told.Error()
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted, or is another server's"
	case !errors.As(err, &e):
		return "the server cannot be reached"
	}
	if text, ok := explanations[e.Code]; ok {
		return text
	}
	return "the server answers with the error " + e.Code
}

var explanations = map[string]string{
	"28P01": "the server refuses the user or the password",
	"28000": "the server refuses the user, or the way in which it connects",
	"3D000": "the server has no such database",
	"42501": "the user lacks a permission: it must be allowed to make a schema in the database, or own the store's",
	"53300": "the server has no connection left",
	"57P03": "the server is starting",
	"53100": "the server's disk is full",
	"25006": "the server takes no changes: it is a standby, or read-only",
	"55P03": "another session holds a lock on the tables for too long",
}
