package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// The test binary is also the other process of some tests: what it is to do then, and on which database.
const (
	childTask  = "POSTGRES_TEST_CHILD_TASK"
	childDSN   = "POSTGRES_TEST_CHILD_DSN"
	childWaits = "POSTGRES_TEST_CHILD_WAITS"
)

// server is the one that the package's tests share, each with a schema of its own.
var server *pgtest.Server

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(task, os.Getenv(childDSN)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(pgtest.Options{}, func(s *pgtest.Server) int {
		server = s
		// The server's keeper lives as long as the server.
		keeper := goleak.IgnoreCurrent()
		code := m.Run()
		if err := goleak.Find(keeper); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		// What the server undoes for a deadlock's sake is tried again, so that no test would notice.
		if _, after, found := strings.Cut(s.Log(), "deadlock detected"); found {
			fmt.Fprintf(os.Stderr, "processes waited for each other: %.2000s\n", after)
			return 1
		}
		return code
	}))
}

func child(task, dsn string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+task, childDSN+"="+dsn)
	cmd.Stderr = os.Stderr
	return cmd
}

// waitingChild is a child that submits once its standard input is closed.
func waitingChild(task, dsn string) *exec.Cmd {
	cmd := child(task, dsn)
	cmd.Env = append(cmd.Env, childWaits+"=1")
	return cmd
}

// runChild opens the store and submits the series that task names.
func runChild(task, dsn string) error {
	s, err := Open(context.Background(), dsn, Options{})
	if err != nil {
		return err
	}
	if os.Getenv(childWaits) != "" {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
	}
	if err := storetest.Submit(s, task, os.Stdout); err != nil {
		return err
	}
	return s.Close()
}

var schemas atomic.Int64

// newSchema makes an empty schema and returns where it is. On one server, the stores of several schemas must not disturb
// each other.
func newSchema(tb storetest.TB, s *pgtest.Server) string {
	tb.Helper()
	name := fmt.Sprint("t", schemas.Add(1))
	conn := connect(tb, s.DSN(nil))
	mustExec(tb, conn, "CREATE SCHEMA "+name)
	hangUp(tb, conn)
	return s.DSN(map[string]string{"search_path": name})
}

// connect connects beside the store, as an administrator might.
func connect(tb storetest.TB, dsn string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		tb.Fatalf("connecting: %v", err)
	}
	return conn
}

func hangUp(tb storetest.TB, conn *pgx.Conn) {
	tb.Helper()
	if err := conn.Close(context.Background()); err != nil {
		tb.Fatalf("disconnecting: %v", err)
	}
}

func mustExec(tb storetest.TB, conn *pgx.Conn, query string, args ...any) {
	tb.Helper()
	if _, err := conn.Exec(context.Background(), query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// ask returns the one value that a query returns, as text.
func ask(tb storetest.TB, dsn, query string) string {
	tb.Helper()
	conn := connect(tb, dsn)
	var out string
	if err := conn.QueryRow(context.Background(), query).Scan(&out); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	hangUp(tb, conn)
	return strings.TrimSpace(out)
}

func mustOpen(tb storetest.TB, dsn string, o Options) *Store {
	tb.Helper()
	s, err := Open(context.Background(), dsn, o)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	return s
}

func mustClose(tb storetest.TB, s store.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
}
