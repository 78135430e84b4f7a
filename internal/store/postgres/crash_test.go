package postgres

import (
	"os/exec"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// durable starts a server of the test's own, that writes its files through.
func durable(t *testing.T) *pgtest.Server {
	t.Helper()
	s, err := pgtest.Start(pgtest.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.Log())
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestCrash kills processes that write. Their slots must be free again: there are never two at a time.
func TestCrash(t *testing.T) {
	dsn := newSchema(t, durable(t))
	storetest.Crash(t,
		func(tb storetest.TB) store.Store { return mustOpen(tb, dsn, Options{}) },
		func(series string) *exec.Cmd { return child(series, dsn) })
	if got := ask(t, dsn, `SELECT (count(DISTINCT slot) <= 2)::text FROM rollup`); got != "true" {
		t.Errorf("the slots of processes that died are not taken again: %s", ask(t, dsn, `SELECT max(slot)::text FROM rollup`))
	}
}

// TestOutages kills the server in the middle of thousands of submits, and ends it in the two other ways, and starts it again.
func TestOutages(t *testing.T) {
	server := durable(t)
	s := mustOpen(t, newSchema(t, server), Options{})
	defer mustClose(t, s)
	outage := func(end func() error) func(storetest.TB) {
		return func(tb storetest.TB) {
			if err := end(); err != nil {
				tb.Fatalf("ending the server: %v", err)
			}
			if err := server.Restart(); err != nil {
				tb.Fatalf("starting the server: %v", err)
			}
		}
	}
	storetest.Outages(t, s, outage(server.Kill), outage(server.Immediate), outage(server.Shutdown), outage(server.Kill))
}

func TestImport(t *testing.T) {
	s := mustOpen(t, newSchema(t, server), Options{})
	defer mustClose(t, s)
	storetest.Import(t, s, importSize)
}
