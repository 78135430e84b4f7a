package env

import (
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writes remembers which version of each object this process wrote, until the cache has it. The zero value is ready; it may be
// used by several goroutines.
type writes struct {
	mu   sync.Mutex
	last map[written]string
}

type written struct {
	kind reflect.Type
	key  client.ObjectKey
}

func of(obj client.Object) written {
	return written{reflect.TypeOf(obj), client.ObjectKeyFromObject(obj)}
}

func (w *writes) note(obj client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[written]string{}
	}
	w.last[of(obj)] = obj.GetResourceVersion()
}

// has says that the object of a kind and key was written, and not seen in the cache since.
func (w *writes) has(kind client.Object, key client.ObjectKey) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, wrote := w.last[written{reflect.TypeOf(kind), key}]
	return wrote
}

// Behind says that obj, as the cache has it, is older than what this process wrote of it. A pass over it would only write the
// same again, and be refused; the event of that write brings the object back. Of an object that is gone nothing is remembered.
func (e *Env) Behind(obj client.Object) bool {
	e.writes.mu.Lock()
	defer e.writes.mu.Unlock()
	version, wrote := e.writes.last[of(obj)]
	if !wrote {
		return false
	}
	if order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), version); err == nil && order < 0 {
		return true
	}
	delete(e.writes.last, of(obj))
	return false
}

// Gone forgets what was written of an object that the cache does not have: obj is of its kind.
func (e *Env) Gone(obj client.Object, key client.ObjectKey) {
	e.writes.mu.Lock()
	defer e.writes.mu.Unlock()
	delete(e.writes.last, written{reflect.TypeOf(obj), key})
}
