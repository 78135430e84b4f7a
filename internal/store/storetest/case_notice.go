package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func settle(t TB, s store.Store, program store.Key, seq int64, state string, record []byte, now time.Time) {
	t.Helper()
	if err := s.SettleNotice(context.Background(), program, seq, state, record, now); err != nil {
		t.Errorf("SettleNotice %d as %s: %v", seq, state, err)
	}
}

// testCaseNotices follows the notices of three cases: one is contacted in time, one late, and one never.
func testCaseNotices(t *testing.T, h Harness) {
	s := open(t, h)
	inTime, late, never := promising(programA, "notices", 0, 4), promising(programA, "notices", 1, 1), promising(programA, "notices", 2, 2)
	appendAll(t, s, inTime)
	appendAll(t, s, late)
	appendAll(t, s, never, promising(programB, "notices", 0, 1))
	opens := []string{"Opened " + inTime.Case.ID, "Opened " + late.Case.ID, "Opened " + never.Case.ID}
	wantNotices(t, notices(t, s, programA, "Pending", late.Case.PromisedBy.Add(-time.Microsecond)), opens...)
	wantNotices(t, notices(t, s, programA, "Pending", late.Case.PromisedBy), append(opens, "Overdue "+late.Case.ID)...)
	changeCase(t, s, programA, store.CaseChange{ID: inTime.Case.ID, Version: 1, State: store.CaseContacted, At: noon})
	changeCase(t, s, programA, store.CaseChange{ID: late.Case.ID, Version: 1, State: store.CaseResolved, At: noon.AddDate(0, 0, 1)})
	next := noon.AddDate(0, 0, 2)
	want := append(opens, "Overdue "+late.Case.ID, "Overdue "+never.Case.ID)
	var got []store.CaseNotice
	for range 3 {
		got = notices(t, s, programA, "Pending", next)
		wantNotices(t, got, want...)
	}
	if last := got[4]; !last.At.Equal(never.Case.PromisedBy) || last.Touchpoint != never.Touchpoint {
		t.Errorf("notice %+v", last)
	}
	wantCase(t, s, opened(never))
	settleNotices(t, s, got, next)
	closeStore(t, s)
	s = open(t, h)
	wantNotices(t, notices(t, s, programA, "Pending", next), want[2:]...)
	wantNotices(t, notices(t, s, programA, "Delivered", next.AddDate(0, 0, 7).Add(-time.Microsecond)), want[0])
	wantNotices(t, notices(t, s, programA, "Delivered", next.AddDate(0, 0, 7)))
	wantNotices(t, notices(t, s, programA, "Dead", next.AddDate(9, 0, 0)), want[1])
	// What was delivered and forgotten is not told again.
	for _, n := range notices(t, s, programA, "Pending", next) {
		settle(t, s, programA, n.Seq, "Delivered", nil, next)
	}
	wantNotices(t, notices(t, s, programA, "Pending", next.AddDate(1, 0, 0)))
	wantNotices(t, notices(t, s, programA, "Delivered", next.AddDate(1, 0, 0)))
	if err := s.SettleNotice(context.Background(), programA, got[4].Seq, "Delivered", nil, next); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("SettleNotice of what was deleted: %v", err)
	}
	// Numbers are not given twice.
	appendAll(t, s, promising(programA, "notices", 5, 1))
	if again := notices(t, s, programA, "Pending", noon); len(again) != 1 || again[0].Seq <= got[4].Seq {
		t.Errorf("notices after others were deleted: %+v, the last was %d", again, got[4].Seq)
	}
	wantRecount(t, s, programA, 4)
}

// settleNotices settles the first as delivered, the second as dead, and notes something of the third.
func settleNotices(t TB, s store.Store, got []store.CaseNotice, now time.Time) {
	t.Helper()
	record := bytes.Repeat([]byte{0, 0xff}, 4096)
	settle(t, s, programA, got[0].Seq, "Delivered", []byte("{}"), now)
	settle(t, s, programA, got[1].Seq, "Dead", []byte("no"), now)
	settle(t, s, programA, got[2].Seq, "Pending", record, now)
	noted := notices(t, s, programA, "Pending", now)[0]
	want := got[2]
	want.Record = record
	if diff := cmp.Diff(want, noted); diff != "" {
		t.Errorf("notice differs (-want +got):\n%s", diff)
	}
	settle(t, s, programA, got[2].Seq, "Pending", nil, now)
	for name, err := range map[string]error{
		"state":   s.SettleNotice(context.Background(), programA, got[2].Seq, "Gone' --", nil, now),
		"record":  s.SettleNotice(context.Background(), programA, got[2].Seq, "Dead", make([]byte, 8193), now),
		"number":  s.SettleNotice(context.Background(), programA, 1<<62, "Dead", nil, now),
		"program": s.SettleNotice(context.Background(), programB, got[2].Seq, "Dead", nil, now),
		"name":    s.SettleNotice(context.Background(), store.Key{Namespace: "no", Name: "such"}, got[2].Seq, "Dead", nil, now),
	} {
		if err == nil {
			t.Errorf("a notice with a bad %s was settled", name)
		}
	}
	for _, limit := range []int{-1, 0, 501} {
		if page, err := s.Notices(context.Background(), programA, "Pending", 0, limit, now); err == nil {
			t.Errorf("a page of %d notices: %v", limit, page)
		}
	}
	if page, err := s.Notices(context.Background(), programA, "pending", 0, 1, now); err == nil {
		t.Errorf("notices of a state that there is not: %v", page)
	}
}

func testCaseOverdueRace(t *testing.T, h Harness) { raceOverdue(t, open(t, h)) }

