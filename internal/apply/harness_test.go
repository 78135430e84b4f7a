package apply_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Start(m))
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(apiextensionsv1.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	utilruntime.Must(gatewayv1.Install(s))
	utilruntime.Must(monitoringv1.AddToScheme(s))
	return s
}

// world is a namespace with a program and a store, an applier whose writes are counted, and the people's client.
type world struct {
	t       *testing.T
	ns      string
	people  client.Client
	applier *apply.Applier
	writes  *atomic.Int64
	wanted  render.Dedicated
}

func newWorld(t *testing.T, spec v1alpha1.ResponseStoreSpec) *world {
	t.Helper()
	w := &world{t: t, ns: testenv.Namespace(t), writes: &atomic.Int64{}}
	w.people = w.client(false)
	counted := w.client(true)
	w.applier = &apply.Applier{Client: counted, Reader: counted, Owner: "cx-operator"}
	w.wanted = render.Dedicated{
		Program: w.program("flights"), Store: w.store("responses", spec),
		Survey: &survey.Survey{
			Program: store.Key{Namespace: w.ns, Name: "flights"}, DisplayName: "Flights", DefaultLanguage: "en", Title: survey.Texts{"en": "Flights"},
		},
		Options: render.Options{Image: "registry.example.org/cx-operator:1", OperatorNamespace: "cx-operator-system"},
	}
	return w
}

func (w *world) client(counted bool) client.Client {
	w.t.Helper()
	cfg := testenv.New(w.t)
	cfg.QPS = -1
	if counted {
		cfg.Wrap(w.countWrites)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme()})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) countWrites(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet {
			w.writes.Add(1)
		}
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *world) program(name string) *v1alpha1.SurveyProgram {
	w.t.Helper()
	p := &v1alpha1.SurveyProgram{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec: v1alpha1.SurveyProgramSpec{
			DisplayName: "Flights", Purpose: "Know.", StoreRef: v1alpha1.NameRef{Name: "responses"},
			Survey: v1alpha1.Survey{
				DefaultLanguage: "en", Title: v1alpha1.LocalizedText{"en": "Flights"},
				Questions: []v1alpha1.Question{{Name: "recommend", Type: v1alpha1.QuestionNPS, Text: v1alpha1.LocalizedText{"en": "Recommend"}}},
			},
		},
	}
	w.create(p)
	return p
}

func (w *world) store(name string, spec v1alpha1.ResponseStoreSpec) *v1alpha1.ResponseStore {
	w.t.Helper()
	s := &v1alpha1.ResponseStore{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}, Spec: spec}
	w.create(s)
	return s
}

func (w *world) create(object client.Object) {
	w.t.Helper()
	if err := w.people.Create(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string, into client.Object) error {
	return w.people.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, into)
}

func (w *world) mustGet(name string, into client.Object) {
	w.t.Helper()
	if err := w.get(name, into); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(object client.Object) {
	w.t.Helper()
	if err := w.people.Delete(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

// patch changes an object as people do.
func (w *world) patch(object client.Object, change func()) {
	w.t.Helper()
	before := object.DeepCopyObject().(client.Object)
	change()
	if err := w.people.Patch(w.t.Context(), object, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// apply applies what is wanted and returns what was found and how many writes it took.
func (w *world) apply() (apply.Result, int64) {
	w.t.Helper()
	objects, err := w.wanted.Objects()
	if err != nil {
		w.t.Fatal(err)
	}
	before := w.writes.Load()
	result, err := w.applier.Apply(w.t.Context(), w.wanted.Program, objects)
	if err != nil {
		w.t.Fatal(err)
	}
	return result, w.writes.Load() - before
}

// still fails where another pass would write.
func (w *world) still() {
	w.t.Helper()
	if result, n := w.apply(); n != 0 {
		w.t.Errorf("%d writes in a steady state, %+v", n, result)
	}
}

func sqliteSpec() v1alpha1.ResponseStoreSpec {
	return v1alpha1.ResponseStoreSpec{SQLite: &v1alpha1.SQLiteStore{}}
}

func postgresSpec() v1alpha1.ResponseStoreSpec {
	return v1alpha1.ResponseStoreSpec{Postgres: &v1alpha1.PostgresStore{ConnectionSecretRef: v1alpha1.SecretKeyRef{Name: "database", Key: "uri"}}}
}

// gatewayCRD reads the definition of HTTPRoute from its module.
func gatewayCRD(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := decodeYAML(content, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// removeCRD deletes a definition and waits until it is gone, so that the next test is without it.
func (w *world) removeCRD(crd client.Object) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.people.Delete(ctx, crd); err != nil {
		w.t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		return apierrors.IsNotFound(w.people.Get(ctx, client.ObjectKeyFromObject(crd), crd)), nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func ownerUIDs(object metav1.Object) []string {
	var uids []string
	for _, owner := range object.GetOwnerReferences() {
		uids = append(uids, string(owner.UID))
	}
	return uids
}

func storageOf(claim *corev1.PersistentVolumeClaim) string {
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return size.String()
}
