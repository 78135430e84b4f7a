package notifier

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// Variables of a process that the tests start and kill: a notifier of one namespace.
const (
	childNamespace  = "CX_TEST_NOTIFIER_NAMESPACE"
	childKubeconfig = "CX_TEST_NOTIFIER_KUBECONFIG"
	childRoots      = "CX_TEST_NOTIFIER_ROOTS"
	childTime       = "CX_TEST_NOTIFIER_TIME"
)

func TestMain(m *testing.M) {
	if os.Getenv(childNamespace) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Start(m))
}

// child makes one pass and ends.
func child() error {
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv(childKubeconfig))
	if err != nil {
		return err
	}
	roots, err := os.ReadFile(os.Getenv(childRoots))
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, os.Getenv(childTime))
	if err != nil {
		return err
	}
	r, _, err := reconciler(cfg, roots, func() time.Time { return at })
	if err != nil {
		return err
	}
	_, err = r.Reconcile(context.Background(), spaceOf(os.Getenv(childNamespace)))
	return err
}

func spaceOf(namespace string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: namespace}}
}

// reconciler returns a notifier that reads all live and may send to this machine.
func reconciler(cfg *rest.Config, roots []byte, now func() time.Time) (*Reconciler, *events.FakeRecorder, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, err
	}
	guard, err := notify.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	recorder := events.NewFakeRecorder(1000)
	e := &env.Env{
		Client: c, Recorder: recorder, Clock: now, Exporter: exporter.New(),
		Notify: notify.NewSender(notify.Options{Guard: guard, Clock: time.Now, Roots: pool, Timeout: 5 * time.Second}),
	}
	return &Reconciler{Env: e, APIReader: c}, recorder, nil
}

// world is a namespace with a program, a receiver and a clock that the test moves.
type world struct {
	t        *testing.T
	cfg      *rest.Config
	c        client.Client
	ns       string
	r        *Reconciler
	events   *events.FakeRecorder
	receiver *receiver
	mu       sync.Mutex
	now      time.Time
}

// receiver keeps what it is sent, and answers as the test says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []message
	answer func(w http.ResponseWriter, m message)
}

type message struct {
	id, kind string
	data     notify.Data
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		e := cloudevents.NewEvent()
		m := message{id: req.Header.Get("Webhook-Id")}
		if err := json.Unmarshal(body, &e); err != nil || e.DataAs(&m.data) != nil || e.ID() != m.id {
			http.Error(w, "no event", http.StatusBadRequest)
			return
		}
		m.kind = e.Type()
		r.mu.Lock()
		r.got = append(r.got, m)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, m)
		}
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

// taken returns what arrived since it was last asked.
func (r *receiver) taken() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r *receiver) answers(f func(w http.ResponseWriter, m message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func (r *receiver) roots() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
}

const resources = `
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: airport}
spec:
  displayName: Airport
  level: Company
  notify: {channels: [{name: board, webhook: {url: "%[1]s/board"}}]}
---
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: retail}
spec:
  displayName: Retail
  level: Department
  parentRef: {name: airport}
  notify: {channels: [{name: hook, webhook: {url: "%[1]s/hook"}}]}
---
apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: visits}
spec:
  displayName: Visits
  purpose: Know whether it is easy.
  ownerRef: {name: airport}
  storeRef: {name: answers}
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions: [{name: ease, type: CES, text: {en: "Was it easy?"}}]
`

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, cfg: testenv.New(t), ns: testenv.Namespace(t), receiver: newReceiver(t)}
	w.now = time.Now().UTC().Truncate(time.Second)
	w.lead()
	w.c = w.r.Client
	w.apply(fmt.Sprintf(resources, w.receiver.URL))
	return w
}

// lead starts a new leader: one that remembers nothing.
func (w *world) lead() {
	w.t.Helper()
	r, recorder, err := reconciler(w.cfg, w.receiver.roots(), w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	w.r, w.events = r, recorder
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) apply(text string) {
	w.t.Helper()
	for _, document := range strings.Split(text, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			w.t.Fatal(err)
		}
		o.SetNamespace(w.ns)
		if err := w.c.Apply(w.t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("people"), client.ForceOwnership); err != nil {
			w.t.Fatal(err)
		}
	}
}

// touchpoint makes one that a team owns.
func (w *world) touchpoint(name, owner string) {
	w.t.Helper()
	tp := &v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}}
	tp.Spec = v1alpha1.TouchpointSpec{
		DisplayName: "Place " + name, ProgramRef: v1alpha1.NameRef{Name: "visits"}, Stage: v1alpha1.StageDuring,
		Channel: v1alpha1.Channel("OnSite"), OwnerRef: &v1alpha1.NameRef{Name: owner}, Questions: []string{"ease"},
	}
	if err := w.c.Create(w.t.Context(), tp); err != nil {
		w.t.Fatal(err)
	}
}

// happens writes transitions into the outbox of a touchpoint, as its controller does.
func (w *world) happens(name string, ts ...notify.Transition) {
	w.t.Helper()
	tp := w.get(name)
	before := tp.DeepCopy()
	for i := range ts {
		if ts[i].Time.IsZero() {
			ts[i].Time = w.clock()
		}
	}
	tp.Status.Outbox = notify.Enqueue(tp.Status.Outbox, tp.UID, ts, w.clock())
	if err := w.r.PatchStatus(w.t.Context(), tp, before); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *v1alpha1.Touchpoint {
	w.t.Helper()
	tp := &v1alpha1.Touchpoint{}
	if err := w.c.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, tp); err != nil {
		w.t.Fatal(err)
	}
	return tp
}

// delivery returns the only delivery of the newest notice of a touchpoint.
func (w *world) delivery(name string) v1alpha1.Delivery {
	w.t.Helper()
	outbox := w.get(name).Status.Outbox
	if len(outbox) == 0 || len(outbox[len(outbox)-1].Deliveries) != 1 {
		w.t.Fatalf("%s has the outbox %+v", name, outbox)
	}
	return outbox[len(outbox)-1].Deliveries[0]
}

// pass makes one pass and returns when the next is wanted.
func (w *world) pass() time.Duration {
	w.t.Helper()
	result, err := w.r.Reconcile(w.t.Context(), spaceOf(w.ns))
	if err != nil {
		w.t.Fatal(err)
	}
	return result.RequeueAfter
}

// runs makes every pass that is wanted within a time, at the moment at which it is wanted.
func (w *world) runs(d time.Duration) {
	w.t.Helper()
	end := w.clock().Add(d)
	for range 2000 {
		after := w.pass()
		if after == 0 || w.clock().Add(after).After(end) {
			w.mu.Lock()
			w.now = end
			w.mu.Unlock()
			return
		}
		w.advance(max(after, time.Second))
	}
	w.t.Fatal("it makes pass after pass")
}

var planMissing = notify.Transition{
	Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Breach: v1alpha1.BreachPlanMissing, Objective: "easy",
}
