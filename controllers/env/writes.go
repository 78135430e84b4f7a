package env

import (
	"reflect"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writes remembers which version of each object this process wrote, until the cache has it. The zero value is ready; it may be
// used by several goroutines.
type writes struct {
	mu   sync.Mutex
	last map[written]string
	// secrets are those that this process made, until the cache has them.
	secrets map[client.ObjectKey]madeSecret
	// time is how long writes of a status took lately.
	time time.Duration
}

// took notes how long a write took. A longer one counts at once, and is forgotten by and by.
func (w *writes) took(long time.Duration) {
	const few = 8
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = max(long, w.time-(w.time-long)/few)
}

// madeSecret is a Secret as the API server answered to its creation.
type madeSecret struct {
	secret *corev1.Secret
	at     time.Time
}

// SecretLag is how long the cache may take until it has a Secret that was made. After that the API server is asked.
const SecretLag = 5 * time.Second

func (w *writes) noteSecret(secret *corev1.Secret) {
	w.note(secret)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.secrets == nil {
		w.secrets = map[client.ObjectKey]madeSecret{}
	}
	w.secrets[client.ObjectKeyFromObject(secret)] = madeSecret{secret, time.Now()} //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
}

// made returns the Secret that was made a moment ago, nil for none.
func (w *writes) made(key client.ObjectKey) *corev1.Secret {
	w.mu.Lock()
	defer w.mu.Unlock()
	made, ok := w.secrets[key]
	if !ok {
		return nil
	}
	if time.Since(made.at) < SecretLag { //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
		return made.secret
	}
	delete(w.secrets, key)
	return nil
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
	if _, ok := obj.(*corev1.Secret); ok {
		delete(e.writes.secrets, key)
	}
}
