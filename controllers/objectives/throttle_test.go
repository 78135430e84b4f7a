package objectives

import (
	"fmt"
	"testing"
	"time"
)

// Of very many objects whose figures differ at once, as many are written as may be; the others have their turn one by one, each
// once, in the order in which they came, and none is passed over.
func TestThrottleOfManyObjects(t *testing.T) {
	var throttle Throttle
	const objects = 1000
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	wake := map[int]time.Time{}
	for i := range objects {
		if wait := throttle.Wait(fmt.Sprint(i), now); wait > 0 {
			wake[i] = now.Add(wait)
		} else {
			throttle.Wrote(fmt.Sprint(i), now)
			throttle.Done()
		}
	}
	if written := objects - len(wake); written != figuresAtOnce {
		t.Errorf("%d are written at once, want %d", written, figuresAtOnce)
	}
	last := now
	for i := figuresAtOnce; i < objects; i++ {
		object, at := fmt.Sprint(i), wake[i]
		if at.Sub(last) != time.Second/figuresPerSecond {
			t.Fatalf("%d has its turn %s after the one before", i, at.Sub(last))
		}
		if wait := throttle.Wait(object, at.Add(-time.Millisecond)); wait != time.Millisecond {
			t.Fatalf("asked again before its turn, %d waits for %s", i, wait)
		}
		if wait := throttle.Wait(object, at); wait != 0 {
			t.Fatalf("%d waits for another %s at its turn", i, wait)
		}
		throttle.Wrote(object, at)
		throttle.Done()
		last = at
	}
	if len(throttle.turns) > 0 {
		t.Errorf("%d turns are left", len(throttle.turns))
	}
	// After a quiet time there is room again, and not more than that.
	now = last.Add(time.Hour)
	for i := range figuresAtOnce + 1 {
		if wait := throttle.Wait(fmt.Sprint(i), now); (wait > 0) != (i == figuresAtOnce) {
			t.Fatalf("%d waits for %s", i, wait)
		}
		throttle.Done()
	}
}

// Where the API server is slow, writes of figures take no more than their share of the workers, and nobody loses a turn by it.
func TestThrottleOfASlowServer(t *testing.T) {
	var throttle Throttle
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for i := range figuresInFlight {
		if wait := throttle.Wait(fmt.Sprint(i), now); wait != 0 {
			t.Fatalf("%d waits for %s", i, wait)
		}
	}
	if wait := throttle.Wait("late", now); wait != figuresAgain {
		t.Errorf("beside %d writes the next waits for %s, want %s", figuresInFlight, wait, figuresAgain)
	}
	throttle.Wrote("0", now)
	throttle.Done()
	if wait := throttle.Wait("late", now); wait != 0 {
		t.Errorf("it waits for %s although one of them has ended", wait)
	}
}
