package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cx-operator/cx-operator/test/pgtest"
)

// TestUntrustedRefuses wants nothing taken that would read a file or is no URI, and no error to show what was given.
func TestUntrustedRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		dsn  string
		want error
	}{
		"empty":                 {"", errNoURI},
		"words":                 {"host=db password=hunter2", errNoURI},
		"another scheme":        {"mysql://me:hunter2@db/x", errNoURI},
		"no slashes":            {"postgres:me:hunter2@db", errNoURI},
		"an unescaped slash":    {"postgres://me:hunter2/a@db/x", errNoURI},
		"an unescaped question": {"postgres://me:hunter2?a@db/x", errNoURI},
		"an unescaped hash":     {"postgres://me:hunter2#a@db/x", errNoURI},
		"a bad escape":          {"postgres://me:hunter2%zz@db/x", errNoURI},
		"a bad query":           {"postgres://db/x?password=hunter2;a", errNoURI},
		"no host":               {"postgres:///hunter2", errNoURI},
		"a bad port":            {"postgres://me:hunter2@db:99999/x", errValues},
		"a bad value":           {"postgres://me:hunter2@db/x?sslmode=maybe", errValues},
		"a file of passwords":   {"postgres://db/x?passfile=/hunter2", errParameters},
		"a service":             {"postgres://db/x?service=hunter2", errParameters},
		"a file of services":    {"postgres://db/x?servicefile=/hunter2", errParameters},
		"a certificate":         {"postgres://db/x?sslcert=/hunter2", errParameters},
		"a key":                 {"postgres://db/x?sslkey=/hunter2", errParameters},
		"a root certificate":    {"postgres://db/x?sslrootcert=/dev/zero", errParameters},
		"another schema":        {"postgres://db/x?search_path=hunter2", errParameters},
		"options":               {"postgres://db/x?options=-c%20hunter2", errParameters},
		"a pool":                {"postgres://db/x?pool_health_check_period=1ns&password=hunter2", errParameters},
		"two names for one":     {"postgres://db/x?database=hunter2", errParameters},
	} {
		_, err := Open(context.Background(), c.dsn, Options{Untrusted: true})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got := Explain(err); got != c.want.Error() {
			t.Errorf("%s is explained as %q", name, got)
		}
	}
}

// TestUntrustedIsTold nothing of the process's own: neither its password nor its certificate.
func TestUntrustedIsTold(t *testing.T) {
	for name, value := range map[string]string{
		"PGPASSWORD": "own", "PGUSER": "own", "PGCONNECT_TIMEOUT": "3600", "PGHOST": "own",
	} {
		t.Setenv(name, value)
	}
	for dsn, password := range map[string]string{
		"postgres://me@db.example/x?sslmode=prefer":                  "",
		"postgresql://me:theirs@a.example:1,b.example:2/x":           "theirs",
		"postgres://a.example/x?user=me&password=theirs&dbname=y":    "theirs",
		"postgres:///x?user=me&host=/run/postgres&port=5433":         "",
		"postgres://me:th%65irs@[::1]/x?target_session_attrs=any":    "theirs",
		"postgres://me:theirs@a.example/x?sslmode=verify-full":       "theirs",
		"postgres://me@a.example/x?password=&connect_timeout=100000": "",
	} {
		config, err := parse(dsn, Options{Untrusted: true, Schema: `we"ird`})
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		c := config.ConnConfig
		if c.Password != password || c.User != "me" || c.Host == "own" || c.ConnectTimeout > longestConnect || c.ConnectTimeout < time.Second {
			t.Errorf("%s: user %q, password %q, host %q, timeout %s", dsn, c.User, c.Password, c.Host, c.ConnectTimeout)
		}
		if got := c.RuntimeParams["search_path"]; got != `"we""ird"` {
			t.Errorf("search_path %s", got)
		}
		for _, f := range append(c.Fallbacks, &pgconn.FallbackConfig{TLSConfig: c.TLSConfig}) {
			if f.TLSConfig != nil && (len(f.TLSConfig.Certificates) > 0 || f.TLSConfig.GetClientCertificate != nil) {
				t.Errorf("%s: %s is shown a certificate", dsn, f.Host)
			}
		}
	}
}

