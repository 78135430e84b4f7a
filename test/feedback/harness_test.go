// Package feedback tests the feedback API as the cluster's users see it: behind a real API server that aggregates it, with
// kubectl, RBAC and the audit log, on a real store of answers.
package feedback

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/feedback"
	"github.com/cx-operator/cx-operator/internal/pki"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// folder has the front proxy's certificates and the audit log.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "feedback-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := testenv.Start(m, testenv.Aggregation(folder), testenv.Audit(folder))
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

const (
	systemNamespace = "cx-operator-system"
	serviceName     = "cx-operator-feedback"
	// patience is for what the cluster needs a while for.
	patience = 60 * time.Second
)

// installation is the API, installed into the package's control plane.
type installation struct {
	client client.Client
	kube   kubernetes.Interface
	// address on which the server listens, and the authority that vouches for it.
	address   string
	authority pki.Pair
	desks     *desks
	book      *rollup.Book
	config    string // path of a kubeconfig with all rights
}

// desks are those of the tests' programs.
type desks struct {
	mu     sync.Mutex
	stores map[store.Key]desk.Desk
	away   map[store.Key]bool
}

func (d *desks) of(p *v1alpha1.SurveyProgram) (desk.Desk, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := store.Key{Namespace: p.Namespace, Name: p.Name}
	found, ok := d.stores[key]
	if !ok || d.away[key] {
		return nil, fmt.Errorf("%w: 10.1.2.3:8443 refused the connection", desk.ErrUnavailable)
	}
	return found, nil
}

func (d *desks) send(key store.Key, away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away[key] = away
}

var shared struct {
	once sync.Once
	i    *installation
	err  error
}

// installed returns the API of the package. It is served until the process ends.
func installed(t *testing.T) *installation {
	t.Helper()
	cfg := testenv.New(t)
	shared.once.Do(func() { shared.i, shared.err = install(t, testenv.KubeConfig(t)) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	_ = cfg
	return shared.i
}

func install(t *testing.T, kubeconfig []byte) (*installation, error) {
	cfg := testenv.New(t)
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		return nil, err
	}
	i := &installation{
		client: c, kube: kubernetes.NewForConfigOrDie(cfg), book: rollup.NewBook(),
		desks:  &desks{stores: map[store.Key]desk.Desk{}, away: map[store.Key]bool{}},
		config: filepath.Join(folder, "kubeconfig"),
	}
	if err := os.WriteFile(i.config, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	if i.authority, err = pki.NewAuthority(rand.Reader, time.Now()); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i.address = listener.Addr().String()
	log := funcr.New(func(prefix, args string) { fmt.Fprintln(os.Stderr, prefix, args) }, funcr.Options{})
	certificate, err := feedback.NewCertificate(i.authority, feedback.ServiceNames(systemNamespace, serviceName), time.Now, log)
	if err != nil {
		return nil, err
	}
	server := &feedback.Server{
		Listener: listener, Certificate: certificate, Client: i.kube, Log: log,
		Backend: &feedback.Backend{
			Reader: c, Desk: i.desks.of, Book: i.book, Source: func(*v1alpha1.SurveyProgram) string { return "" }, Clock: time.Now, Log: log.Error,
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Start(ctx) }()
	testenv.Finally(func() {
		stop()
		if err := <-served; err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	})
	bundle := &feedback.Bundle{
		Client: dynamic.NewForConfigOrDie(cfg), Namespace: systemNamespace, Service: serviceName, Authority: i.authority.Certificate, Log: log,
	}
	go func() { _ = bundle.Start(ctx) }()
	return i, i.register(ctx, listener.Addr().(*net.TCPAddr).Port)
}

// register points the cluster to the server.
func (i *installation) register(ctx context.Context, port int) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: systemNamespace}},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: serviceName},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost", Ports: []corev1.ServicePort{{Port: int32(port)}}},
		},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": feedback.APIServiceName},
			"spec": map[string]any{
				"group": "feedback.cx-operator.io", "version": "v1alpha1", "groupPriorityMinimum": int64(1000), "versionPriority": int64(10),
				"service": map[string]any{"namespace": systemNamespace, "name": serviceName, "port": int64(port)},
			},
		}},
	}
	for _, o := range objects {
		if err := i.client.Create(ctx, o); err != nil {
			return fmt.Errorf("create %T: %w", o, err)
		}
	}
	return eventually(func() error {
		service := objects[2].(*unstructured.Unstructured)
		if err := i.client.Get(ctx, client.ObjectKeyFromObject(service), service); err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(service.Object, "status", "conditions")
		for _, c := range conditions {
			if m := c.(map[string]any); m["type"] == "Available" && m["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("the APIService is not available: %v", conditions)
	})
}

// eventually tries until it succeeds.
func eventually(try func() error) error {
	deadline := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-deadline:
			return err
		case <-tick.C:
		}
	}
}

