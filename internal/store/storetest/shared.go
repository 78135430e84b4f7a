package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// sharers is how many have a store open at the same time.
const sharers = 4

// RunShared runs the tests of a store that several processes may have open, each on an empty store that fresh makes. What
// the harness opens several times stands for the processes: they have nothing in common but the database.
func RunShared(t *testing.T, fresh func(t *testing.T) Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"Repeats", testSharedRepeats},
		{"Feed", testSharedFeed},
		{"Deleting", testSharedDeleting},
		{"Invite", func(t *testing.T, h Harness) { raceInvite(t, openShared(t, h)...) }},
		{"Fatigue", func(t *testing.T, h Harness) { raceFatigue(t, openShared(t, h)...) }},
		{"Spent", func(t *testing.T, h Harness) { raceSpent(t, openShared(t, h)...) }},
		{"Visits", func(t *testing.T, h Harness) { raceVisits(t, openShared(t, h)...) }},
		{"Standing", testSharedStanding},
		{"CaseChanges", func(t *testing.T, h Harness) { raceChanges(t, openShared(t, h)...) }},
		{"CaseOverdue", func(t *testing.T, h Harness) { raceOverdue(t, openShared(t, h)...) }},
		{"Cases", func(t *testing.T, h Harness) { loadCases(t, openShared(t, h)...) }},
		{"OpenTogether", testOpenTogether},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

func openShared(t *testing.T, h Harness) []store.Store {
	t.Helper()
	stores := make([]store.Store, sharers)
	for i := range stores {
		stores[i] = open(t, h)
	}
	return stores
}

