package cli_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/uuid"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// asCommand lets this test's binary be the cx-operator command, so that a test can run it as a process and kill it.
const asCommand = "CX_OPERATOR_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	os.Exit(testenv.Start(m))
}

const (
	patience       = 60 * time.Second
	systemNames    = "cx-operator-system"
	serviceAccount = "cx-operator"
)

// installation is an API server with the operator's rights in place, and the addresses of one operator.
type installation struct {
	t          *testing.T
	c          client.Client
	set        *kubernetes.Clientset
	ns         string
	dir        string
	kubeconfig string
	survey     string // http://host:port
	metrics    string // https://host:port/metrics
	probes     string
	more       []string
	process    *exec.Cmd
	ended      chan error
	log        *lockedBuffer
}

func install(t *testing.T) *installation {
	t.Helper()
	cfg := testenv.New(t)
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{
		t: t, c: c, set: kubernetes.NewForConfigOrDie(cfg), ns: testenv.Namespace(t), dir: t.TempDir(), log: &lockedBuffer{},
		survey: "http://" + freeAddress(t), metrics: "https://" + freeAddress(t) + "/metrics", probes: freeAddress(t),
	}
	in.applyFiles("config/manager/manager.yaml", "config/rbac/service_account.yaml", "config/rbac/role.yaml", "config/rbac/role_binding.yaml",
		"config/rbac/leader_election_role.yaml", "config/rbac/metrics_reader_role.yaml")
	in.kubeconfig = in.writeKubeconfig(cfg, in.tokenOf(systemNames, serviceAccount))
	t.Cleanup(in.kill)
	return in
}

// applyFiles applies what the deployment applies, but the workload: no node runs here.
func (in *installation) applyFiles(files ...string) {
	in.t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(testenv.Root(), file))
		if err != nil {
			in.t.Fatal(err)
		}
		for _, document := range strings.Split("\n"+string(data), "\n---") {
			o := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
				in.t.Fatal(err)
			}
			if len(o.Object) > 0 && o.GetKind() != "StatefulSet" {
				in.apply(o)
			}
		}
	}
}

func (in *installation) apply(o *unstructured.Unstructured) {
	in.t.Helper()
	if err := in.c.Apply(context.Background(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("people")); err != nil {
		in.t.Fatalf("apply %s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

func (in *installation) applyYAML(text string) {
	in.t.Helper()
	for _, document := range strings.Split(text, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			in.t.Fatal(err)
		}
		o.SetNamespace(in.ns)
		in.apply(o)
	}
}

// tokenOf returns a token of a ServiceAccount.
func (in *installation) tokenOf(namespace, name string) string {
	in.t.Helper()
	made, err := in.set.CoreV1().ServiceAccounts(namespace).CreateToken(context.Background(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		in.t.Fatal(err)
	}
	return made.Status.Token
}

// readerToken returns the token of a new ServiceAccount that may read metrics, or may nothing.
func (in *installation) readerToken(name string, allowed bool) string {
	in.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: in.ns, Name: name}}
	if err := in.c.Create(context.Background(), account); err != nil {
		in.t.Fatal(err)
	}
	if allowed {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: in.ns + "-" + name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cx-operator-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: in.ns, Name: name}},
		}
		if err := in.c.Create(context.Background(), binding); err != nil {
			in.t.Fatal(err)
		}
	}
	return in.tokenOf(in.ns, name)
}

func (in *installation) writeKubeconfig(cfg *rest.Config, token string) string {
	in.t.Helper()
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: cfg.Host, CertificateAuthorityData: cfg.CAData}
	config.AuthInfos["u"] = &api.AuthInfo{Token: token}
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	path := filepath.Join(in.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		in.t.Fatal(err)
	}
	return path
}

// start runs the command and waits until it is ready.
func (in *installation) start() {
	in.t.Helper()
	args := append([]string{
		"manager", "--kubeconfig", in.kubeconfig, "--embedded-endpoint", "--data-dir", in.dir,
		"--intake-bind-address", strings.TrimPrefix(in.survey, "http://"), "--public-url", in.survey, "--intake-rate-per-minute", "-1",
		"--metrics-bind-address", strings.TrimSuffix(strings.TrimPrefix(in.metrics, "https://"), "/metrics"),
		"--health-probe-bind-address", in.probes, "--leader-election-namespace", systemNames,
	}, in.more...)
	in.process = exec.Command(os.Args[0], args...)
	in.process.Env = append(os.Environ(), asCommand+"=1")
	in.process.Stderr = in.log
	if err := in.process.Start(); err != nil {
		in.t.Fatal(err)
	}
	in.ended = make(chan error, 1)
	go func(p *exec.Cmd, ended chan<- error) { ended <- p.Wait() }(in.process, in.ended)
	in.eventually("the operator is ready", func() error {
		select {
		case err := <-in.ended:
			in.process = nil
			in.t.Fatalf("the operator ended: %v\n%s", err, in.log)
		default:
		}
		return in.expectStatus("http://"+in.probes+"/readyz", "", http.StatusOK)
	})
}

