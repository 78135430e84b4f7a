package apply

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// written remembers what was written until the cache shows it. A pass that comes before that would find nothing, or what was
// there before, and ask the API server or write the same again. The zero value is ready.
type written struct {
	mu   sync.Mutex
	last map[string]version
}

// version is what the API server called an object that was written.
type version struct {
	resource string
	at       time.Time
}

// keyOfObject tells objects of all namespaces apart; name is KIND/NAME.
func keyOfObject(name string, object metav1.Object) string { return object.GetNamespace() + "/" + name }

// note remembers what the API server answered to a write, if it took it.
func (w *written) note(name string, object metav1.Object, err error) {
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[string]version{}
	}
	w.last[keyOfObject(name, object)] = version{object.GetResourceVersion(), time.Now()} //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
}

// awaits says whether the cache is yet to show what was written: it has found, or nothing, which found has no version then. After
// lag it counts as shown, whatever it is: an object may have gone again without the cache's having seen it.
func (w *written) awaits(name string, found metav1.Object, lag time.Duration) bool {
	key := keyOfObject(name, found)
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.last[key]
	if !ok {
		return false
	}
	if time.Since(last.at) < lag && !reached(found.GetResourceVersion(), last.resource) { //nolint:forbidigo // a cache lags by the machine's clock, whatever time it is for what is reconciled
		return true
	}
	delete(w.last, key)
	return false
}

// forget drops what was written of an object that is to go.
func (w *written) forget(name string, object metav1.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.last, keyOfObject(name, object))
}

// reached says whether an object is as new as a version, or newer. One that cannot be compared is.
func reached(found, version string) bool {
	if found == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(found, version)
	return err != nil || order >= 0
}