// kubectl runs kubectl as a user, "" for one with all rights, and returns what it says and whether it succeeded.
func (i *installation) kubectl(t *testing.T, user string, args ...string) (string, bool) {
	t.Helper()
	assets, err := pinned.Assets(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--kubeconfig", i.config, "--cache-dir", filepath.Join(folder, "cache")}, args...)
	if user != "" {
		args = append(args, "--as", user)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), args...) // #nosec G204 -- the test's own
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err == nil
}

// must is kubectl that has to succeed.
func (i *installation) must(t *testing.T, user string, args ...string) string {
	t.Helper()
	out, ok := i.kubectl(t, user, args...)
	if !ok {
		t.Fatalf("kubectl %s: %s", strings.Join(args, " "), out)
	}
	return out
}

// refused is kubectl that has to fail, with all of these words.
func (i *installation) refused(t *testing.T, user string, words []string, args ...string) {
	t.Helper()
	out, ok := i.kubectl(t, user, args...)
	if ok {
		t.Errorf("kubectl %s as %q was not refused:\n%s", strings.Join(args, " "), user, out)
	}
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("kubectl %s as %q does not say %q:\n%s", strings.Join(args, " "), user, word, out)
		}
	}
}

// grant gives a user rights in a namespace.
func (i *installation) grant(t *testing.T, user, namespace string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	name := strings.ReplaceAll(user, ":", "-")
	for _, o := range []client.Object{
		&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Rules: rules},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
		},
	} {
		if err := i.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func rule(resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{"feedback.cx-operator.io"}, Resources: []string{resource}, Verbs: verbs}
}

// keys seal and find contacts in the tests' stores.
func keys(t *testing.T) desk.Keys {
	t.Helper()
	ring, err := desk.ParseKeys(strings.Repeat("k", 43))
	if err != nil {
		t.Fatal(err)
	}
	return desk.Keys{Cases: ring, Contact: bytes.Repeat([]byte("c"), 43)}
}

// open makes a program with a store of its own.
func (i *installation) open(t *testing.T, namespace, name string) (*sqlite.Store, store.Key) {
	t.Helper()
	p := &v1alpha1.SurveyProgram{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.SurveyProgramSpec{
			DisplayName: name, Purpose: "Know.", StoreRef: v1alpha1.NameRef{Name: "answers"}, OwnerRef: &v1alpha1.NameRef{Name: "anna"},
			Evidence: v1alpha1.Evidence{MinimumResponses: 5, ConfidencePercent: 95}, Privacy: v1alpha1.Privacy{MinimumCell: 5},
			Survey: v1alpha1.Survey{
				DefaultLanguage: "en", Title: v1alpha1.LocalizedText{"en": "How was it?"},
				Questions: []v1alpha1.Question{
					{Name: "recommend", Type: v1alpha1.QuestionNPS, Revision: 1, Text: v1alpha1.LocalizedText{"en": "Would you recommend us?"}},
				},
			},
		},
	}
	if err := i.client.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "answers.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // else it would be in every later list of all namespaces
		if err := errors.Join(s.Close(), i.client.Delete(context.Background(), p)); err != nil {
			t.Error(err)
		}
	})
	key := store.Key{Namespace: namespace, Name: name}
	i.desks.mu.Lock()
	i.desks.stores[key] = desk.Of(s, keys(t))
	i.desks.mu.Unlock()
	return s, key
}

// id is the n-th UUID of the tests.
func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// answer gives a response whose case is promised within some hours, and returns the case's name.
func answer(t *testing.T, s store.Store, program store.Key, n int, touchpoint, contact string, hours int) string {
	t.Helper()
	sealed, hash, err := keys(t).Seal(program, id(n), contact)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	_, err = s.Append(t.Context(), []store.Response{{
		Program: program, ID: id(100000 + n), Digest: [32]byte{byte(n)}, Receipt: fmt.Sprintf("R%08d", n), Touchpoint: touchpoint, Language: "en",
		SubmittedAt: at, Answers: []store.Answer{{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"3"}}},
		Case: &store.CaseOpening{
			ID: id(n), Reasons: []string{"ContactRequested", "Detractor"}, PromisedBy: at.Add(time.Duration(hours) * time.Hour).Truncate(time.Hour),
			Contact: sealed, ContactHash: hash, RetentionDays: 30,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return program.Name + "." + id(n)
}
