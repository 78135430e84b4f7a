package responsestore

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
)

var secretKind = corev1.SchemeGroupVersion.WithKind("Secret")

func keyOf(rs *v1alpha1.ResponseStore) store.Key {
	return store.Key{Namespace: rs.Namespace, Name: rs.Name}
}

// memory is how each store was seen last, so that its end can be told of. Without it, as after a restart, no event does.
type memory struct {
	mu     sync.Mutex
	stores map[store.Key]seen
}

type seen struct {
	store *v1alpha1.ResponseStore
	// dedicated says that endpoints of its programs' own have it open.
	dedicated bool
	// looked is the generation for which the Secret was looked for, since no endpoint opened it.
	looked int64
}

func (r *Reconciler) remember(rs *v1alpha1.ResponseStore, u users) {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if r.memory.stores == nil {
		r.memory.stores = map[store.Key]seen{}
	}
	last := r.memory.stores[keyOf(rs)]
	dedicated := len(u.dedicated) > 0 || !u.embedded && last.dedicated
	r.memory.stores[keyOf(rs)] = seen{rs, dedicated, last.looked}
}

// look notes that the Secret of a store is looked for, and says whether it was before.
func (r *Reconciler) look(rs *v1alpha1.ResponseStore) (before bool) {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if r.memory.stores == nil {
		r.memory.stores = map[store.Key]seen{}
	}
	last := r.memory.stores[keyOf(rs)]
	before, last.looked = last.looked == rs.Generation, rs.Generation
	r.memory.stores[keyOf(rs)] = last
	return before
}

func (r *Reconciler) recall(key store.Key) (seen, bool) {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	last, ok := r.memory.stores[key]
	delete(r.memory.stores, key)
	return last, ok
}

// close closes the store in this process, if it is open.
func (r *Reconciler) close(key store.Key) error {
	if r.Endpoint == nil {
		return nil
	}
	return r.Endpoint.CloseStore(key)
}

// forget ends the service of a store that is gone, and sees to it that what is to go with it goes. An event tells what was
// deleted, or is kept and where.
func (r *Reconciler) forget(ctx context.Context, key store.Key) error {
	if err := r.close(key); err != nil {
		return err
	}
	if ends, err := r.ends(key); err != nil || !ends {
		return err
	}
	live := &v1alpha1.ResponseStore{}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name}, live)
	if err == nil {
		return nil // it was made anew: the cache will tell
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("make sure that the store is gone: %w", err)
	}
	if r.Endpoint != nil {
		marked, err := r.Endpoint.Marked(key)
		if err != nil {
			return err
		}
		if marked != "" {
			_, _ = r.recall(key)
			return r.deleteMarked(key, "")
		}
	}
	if last, ok := r.recall(key); ok {
		r.announce(ctx, last)
	}
	return nil
}

// ends says whether anything is to be done, or told of, where a store is gone: of one that a program names before it is there,
// nothing is known.
func (r *Reconciler) ends(key store.Key) (bool, error) {
	r.memory.mu.Lock()
	_, known := r.memory.stores[key]
	r.memory.mu.Unlock()
	if known || r.Endpoint == nil {
		return known, nil
	}
	marked, err := r.Endpoint.Marked(key)
	return marked != "", err
}

// deleteMarked deletes the file of a SQLite store that is to go with a ResponseStore of another UID than this one.
func (r *Reconciler) deleteMarked(key store.Key, uid string) error {
	marked, err := r.Endpoint.Marked(key)
	if err != nil || marked == "" || marked == uid {
		return err
	}
	path, existed := r.Endpoint.StorePath(key)
	if err := r.Endpoint.DeleteStore(key); err != nil {
		return err
	}
	if existed {
		gone := &v1alpha1.ResponseStore{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: types.UID(marked)}}
		r.tell(gone, v1alpha1.ReasonDataDeleted, "DeleteData", fmt.Sprintf("the file %s was deleted with its answers, as deletionPolicy says", path))
	}
	return nil
}

// announce tells what became of the answers of a store that no file was marked for.
func (r *Reconciler) announce(ctx context.Context, last seen) {
	rs, key := last.store, keyOf(last.store)
	if rs.Spec.Postgres != nil {
		r.tell(rs, v1alpha1.ReasonDataRetained, "RetainData", fmt.Sprintf("the schema %q of the PostgreSQL database keeps the answers", render.Schema(key)))
		return
	}
	claim := &corev1.PersistentVolumeClaim{}
	if err := r.Client.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: render.ClaimName(key.Name)}, claim); err == nil {
		if metav1.IsControlledBy(claim, rs) {
			r.tell(rs, v1alpha1.ReasonDataDeleted, "DeleteData", fmt.Sprintf("the PersistentVolumeClaim %s is deleted with its answers, as deletionPolicy says", claim.Name))
		} else {
			r.tell(rs, v1alpha1.ReasonDataRetained, "RetainData", fmt.Sprintf("the PersistentVolumeClaim %s keeps the answers", claim.Name))
		}
	}
	if r.Endpoint == nil || last.dedicated {
		return
	}
	if path, exists := r.Endpoint.StorePath(key); exists {
		r.tell(rs, v1alpha1.ReasonDataRetained, "RetainData", fmt.Sprintf("the file %s of the operator keeps the answers", path))
	}
}

func (r *Reconciler) tell(rs *v1alpha1.ResponseStore, reason, action, note string) {
	r.Recorder.Eventf(rs, nil, corev1.EventTypeNormal, reason, action, "%s", note)
}

// enqueueMarked has the stores looked at that are to be deleted with their ResponseStore: it may be gone since before the start.
func (r *Reconciler) enqueueMarked(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	keys, err := r.Endpoint.AllMarked()
	for _, key := range keys {
		queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: key.Namespace, Name: key.Name}})
	}
	return err
}
