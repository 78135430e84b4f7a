package objectives

import (
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/controllers/env"
)

// Where very many objects get answers all the time, their figures alone would take all that the API server can write, and a
// verdict that turned would stand behind them. So figures are written at an even rate at the most, each object in its turn.
const (
	// figuresPerSecond are the writes of figures alone in a second, of one kind.
	figuresPerSecond = 20
	// figuresAtOnce are those that need not wait after a quiet time.
	figuresAtOnce = 100
	// figuresInFlight are the writes of figures alone that may wait for the API server at the same time, of one kind: where it is
	// slow, they would take all workers, and nobody would judge. figuresAgain is when the next asks again.
	figuresInFlight = 4
	figuresAgain    = 100 * time.Millisecond
)

// Throttle remembers when the status of each object was last written, so that figures alone are written at most every
// env.FigureInterval, and those of all objects at most figuresPerSecond. The zero value is ready; it may be used by several
// goroutines.
type Throttle struct {
	mu      sync.Mutex
	written map[string]time.Time
	// turns are of objects that wait for theirs; free is when the next one is.
	turns map[string]time.Time
	free  time.Time
	// asked is when a turn was taken last.
	asked time.Time
	// inFlight are the writes of figures alone that have begun.
	inFlight int
}

// Wait returns how long figures must still wait; zero means that they may be written now, which Done must follow.
func (t *Throttle) Wait(object string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := t.due(object, now); wait > 0 {
		return wait
	}
	if t.inFlight >= figuresInFlight {
		return figuresAgain
	}
	delete(t.turns, object)
	t.inFlight++
	return 0
}

// Due returns after how long to ask whether figures may be written. Nothing begins by it.
func (t *Throttle) Due(object string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.due(object, now)
}

// due is how long the object has to wait for its interval and its turn, which it takes where it has none.
func (t *Throttle) due(object string, now time.Time) time.Duration {
	if last, ok := t.written[object]; ok && now.Before(last.Add(env.FigureInterval)) {
		return last.Add(env.FigureInterval).Sub(now)
	}
	turn, waits := t.turns[object]
	if !waits {
		turn = t.turn(now)
		if t.turns == nil {
			t.turns = map[string]time.Time{}
		}
		t.turns[object] = turn
	}
	return max(turn.Sub(now), 0)
}

// Done ends a write of figures alone, whatever came of it.
func (t *Throttle) Done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
}

// turn takes the next turn. One that is not later than now may be used at once. A clock that was set back has everybody ask
// anew: nobody waits for a time that was wrong.
func (t *Throttle) turn(now time.Time) time.Time {
	if now.Before(t.asked.Add(-env.FigureInterval)) {
		clear(t.turns)
		t.free = time.Time{}
	}
	t.asked = now
	if earliest := now.Add(-figuresAtOnce * time.Second / figuresPerSecond); t.free.Before(earliest) {
		t.free = earliest
	}
	t.free = t.free.Add(time.Second / figuresPerSecond)
	return t.free
}

// Wrote records a write.
func (t *Throttle) Wrote(object string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written == nil {
		t.written = map[string]time.Time{}
	}
	t.written[object] = now
	delete(t.turns, object)
}

// Forget drops an object that is gone.
func (t *Throttle) Forget(object string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.written, object)
	delete(t.turns, object)
}
