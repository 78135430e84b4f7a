//go:build linux && e2e

package cluster

import (
	"path/filepath"
	"testing"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/test/pgtest"
	"github.com/cx-operator/cx-operator/test/proxy"
)

// Postgres is a PostgreSQL server on the machine's end of the cable to the node, with a proxy before it that can be slow.
type Postgres struct {
	*pgtest.Server
	// Proxy is how pods reach the server.
	Proxy *proxy.Proxy
	// URI is what pods connect to.
	URI string
}

// StartPostgres starts a server for a test, after the node.
func StartPostgres(t *testing.T) *Postgres {
	t.Helper()
	const password, port = "e2e", "5432"
	// Durable: what is acknowledged must survive the server's end.
	server, err := pgtest.Start(pgtest.Options{Durable: true, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	between, err := proxy.Listen(t.Context(), node.HostAddress+":"+port, "unix", filepath.Join(server.Socket(), ".s.PGSQL."+port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := between.Close(); err != nil {
			t.Error(err)
		}
	})
	uri := "postgres://postgres:" + password + "@" + between.Address() + "/postgres?sslmode=disable"
	return &Postgres{Server: server, Proxy: between, URI: uri}
}
