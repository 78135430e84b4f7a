package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers"
	"github.com/cx-operator/cx-operator/controllers/accountabilitypolicy"
	"github.com/cx-operator/cx-operator/controllers/actionplan"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/responsestore"
	"github.com/cx-operator/cx-operator/controllers/surveyprogram"
	"github.com/cx-operator/cx-operator/controllers/team"
	"github.com/cx-operator/cx-operator/controllers/touchpoint"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Start(m))
}

const (
	staleAfter = time.Minute
	publicURL  = "http://survey.test"
	// patience is how long something may take that is under way, on a small machine that runs other tests beside.
	patience = 60 * time.Second
)

// world is one namespace with an operator of its own, a data folder that outlives the operator, and a clock.
type world struct {
	t     *testing.T
	ns    string
	dir   string
	clock *clock
	api   *apiCounter
	// reconciles counts those of the world's operators.
	reconciles *reconcileCounter
	c          client.Client // the people's: not counted, not cached
	op         *operator
	// node runs Dedicated endpoints; nil where the operator serves none.
	node *node
	// unembedded starts the operator without an endpoint of its own.
	unembedded bool
	// hold is how long a status waits for what is on its way; it needs a clock that goes.
	hold time.Duration
}

// operator is one life of the operator's process.
type operator struct {
	env      *env.Env
	endpoint *embedded.Endpoint
	registry *prometheus.Registry
	client   client.Client
	// reconcilers of a manual operator, by kind.
	reconcilers map[string]reconciler
	stop        context.CancelFunc
	done        chan error
}

type reconciler interface {
	Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error)
}

// newWorld makes a namespace and everything around an operator, but starts none.
func newWorld(t *testing.T) *world {
	t.Helper()
	cfg := testenv.New(t)
	cfg.QPS = -1
	c, err := client.New(cfg, client.Options{Scheme: controllers.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, ns: testenv.Namespace(t), dir: t.TempDir(), c: c,
		clock: &clock{now: time.Now().UTC().Truncate(time.Second)}, api: &apiCounter{}, reconciles: &reconcileCounter{},
	}
	t.Cleanup(w.stop)
	return w
}

// start runs an operator with all its controllers.
func (w *world) start() { w.launch(true) }

// startManual runs an operator whose controllers do nothing by themselves: the test calls reconcile.
func (w *world) startManual() { w.launch(false) }

func (w *world) launch(auto bool) {
	w.t.Helper()
	if w.op != nil {
		w.t.Fatal("an operator runs already")
	}
	op, mgr := w.prepare()
	ctx, stop := context.WithCancel(context.Background())
	op.stop = stop
	if auto {
		if err := controllers.Setup(ctx, mgr, op.env, 2); err != nil {
			w.t.Fatal(err)
		}
	} else {
		if err := env.AddIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
			w.t.Fatal(err)
		}
		op.reconcilers = map[string]reconciler{
			"Team":          &team.Reconciler{Env: op.env},
			"ResponseStore": &responsestore.Reconciler{Env: op.env, APIReader: mgr.GetAPIReader()},
			"SurveyProgram": &surveyprogram.Reconciler{Env: op.env, APIReader: mgr.GetAPIReader()},
			"Touchpoint":    &touchpoint.Reconciler{Env: op.env},
			"ActionPlan":    &actionplan.Reconciler{Env: op.env},

			"AccountabilityPolicy": &accountabilitypolicy.Reconciler{Env: op.env},
		}
	}
	go func() { op.done <- mgr.Start(ctx) }()
	w.op = op
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		w.t.Fatal("the cache did not fill")
	}
	w.eventually("the endpoint listens", func() error {
		if op.endpoint != nil && op.endpoint.Addr() == nil {
			return errors.New("not yet")
		}
		return nil
	})
}

func (w *world) prepare() (*operator, manager.Manager) {
	w.t.Helper()
	cfg := testenv.New(w.t)
	cfg.QPS = -1
	w.api.revive()
	cfg.Wrap(w.api.wrap)
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: controllers.Scheme(), Cache: controllers.CacheOptions(w.ns), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller:              config.Controller{SkipNameValidation: ptr.To(true)},
		GracefulShutdownTimeout: ptr.To(30 * time.Second), Logger: w.reconciles.logger(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	op := &operator{registry: prometheus.NewRegistry(), client: mgr.GetClient(), done: make(chan error, 1)}
	op.env = &env.Env{
		Client: mgr.GetClient(), Recorder: mgr.GetEventRecorder("cx-operator"), Clock: w.clock.Now, Book: rollup.NewBook(),
		Exporter: exporter.New(), StaleAfter: staleAfter, Started: w.clock.Now(), HoldFor: w.hold,
	}
	op.registry.MustRegister(op.env.Exporter)
	if w.node != nil {
		w.dedicate(op.env, mgr)
	}
	if w.unembedded {
		return op, mgr
	}
	op.endpoint, err = embedded.New(embedded.Options{
		Dir: w.dir, Address: "127.0.0.1:0", PublicURL: publicURL, Book: op.env.Book, Clock: w.clock.Now, StaleAfter: staleAfter,
		Intake: intake.Config{RatePerMinute: -1, Clock: w.clock.Now, Registerer: op.registry},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	op.env.Endpoint = op.endpoint
	if err := mgr.Add(op.endpoint); err != nil {
		w.t.Fatal(err)
	}
	return op, mgr
}

// stop ends the operator, if one runs, and waits for it.
func (w *world) stop() {
	if w.op == nil {
		return
	}
	op := w.op
	w.op = nil
	op.stop()
	select {
	case err := <-op.done:
		if err != nil && !w.api.dead() {
			w.t.Errorf("the operator ended with an error: %v", err)
		}
	case <-time.After(patience):
		w.t.Error("the operator did not end")
	}
}

// restart ends the operator and starts another one on the same data.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	before := w.reconciles.total()
	w.start()
	w.eventually("controllers look at what there is", func() error {
		if w.reconciles.total() == before {
			return errors.New("not yet")
		}
		return nil
	})
}

// eventually waits until the check has no error.
func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %v", what, err)
		}
		<-tick.C
	}
}

