package commit

import "sync"

// Broadcast is a channel that is closed at each of a sequence of moments.
type Broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

// Wait returns the channel of the next moment.
func (b *Broadcast) Wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

// Fire makes this moment one of them.
func (b *Broadcast) Fire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
