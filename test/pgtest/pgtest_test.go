package pgtest

import (
	"os"
	"strings"
	"testing"
)

func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	out, err := s.Command("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--host", s.Socket(), "--username", "postgres",
		"--command", sql).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", sql, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestServer(t *testing.T) {
	s, err := Start(Options{Durable: true, Settings: map[string]string{"cluster_name": "it's a test"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.Data()); !os.IsNotExist(err) {
			t.Errorf("the folder after Stop: %v", err)
		}
	}()
	query(t, s, "CREATE TABLE t (n int)")
	for i, end := range []func() error{s.Kill, s.Immediate, s.Shutdown} {
		query(t, s, "INSERT INTO t VALUES (1)")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		if got := query(t, s, "SELECT count(*) FROM t"); got != string(rune('1'+i)) {
			t.Errorf("%s rows after %d ends, want one for each", got, i+1)
		}
	}
	if got := query(t, s, "SELECT current_setting('fsync') || ' ' || current_setting('cluster_name')"); got != "on it's a test" {
		t.Errorf("settings: %s", got)
	}
}

func TestMainTellsWhatFailed(t *testing.T) {
	ran := false
	if code := Main(Options{Settings: map[string]string{"no such setting": "x"}}, func(*Server) int { ran = true; return 0 }); code != 1 || ran {
		t.Errorf("a server that cannot start: code %d, tests ran: %t", code, ran)
	}
	if code := Main(Options{}, func(s *Server) int {
		if query(t, s, "SELECT current_setting('fsync')") != "off" {
			t.Error("fsync is on")
		}
		return 3
	}); code != 3 {
		t.Errorf("code %d, want the tests'", code)
	}
}

func TestPassword(t *testing.T) {
	s, err := Start(Options{Password: "it's/secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(dsn, password string) error {
		cmd := s.Command("psql", "--no-psqlrc", "--command", "SELECT 1", dsn)
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
		return cmd.Run()
	}
	if err := ask(s.DSN(nil), ""); err != nil {
		t.Errorf("with the password in the DSN: %v", err)
	}
	if ask(DSN(s.Socket(), nil), "another") == nil {
		t.Error("another password was taken")
	}
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Errorf("a program of the server's got %q", got)
	}
}
