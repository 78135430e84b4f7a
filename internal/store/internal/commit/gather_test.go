package commit

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestGatherer(t *testing.T) {
	var g gatherer
	g.committed(1, 1, time.Millisecond)
	if n := g.wanted(); n != 0 {
		t.Errorf("two callers are waited for: %d", n)
	}
	g.committed(30, 34, time.Second)
	if n := g.wanted(); n != 64 || g.took != longestGather {
		t.Errorf("waits for %d callers, %v", n, g.took)
	}
	g.waited(true)
	if n := g.wanted(); n != 64 {
		t.Errorf("after all came: waits for %d", n)
	}
}

// What is in vain is done ever less often, and as before once it is not.
func TestGathererInVain(t *testing.T) {
	var g gatherer
	g.committed(8, 0, time.Millisecond)
	for _, skipped := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 256} {
		g.waited(false)
		for i := range skipped {
			if g.wanted() != 0 {
				t.Fatalf("waits after %d commits, not %d", i, skipped)
			}
		}
		if g.wanted() == 0 {
			t.Fatalf("does not wait after %d commits", skipped)
		}
	}
	g.waited(true)
	if g.wanted() == 0 {
		t.Error("does not wait after all came")
	}
}

func TestQueueGathers(t *testing.T) {
	const hour = time.Hour
	q := newQueue(8, 4)
	mustPut(t, q, 1)
	if q.gather(2, time.Millisecond) {
		t.Error("one call is two")
	}
	if len(q.ready) == 0 {
		t.Error("nobody is told of the one that waits")
	}
	came := make(chan bool)
	go func() { came <- q.gather(3, hour) }()
	mustPut(t, q, 1)
	mustPut(t, q, 1)
	if !<-came {
		t.Error("three calls are not three")
	}
	mustPut(t, q, 1)
	if !q.gather(100, hour) {
		t.Error("waits for more than one commit takes")
	}
	q.take()
	go func() { came <- q.gather(2, hour) }()
	q.shut()
	if !<-came || !q.gather(2, hour) {
		t.Error("waits though it is shut")
	}
}

// Clients that come back at once share one commit instead of two halves, and every one is answered.
func TestLoopGathers(t *testing.T) {
	const clients, each = 16, 50
	var sizes []int
	l := NewLoop("test", 0, 0, func(parts []Part) error {
		sizes = append(sizes, len(parts))
		time.Sleep(2 * time.Millisecond) //nolint:forbidigo // a commit takes time
		for _, p := range parts {
			p.Results[0] = store.Result{Outcome: store.Stored}
		}
		return nil
	})
	go l.Run()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range each {
				r, err := l.wait(context.Background(), Work{Name: "test", Rows: make([]Row, 1)})
				if err != nil || r.Results[0].Outcome != store.Stored {
					t.Errorf("%v %v", r, err)
				}
			}
		})
	}
	all.Wait()
	l.Stop()
	if most := clients * each / 10; len(sizes) > most {
		t.Errorf("%d commits for %d answers of %d clients, want at most %d: %v", len(sizes), clients*each, clients, most, sizes)
	}
}
