package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// testTakenAmongMany stores many responses by one call of which a few are not new, each for a reason of its own.
func testTakenAmongMany(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 200
	all := respondMany(programA, "among", n)
	link := invitation(programA, "among", 0)
	invite(t, s, store.Fatigue{}, link)
	appendAll(t, s, all[3], all[70], all[150])
	if known, err := s.Erase(context.Background(), programA, all[150].Receipt); err != nil || !known {
		t.Fatalf("Erase: %t, %v", known, err)
	}
	call := append([]store.Response{}, all...)
	call[70] = otherBody(call[70])      // stored with another body before
	call[100] = otherBody(call[99])     // earlier in this call
	call[101] = call[99]                // the same once more
	for _, i := range []int{120, 121} { // a link for one
		call[i].Invitation, call[i].SingleUse = link.ID, true
		call[i].SubmittedAt = noon.Add(time.Duration(i) * time.Minute)
	}
	want := make([]store.Result, n)
	for i, r := range call {
		want[i] = store.Result{Outcome: store.Stored, Receipt: r.Receipt}
	}
	want[3].Outcome, want[101].Outcome, want[150].Outcome = store.Repeated, store.Repeated, store.Repeated
	want[70], want[100] = store.Result{Outcome: store.Conflict}, store.Result{Outcome: store.Conflict}
	want[121] = store.Result{Outcome: store.Spent}
	wantResults(t, appendAll(t, s, call...), want...)
	// 100 and 101 are 99, 121 is spent, 150 is erased.
	wantRecount(t, s, programA, n-4)
	want[99].Outcome = store.Repeated
	wantResults(t, appendAll(t, s, call[99:102]...), want[99:102]...)
}
