package controllers_test

import (
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/pki"
)

// nobody is a node on which no pod ever runs: nothing answers at any operations port.
func nobody(w *world) *node {
	w.t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	defer closed.Close()
	n := &node{w: w, authority: authority, ports: map[string][2]string{}}
	for i := range manyPrograms {
		n.ports[manyName(i)+"-endpoint"] = [2]string{closed.Addr().String(), closed.Addr().String()}
	}
	return n
}

const manyPrograms = 10

func manyName(i int) string { return fmt.Sprintf("program-%d", i) }

// manyDedicated are ten Dedicated programs: the even ones on a SQLite store each, the odd ones on one of PostgreSQL.
func manyDedicated(t *testing.T) (stores, programs []*unstructured.Unstructured) {
	t.Helper()
	stores = onPostgres(parse(t, sqliteStore("shared")))
	for i := range manyPrograms {
		of := "shared"
		if i%2 == 0 {
			of = fmt.Sprintf("own-%d", i)
			stores = append(stores, parse(t, sqliteStore(of))...)
		}
		text := strings.NewReplacer("{name: visits}", "{name: "+manyName(i)+"}", "{name: answers}", "{name: "+of+"}").Replace(visits(crashProgram))
		programs = append(programs, asDedicated(parse(t, text))...)
	}
	return stores, programs
}

// Each object of a Dedicated program is written by one request, and the program's status by one more. Nothing is asked for that
// the watches tell, nothing is written twice, not even by an operator that was started anew, and endpoints that do not exist
// make no work.
func TestDedicatedRequests(t *testing.T) {
	w := newWorld(t)
	w.node, w.unembedded, w.hold = nobody(w), true, time.Minute
	w.connection("uri", "postgres://nobody@localhost/none")
	first, programs := manyDedicated(t)
	w.start()
	w.applyYAML(teamYAML("company", "Company", ""))
	w.settle()
	w.api.reset()
	passes := w.reconciles.total()

	w.apply(first...)
	w.apply(programs...)
	for i := range manyPrograms {
		becomes[*v1alpha1.SurveyProgram](w, manyName(i), "Ready", "False/EndpointStarting", "EndpointReady", "False/EndpointStarting")
	}
	w.settle()
	const (
		half   = manyPrograms / 2
		stores = 1 + half
	)
	want := map[string]int{
		"create secrets": 2*manyPrograms + stores, "patch serviceaccounts": manyPrograms, "patch configmaps": manyPrograms, "patch services": manyPrograms,
		"patch networkpolicies": manyPrograms, "create persistentvolumeclaims": half, "patch statefulsets": half,
		"patch deployments": half, "patch poddisruptionbudgets": half, "patch surveyprograms/status": manyPrograms,
		"patch responsestores/status": stores,
	}
	if diff := cmp.Diff(want, w.requestsOfPrograms()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	t.Logf("%d passes of all controllers, %v", w.reconciles.total()-passes, w.api.seen())

	w.api.reset()
	w.clock.Advance(time.Minute)
	w.quietFor(quietTime)
	w.settle()
	if seen := w.requestsOfPrograms(); len(seen) > 0 {
		t.Errorf("in a steady state: %v", seen)
	}
	w.api.reset()
	w.restart()
	w.settle()
	if seen := w.requestsOfPrograms(); len(seen) > 0 {
		t.Errorf("after a restart: %v", seen)
	}
	w.noWrites("after a restart")
	t.Logf("after a restart: %v", w.api.seen())
}

// requestsOfPrograms are those since the last reset, without what the controller of teams and the manager itself ask for.
func (w *world) requestsOfPrograms() map[string]int {
	seen := w.api.seen()
	for _, call := range []string{"patch teams/status", "create events", "patch events", "get "} {
		delete(seen, call)
	}
	return seen
}
