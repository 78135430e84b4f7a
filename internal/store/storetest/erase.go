package storetest

import (
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func erase(t TB, s store.Store, program store.Key, receipt string, want bool) {
	t.Helper()
	if known, err := s.Erase(context.Background(), program, receipt); err != nil || known != want {
		t.Errorf("Erase of %q: %t, %v; want %t", receipt, known, err, want)
	}
}

// otherBody returns the response with another body under the same identity.
func otherBody(r store.Response) store.Response {
	r.Digest = sha256.Sum256([]byte("other body"))
	return r
}

func testErase(t *testing.T, h Harness) {
	s := open(t, h)
	all := respondMany(programA, "erase", 30)
	for i := range all {
		all[i].SubmittedAt = noon
		all[i].Answers = append(all[i].Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText,
			Values: []string{"text"}})
	}
	// One whose counts go down to nothing.
	all[29].Touchpoint = "lonely"
	others := respondMany(programB, "erase", 3)
	appendAll(t, s, append(all, others...)...)
	p := newPicture()
	p.readAll(t, s, 10)

	erase(t, s, programA, "no such receipt", false)
	erase(t, s, programA, "", false)
	erase(t, s, programB, all[5].Receipt, false)
	erase(t, s, store.Key{Namespace: "no", Name: "such"}, all[5].Receipt, false)
	wantRecount(t, s, programA, 30)
	if page := p.read(t, s, 10); len(page.Counts) != 0 {
		t.Errorf("the feed tells %d counts after nothing was erased", len(page.Counts))
	}

	updated := s.Updated()
	erase(t, s, programA, all[29].Receipt, true)
	if !isClosed(updated) {
		t.Error("Updated is open after an erasure")
	}
	erase(t, s, programA, all[7].Receipt, true)
	erase(t, s, programA, all[7].Receipt, true)
	kept := append(append([]store.Response{}, all[:7]...), all[8:29]...)
	wantRecount(t, s, programA, 28)
	wantRecount(t, s, programB, 3)
	if diff := cmp.Diff(exported(kept), export(t, s, programA)); diff != "" {
		t.Errorf("export after erasure differs (-want +got):\n%s", diff)
	}
	// Who knew the counts learns of it, and so does who comes later.
	if p.readAll(t, s, 10); !cmp.Equal(tally(append(kept, others...)), p.counts) {
		t.Errorf("counts after erasure differ (-want +got):\n%s", cmp.Diff(tally(append(kept, others...)), p.counts))
	}
	wantPicture(t, s, append(kept, others...))

	// The tombstone: nothing is stored again, not even after the store was opened anew.
	again := all[7]
	again.Receipt = "another receipt"
	twice := func(s store.Store) {
		t.Helper()
		wantResults(t, appendAll(t, s, again, otherBody(all[7]), all[8], again),
			store.Result{Outcome: store.Repeated, Receipt: all[7].Receipt}, store.Result{Outcome: store.Conflict},
			store.Result{Outcome: store.Repeated, Receipt: all[8].Receipt},
			store.Result{Outcome: store.Repeated, Receipt: all[7].Receipt})
		wantRecount(t, s, programA, 28)
		wantPicture(t, s, append(kept, others...))
	}
	twice(s)
	closeStore(t, s)
	s = open(t, h)
	twice(s)
	// The same identity in another program is another submission.
	wantResults(t, appendAll(t, s, respond(programB, "erase", 7)),
		store.Result{Outcome: store.Stored, Receipt: all[7].Receipt})
}

// testEraseRetired erases what retention has deleted: the counts stay, the identity goes.
func testEraseRetired(t *testing.T, h Harness) {
	s := open(t, h)
	all := respondMany(programA, "retired", 20)
	appendAll(t, s, all...)
	erase(t, s, programA, all[3].Receipt, true)
	retire(t, s, programA, all[10].SubmittedAt, 9)
	counted := append(append([]store.Response{}, all[:3]...), all[4:]...)
	for _, r := range []store.Response{all[3], all[4], all[4]} {
		erase(t, s, programA, r.Receipt, true)
		wantRecount(t, s, programA, 10)
		wantPicture(t, s, counted)
	}
	retire(t, s, programA, all[11].SubmittedAt, 1)
	for _, r := range all[:11] {
		wantResults(t, appendAll(t, s, otherBody(r), r),
			store.Result{Outcome: store.Conflict}, store.Result{Outcome: store.Repeated, Receipt: r.Receipt})
	}
	wantRecount(t, s, programA, 9)
	wantPicture(t, s, counted)
}

// testEraseUnderLoad erases while the same responses come in, and come again, and retention is at work.
func testEraseUnderLoad(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 400
	all := respondMany(programA, "load", n)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := w; i < n; i += 4 {
				for range 2 {
					if _, err := appendPatiently(s, all[i]); err != nil {
						t.Errorf("Append: %v", err)
					}
				}
				if i%2 == 1 {
					erase(t, s, programA, all[i].Receipt, true)
				}
				results, err := appendPatiently(s, all[i])
				if err != nil || results[0] != (store.Result{Outcome: store.Repeated, Receipt: all[i].Receipt}) {
					t.Errorf("the same again: %v, %v", results, err)
				}
			}
		})
	}
	for range 5 {
		if check, err := s.Recount(context.Background(), programA); err != nil || len(check.Differences) > 0 {
			t.Errorf("Recount meanwhile: %v, %v", check, err)
		}
	}
	group.Wait()
	var kept []store.Response
	for i := 0; i < n; i += 2 {
		kept = append(kept, all[i])
	}
	wantRecount(t, s, programA, len(kept))
	wantPicture(t, s, kept)
	retire(t, s, programA, all[n/2].SubmittedAt, n/4)
	wantRecount(t, s, programA, n/4)
	wantPicture(t, s, kept)
}

// testRepeatAcrossMidnight sends again what was sent in the last moments of a year, each time later: the next day, after
// retention, after the next opening.
func testRepeatAcrossMidnight(t *testing.T, h Harness) {
	s := open(t, h)
	midnight := noon.AddDate(0, 8, -3).Truncate(24 * time.Hour)
	first := respond(programA, "midnight", 0)
	first.SubmittedAt = midnight.Add(-1000)
	wantResults(t, appendAll(t, s, first), store.Result{Outcome: store.Stored, Receipt: first.Receipt})
	again := first
	again.SubmittedAt = midnight
	repeated := store.Result{Outcome: store.Repeated, Receipt: first.Receipt}
	wantResults(t, appendAll(t, s, again, otherBody(again)), repeated, store.Result{Outcome: store.Conflict})
	wantPicture(t, s, []store.Response{first})
	retire(t, s, programA, midnight.AddDate(0, 0, 40), 1)
	again.SubmittedAt = midnight.AddDate(0, 0, 41)
	wantResults(t, appendAll(t, s, again, otherBody(again)), repeated, store.Result{Outcome: store.Conflict})
	closeStore(t, s)
	s = open(t, h)
	wantResults(t, appendAll(t, s, again, otherBody(again)), repeated, store.Result{Outcome: store.Conflict})
	wantRecount(t, s, programA, 0)
	wantPicture(t, s, []store.Response{first})
}