// kill ends the operator as a power cut does.
func (in *installation) kill() {
	if in.process == nil {
		return
	}
	_ = in.process.Process.Kill() // one that has ended cannot be killed
	if err := <-in.ended; err == nil {
		in.t.Error("the operator had ended before it was killed")
	}
	in.process = nil
}

// terminate asks the operator to end, and returns its error.
func (in *installation) terminate() error {
	in.t.Helper()
	if err := in.process.Process.Signal(syscall.SIGTERM); err != nil {
		in.t.Fatal(err)
	}
	select {
	case err := <-in.ended:
		in.process = nil
		return err
	case <-time.After(patience):
		in.t.Fatal("the operator did not end")
		return nil
	}
}

func (in *installation) eventually(what string, check func() error) {
	in.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			in.t.Fatalf("%s: %v\n%s", what, err, in.log)
		}
		<-tick.C
	}
}

// insecure trusts the self-signed certificate of /metrics.
var insecure = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
}}

func call(method, url, token, contentType string, body []byte) (int, string, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := insecure.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func (in *installation) expectStatus(url, token string, want int) error {
	status, text, err := call(http.MethodGet, url, token, "", nil)
	if err != nil {
		return err
	}
	if status != want {
		return fmt.Errorf("GET %s: %d instead of %d: %.300s", url, status, want, text)
	}
	return nil
}

const visits = `
kind: Team
apiVersion: cx-operator.io/v1alpha1
metadata: {name: house}
spec: {displayName: House, level: Company}
---
kind: ResponseStore
apiVersion: cx-operator.io/v1alpha1
metadata: {name: answers}
spec: {sqlite: {}}
---
kind: SurveyProgram
apiVersion: cx-operator.io/v1alpha1
metadata: {name: visits}
spec:
  displayName: Visits
  purpose: Know how visits go.
  storeRef: {name: answers}
  ownerRef: {name: house}
  timeZone: America/Los_Angeles
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions:
    - {name: ease, type: CES, text: {en: "How easy was it?"}}
---
kind: Touchpoint
apiVersion: cx-operator.io/v1alpha1
metadata: {name: desk}
spec:
  displayName: Desk
  programRef: {name: visits}
  stage: During
  ownerRef: {name: house}
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80}]
  onMissed: {actionPlan: {mode: Create}}
`

func (in *installation) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: in.ns, Name: name}
}

func (in *installation) desk() (*v1alpha1.Touchpoint, error) {
	desk := &v1alpha1.Touchpoint{}
	return desk, in.c.Get(context.Background(), in.key("desk"), desk)
}

func (in *installation) waitUntilServed() {
	in.t.Helper()
	in.eventually("the touchpoint is served", func() error {
		desk, err := in.desk()
		if err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(desk.Status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("conditions %+v", desk.Status.Conditions)
		}
		return in.expectStatus(desk.Status.URL, "", http.StatusOK)
	})
}

func (in *installation) token(key string) string {
	in.t.Helper()
	secret := &corev1.Secret{}
	if err := in.c.Get(context.Background(), in.key("visits-tokens"), secret); err != nil {
		in.t.Fatal(err)
	}
	return string(secret.Data[key])
}

func (in *installation) responses() string {
	return in.survey + "/api/v1/namespaces/" + in.ns + "/programs/visits/responses"
}

func answer(value int) (id string, body []byte) {
	id = uuid.NewString()
	return id, fmt.Appendf(nil, `{"id":%q,"touchpoint":"desk","answers":{"ease":%d}}`, id, value)
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

// exported returns how often each response is in the export.
func (in *installation) exported() map[string]int {
	in.t.Helper()
	var text string
	in.eventually("an export", func() error { // after a start, pages are served before the store is open
		status, body, err := call(http.MethodGet, in.responses()+"?format=ndjson", in.token("read"), "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %.300s", status, body)
		}
		text = body
		return err
	})
	found := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var r struct{ ID string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			in.t.Fatalf("%v in %q", err, line)
		}
		found[r.ID]++
	}
	return found
}

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
	if status, _, err := call(http.MethodGet, in.metrics, "nonsense", "", nil); err != nil || status < http.StatusBadRequest {
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
