package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func testSameTwice(t *testing.T, h Harness) {
	s := open(t, h)
	first := respond(programA, "same", 1)
	again := first
	again.Receipt = "another receipt"
	other := first
	other.Digest = sha256.Sum256([]byte("other body"))
	stored := store.Result{Outcome: store.Stored, Receipt: first.Receipt}
	repeated := store.Result{Outcome: store.Repeated, Receipt: first.Receipt}
	conflict := store.Result{Outcome: store.Conflict}

	wantResults(t, appendAll(t, s, first), stored)
	wantResults(t, appendAll(t, s, again), repeated)
	wantResults(t, appendAll(t, s, other), conflict)
	wantResults(t, appendAll(t, s, other, again, other), conflict, repeated, conflict)

	second := respond(programA, "same", 2)
	secondOther := second
	secondOther.Digest = sha256.Sum256([]byte("other body"))
	wantResults(t, appendAll(t, s, second, second, secondOther, first),
		store.Result{Outcome: store.Stored, Receipt: second.Receipt},
		store.Result{Outcome: store.Repeated, Receipt: second.Receipt}, conflict, repeated)
	wantRecount(t, s, programA, 2)
	wantPicture(t, s, []store.Response{first, second})
}

func testConcurrentRepeats(t *testing.T, h Harness) {
	s := open(t, h)
	const callers, ids = 8, 20
	var mu sync.Mutex
	outcomes := map[string]map[store.Outcome]int{}
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for i := range ids {
				r := respond(programA, "repeat", i)
				results, err := appendPatiently(s, r)
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				mu.Lock()
				if outcomes[r.ID] == nil {
					outcomes[r.ID] = map[store.Outcome]int{}
				}
				outcomes[r.ID][results[0].Outcome]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	want := map[store.Outcome]int{store.Stored: 1, store.Repeated: callers - 1}
	for id, got := range outcomes {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("outcomes of %s differ (-want +got):\n%s", id, diff)
		}
	}
	wantRecount(t, s, programA, ids)
	wantPicture(t, s, respondMany(programA, "repeat", ids))
}

func testResultsInOrder(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 700
	var known []store.Response
	for i := 0; i < n; i += 3 {
		known = append(known, respond(programA, "order", i))
	}
	appendAll(t, s, known...)
	responses := respondMany(programA, "order", n)
	var want []store.Result
	for i := range responses {
		switch result := (store.Result{Outcome: store.Stored, Receipt: responses[i].Receipt}); {
		case i%6 == 0:
			responses[i].Digest = sha256.Sum256([]byte("other"))
			want = append(want, store.Result{Outcome: store.Conflict})
		case i%3 == 0:
			result.Outcome = store.Repeated
			want = append(want, result)
		default:
			want = append(want, result)
		}
	}
	wantResults(t, appendAll(t, s, responses...), want...)
	if got, err := s.Append(context.Background(), nil); err != nil || len(got) != 0 {
		t.Errorf("Append of nothing: %v, %v", got, err)
	}
}

func testKinds(t *testing.T, h Harness) {
	s := open(t, h)
	r := respond(programA, "kinds", 0)
	r.Answers = []store.Answer{
		{Question: "choice", Revision: 1, Kind: store.KindSingle, Values: []string{"by-train"}},
		{Question: "choices", Revision: 3, Kind: store.KindMultiple, Values: []string{"b", "a"}},
		{Question: "scale", Revision: 2, Kind: store.KindScale, Values: []string{"-3"}},
		{Question: "text", Revision: 1, Kind: store.KindText, Values: []string{"never counted"}},
	}
	appendAll(t, s, r)
	hour := store.HourOf(noon)
	want := map[series]int64{}
	for _, c := range []series{
		{Question: "choice", Revision: 1, Value: "by-train"},
		{Question: "choices", Revision: 3, Value: ""},
		{Question: "choices", Revision: 3, Value: "a"},
		{Question: "choices", Revision: 3, Value: "b"},
		{Question: "scale", Revision: 2, Value: "-3"},
		{Question: "text", Revision: 1, Value: ""},
	} {
		c.Program, c.Touchpoint, c.Unit, c.Hour = programA, "security", "gates-a", hour
		want[c] = 1
	}
	p := newPicture()
	p.readAll(t, s, 1000)
	if diff := cmp.Diff(want, p.counts); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
	wantRecount(t, s, programA, 1)
}

