// Package responsestore reconciles ResponseStores: it opens the store where this process serves it, reports what the store or
// the endpoints that have it open say of it, and carries out what is to become of the answers when it is deleted.
package responsestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=responsestores,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=responsestores/status,verbs=get;patch
// +kubebuilder:rbac:groups=cx-operator.io,resources=responsestores/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch

// retryAfter is how soon a store that could not be opened is tried again: nothing tells when a disk has room again.
const retryAfter = 10 * time.Second

// Reconciler reconciles ResponseStores.
type Reconciler struct {
	*env.Env
	// APIReader reads from the API server what the cache leaves out.
	APIReader client.Reader
	memory    memory
	pace      env.Pace
	// unused holds back a new store that no program uses yet, starting what an endpoint that starts will tell.
	unused, starting env.Hold
}

// Reconcile keeps the keys of one store and opens it, or asks those who have it open.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.ResponseStore{}
	err := r.Client.Get(ctx, req.NamespacedName, before)
	if err != nil && !apierrors.IsNotFound(err) {
		return ctrl.Result{}, fmt.Errorf("get store: %w", err)
	}
	key := store.Key{Namespace: req.Namespace, Name: req.Name}
	if err != nil {
		r.drop(req.NamespacedName)
		return ctrl.Result{}, r.forget(ctx, key)
	}
	if !before.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.close(key)
	}
	if r.Behind(before) {
		return ctrl.Result{}, nil
	}
	began := r.Clock()
	if wait := r.pace.Wait(req.NamespacedName, began); wait > 0 && before.Generation == before.Status.ObservedGeneration {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	defer func() { r.pace.Took(req.NamespacedName, began, r.Clock()) }()
	rs := before.DeepCopy()
	rs.Status.ObservedGeneration = rs.Generation
	set := conditions.Set{Conditions: &rs.Status.Conditions, Generation: rs.Generation, Now: r.Clock()}
	again, unkept := r.keepKeys(ctx, rs)
	users, err := r.users(ctx, rs)
	if err != nil {
		return ctrl.Result{}, errors.Join(unkept, err)
	}
	if wait := r.holdBack(rs, users); wait > 0 && unkept == nil {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	result, err := r.open(ctx, key, rs, users, set)
	if err != nil {
		return ctrl.Result{}, errors.Join(unkept, err)
	}
	result.RequeueAfter = sooner(result.RequeueAfter, again)
	if unkept != nil && meta.IsStatusConditionTrue(rs.Status.Conditions, v1alpha1.ConditionReady) {
		set.Waiting(v1alpha1.ReasonRetrying, "the store is open, but the Secret with its keys cannot be kept now; the operator's log says why")
	}
	if equality.Semantic.DeepEqual(rs.Status, before.Status) {
		return result, unkept
	}
	return result, errors.Join(unkept, r.PatchStatus(ctx, rs, before))
}

// drop forgets what a pass left to the next one of a store that is gone.
func (r *Reconciler) drop(key client.ObjectKey) {
	r.pace.Forget(key)
	r.unused.End(key)
	r.starting.End(key)
	r.Gone(&v1alpha1.ResponseStore{}, key)
	r.Gone(&corev1.Secret{}, client.ObjectKey{Namespace: key.Namespace, Name: render.KeysName(key.Name)})
}

// sooner returns the shorter of two times; zero does not count.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// holdBack returns for how much longer a new store waits for its first program, which says who is to open it: it is applied
// together with the store.
func (r *Reconciler) holdBack(rs *v1alpha1.ResponseStore, users users) time.Duration {
	if len(rs.Status.Conditions) > 0 || users.embedded || len(users.dedicated) > 0 {
		return 0
	}
	return r.unused.Wait(rs, r.Clock(), r.HoldFor)
}

// open opens the store where this process serves it, or asks those who do, and sets the conditions.
func (r *Reconciler) open(ctx context.Context, key store.Key, rs *v1alpha1.ResponseStore, users users, set conditions.Set) (ctrl.Result, error) {
	defer r.remember(rs, users)
	switch {
	case len(users.dedicated) > 0 && (!users.embedded || r.Endpoint == nil):
		return r.ask(ctx, rs, users.dedicated, set)
	case r.Endpoint == nil && !users.embedded:
		set.Reconciled("no program uses the store yet: it is opened by the endpoint of the first one")
		return ctrl.Result{}, nil
	case r.Endpoint == nil:
		set.Stalled(v1alpha1.ReasonNotServed, "no process serves Embedded programs: start the manager with --embedded-endpoint")
		return ctrl.Result{}, nil
	case rs.Spec.Postgres != nil:
		return r.openPostgres(ctx, key, rs, set)
	}
	return r.openSQLite(ctx, key, rs, set), nil
}

func (r *Reconciler) openSQLite(ctx context.Context, key store.Key, rs *v1alpha1.ResponseStore, set conditions.Set) ctrl.Result {
	info, err := r.openFile(ctx, key, rs)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Store cannot be opened")
		set.Waiting(v1alpha1.ReasonStoreUnavailable, reason(err))
		return ctrl.Result{RequeueAfter: retryAfter}
	}
	rs.Status.Engine, rs.Status.SchemaVersion = info.Engine, info.SchemaVersion
	set.Reconciled("the store is open")
	return ctrl.Result{}
}

// openFile opens a SQLite store. What a former ResponseStore of the name should have taken along is deleted before.
func (r *Reconciler) openFile(ctx context.Context, key store.Key, rs *v1alpha1.ResponseStore) (store.Info, error) {
	if err := r.deleteMarked(key, string(rs.UID)); err != nil {
		return store.Info{}, err
	}
	info, err := r.Endpoint.OpenStore(ctx, key)
	if err != nil {
		return info, err
	}
	uid := ""
	if rs.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		uid = string(rs.UID)
	}
	return info, r.Endpoint.Mark(key, uid)
}

// reason is a stable text for a condition; the log has the error itself.
func reason(err error) string {
	if errors.Is(err, store.ErrLocked) {
		return "another process has the store open"
	}
	return "the store cannot be opened or read; the operator's log says why"
}

// SetupWithManager adds the controller to a manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ResponseStore{}).
		Owns(&corev1.Secret{}).
		Watches(&v1alpha1.SurveyProgram{}, handler.EnqueueRequestsFromMapFunc(ofProgram), builder.WithPredicates(env.News, placeChanged)).
		WithOptions(env.ControllerOptions(workers))
	if r.Endpoint != nil {
		b.WatchesRawSource(source.TypedChannel(r.Endpoint.SubscribeStores(), handler.TypedEnqueueRequestsFromMapFunc(
			func(_ context.Context, k store.Key) []reconcile.Request {
				return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: k.Namespace, Name: k.Name}}}
			})))
		b.WatchesRawSource(source.Func(r.enqueueMarked))
	}
	if r.Dedicated != nil {
		b.WatchesRawSource(env.CountsChanged(r.Dedicated.Fleet.Subscribe(), r.ofEndpoint))
	}
	return b.Complete(env.RetryConflicts(r))
}
