package postgres

import (
	"cmp"
	"context"
	"flag"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]Options{
		"default": {},
		"small":   {QueueLength: 40, BatchSize: 16, PoolSize: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "small" {
				fewerModels(t)
			}
			storetest.Run(t, func(t *testing.T) storetest.Harness { return newHarness(t, o) })
		})
	}
}

// fewerModels has the model of the suite played some times, and not a hundred: once is enough for that.
func fewerModels(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if err := checks.Value.Set("15"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
}

func newHarness(t *testing.T, o Options) storetest.Harness {
	dsn := newSchema(t, server)
	return storetest.Harness{
		Open:   func(tb storetest.TB) store.Store { return mustOpen(tb, dsn, o) },
		Queue:  cmp.Or(o.QueueLength, commit.DefaultQueueLength),
		Hold:   func(tb storetest.TB) func() { return hold(tb, dsn) },
		Damage: func(tb storetest.TB, program store.Key) { damage(tb, dsn, program) },
		Keeps:  func(tb storetest.TB, r store.Response) bool { return keeps(tb, dsn, r) },
	}
}

// hold locks what every commit writes to, for writers only.
func hold(tb storetest.TB, dsn string) (release func()) {
	tb.Helper()
	conn := connect(tb, dsn)
	mustExec(tb, conn, "BEGIN")
	mustExec(tb, conn, "LOCK TABLE submission IN EXCLUSIVE MODE")
	return func() {
		tb.Helper()
		mustExec(tb, conn, "ROLLBACK")
		hangUp(tb, conn)
	}
}

func damage(tb storetest.TB, dsn string, program store.Key) {
	tb.Helper()
	conn := connect(tb, dsn)
	mustExec(tb, conn, `UPDATE rollup SET n = n + 1 WHERE ctid = (
		SELECT rollup.ctid FROM rollup JOIN program ON program.id = rollup.program WHERE namespace = $1 AND name = $2 LIMIT 1
	)`, program.Namespace, program.Name)
	hangUp(tb, conn)
}

// keeps looks at every column of identities and bytes.
func keeps(tb storetest.TB, dsn string, r store.Response) (found bool) {
	tb.Helper()
	conn := connect(tb, dsn)
	err := conn.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM submission WHERE id = $1::uuid OR digest = $2)
		OR EXISTS (SELECT FROM response WHERE submission = $1) OR EXISTS (SELECT FROM answer WHERE submission = $1)
		OR EXISTS (SELECT FROM erased WHERE id IN (uuid_send($1), $2) OR digest IN (uuid_send($1), $2))
		OR EXISTS (SELECT FROM visit WHERE id = $1)
		OR EXISTS (SELECT FROM customer_case WHERE submission = $1)`, r.ID, r.Digest[:]).Scan(&found)
	if err != nil {
		tb.Fatalf("looking for a response: %v", err)
	}
	hangUp(tb, conn)
	return found
}
