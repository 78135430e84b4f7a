package objectives

import (
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/controllers/env"
)

// Throttle remembers when the status of each object was last written, so that figures alone are written at most every
// env.FigureInterval. The zero value is ready; it may be used by several goroutines.
type Throttle struct {
	mu      sync.Mutex
	written map[string]time.Time
}

// Wait returns how long figures must still wait; zero means that they may be written now.
func (t *Throttle) Wait(object string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.written[object]
	if !ok {
		return 0
	}
	return max(0, last.Add(env.FigureInterval).Sub(now))
}

// Wrote records a write.
func (t *Throttle) Wrote(object string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written == nil {
		t.written = map[string]time.Time{}
	}
	t.written[object] = now
}

// Forget drops an object that is gone.
func (t *Throttle) Forget(object string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.written, object)
}
