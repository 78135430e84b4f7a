package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// startServer starts a PostgreSQL server of the test's own.
func startServer(t *testing.T, password string) *pgtest.Server {
	t.Helper()
	server, err := pgtest.Start(pgtest.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// missedVisitsOnPostgres is missedVisits with a store whose connection is in the Secret db.
func missedVisitsOnPostgres() string {
	postgres := strings.Replace(sqliteStore("answers"), "sqlite: {}", "postgres: {connectionSecretRef: {name: db, key: uri}}", 1)
	return strings.Replace(missedVisits(), sqliteStore("answers"), postgres, 1)
}

// connection writes the Secret db.
func (w *world) connection(key, uri string) {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "db"}, Data: map[string][]byte{key: []byte(uri + "\n")}}
	if err := w.c.Create(context.Background(), secret); err == nil {
		return
	}
	change(w, "db", func(s *corev1.Secret) { s.Data = secret.Data })
}

// nudge has the store looked at now, and not only when its Secret is read again by itself.
func (w *world) nudge() {
	w.t.Helper()
	change(w, "answers", func(s *v1alpha1.ResponseStore) { s.Annotations = map[string]string{"looked-at": time.Now().String()} })
}

// says waits until the store's Ready condition has a reason and says something, and returns all of the object.
func (w *world) says(reason, text string) string {
	w.t.Helper()
	var all []byte
	w.eventually("the store says "+text, func() error {
		rs := get[*v1alpha1.ResponseStore](w, "answers")
		var err error
		if all, err = json.Marshal(rs); err != nil {
			return err
		}
		if err := is(rs, "Ready", reason); err != nil {
			return err
		}
		if !strings.Contains(string(all), text) {
			return fmt.Errorf("%s", all)
		}
		return nil
	})
	return string(all)
}

// psql runs a statement and returns the one value that it returns.
func psql(t *testing.T, server *pgtest.Server, dsn, statement string) string {
	t.Helper()
	out, err := server.Command("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, dsn).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", statement, err, out)
	}
	return strings.TrimSpace(string(out))
}

// A program on PostgreSQL, from answers over HTTP to verdicts and plans; over a restart of the operator, and over an outage of
// the server.
func TestPostgres(t *testing.T) {
	t.Parallel()
	server := startServer(t, "")
	w := newWorld(t)
	w.start()
	w.connection("uri", server.DSN(nil))
	w.applyYAML(missedVisitsOnPostgres())
	rs := becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled", "Stalled", "False/AsExpected", "Reconciling", "False/AsExpected")
	if rs.Status.Engine != "PostgreSQL" || rs.Status.SchemaVersion < 1 {
		t.Errorf("status %+v", rs.Status)
	}
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.post("visits", answer("desk", "ease", 2))
	w.importAnswers("visits", repeated(39, "desk", "ease", 2))
	w.missed()
	before := get[*v1alpha1.Touchpoint](w, "desk").Status

	w.restart()
	w.eventually("the store is open", func() error {
		if !w.op.endpoint.Serving(store.Key{Namespace: w.ns, Name: "answers"}) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	w.settle()
	if diff := cmp.Diff(before, get[*v1alpha1.Touchpoint](w, "desk").Status); diff != "" {
		t.Errorf("after a restart of the operator (-before +now):\n%s", diff)
	}

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusServiceUnavailable {
		t.Errorf("an answer while the server is away got %d, want 503", status)
	}
	w.expectPage("desk", http.StatusOK)
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled") // for less than staleAfter
	w.clock.Advance(staleAfter + time.Second)
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "False/StoreUnavailable", "Reconciling", "True/Waiting")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotReady")
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	becomes[*v1alpha1.ResponseStore](w, "answers", "Ready", "True/Reconciled")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.oneMore(before.Objectives[0].State, 41)

	remove[*v1alpha1.ResponseStore](w, "answers")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotFound")
	if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusServiceUnavailable {
		t.Errorf("an answer without a store got %d, want 503", status)
	}
	w.applyYAML(missedVisitsOnPostgres())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.oneMore(before.Objectives[0].State, 42)
}

// oneMore waits for a verdict to be back, sends one more answer, and wants that many to be counted then.
func (w *world) oneMore(state v1alpha1.ObjectiveState, want int64) {
	w.t.Helper()
	objective := func() v1alpha1.ObjectiveStatus { return get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0] }
	w.eventually("the verdict is back", func() error {
		if o := objective(); o.State != state {
			return fmt.Errorf("%s", figures(o))
		}
		return nil
	})
	w.settle()
	w.clock.Advance(env.FigureInterval)
	w.post("visits", answer("desk", "ease", 2))
	w.eventually("the answer is counted", func() error {
		if o := objective(); o.State != state || o.Responses != want {
			return fmt.Errorf("%s", figures(o))
		}
		return nil
	})
	w.settle()
}

