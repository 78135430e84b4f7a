// Package manager tests the feedback API as it is installed: the manager with the rights that the project deploys, from an
// answer on a page to the contact that somebody reads by kubectl.
package manager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/feedback"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// folder has the front proxy's certificates.
var folder string

// asCommand lets this test's binary be the cx-operator command: the manager is a process of its own, as it is installed, and
// what it sets for a whole process (the logger of the libraries) is not this test's.
const asCommand = "CX_OPERATOR_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	var err error
	if folder, err = os.MkdirTemp("", "feedback-manager-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := testenv.Start(m, testenv.Aggregation(folder))
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

const (
	system   = "cx-operator-system"
	service  = "cx-operator-feedback"
	podName  = "cx-operator-0"
	patience = 90 * time.Second
)

const program = `apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: care}
spec: {displayName: Customer care, level: Department}
---
apiVersion: cx-operator.io/v1alpha1
kind: AccountabilityPolicy
metadata: {name: promise}
spec: {followUp: {contactWithinHours: 24}}
---
apiVersion: cx-operator.io/v1alpha1
kind: ResponseStore
metadata: {name: answers}
spec: {sqlite: {}}
---
apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: stay}
spec:
  displayName: Stay
  purpose: Know how the stay was.
  ownerRef: {name: care}
  storeRef: {name: answers}
  survey:
    defaultLanguage: en
    title: {en: How was it}
    contact: {}
    questions: [{name: recommend, type: NPS, text: {en: Would you recommend us}}]
`

// lockedBuffer is a log that is read while it is written.
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

// cluster is an API server with the operator's rights in place.
type cluster struct {
	*testing.T
	c          client.Client
	set        *kubernetes.Clientset
	kubeconfig string // of somebody with all rights
	namespace  string
	log        lockedBuffer
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	cfg := testenv.New(t)
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{T: t, c: c, set: kubernetes.NewForConfigOrDie(cfg), namespace: testenv.Namespace(t), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(k.kubeconfig, testenv.KubeConfig(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

// applyFiles applies what "make deploy" applies, but workloads and Services, which nothing runs and reaches here.
func (k *cluster) applyFiles(patterns ...string) {
	k.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(testenv.Root(), pattern))
		if err != nil || len(files) == 0 {
			k.Fatal(pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				k.Fatal(err)
			}
			k.apply(string(text), "")
		}
	}
}

func (k *cluster) apply(text, namespace string) {
	k.Helper()
	for _, document := range strings.Split("\n"+text, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			k.Fatal(err)
		}
		switch o.GetKind() {
		case "", "StatefulSet", "Service", "Kustomization":
			continue
		}
		if namespace != "" {
			o.SetNamespace(namespace)
		}
		if err := k.c.Apply(k.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("people"), client.ForceOwnership); err != nil {
			k.Fatalf("apply %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// operator writes the kubeconfig of the operator's ServiceAccount.
func (k *cluster) operator() string {
	k.Helper()
	token, err := k.set.CoreV1().ServiceAccounts(system).CreateToken(k.Context(), "cx-operator", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		k.Fatal(err)
	}
	cfg := testenv.New(k.T)
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: cfg.Host, CertificateAuthorityData: cfg.CAData}
	config.AuthInfos["u"] = &api.AuthInfo{Token: token.Status.Token}
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	path := filepath.Join(k.TempDir(), "operator")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		k.Fatal(err)
	}
	return path
}

func (k *cluster) eventually(what string, check func() error) {
	k.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			k.Fatalf("%s: %v\n%s", what, err, k.log.String())
		case <-tick.C:
		}
	}
}

func (k *cluster) kubectl(args ...string) (string, error) {
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		return "", err
	}
	args = append([]string{"--kubeconfig", k.kubeconfig, "--cache-dir", filepath.Join(folder, "cache"), "-n", k.namespace}, args...)
	out, err := exec.CommandContext(k.Context(), filepath.Join(assets, "kubectl"), args...).CombinedOutput() // #nosec G204 -- the test's own
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// label returns the value of the label by which the Service finds the pod that serves.
func (k *cluster) label() string {
	pod, err := k.set.CoreV1().Pods(system).Get(context.Background(), podName, metav1.GetOptions{})
	if err != nil {
		return err.Error()
	}
	return pod.Labels[feedback.LabelServes]
}

func TestFromAnAnswerToTheCustomer(t *testing.T) {
	k := newCluster(t)
	k.applyFiles("config/manager/manager.yaml", "config/rbac/*.yaml", "config/feedback/*.yaml")
	port, survey := freePort(t), freePort(t)
	// A former process of the pod left its label.
	for _, o := range []client.Object{
		&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: podName, Labels: map[string]string{feedback.LabelServes: "former"}},
			Spec: corev1.PodSpec{
				SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
				Containers: []corev1.Container{{Name: "manager", Image: "none", SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}}},
			},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: service},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost", Ports: []corev1.ServicePort{{Port: int32(port)}}},
		},
	} {
		if err := k.c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.kubectl("patch", "apiservice", feedback.APIServiceName, "--type", "merge", "-p", fmt.Sprintf(`{"spec":{"service":{"port":%d}}}`, port)); err != nil {
		t.Fatal(err)
	}
	manager := exec.Command(os.Args[0],
		"manager", "--kubeconfig", k.operator(), "--leader-elect=false", "--embedded-endpoint", "--data-dir", t.TempDir(),
		"--intake-bind-address", fmt.Sprintf("127.0.0.1:%d", survey), "--public-url", fmt.Sprintf("http://127.0.0.1:%d", survey),
		"--metrics-bind-address", "0", "--health-probe-bind-address", "0",
		"--feedback-api-bind-address", fmt.Sprintf("127.0.0.1:%d", port), "--feedback-api-service", system+"/"+service)
	manager.Env = append(os.Environ(), asCommand+"=1", "POD_NAME="+podName, "POD_NAMESPACE="+system)
	manager.Stdout, manager.Stderr = &k.log, &k.log
	if err := manager.Start(); err != nil {
		t.Fatal(err)
	}
	ended := sync.OnceValue(manager.Wait)
	t.Cleanup(func() {
		_ = manager.Process.Kill()
		_ = ended()
	})

	k.apply(program, k.namespace)
	name := k.answer(fmt.Sprintf("http://127.0.0.1:%d/api/v1/namespaces/%s/programs/stay/responses", survey, k.namespace))
	if got := k.label(); got != "true" {
		t.Errorf("the pod that serves has the label %q", got)
	}
	out, err := k.kubectl("get", "--raw", "/apis/feedback.cx-operator.io/v1alpha1/namespaces/"+k.namespace+"/cases/"+name+"/contact")
	if err != nil || !strings.Contains(out, `"address":"Ana@example.org"`) {
		t.Errorf("the contact is %q, %v", out, err)
	}
	if _, err := k.kubectl("patch", "case", name, "--type", "merge", "-p", `{"spec":{"state":"Contacted","note":"Called her"}}`); err != nil {
		t.Error(err)
	}
	k.trustsAgain()

	if err := manager.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := ended(); err != nil {
		t.Errorf("the manager ended with %v:\n%s", err, k.log.String())
	}
	if got := k.label(); got != "" {
		t.Errorf("after its end the pod has the label %q", got)
	}
	if strings.Contains(k.log.String(), "example.org") {
		t.Error("the log has the contact")
	}
}

