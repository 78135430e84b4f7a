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
	figuresPerSecond = 50
	// figuresAtOnce are those that need not wait after a quiet time.
	figuresAtOnce = 200
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
}

// Wait returns how long figures must still wait; zero means that they may be written now.
func (t *Throttle) Wait(object string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.written[object]; ok && now.Before(last.Add(env.FigureInterval)) {
		return last.Add(env.FigureInterval).Sub(now)
	}
	turn, waits := t.turns[object]
	if !waits {
		turn = t.turn(now)
	}
	if !turn.After(now) {
		delete(t.turns, object)
		return 0
	}
	if t.turns == nil {
		t.turns = map[string]time.Time{}
	}
	t.turns[object] = turn
	return turn.Sub(now)
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
