package commit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// taken is a part by the size of its request.
type taken struct{ Size, From, To int }

func take(q *queue) ([]Part, []taken) {
	parts := q.take()
	var out []taken
	for _, p := range parts {
		out = append(out, taken{p.size(), p.From, p.To})
	}
	return parts, out
}

func mustPut(t *testing.T, q *queue, n int) *request {
	t.Helper()
	r, err := q.put(context.Background(), Work{Rows: make([]Row, n)})
	if err != nil {
		t.Fatalf("put of %d: %v", n, err)
	}
	return r
}

func done(r *request) bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func TestQueueGivesEachItsTurn(t *testing.T) {
	q := newQueue(100, 10)
	large := mustPut(t, q, 23)
	one, two := mustPut(t, q, 1), mustPut(t, q, 2)
	for i, want := range [][]taken{
		{{23, 0, 5}, {1, 0, 1}, {2, 0, 2}, {23, 5, 7}},
		{{23, 7, 12}, {23, 12, 17}},
		{{23, 17, 22}, {23, 22, 23}},
		nil,
	} {
		parts, got := take(q)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("commit %d (-want +got):\n%s", i, diff)
		}
		q.finish(parts, nil)
		if !done(one) || !done(two) || done(large) != (i >= 2) {
			t.Errorf("after commit %d: %t, %t, %t", i, done(one), done(two), done(large))
		}
	}
	if q.weight != 0 {
		t.Errorf("an empty queue weighs %d", q.weight)
	}
}

func TestQueueTwoLargeAndManySmall(t *testing.T) {
	q := newQueue(100, 4)
	mustPut(t, q, 40)
	mustPut(t, q, 50)
	take(q)
	// However large the others are, a small one waits for no more than what was ahead of it.
	small := mustPut(t, q, 1)
	parts, got := take(q)
	q.finish(parts, nil)
	if diff := cmp.Diff([]taken{{40, 2, 4}, {50, 2, 4}}, got); diff != "" {
		t.Errorf("second commit (-want +got):\n%s", diff)
	}
	parts, got = take(q)
	q.finish(parts, nil)
	if diff := cmp.Diff([]taken{{1, 0, 1}, {40, 4, 6}, {50, 4, 5}}, got); diff != "" || !done(small) {
		t.Errorf("third commit (-want +got):\n%s", diff)
	}
}

func TestQueueLimit(t *testing.T) {
	q := newQueue(6, 4)
	large := mustPut(t, q, 1000) // counts for its share of a commit, 2
	for range 4 {
		mustPut(t, q, 1)
	}
	if _, err := q.put(context.Background(), Work{Rows: make([]Row, 1)}); !errors.Is(err, store.ErrBusy) {
		t.Errorf("put into a full queue: %v", err)
	}
	// What is in a commit still counts.
	parts, _ := take(q)
	if _, err := q.put(context.Background(), Work{Rows: make([]Row, 1)}); !errors.Is(err, store.ErrBusy) {
		t.Errorf("put during the commit: %v", err)
	}
	failure := errors.New("disk full")
	q.finish(parts, failure)
	if !done(large) || !errors.Is(large.err, failure) {
		t.Errorf("a request whose part failed: %t, %v", done(large), large.err)
	}
	// The rest of it is not taken any more.
	parts, got := take(q)
	if diff := cmp.Diff([]taken{{1, 0, 1}, {1, 0, 1}}, got); diff != "" {
		t.Errorf("commit after the failure (-want +got):\n%s", diff)
	}
	q.finish(parts, nil)
	if q.weight != 0 {
		t.Errorf("an empty queue weighs %d", q.weight)
	}
	q.shut()
	if _, err := q.put(context.Background(), Work{Rows: make([]Row, 1)}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("put after shut: %v", err)
	}
}

// TestQueueBytes fills the queue with a few large requests.
func TestQueueBytes(t *testing.T) {
	q := newQueue(1000, 10)
	text := Answer{Vals: strings.Repeat("x", maxBytes/4)}
	large := Work{Rows: []Row{{Answers: []Answer{text, text, text}}}}
	for i := range 4 {
		if _, err := q.put(context.Background(), large); err != nil {
			t.Fatalf("large request %d: %v", i, err)
		}
	}
	for _, w := range []Work{large, {Rows: make([]Row, 1)}} {
		if _, err := q.put(context.Background(), w); !errors.Is(err, store.ErrBusy) {
			t.Errorf("put into a queue that has all the memory that it may: %v", err)
		}
	}
	if _, err := q.put(context.Background(), Work{Visits: make([]Visit, 1)}); err != nil {
		t.Errorf("a visit takes next to no memory: %v", err)
	}
	for parts := q.take(); len(parts) > 0; parts = q.take() {
		q.finish(parts, nil)
	}
	if q.weight != 0 || q.bytes != 0 {
		t.Errorf("an empty queue weighs %d and has %d bytes", q.weight, q.bytes)
	}
}

func TestQueueDropsTheCancelled(t *testing.T) {
	q := newQueue(10, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancelled, err := q.put(ctx, Work{Rows: make([]Row, 1)})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, 3)
	cancel()
	if _, got := take(q); !cmp.Equal([]taken{{3, 0, 2}, {3, 2, 3}}, got) {
		t.Errorf("took %v", got)
	}
	if !done(cancelled) || !errors.Is(cancelled.err, context.Canceled) || q.weight != 2 {
		t.Errorf("the cancelled one: %t, %v; weight %d", done(cancelled), cancelled.err, q.weight)
	}
}

func TestSmallestQueue(t *testing.T) {
	q := newQueue(1, 1)
	r := mustPut(t, q, 3)
	for i := range 3 {
		parts, got := take(q)
		if diff := cmp.Diff([]taken{{3, i, i + 1}}, got); diff != "" {
			t.Errorf("commit %d (-want +got):\n%s", i, diff)
		}
		q.finish(parts, nil)
	}
	if !done(r) || r.err != nil {
		t.Errorf("after all commits: %t, %v", done(r), r.err)
	}
}
