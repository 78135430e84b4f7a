package surveyprogram

import (
	"crypto/sha256"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
)

const (
	// quietLeast and quietMost are the bounds of how long the touchpoints of a program must not have changed until its status
	// tells of them: they are applied one after the other, and are told of together. What is served does not wait. In between it is
	// quietWrites times as long as a write takes: where the API server is busy, they come more slowly.
	quietLeast  = 100 * time.Millisecond
	quietMost   = 3 * time.Second
	quietWrites = 5
	// quietTimes is how many times longer that is waited for, but for no longer than quietEnd.
	quietTimes = 10
	quietEnd   = 8 * time.Second
)

// quiet remembers when the touchpoints of each program changed. The zero value is ready; it may be used by several goroutines.
type quiet struct {
	mu       sync.Mutex
	programs map[client.ObjectKey]restless
}

// restless is a program's touchpoints, and since and when they last changed; zero times where they are settled.
type restless struct {
	of          [sha256.Size]byte
	first, last time.Time
}

// quietFor is how long the touchpoints must not have changed where a write takes so long.
func quietFor(write time.Duration) time.Duration {
	return min(max(quietLeast, quietWrites*write), quietMost)
}

// wait returns how long the touchpoints may still change, zero where they did not for so long. Those that are seen for the first
// time count as changed where the program is new.
func (q *quiet) wait(key client.ObjectKey, touchpoints [sha256.Size]byte, fresh bool, long time.Duration, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	r, known := q.programs[key]
	switch {
	case !known && !fresh:
		r.of = touchpoints
	case r.of != touchpoints || !known:
		r.of, r.last = touchpoints, now
		if r.first.IsZero() {
			r.first = now
		}
	}
	left := min(r.last.Add(long).Sub(now), r.first.Add(min(quietTimes*long, quietEnd)).Sub(now))
	if left <= 0 {
		r.first, left = time.Time{}, 0
	}
	if q.programs == nil {
		q.programs = map[client.ObjectKey]restless{}
	}
	q.programs[key] = r
	return left
}

func (q *quiet) forget(key client.ObjectKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.programs, key)
}

// holdBack returns for how much longer the status of a program that this process serves waits for what is on its way: for a new one
// all that it names, its counts and its touchpoints; for any other more of its touchpoints where some came or changed.
func (r *Reconciler) holdBack(s *scope, now time.Time) time.Duration {
	p := s.program
	if r.HoldFor <= 0 || r.Endpoint == nil || p.Spec.Endpoint.Mode != v1alpha1.EndpointEmbedded {
		return 0
	}
	fresh := len(p.Status.Conditions) == 0
	settling := r.quiet.wait(client.ObjectKeyFromObject(p), touchpointsOf(s), fresh, quietFor(r.WriteTime()), now)
	if fresh && (env.OnTheirWay(s.refProblems) || !objectives.Readable(r.Env, p, now)) {
		if wait := r.hold.Wait(p, now, r.HoldFor); wait > 0 {
			return wait
		}
	}
	if !fresh && p.Generation != p.Status.ObservedGeneration {
		return 0 // whoever edits the program is told at once
	}
	return settling
}

// touchpointsOf is the same for the same touchpoints with the same specs.
func touchpointsOf(s *scope) [sha256.Size]byte {
	f := fingers{sha256.New()}
	for i := range s.touchpoints { // compile has put them in order
		f.object(&s.touchpoints[i])
	}
	return [sha256.Size]byte(f.Sum(nil))
}
