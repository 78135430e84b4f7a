package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// The manager with the rights that the project deploys: it works, its metrics are for those who may read them, and it
// ends in peace when asked to.
func TestManager(t *testing.T) {
	in := install(t)
	in.start()
	in.applyYAML(visits)
	in.waitUntilServed()
	in.importMissed(40)
	in.eventually("the missed objective has its plan", in.hasPlan)

	reader, stranger := in.readerToken("reader", true), in.readerToken("stranger", false)
	for token, want := range map[string]int{"": http.StatusUnauthorized, stranger: http.StatusForbidden, reader: http.StatusOK} {
		if err := in.expectStatus(in.metrics, token, want); err != nil {
			t.Error(err)
		}
	}
	if status, _, err := call(http.MethodGet, in.metrics, "nonsense", "", nil); err != nil || status != http.StatusUnauthorized {
		t.Errorf("a token that is none got %d, %v", status, err)
	}
	_, text, err := call(http.MethodGet, in.metrics, reader, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		fmt.Sprintf(`cx_objective_score{metric="CESTopBox",namespace=%q,objective="easy",program="visits",team="house",touchpoint="desk"} 0`, in.ns),
		fmt.Sprintf(`cx_accountability_breach{item="",kind="Touchpoint",name="desk",namespace=%q,objective="easy",program="visits",team="house",type="ObjectiveMissed"} 1`, in.ns),
		fmt.Sprintf(`cx_responses_accepted_total{namespace=%q,program="visits"} 40`, in.ns),
		"controller_runtime_reconcile_total{",
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if err := in.terminate(); err != nil {
		t.Errorf("the operator ended with %v", err)
	}
	in.expectQuietLog()
}

// importMissed imports answers that miss the objective.
func (in *installation) importMissed(n int) {
	in.t.Helper()
	var lines bytes.Buffer
	for range n {
		_, body := answer(2)
		lines.Write(append(body, '\n'))
	}
	status, text, err := call(http.MethodPost, in.responses()+":import", in.token("import"), "application/x-ndjson", lines.Bytes())
	if err != nil || status != http.StatusOK {
		in.t.Fatalf("import: %d %s %v", status, text, err)
	}
}

func (in *installation) hasPlan() error {
	desk, err := in.desk()
	if err != nil {
		return err
	}
	if len(desk.Status.Breaches) != 1 || desk.Status.Breaches[0].PlanRef == nil {
		return fmt.Errorf("breaches %+v", desk.Status.Breaches)
	}
	return nil
}

// expectQuietLog checks that nothing was forbidden and nothing failed.
func (in *installation) expectQuietLog() {
	in.t.Helper()
	for _, line := range strings.Split(in.log.String(), "\n") {
		lower := strings.ToLower(line)
		// A stale read that is tried again, the token that is none, and the lease that is given up at the end.
		expected := strings.Contains(lower, "the object has been modified") || strings.Contains(lower, "invalid bearer token") ||
			strings.Contains(lower, "leader election lost")
		if strings.Contains(lower, "forbidden") || strings.Contains(lower, "panic") || (strings.Contains(lower, `"level":"error"`) && !expected) {
			in.t.Errorf("the log says %s", line)
		}
	}
}

// The operator is killed in the middle of submissions, three times. Every answer that was acknowledged is there once,
// the counts equal a recount, and the verdict, the breach and the plan are what they were.
func TestKill(t *testing.T) {
	in := install(t)
	in.more = []string{"--leader-elect=false"} // nobody else waits, and a killed one leaves its lease to run out
	in.start()
	in.applyYAML(visits)
	in.waitUntilServed()
	in.importMissed(40)
	in.eventually("the missed objective has its plan", in.hasPlan)
	before, err := in.desk()
	if err != nil {
		t.Fatal(err)
	}

	acknowledged := map[string]bool{}
	for range 3 {
		for _, id := range in.submitUntilKilled(300) {
			acknowledged[id] = true
		}
		in.start()
		in.waitUntilServed()
		found := in.exported()
		for id := range acknowledged {
			if found[id] != 1 {
				t.Errorf("an acknowledged answer is there %d times", found[id])
			}
		}
		t.Logf("%d acknowledged, %d stored", len(acknowledged), len(found)-40)
		in.eventually("the counts are those of the answers", func() error {
			desk, err := in.desk()
			if err != nil {
				return err
			}
			if n := desk.Status.Objectives[0].Responses; n != int64(len(found)) {
				return fmt.Errorf("%d responses, want %d", n, len(found))
			}
			return nil
		})
	}
	after, err := in.desk()
	if err != nil {
		t.Fatal(err)
	}
	if b, a := before.Status.Breaches[0], after.Status.Breaches[0]; !a.Since.Equal(&b.Since) || a.PlanRef.Name != b.PlanRef.Name {
		t.Errorf("breach %+v, want %+v", a, b)
	}
	plans := &v1alpha1.ActionPlanList{}
	if err := in.c.List(context.Background(), plans, client.InNamespace(in.ns)); err != nil || len(plans.Items) != 1 {
		t.Errorf("%d plans, %v; want one", len(plans.Items), err)
	}
	stored := len(in.exported())
	in.kill()

	s, err := sqlite.Open(t.Context(), filepath.Join(in.dir, in.ns, "stores", "answers.sqlite"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check, err := s.Recount(t.Context(), store.Key{Namespace: in.ns, Name: "visits"})
	if err != nil || check.Responses != int64(stored) || len(check.Differences) > 0 {
		t.Errorf("recount %+v, %v; want %d responses and no differences", check, err, stored)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// submitUntilKilled submits answers from several clients at once, kills the operator once so many were acknowledged, and
// returns the ids of all that were.
func (in *installation) submitUntilKilled(enough int) []string {
	in.t.Helper()
	var mu sync.Mutex
	var ids []string
	reached := make(chan struct{})
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				id, body := answer(2)
				status, _, err := call(http.MethodPost, in.responses(), "", "application/json", body)
				if err != nil {
					return
				}
				if status != http.StatusCreated {
					continue
				}
				mu.Lock()
				ids = append(ids, id)
				if len(ids) == enough {
					close(reached)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-reached:
	case <-time.After(patience):
		in.t.Errorf("fewer than %d answers were acknowledged", enough)
	}
	in.kill()
	clients.Wait()
	return ids
}

// A wrong command line is refused before the API server is asked for anything.
func TestManagerFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a proxy that is no address": {[]string{"--embedded-endpoint", "--intake-trusted-proxies", "10.0.0.0/8,example.test"}, 2, `"example.test" is neither an address nor a CIDR`},
		"a public URL without host":  {[]string{"--embedded-endpoint", "--public-url", "localhost:8080"}, 1, `public URL "localhost:8080" must be http(s)://host[:port]`},
		"a pull policy that is none": {[]string{"--endpoint-image-pull-policy", "Sometimes"}, 2, `"Sometimes" is none of Always, IfNotPresent and Never`},
		"an unknown flag":            {[]string{"--no-such-flag"}, 2, "unknown flag"},
		"an argument":                {[]string{"now"}, 2, "unknown command"},
		"no kubeconfig":              {[]string{"--kubeconfig", "/nowhere/kubeconfig"}, 1, "find the API server"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := cli.Main(t.Context(), append([]string{"manager"}, c.args...), strings.NewReader(""), &out, &errOut)
			if code != c.code || !strings.Contains(errOut.String(), c.want) {
				t.Errorf("code %d, %q; want %d and %q", code, errOut.String(), c.code, c.want)
			}
		})
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// lockedBuffer takes the log of a process while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
