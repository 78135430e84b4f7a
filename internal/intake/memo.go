package intake

import "sync"

// memo remembers what was computed, at most size results. It is for results that cost more than they take, of which few are
// asked for again and again: it forgets any of them for a new one when it is full. It is safe for concurrent use.
type memo[K comparable, V any] struct {
	size int

	mu      sync.RWMutex
	results map[K]V
}

// get returns the result for the key, and computes it where it is not remembered.
func (m *memo[K, V]) get(key K, compute func(K) V) V {
	m.mu.RLock()
	result, known := m.results[key]
	m.mu.RUnlock()
	if known {
		return result
	}
	result = compute(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.results == nil {
		m.results = map[K]V{}
	}
	for any := range m.results {
		if len(m.results) < m.size {
			break
		}
		delete(m.results, any)
	}
	m.results[key] = result
	return result
}
