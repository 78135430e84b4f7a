package env

import (
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// paceLeast is the least time between two passes over all that an object sums up, and paceMost the longest.
	paceLeast = 200 * time.Millisecond
	paceMost  = 10 * time.Second
)

// Pace keeps passes that sum up many objects apart, so that a stream of changes to these costs no more than a share of the
// time, however many they are. The zero value is ready; it may be used by several goroutines.
type Pace struct {
	// Share is how much longer than such a pass the rest after it is: 20 is a twentieth of a worker's time; 0 is no longer than
	// paceLeast.
	Share int

	mu   sync.Mutex
	next map[client.ObjectKey]time.Time
}

// Wait returns how long the next pass over an object has to wait; zero means that it may begin.
func (p *Pace) Wait(key client.ObjectKey, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, ok := p.next[key]
	if !ok {
		return 0
	}
	if wait := next.Sub(now); wait > 0 {
		return wait
	}
	delete(p.next, key)
	return 0
}

// Took notes when a pass began and ended.
func (p *Pace) Took(key client.ObjectKey, began, ended time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = map[client.ObjectKey]time.Time{}
	}
	took := ended.Sub(began)
	if took <= 0 { // the clock stands still
		return
	}
	p.next[key] = ended.Add(min(max(paceLeast, time.Duration(p.Share)*took), paceMost))
}

// Forget drops an object that is gone.
func (p *Pace) Forget(key client.ObjectKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.next, key)
}
