package intake

import "sync"

// memo remembers what was computed, as long as all of it weighs at most size. It is for results that cost more to compute than
// to keep, of which few are asked for again and again: for a new one, it forgets any others. It is safe for concurrent use.
type memo[K comparable, V any] struct {
	size int
	// weigh returns the weight of a result; nil for 1 each.
	weigh func(V) int

	mu      sync.RWMutex
	results map[K]V
	weight  int
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
	if former, known := m.results[key]; known { // somebody was faster
		return former
	}
	if m.results == nil {
		m.results = map[K]V{}
	}
	m.weight += m.weightOf(result)
	for key, other := range m.results {
		if m.weight <= m.size {
			break
		}
		delete(m.results, key)
		m.weight -= m.weightOf(other)
	}
	m.results[key] = result
	return result
}

func (m *memo[K, V]) weightOf(result V) int {
	if m.weigh == nil {
		return 1
	}
	return m.weigh(result)
}
