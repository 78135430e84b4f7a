package storetest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Outages stores thousands of responses from many callers, who send each again until it is acknowledged, while outages come
// about, one after the other: each returns when its outage is over. The store must come back by itself, and have everything
// exactly once, and counted.
func Outages(t *testing.T, s store.Store, outages ...func(TB)) {
	o := &outage{store: s, known: map[string]store.Response{}, acknowledged: map[string]bool{}}
	for i := range crashSubmits {
		r := respond(programA, "outage", i)
		o.known[r.ID] = r
	}
	var group sync.WaitGroup
	for range crashCallers {
		group.Go(func() { o.submit(t) })
	}
	for i, begin := range outages {
		due := int64(crashSubmits * (i + 1) / (len(outages) + 1))
		for o.done.Load() < due {
			<-time.After(time.Millisecond)
		}
		failed := o.failed.Load()
		begin(t)
		t.Logf("outage %d began after %d submits; %d attempts failed so far", i, due, o.failed.Load()-failed)
	}
	group.Wait()
	t.Logf("%d attempts failed in all", o.failed.Load())
	if o.failed.Load() == 0 {
		t.Error("no outage was felt")
	}
	if len(o.acknowledged) != crashSubmits {
		t.Errorf("%d responses were acknowledged, want %d", len(o.acknowledged), crashSubmits)
	}
	last := make([]string, 0, 100)
	for id := range o.acknowledged {
		if last = append(last, id); len(last) == cap(last) {
			break
		}
	}
	checkCrashed(t, s, o.acknowledged, o.known, last)
}

type outage struct {
	store              store.Store
	known              map[string]store.Response
	next, done, failed atomic.Int64
	mu                 sync.Mutex
	acknowledged       map[string]bool
}

func (o *outage) submit(t TB) {
	for {
		i := int(o.next.Add(1)) - 1
		if i >= crashSubmits {
			return
		}
		r := respond(programA, "outage", i)
		if !o.insist(t, r) {
			return
		}
		o.mu.Lock()
		o.acknowledged[r.ID] = true
		o.mu.Unlock()
		o.done.Add(1)
	}
}

// insist sends a response until it is acknowledged. An outage must not hold a caller longer than its patience, nor the store
// be away for long.
func (o *outage) insist(t TB, r store.Response) bool {
	const patience, attempts = 30 * time.Second, 10_000
	for range attempts {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		results, err := o.store.Append(ctx, []store.Response{r})
		cancel()
		if err == nil {
			if results[0].Outcome == store.Conflict || results[0].Receipt != r.Receipt {
				t.Errorf("response %s: %v", r.ID, results[0])
			}
			return true
		}
		if !isBusy(err) {
			o.failed.Add(1)
		}
		<-time.After(10 * time.Millisecond) // a client's pause
	}
	t.Errorf("response %s was refused %d times", r.ID, attempts)
	return false
}

// importSize says how many responses Import stores.
const importSize = "STORE_TEST_IMPORT"

// Import stores n responses of several years, or as many as the environment variable STORE_TEST_IMPORT says, in the pieces
// in which an import comes, and then all of them again.
func Import(t *testing.T, s store.Store, n int) {
	if size := os.Getenv(importSize); size != "" {
		var err error
		if n, err = strconv.Atoi(size); err != nil {
			t.Fatalf("%s: %v", importSize, err)
		}
	}
	const piece, days = 5000, 5 * 365
	day := func(i int) time.Time { return noon.AddDate(0, 0, -(i % days)) }
	piecemeal := func(want store.Outcome) {
		for from := 0; from < n; from += piece {
			responses := make([]store.Response, min(piece, n-from))
			for i := range responses {
				responses[i] = respond(programA, "import", from+i)
				responses[i].SubmittedAt = day(from + i)
			}
			for i, result := range appendAll(t, s, responses...) {
				if result != (store.Result{Outcome: want, Receipt: responses[i].Receipt}) {
					t.Fatalf("response %d: %v, want %v", from+i, result, want)
				}
			}
		}
	}
	piecemeal(store.Stored)
	id := finishImport(t, s, programA)
	wantRecount(t, s, programA, n)
	piecemeal(store.Repeated)
	wantRecount(t, s, programA, n)
	p := newPicture()
	pages := p.readAll(t, s, 5000)
	if p.imports[programA] != id {
		t.Errorf("imports %v, want %s", p.imports, id)
	}
	answered := int64(0)
	for key, n := range p.counts {
		if key.Question == "recommend" {
			answered += n
		}
	}
	if answered != int64(n) {
		t.Errorf("the feed counts %d answers to a question, want %d", answered, n)
	}
	exported := 0
	var last store.Response
	err := s.Export(context.Background(), programA, func(r store.Response) error {
		if c := cmp.Or(last.SubmittedAt.Compare(r.SubmittedAt), cmp.Compare(last.ID, r.ID)); c >= 0 {
			return fmt.Errorf("response %s of %s comes after %s of %s", r.ID, r.SubmittedAt, last.ID, last.SubmittedAt)
		}
		last = r
		exported++
		return nil
	})
	if err != nil || exported != n {
		t.Errorf("Export: %d responses, %v; want %d", exported, err, n)
	}
	old := 0
	for i := range n {
		if day(i).Before(day(days / 2)) {
			old++
		}
	}
	retire(t, s, programA, day(days/2), old)
	wantRecount(t, s, programA, n-old)
	t.Logf("%d responses, %d counts in %d pages", n, len(p.counts), pages)
}
