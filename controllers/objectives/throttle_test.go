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
	}
}