// testSharedRepeats sends the same responses through all, in other orders: one of them stores each.
func testSharedRepeats(t *testing.T, h Harness) {
	stores := openShared(t, h)
	const n, size = 600, 40
	all := respondMany(programA, "shared", n)
	var mu sync.Mutex
	outcomes := map[string]map[store.Outcome]int{}
	var group sync.WaitGroup
	for w, s := range stores {
		group.Go(func() {
			for from := 0; from < n; from += size {
				piece := append([]store.Response{}, all[from:from+size]...)
				if w%2 == 1 {
					for i, r := range all[from : from+size] {
						piece[size-1-i] = r
					}
				}
				results, err := appendPatiently(s, piece...)
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				mu.Lock()
				for i, result := range results {
					if outcomes[piece[i].ID] == nil {
						outcomes[piece[i].ID] = map[store.Outcome]int{}
					}
					outcomes[piece[i].ID][result.Outcome]++
					if result.Receipt != piece[i].Receipt {
						t.Errorf("receipt %q, want %q", result.Receipt, piece[i].Receipt)
					}
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	want := map[store.Outcome]int{store.Stored: 1, store.Repeated: sharers - 1}
	for id, got := range outcomes {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("outcomes of %s differ (-want +got):\n%s", id, diff)
		}
	}
	if len(outcomes) != n {
		t.Errorf("%d responses have outcomes, want %d", len(outcomes), n)
	}
	wantRecount(t, stores[0], programA, n)
	for _, s := range stores {
		wantPicture(t, s, all)
	}
}

// testSharedFeed has a reader of each store follow writers on all of them, who change the same counts and end imports.
func testSharedFeed(t *testing.T, h Harness) {
	stores := openShared(t, h)
	const each, rounds = 24, 6
	var all []store.Response
	var mu sync.Mutex
	imports := map[string][]store.Response{}
	var writing, reading sync.WaitGroup
	for w, s := range stores {
		mine := spread(programA, fmt.Sprint("writer ", w), each*rounds)
		for i := range mine {
			mine[i].SubmittedAt = noon.Add(time.Duration(i%each) * time.Hour)
		}
		all = append(all, mine...)
		writing.Go(func() {
			for round := range rounds {
				if _, err := appendPatiently(s, mine[round*each:(round+1)*each]...); err != nil {
					t.Errorf("Append: %v", err)
				}
				id := finishImport(t, s, programA)
				mu.Lock()
				imports[id] = mine[:(round+1)*each]
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	pictures := make([]*picture, len(stores))
	for i, s := range stores {
		pictures[i] = newPicture()
		reading.Go(func() {
			for {
				over := isClosed(done)
				updated := s.Updated()
				pictures[i].readAll(t, s, 7+i)
				if over {
					return
				}
				select {
				case <-updated:
				case <-done:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for i, p := range pictures {
		if diff := cmp.Diff(tally(all), p.counts); diff != "" {
			t.Errorf("the counts of reader %d differ from the answers (-want +got):\n%s", i, diff)
		}
		for _, told := range p.told {
			wantImported(t, told.counts, imports[told.id])
		}
		if p.imports[programA] != pictures[0].imports[programA] {
			t.Errorf("readers know the imports %q and %q", p.imports[programA], pictures[0].imports[programA])
		}
	}
	wantRecount(t, stores[1], programA, len(all))
	// An update through one store wakes who waits on another.
	updated := stores[1].Updated()
	appendAll(t, stores[0], respond(programA, "wake", 0))
	select {
	case <-updated:
	case <-time.After(time.Minute):
		t.Error("another store's commit is not heard of")
	}
}

// testSharedDeleting retires and erases through all stores, while the same responses come in again.
func testSharedDeleting(t *testing.T, h Harness) {
	stores := openShared(t, h)
	const n = 900
	all := respondMany(programA, "deleting", n)
	appendAll(t, stores[0], all...)
	var group sync.WaitGroup
	var mu sync.Mutex
	retired := int64(0)
	for w, s := range stores {
		group.Go(func() {
			got, err := s.Retire(context.Background(), programA, all[n/3].SubmittedAt)
			if err != nil {
				t.Errorf("Retire: %v", err)
			}
			mu.Lock()
			retired += got
			mu.Unlock()
		})
		group.Go(func() {
			for i := n/3 + w%2; i < n; i += 10 {
				erase(t, s, programA, all[i].Receipt, true)
			}
		})
		group.Go(func() {
			for i := n / 3; i < n; i++ {
				results, err := appendPatiently(s, all[i])
				if err != nil || results[0] != (store.Result{Outcome: store.Repeated, Receipt: all[i].Receipt}) {
					t.Errorf("response %d again: %v, %v", i, results, err)
				}
			}
		})
	}
	group.Wait()
	if retired != n/3 {
		t.Errorf("%d responses were retired, want %d", retired, n/3)
	}
	counted := append([]store.Response{}, all[:n/3]...)
	for i := n / 3; i < n; i++ {
		if d := (i - n/3) % 10; d > 1 {
			counted = append(counted, all[i])
		}
	}
	for _, s := range stores {
		wantRecount(t, s, programA, len(counted)-n/3)
		wantPicture(t, s, counted)
	}
}

// testSharedStanding annuls and brings back through all stores at once, while other responses come in, and old ones retire:
// the counts hold all along, and a reader of each store knows them in the end.
func testSharedStanding(t *testing.T, h Harness) {
	stores := openShared(t, h)
	const n = 400
	all := judged(programA, "standing", n)
	appendAll(t, stores[0], all...)
	var writing sync.WaitGroup
	for w, s := range stores {
		writing.Go(func() {
			for i := 40 + w; i < n; i += len(stores) {
				if _, err := appendPatiently(s, respond(programA, "beside", i)); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
		writing.Go(func() { churnStandings(t, s, all[40].SubmittedAt) })
	}
	writing.Go(func() { retire(t, stores[1], programA, all[20].SubmittedAt, 20) })
	done := make(chan struct{})
	var reading sync.WaitGroup
	pictures := make([]*picture, len(stores))
	for i, s := range stores {
		pictures[i] = newPicture()
		reading.Go(func() {
			for over := false; !over; {
				over = isClosed(done)
				pictures[i].readAll(t, s, 20)
				if check, err := s.Recount(context.Background(), programA); err != nil || len(check.Differences) > 0 {
					t.Errorf("Recount meanwhile: %v, %v", check, err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	want := sum(tally(suspectsAside(all[:20])), tally(export(t, stores[1], programA)))
	for i, p := range pictures {
		if diff := cmp.Diff(want, p.counts); diff != "" {
			t.Errorf("the counts of reader %d differ (-want +got):\n%s", i, diff)
		}
		wantRecount(t, stores[i], programA, n-20+n-40)
	}
}

// testOpenTogether opens an empty store many times at once: one of them makes its tables.
func testOpenTogether(t *testing.T, h Harness) {
	stores := make([]store.Store, sharers)
	var group sync.WaitGroup
	for i := range stores {
		group.Go(func() { stores[i] = h.Open(t) })
	}
	group.Wait()
	for i, s := range stores {
		appendAll(t, s, respond(programA, "together", i))
		defer closeStore(t, s)
	}
	wantRecount(t, stores[0], programA, sharers)
}