// answer gives an answer by JSON, and returns the name of the case that it opens.
func (k *cluster) answer(url string) string {
	k.Helper()
	body := `{"id":"0b6b1c1e-2f4e-4c3a-9a55-0123456789ab","answers":{"recommend":2},"contact":{"address":"Ana@example.org","consent":true}}`
	k.eventually("the answer is taken", func() error {
		r, err := http.NewRequestWithContext(k.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= 300 {
			return errors.Join(err, fmt.Errorf("%s: %s", answer.Status, said))
		}
		return nil
	})
	var list feedbackv1alpha1.CaseList
	k.eventually("the case is there", func() error {
		out, err := k.kubectl("get", "cases", "-o", "json", "--request-timeout", "5s")
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("%d cases", len(list.Items))
		}
		return nil
	})
	c := list.Items[0]
	if c.Status.Owner != "care" || c.Status.Overdue || c.Spec.State != feedbackv1alpha1.CaseOpen {
		k.Errorf("the case is %+v", c)
	}
	return c.Name
}

// trustsAgain takes the operator's authority out of the APIService: the operator puts it back.
func (k *cluster) trustsAgain() {
	k.Helper()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("apiregistration.k8s.io/v1")
	o.SetKind("APIService")
	key := client.ObjectKey{Name: feedback.APIServiceName}
	if _, err := k.kubectl("patch", "apiservice", feedback.APIServiceName, "--type", "json", "-p", `[{"op":"remove","path":"/spec/caBundle"}]`); err != nil {
		k.Fatal(err)
	}
	k.eventually("the APIService trusts the operator again", func() error {
		if err := k.c.Get(k.Context(), key, o); err != nil {
			return err
		}
		if bundle, _, _ := unstructured.NestedString(o.Object, "spec", "caBundle"); bundle == "" {
			return errors.New("it has no caBundle")
		}
		return nil
	})
}
