package intake

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// mostInside is how many answers to one store are worked on at a time, waiting for their commit included: enough to fill
	// commits, and too few for them to keep the goroutine that commits from its turns on a processor.
	mostInside = 512
	// mostOutside is how many more may wait for their turn, and turnTimeout for how long, before they are told to come again. To
	// wait costs a connection that is there anyway; to be told, and to ask again at once as hasty clients do, costs a good part
	// of what it costs to be served.
	mostOutside = 4096
	turnTimeout = 2 * time.Second
)

// gate lets the answers to one store in, in the order in which they came, before they are decoded. What is refused must cost next to
// nothing: a machine that is asked for twice of what it can do has half of all requests to refuse. What comes slowly, or never to its
// end, takes no turn: its body is read before.
type gate struct {
	inside  *semaphore.Weighted
	outside atomic.Int64
	most    int64
	timeout time.Duration
	// programs that use the store; under the registry's lock.
	programs int
}

func newGate(inside, outside int64, timeout time.Duration) *gate {
	return &gate{inside: semaphore.NewWeighted(inside), most: outside, timeout: timeout}
}

// enter waits for a turn, and returns false where there is none in time. Who has entered must leave.
func (g *gate) enter(ctx context.Context) bool {
	if g == nil || g.inside.TryAcquire(1) {
		return true
	}
	defer g.outside.Add(-1)
	if g.outside.Add(1) > g.most {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	return g.inside.Acquire(ctx, 1) == nil
}

// full says whether one more would find neither a turn nor a place to wait for one.
func (g *gate) full() bool {
	if g == nil {
		return false
	}
	if g.inside.TryAcquire(1) {
		g.inside.Release(1)
		return false
	}
	return g.outside.Load() >= g.most
}

func (g *gate) leave() {
	if g != nil {
		g.inside.Release(1)
	}
}

// gates are those of the stores in use. Programs that share a store share its gate, and a store that is stuck holds up no others.
type gates map[store.Store]*gate

// take returns the gate of a store for one more program; nil where there is no store.
func (g gates) take(s store.Store) *gate {
	if s == nil {
		return nil
	}
	if g[s] == nil {
		g[s] = newGate(mostInside, mostOutside, turnTimeout)
	}
	g[s].programs++
	return g[s]
}

// giveBack forgets the gate once no program uses the store any more.
func (g gates) giveBack(s store.Store) {
	if s == nil {
		return
	}
	if g[s].programs--; g[s].programs == 0 {
		delete(g, s)
	}
}
