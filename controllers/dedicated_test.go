package controllers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/fleet"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func newProgram() *v1alpha1.SurveyProgram { return &v1alpha1.SurveyProgram{} }

// dedicate gives an operator what it makes Dedicated endpoints with.
func (w *world) dedicate(e *env.Env, mgr ctrl.Manager) {
	w.t.Helper()
	followed := fleet.New(fleet.Options{
		Book: e.Book, Clock: w.clock.Now, StaleAfter: staleAfter, Address: w.node.address, CA: func() []byte { return w.node.authority.Certificate },
	})
	if err := mgr.Add(followed); err != nil {
		w.t.Fatal(err)
	}
	e.Dedicated = &env.Dedicated{
		Fleet:     followed,
		Applier:   &apply.Applier{Client: mgr.GetClient(), Reader: mgr.GetAPIReader(), Owner: env.FieldOwner, Lag: 10 * time.Second},
		Authority: w.node.authority,
		Render:    render.Options{Image: "registry.test/cx-operator:test", OperatorNamespace: "cx-operator-system"},
	}
}

// newDedicatedWorld makes a world whose operator serves Dedicated programs, too, on a node of its own.
func newDedicatedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.node = startNode(w)
	return w
}

// asDedicated gives all programs of some objects an endpoint of their own.
func asDedicated(objects []*unstructured.Unstructured, more ...any) []*unstructured.Unstructured {
	for _, o := range objects {
		if o.GetKind() == "SurveyProgram" {
			endpoint := map[string]any{"mode": "Dedicated"}
			for i := 0; i < len(more); i += 2 {
				endpoint[more[i].(string)] = more[i+1]
			}
			o.Object["spec"].(map[string]any)["endpoint"] = endpoint
		}
	}
	return objects
}

// onPostgres puts all stores of some objects into the database of the Secret db.
func onPostgres(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for _, o := range objects {
		if o.GetKind() == "ResponseStore" {
			o.Object["spec"] = map[string]any{"postgres": map[string]any{"connectionSecretRef": map[string]any{"name": "db", "key": "uri"}}}
		}
	}
	return objects
}

// importAt imports answers through a program's own endpoint.
func (w *world) importAt(program string, answers []submission) {
	w.t.Helper()
	var lines bytes.Buffer
	for _, a := range answers {
		line, err := json.Marshal(a)
		if err != nil {
			w.t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	status, text := w.callAt(w.node.survey(program), http.MethodPost, w.responsesPath(program)+":import", w.token(program, "import"), "application/x-ndjson", lines.Bytes())
	var sum struct{ Stored, Repeated, Rejected int }
	if err := json.Unmarshal([]byte(text), &sum); err != nil || status != http.StatusOK || sum.Stored != len(answers) {
		w.t.Fatalf("import: %d %.600s %v", status, text, err)
	}
}

// postAt sends one answer through a program's own endpoint.
func (w *world) postAt(program string, s submission) {
	w.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	if status, text := w.callAt(w.node.survey(program), http.MethodPost, w.responsesPath(program), "", "application/json", body); status != http.StatusCreated {
		w.t.Fatalf("answer: %d %s", status, text)
	}
}

// inService waits until a Dedicated program is.
func (w *world) inService(name string) *v1alpha1.SurveyProgram {
	w.t.Helper()
	return becomes[*v1alpha1.SurveyProgram](w, name, "Ready", "True/Reconciled", "EndpointReady", "True/EndpointReady")
}

// The airport's program with pods of its own, on both engines: from answers over HTTP to figures, plans and metrics.
func TestDedicatedAirport(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int32{"SQLite": 1, "PostgreSQL": 2} {
		t.Run(name, func(t *testing.T) {
			w := newDedicatedWorld(t)
			w.unembedded = true
			objects := asDedicated(contract(t))
			if name == "PostgreSQL" {
				w.connection("uri", startServer(t, "").DSN(nil))
				objects = onPostgres(objects)
			}
			w.start()
			w.apply(objects...)
			program := w.inService(airport)
			if e := program.Status.Endpoint; e == nil || e.Mode != v1alpha1.EndpointDedicated || *e.Replicas != replicas || *e.ReadyReplicas != replicas {
				t.Errorf("endpoint %+v, want %d replicas", e, replicas)
			}
			url := fmt.Sprintf("http://%s-endpoint.%s.svc/s/%s/%s", airport, w.ns, w.ns, airport)
			if program.Status.URL != url {
				t.Errorf("url %q, want %q", program.Status.URL, url)
			}
			for _, touchpoint := range []string{"security", "food", "rental-cars"} {
				if tp := becomes[*v1alpha1.Touchpoint](w, touchpoint, "Ready", "True/Reconciled"); tp.Status.URL != url+"/"+touchpoint {
					t.Errorf("url %q of %s", tp.Status.URL, touchpoint)
				}
			}
			rs := becomes[*v1alpha1.ResponseStore](w, "responses", "Ready", "True/Reconciled")
			if rs.Status.Engine != name || rs.Status.SchemaVersion < 1 {
				t.Errorf("store %+v, want %s", rs.Status, name)
			}
			w.importAt(airport, w.airportAnswers())
			w.eventually("the figures", w.judged)
			w.settle()
			labels := "namespace=" + w.ns + ",program=" + airport
			for metric, want := range map[string]float64{"cx_endpoint_replicas": float64(replicas), "cx_endpoint_ready_replicas": float64(replicas), "cx_endpoint_readable": 1} {
				if got := w.series(metric, "namespace", "program"); got[labels] != want || len(got) != 1 {
					t.Errorf("%s is %v, want %v", metric, got, want)
				}
			}
			if plans := w.plans(); len(plans) != 1 {
				t.Errorf("%d plans, want one", len(plans))
			}
			w.steady()
		})
	}
}

// steady checks that nothing is written while nothing happens, and nothing by an operator that was started anew.
func (w *world) steady() {
	w.t.Helper()
	w.settle()
	w.api.reset()
	w.quietFor(quietTime)
	w.noWrites("in a steady state")
	before := w.summary()
	w.restart()
	w.eventually("the counts are read again", func() error {
		if got := w.series("cx_endpoint_readable", "program"); len(got) == 0 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	w.settle()
	w.noWrites("after a restart")
	if after := w.summary(); fmt.Sprint(before) != fmt.Sprint(after) {
		w.t.Errorf("after a restart: %v, want %v", after, before)
	}
}

func (w *world) noWrites(when string) {
	w.t.Helper()
	for call, n := range w.api.seen() {
		if verb, _, _ := strings.Cut(call, " "); isWrite(verb) {
			w.t.Errorf("%s: %s %d times", when, call, n)
		}
	}
}

// definitions is a client for kinds of the API itself.
func (w *world) definitions() client.Client {
	w.t.Helper()
	scheme := controllers.Scheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		w.t.Fatal(err)
	}
	c, err := client.New(testenv.New(w.t), client.Options{Scheme: scheme})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
