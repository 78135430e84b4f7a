package cli_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
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
		if err := in.expectStatus(desk.Status.URL, "", http.StatusOK); err != nil {
			return err
		}
		// The page is served before the store is open.
		return in.expectStatus(in.responses(), in.token("read"), http.StatusOK)
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