func testHours(t *testing.T, h Harness) {
	s := open(t, h)
	zone := time.FixedZone("UTC+5:30", 5*3600+1800)
	var responses []store.Response
	want := map[store.Hour]int64{}
	for i, c := range []struct {
		at   time.Time
		hour store.Hour
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(0, -1000), -1},
		{time.Unix(-3600, 0), -1},
		{time.Unix(-3600, -1000), -2},
		{time.Unix(3599, 999_999_000), 0},
		{time.Unix(3600, 0), 1},
		{time.Date(2026, 5, 4, 12, 59, 59, 999_999_999, time.UTC), 493_860},
		{time.Date(2026, 5, 4, 18, 30, 0, 0, zone), 493_861},
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), -17_259_888},
	} {
		r := respond(programA, "hours", i)
		r.SubmittedAt = c.at
		r.Answers = r.Answers[1:]
		responses = append(responses, r)
		want[c.hour]++
	}
	appendAll(t, s, responses...)
	p := newPicture()
	p.readAll(t, s, 1000)
	got := map[store.Hour]int64{}
	for c, n := range p.counts {
		got[c.Hour] += n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts by hour differ (-want +got):\n%s", diff)
	}
	wantRecount(t, s, programA, len(responses))
}

func testPrograms(t *testing.T, h Harness) {
	s := open(t, h)
	keys := []store.Key{programA, programB, {Namespace: "airport/passengers", Name: ""}, {Namespace: "mall", Name: "passengers"}}
	var all []store.Response
	for i, key := range keys {
		// The same identities in each program, more in each.
		all = append(all, respondMany(key, "isolated", i+1)...)
	}
	for _, result := range appendAll(t, s, all...) {
		if result.Outcome != store.Stored {
			t.Errorf("an identity of another program made the outcome %v", result.Outcome)
		}
	}
	for i, key := range keys {
		wantRecount(t, s, key, i+1)
		if got := len(export(t, s, key)); got != i+1 {
			t.Errorf("Export of %s has %d responses, want %d", key, got, i+1)
		}
	}
	wantRecount(t, s, store.Key{Namespace: "no", Name: "such"}, 0)
	wantPicture(t, s, all)
}

// testUnstorable has some responses that no store can take wait for a commit together with good ones. Nothing may stay of
// what they would have changed besides: their links are not answered, and their visits go on.
func testUnstorable(t *testing.T, h Harness) {
	s := open(t, h)
	unstorable := map[int]func(*store.Response){
		2: func(r *store.Response) { r.ID = "not a UUID" },
		3: func(r *store.Response) { r.Answers = append(r.Answers, r.Answers[0]) },
		4: func(r *store.Response) { r.Answers = nil },
		5: func(r *store.Response) { r.Answers[0].Kind = "guess" },
		6: func(r *store.Response) { r.Answers[0].Values = nil },
		7: func(r *store.Response) { r.Answers[1].Values = []string{"1", "2"} },
		8: func(r *store.Response) { r.Answers[0].Values = []string{"a", "b", "a"} },
		9: func(r *store.Response) { r.Answers[0].Revision = 0 },
	}
	const n = 24
	var good []store.Response
	counts := map[series]int64{}
	for i := range n {
		link, v := invitation(programA, "unstorable link", i), visit(programA, "unstorable", i, 1)
		invite(t, s, store.Fatigue{}, link)
		track(t, s, v)
		counts[ofInvitation(link, "@invited", "")]++
		if unstorable[i] == nil {
			counts[ofInvitation(link, "@answered", "")]++
		} else {
			counts = sum(counts, unfinished(v))
		}
	}
	release := h.Hold(t)
	var group sync.WaitGroup
	for i := range n {
		r := visited(programA, "unstorable", i)
		r.Invitation, r.SingleUse = ID("unstorable link", i), true
		spoil := unstorable[i]
		if spoil == nil {
			good = append(good, r)
		} else {
			spoil(&r)
		}
		group.Go(func() {
			results, err := appendPatiently(s, r)
			if spoil != nil && err == nil {
				t.Errorf("response %d was stored: %v", i, results)
			}
			if spoil == nil && (err != nil || results[0].Outcome != store.Stored) {
				t.Errorf("response %d suffered: %v, %v", i, results, err)
			}
		})
	}
	release()
	group.Wait()
	wantRecount(t, s, programA, len(good))
	wantCounts(t, s, sum(counts, tally(good)))
	for i, spoil := range unstorable {
		if r := answering(invitation(programA, "unstorable link", i), "mended", i, true); spoil != nil {
			wantResults(t, appendAll(t, s, r), stored(r))
		}
	}
}

func testLargeImport(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 5000
	imported := respondMany(programA, "import", n)
	var single []store.Response
	done := make(chan struct{})
	go func() {
		defer close(done)
		appendAll(t, s, imported...)
	}()
	for i := 0; ; i++ {
		r := respond(programA, "beside", i)
		if _, err := appendPatiently(s, r); err != nil {
			t.Fatalf("Append beside the import: %v", err)
		}
		single = append(single, r)
		if isClosed(done) {
			break
		}
	}
	wantRecount(t, s, programA, n+len(single))
	for i, result := range appendAll(t, s, imported...) {
		if want := (store.Result{Outcome: store.Repeated, Receipt: fmt.Sprintf("R-import-%d", i)}); result != want {
			t.Fatalf("the same import again: %v, want %v", result, want)
		}
	}
	wantPicture(t, s, append(single, imported...))
}