// The Secret is missing, incomplete, wrong, right, changed and gone: the store says which, and never what is in it.
func TestPostgresSecret(t *testing.T) {
	t.Parallel()
	const password, next = "f1rst-passw0rd", "s3cond-passw0rd"
	server := startServer(t, password)
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisitsOnPostgres())
	w.says("False/SecretNotFound", `no Secret \"db\"`)
	becomes[*v1alpha1.ResponseStore](w, "answers", "Stalled", "False/AsExpected", "Reconciling", "True/Waiting")
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreNotReady", "SurveyCompiled", "True/Compiled")
	w.eventually("the desk's page", func() error {
		if status := w.page("desk"); status != http.StatusOK {
			return fmt.Errorf("%d", status)
		}
		return nil
	})
	if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusServiceUnavailable {
		t.Errorf("an answer got %d, want 503", status)
	}

	var told []string
	w.connection("url", server.DSN(nil))
	told = append(told, w.says("False/SecretNotFound", `nothing under the key \"uri\"`)) // found by itself
	w.connection("uri", "postgres://postgres:"+password+"/"+server.Socket())
	w.nudge()
	told = append(told, w.says("False/StoreUnavailable", "the connection URI is not understood"))
	w.connection("uri", pgtest.DSN(server.Socket(), map[string]string{"password": next}))
	w.nudge()
	told = append(told, w.says("False/StoreUnavailable", "the server refuses the user or the password"))
	w.settle() // attempts go on, and change nothing
	w.connection("uri", server.DSN(nil))
	w.nudge()
	told = append(told, w.says("True/Reconciled", "cx_"+w.ns+"_answers"))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.post("visits", answer("desk", "ease", 2))

	rotated := pgtest.DSN(server.Socket(), map[string]string{"password": next})
	psql(t, server, server.DSN(nil), "ALTER ROLE postgres PASSWORD '"+next+"'")
	at := psql(t, server, rotated, "SELECT clock_timestamp()")
	w.connection("uri", rotated)
	w.eventually("the store is opened anew, and then no longer as it was", func() error { // by itself, too
		const connections = "SELECT count(*) FILTER (WHERE backend_start < '%[1]s') || ' old, ' || (count(*) FILTER (WHERE backend_start > '%[1]s') > 0)::text FROM pg_stat_activity WHERE application_name = 'cx-operator'"
		if got := psql(t, server, rotated, fmt.Sprintf(connections, at)); got != "0 old, true" {
			return fmt.Errorf("%s new connections", got)
		}
		return nil
	})
	// Who still had the old password could not come back after this.
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	w.eventually("answers are taken", func() error {
		if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusCreated {
			return fmt.Errorf("%d", status)
		}
		return nil
	})

	remove[*corev1.Secret](w, "db")
	w.nudge()
	told = append(told, w.says("False/SecretNotFound", "it is served as it was opened before"))
	w.post("visits", answer("desk", "ease", 2))
	for event := range w.events() {
		told = append(told, event)
	}
	for _, text := range told {
		if strings.Contains(text, password) || strings.Contains(text, next) {
			t.Errorf("a password is in %s", text)
		}
	}
}
