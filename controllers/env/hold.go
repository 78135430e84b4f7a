package env

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// DefaultHold is how long a status waits, at the most, for what is on its way.
const DefaultHold = 2 * time.Second

// Hold remembers since when the status of each object waits for what is on its way: whoever applies objects does so one after
// the other, and the caches of two kinds fill independently of each other. What an object names may be there a moment later,
// and then one write tells it all. The zero value is ready; it may be used by several goroutines.
type Hold struct {
	mu    sync.Mutex
	since map[client.ObjectKey]held
}

type held struct {
	uid        types.UID
	generation int64
	at         time.Time
}

// Wait returns for how much longer the status of obj is held back, zero for no longer. It is at most so long in all, from when
// it was first asked for this generation of the object.
func (h *Hold) Wait(obj client.Object, now time.Time, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := client.ObjectKeyFromObject(obj)
	last, ok := h.since[key]
	if !ok || last.uid != obj.GetUID() || last.generation != obj.GetGeneration() {
		if h.since == nil {
			h.since = map[client.ObjectKey]held{}
		}
		last = held{obj.GetUID(), obj.GetGeneration(), now}
		h.since[key] = last
	}
	return max(0, last.at.Add(most).Sub(now))
}

// End forgets an object that waits for nothing any more, or is gone.
func (h *Hold) End(key client.ObjectKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.since, key)
}

// OnTheirWay says whether a problem is one that goes by itself where the rest of what is being applied arrives.
func OnTheirWay(problems []survey.Problem) bool {
	for _, p := range problems {
		switch p.Reason {
		case v1alpha1.ReasonTeamNotFound, v1alpha1.ReasonProgramNotFound, v1alpha1.ReasonTouchpointNotFound,
			v1alpha1.ReasonStoreNotFound, v1alpha1.ReasonStoreNotReady, v1alpha1.ReasonWaiting:
			return true
		}
	}
	return false
}