// settle waits until the operator has been idle for a while: no reconcile and no write. It counts looks rather than time, and
// calls the API server between them: on a machine that is busy with other work both come later, as does what they wait for.
func (w *world) settle() {
	w.t.Helper()
	const looks = 35 // in 700 ms at least: more than a follower rests, or a retry waits at first
	last, quiet := w.activity(), 0
	w.eventually("the operator settles", func() error {
		if now := w.activity(); now != last || w.reconciles.running() > 0 {
			last, quiet = now, 0
		}
		if quiet%5 == 0 {
			if err := w.c.List(w.t.Context(), &v1alpha1.TeamList{}, client.InNamespace(w.ns)); err != nil {
				return err
			}
		}
		if quiet++; quiet < looks {
			return fmt.Errorf("busy: %s", last)
		}
		return nil
	})
}

func (w *world) activity() string {
	return fmt.Sprintf("%d writes, %d reconciles", w.api.writes(), w.reconciles.total())
}

// clock is moved by the test alone.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now of no clock is the machine's.
func (c *clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// reconcile calls a manual operator's controller once its cache is up to date, and again where a read was stale.
func (w *world) reconcile(kind, name string) ctrl.Result {
	w.t.Helper()
	w.cacheCatchesUp()
	result, err := w.op.reconcilers[kind].Reconcile(w.t.Context(), ctrl.Request{NamespacedName: w.key(name)})
	if err != nil {
		w.t.Fatalf("reconcile %s %s: %v", kind, name, err)
	}
	return result
}

// reconcileUntilStill calls a controller until a call writes nothing.
func (w *world) reconcileUntilStill(kind, name string) ctrl.Result {
	w.t.Helper()
	for range 10 {
		before := w.api.writes()
		result := w.reconcile(kind, name)
		if w.api.writes() == before {
			return result
		}
	}
	w.t.Fatalf("%s %s writes at each of ten reconciles: %v", kind, name, w.api.seen())
	return ctrl.Result{}
}

func (w *world) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.ns, Name: name}
}

var lists = []func() client.ObjectList{
	func() client.ObjectList { return &v1alpha1.TeamList{} },
	func() client.ObjectList { return &v1alpha1.ResponseStoreList{} },
	func() client.ObjectList { return &v1alpha1.SurveyProgramList{} },
	func() client.ObjectList { return &v1alpha1.TouchpointList{} },
	func() client.ObjectList { return &v1alpha1.ActionPlanList{} },
	func() client.ObjectList { return &v1alpha1.AccountabilityPolicyList{} },
}

func (w *world) cacheCatchesUp() {
	w.t.Helper()
	w.eventually("the cache catches up", func() error {
		for _, list := range lists {
			live, cached := list(), list()
			if err := w.c.List(w.t.Context(), live, client.InNamespace(w.ns)); err != nil {
				return err
			}
			if err := w.op.client.List(w.t.Context(), cached, client.InNamespace(w.ns)); err != nil {
				return err
			}
			if versions(live) != versions(cached) {
				return fmt.Errorf("%T differs", live)
			}
		}
		return nil
	})
}

// events returns the events of the namespace as "Kind/name reason: note", with how often each was seen.
func (w *world) events() map[string]int {
	w.t.Helper()
	all := &eventsv1.EventList{}
	if err := w.c.List(w.t.Context(), all, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range all.Items {
		e := &all.Items[i]
		n := 1
		if e.Series != nil {
			n = int(e.Series.Count)
		}
		seen[fmt.Sprintf("%s/%s %s: %s", e.Regarding.Kind, e.Regarding.Name, e.Reason, e.Note)] += n
	}
	return seen
}

// storePath is where the answers of a store are.
func (w *world) storePath(name string) string {
	return filepath.Join(w.dir, w.ns, "stores", name+".sqlite")
}

func versions(list runtime.Object) string {
	seen := map[string]string{}
	eachItem(list, func(o client.Object) { seen[o.GetName()] = o.GetResourceVersion() })
	return fmt.Sprint(seen) // maps print in order of their keys
}