// FuzzUntrusted wants no error to show a password, however it is mangled, and no panic.
func FuzzUntrusted(f *testing.F) {
	for _, seed := range []string{"%s", "a%s", "%s/b", "%s@x", "?%s", "x:%s", "#%s", "%s;&%s", "%s%%", "@%s:1"} {
		f.Add(strings.ReplaceAll(seed, "%s", "hunter2"), "host")
	}
	f.Fuzz(func(t *testing.T, password, host string) {
		const secret = "hunter2"
		_, err := parse("postgres://me:"+secret+password+"@"+host+"/x", Options{Untrusted: true})
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	})
}

func TestExplain(t *testing.T) {
	code := func(c string) error { return fmt.Errorf("postgres: %w", &pgconn.PgError{Code: c, Message: "volatile"}) }
	for want, err := range map[string]error{
		"refuses the user or the password": code("28P01"),
		"no such database":                 code("3D000"),
		"lacks a permission":               code("42501"),
		"the error XX000":                  code("XX000"),
		"cannot be reached":                errors.New("dial tcp 10.1.2.3:5432: connection refused"),
		"is not trusted":                   fmt.Errorf("tls: %w", &tls.CertificateVerificationError{Err: errors.New("volatile")}),
		"at least 13":                      fmt.Errorf("postgres: %w", refusal("at least 13")),
	} {
		if got := Explain(err); !strings.Contains(got, want) || strings.Contains(got, "volatile") || strings.Contains(got, "10.1.2.3") {
			t.Errorf("%v is explained as %q, want %q", err, got, want)
		}
	}
}

// TestWrongPassword has a server ask for one, and shows it nowhere.
func TestWrongPassword(t *testing.T) {
	const password = "it's s3cret"
	server, err := pgtest.Start(pgtest.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	o := Options{Untrusted: true, Schema: "cx"}
	s := mustOpen(t, server.DSN(nil), o)
	mustAppend(t, s, answered(1, "1"))
	mustClose(t, s)
	_, err = Open(context.Background(), pgtest.DSN(server.Socket(), map[string]string{"password": "wr0ng"}), o)
	if err == nil || !strings.Contains(Explain(err), "refuses the user or the password") || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("Open with another password: %v", err)
	}
	if err := server.Shutdown(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(context.Background(), server.DSN(nil), o)
	if err == nil || !strings.Contains(Explain(err), "cannot be reached") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Open of a server that is down: %v", err)
	}
}

// TestSchemas has several stores in one database, which know nothing of each other, and makes each schema once.
func TestSchemas(t *testing.T) {
	n := fmt.Sprint(schemas.Add(1))
	long := `cx_a-b.c"d_0123456789_0123456789_0123456789_0123456789_` + strings.Repeat("x", 63-55-len(n)) + n
	names := []string{"cx_a" + n, "cx_A" + n, long}
	for i, name := range names {
		stores := make([]*Store, 3)
		var group sync.WaitGroup
		for w := range stores {
			group.Go(func() { stores[w] = mustOpen(t, server.DSN(nil), Options{Schema: name}) })
		}
		group.Wait()
		for w, s := range stores {
			if i > 0 {
				wantKept(t, s, w)
			}
			mustAppend(t, s, answered(w, "1"))
		}
		for _, s := range stores {
			mustClose(t, s)
		}
	}
	if got := ask(t, server.DSN(nil), `SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'cx\_%' || `+n); got != strings.Join([]string{names[1], long, names[0]}, " ") {
		t.Errorf("schemas %s", got)
	}
}

// TestSchemaOfSomebodyElse is made by an administrator for a user who may make none.
func TestSchemaOfSomebodyElse(t *testing.T) {
	conn := connect(t, server.DSN(nil))
	poor := fmt.Sprint("poor", schemas.Add(1))
	mustExec(t, conn, `CREATE ROLE `+poor+` LOGIN`)
	defer hangUp(t, conn)
	dsn := strings.Replace(server.DSN(nil), "user=postgres", "user="+poor, 1)
	o := Options{Schema: "cx_" + poor, Untrusted: true}
	if _, err := Open(context.Background(), dsn, o); err == nil || !strings.Contains(Explain(err), "lacks a permission") {
		t.Errorf("Open by who may not make the schema: %v", err)
	}
	mustExec(t, conn, `CREATE SCHEMA cx_`+poor)
	if _, err := Open(context.Background(), dsn, o); err == nil || !strings.Contains(Explain(err), "that the user may use") {
		t.Errorf("Open by who may not use the schema: %v", err)
	}
	mustExec(t, conn, `ALTER SCHEMA cx_`+poor+` OWNER TO `+poor)
	s := mustOpen(t, dsn, o)
	mustAppend(t, s, answered(1, "1"))
	mustClose(t, s)
}
