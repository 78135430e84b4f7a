package fleet

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// retry is how soon an endpoint that could not be read is tried again, and how often it is looked whether that is due.
	retry = 5 * time.Second
	// longestPause is between two tries of an endpoint that has no pod in service, longestReady of one that has.
	longestPause = time.Minute
	longestReady = 2 * retry
	// retriesAtOnce bounds how many endpoints that could not be read are tried at the same time.
	retriesAtOnce = 64
)

// pauseAfter returns how long an endpoint is left alone after so many failures in a row, at least one: twice as long each time. A
// random number between 0 and 1 makes it up to a quarter shorter, so that those who failed together do not return together.
func pauseAfter(failures int, ready bool, random float64) time.Duration {
	longest := longestPause
	if ready {
		longest = longestReady
	}
	pause := retry
	for range failures - 1 {
		if pause *= 2; pause >= longest {
			pause = longest
			break
		}
	}
	return pause - time.Duration(random*float64(pause)/4)
}

// resting returns why an endpoint could not be read, while it is to be left alone; nil when it is to be tried.
func (m *member) resting(now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil && now.Before(m.notBefore) {
		return m.err
	}
	return nil
}

// turn waits for the turn of an endpoint that failed before, and returns what ends it. Others have no turn to wait for.
func (m *member) turn(ctx context.Context) (end func(), err error) {
	m.mu.Lock()
	failed := m.failures > 0
	m.mu.Unlock()
	if !failed {
		return func() {}, nil
	}
	select {
	case m.retries <- struct{}{}:
		return func() { <-m.retries }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pace notes how a try ended. The caller holds the lock.
func (m *member) pace(err error, now time.Time) {
	if err == nil {
		m.failures = 0
		return
	}
	m.failures++
	m.notBefore = now.Add(pauseAfter(m.failures, m.program.Ready, rand.Float64())) //nolint:gosec // spreads tries; it guards nothing
}