// raceOverdue has several ask for notices at once, of more cases than one transaction tells of, while some of them are
// contacted: each case that stays open is told of once, in one order for all.
func raceOverdue(t *testing.T, stores ...store.Store) {
	const n = 600
	all := promisingMany(programA, "overdue", n, 2)
	appendAll(t, stores[0], all...)
	now := noon.AddDate(0, 0, 9)
	var group sync.WaitGroup
	for i := range 4 {
		s := stores[i%len(stores)]
		group.Go(func() {
			if _, err := s.Notices(context.Background(), programA, "Pending", 0, 500, now); err != nil {
				t.Errorf("Notices: %v", err)
			}
		})
	}
	group.Go(func() {
		for i := n - 1; i >= n-60; i-- {
			change := store.CaseChange{ID: all[i].Case.ID, Version: 1, State: store.CaseContacted, At: noon}
			if _, err := stores[len(stores)-1].ChangeCase(context.Background(), programA, change); err != nil {
				t.Errorf("ChangeCase: %v", err)
			}
		}
	})
	group.Wait()
	var first []store.CaseNotice
	for i, s := range stores {
		got := notices(t, s, programA, "Pending", now)
		told := map[string]int{}
		for _, n := range got {
			told[n.Transition+" "+n.CaseID]++
		}
		for i, r := range all {
			if told["Opened "+r.Case.ID] != 1 || i < n-60 && told["Overdue "+r.Case.ID] != 1 || told["Overdue "+r.Case.ID] > 1 {
				t.Errorf("case %d was told of: opened %d times, overdue %d times", i, told["Opened "+r.Case.ID], told["Overdue "+r.Case.ID])
			}
		}
		if i == 0 {
			first = got
		} else if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("two are told differently:\n%s", diff)
		}
	}
	wantRecount(t, stores[0], programA, n)
}

// testCasesUnderLoad has a reader follow in small pages while cases are opened, changed, told of and erased, and responses
// retire: the counts hold all along.
func testCasesUnderLoad(t *testing.T, h Harness) { loadCases(t, open(t, h)) }

func loadCases(t *testing.T, stores ...store.Store) {
	const n = 160
	all := promisingMany(programA, "load", n, 48)
	for i := range all {
		all[i].Case.ContactHash = contact(i % 30)
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	for w := range 4 {
		s := stores[w%len(stores)]
		writing.Go(func() {
			for i := w; i < n; i += 4 {
				if _, err := appendPatiently(s, all[i]); err != nil {
					t.Errorf("Append: %v", err)
				}
				playCase(t, s, all[i], i)
			}
		})
	}
	writing.Go(func() {
		for i := range 12 {
			s := stores[i%len(stores)]
			_, err := s.EraseContacts(context.Background(), programA, "", contact(i), "", noon)
			_, err2 := s.ExpireContacts(context.Background(), programA, noon.AddDate(0, 0, 3))
			_, err3 := s.Notices(context.Background(), programA, "Pending", 0, 10, noon.Add(50*time.Hour))
			_, err4 := s.Retire(context.Background(), programA, noon.Add(time.Duration(i)*time.Minute))
			if err := errors.Join(err, err2, err3, err4); err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		writing.Wait()
	}()
	p := newPicture()
	reader := stores[len(stores)-1]
	for over := false; !over; {
		over = isClosed(done)
		p.readAll(t, reader, 3)
		if check, err := reader.Recount(context.Background(), programA); err != nil || len(check.Differences) > 0 {
			t.Errorf("Recount meanwhile: %v, %v", check, err)
		}
	}
	cases := listAll(t, reader, programA, store.CaseQuery{Limit: 150}, true)
	if len(cases) != n {
		t.Errorf("%d cases, want %d", len(cases), n)
	}
	// Each fifth response was erased, but for those that were retired before.
	kept := slices.DeleteFunc(slices.Clone(all), func(r store.Response) bool { return erasedInLoad(r) })
	want := sum(tallyWithoutCases(kept), tallyCases(cases...))
	if diff := cmp.Diff(want, ofProgram(p.counts, programA)); diff != "" {
		t.Errorf("counts of a follower differ (-want +got):\n%s", diff)
	}
}

// playCase does with a case what depends on its number.
func playCase(t TB, s store.Store, r store.Response, i int) {
	t.Helper()
	if erasedInLoad(r) {
		erase(t, s, programA, r.Receipt, true)
		return
	}
	for step, to := range []store.CaseState{store.CaseContacted, store.CaseResolved, store.CaseInformed}[:i%4] {
		for {
			now := getCase(t, s, programA, r.Case.ID)
			change := store.CaseChange{ID: now.ID, Version: now.Version, State: to, At: noon.Add(time.Duration(i) * 20 * time.Minute), Note: fmt.Sprint(step)}
			if now.State == store.CaseResolved && to == store.CaseContacted {
				break // its contact was erased
			}
			_, err := s.ChangeCase(context.Background(), programA, change)
			if errors.Is(err, store.ErrChanged) {
				continue
			}
			if err != nil {
				t.Errorf("ChangeCase: %v", err)
			}
			break
		}
	}
}

// erasedInLoad are some of the responses that retention does not reach.
func erasedInLoad(r store.Response) bool {
	minute := int(r.SubmittedAt.Sub(noon).Minutes())
	return minute >= 40 && minute%5 == 0
}

func tallyWithoutCases(responses []store.Response) map[series]int64 {
	out := slices.Clone(responses)
	for i := range out {
		out[i].Case = nil
	}
	return tally(out)
}
