package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// changeCase changes a case, and wants what it returns to be what is stored then.
func changeCase(t TB, s store.Store, program store.Key, c store.CaseChange) store.Case {
	t.Helper()
	got, err := s.ChangeCase(context.Background(), program, c)
	if err != nil {
		t.Fatalf("ChangeCase %+v: %v", c, err)
	}
	wantCase(t, s, got)
	return got
}

func wantNoChange(t TB, s store.Store, program store.Key, c store.CaseChange, want error) {
	t.Helper()
	if got, err := s.ChangeCase(context.Background(), program, c); !errors.Is(err, want) || got.ID != "" {
		t.Errorf("ChangeCase %+v: %+v, %v; want %v", c, got, err, want)
	}
}

// testCaseChanges moves cases through their states in every way.
func testCaseChanges(t *testing.T, h Harness) {
	s := open(t, h)
	open, contacted, resolved, informed := store.CaseOpen, store.CaseContacted, store.CaseResolved, store.CaseInformed
	type step struct {
		to    store.CaseState
		hours int
	}
	for i, steps := range [][]step{
		{{contacted, 1}, {resolved, 50}, {informed, 51}},
		{{contacted, 48}, {"", 49}, {contacted, 50}, {resolved, 51}},
		{{contacted, 49}},
		{{resolved, 2}, {informed, 3}},
		{{resolved, 60}},
		{{informed, 4}, {informed, 5}},
		{{informed, 70}},
		{{open, 1}, {"", 2}, {contacted, 3}, {informed, 4}},
	} {
		program := store.Key{Namespace: "changes", Name: fmt.Sprint(i)}
		r := promising(program, "changes", 0, 48)
		other := promising(program, "changes", 1, 48)
		appendAll(t, s, r, other)
		want := opened(r)
		p := readPicture(t, s)
		for n, step := range steps {
			at := noon.Add(time.Duration(step.hours) * time.Hour)
			change := store.CaseChange{ID: want.ID, Version: want.Version, State: step.to, Note: fmt.Sprint("note ", n), By: "jo@example.org", At: at.Add(999)}
			if n == 1 {
				change.Plan = &change.Note
				want.Plan = *change.Plan
			}
			playChange(&want, step.to, at)
			want.Version++
			want.History = append(want.History, store.CaseEvent{At: at, By: change.By, State: want.State, Note: change.Note})
			if diff := cmp.Diff(want, changeCase(t, s, program, change)); diff != "" {
				t.Errorf("case %d after step %d differs (-want +got):\n%s", i, n, diff)
			}
			wantCaseCounts(t, s, program, []store.Response{r, other}, want, opened(other))
			wantNoChange(t, s, program, change, store.ErrChanged)
			if p.readAll(t, s, 2); !cmp.Equal(ofProgram(readPicture(t, s).counts, program), ofProgram(p.counts, program)) {
				t.Errorf("case %d: a follower does not know the counts after step %d", i, n)
			}
		}
		wantCase(t, s, opened(other))
	}
}

// playChange is what a change does to a case's state and times.
func playChange(c *store.Case, to store.CaseState, at time.Time) {
	order := map[store.CaseState]int{store.CaseOpen: 1, store.CaseContacted: 2, store.CaseResolved: 3, store.CaseInformed: 4}
	for i, reached := range []*time.Time{&c.ContactedAt, &c.ResolvedAt, &c.InformedAt} {
		if order[c.State] < i+2 && order[to] >= i+2 {
			*reached = at
		}
	}
	if to != "" {
		c.State = to
	}
}

func testCaseChangeErrors(t *testing.T, h Harness) {
	s := open(t, h)
	r := promising(programA, "errors", 0, 48)
	appendAll(t, s, r)
	id := r.Case.ID
	at := noon.Add(time.Hour)
	long := strings.Repeat("a", 254)
	bad, zero := "\xff", "a\x00b"
	for name, c := range map[string]store.CaseChange{
		"state":     {State: "Closed"},
		"note":      {Note: strings.Repeat("a", 2001)},
		"note text": {Note: bad},
		"zero note": {Note: zero},
		"by":        {By: long},
		"by text":   {By: bad},
		"plan":      {Plan: &long},
		"plan text": {Plan: &zero},
	} {
		c.ID, c.Version, c.At = id, 1, at
		if got, err := s.ChangeCase(context.Background(), programA, c); err == nil || errors.Is(err, store.ErrChanged) {
			t.Errorf("a change with a bad %s: %+v, %v", name, got, err)
		}
	}
	if _, err := s.ChangeCase(context.Background(), programA, store.CaseChange{ID: id, Version: 1}); err == nil {
		t.Error("a change without a time was made")
	}
	wantCase(t, s, opened(r))
	for _, version := range []int64{-1, 0, 2, 1 << 62} {
		wantNoChange(t, s, programA, store.CaseChange{ID: id, Version: version, State: store.CaseContacted, At: at}, store.ErrChanged)
	}
	for _, other := range []string{"", "me", ID("none", 1), strings.ToUpper(id), "' OR 1 = 1 --"} {
		wantNoChange(t, s, programA, store.CaseChange{ID: other, Version: 1, At: at}, store.ErrNotFound)
	}
	wantNoChange(t, s, programB, store.CaseChange{ID: id, Version: 1, At: at}, store.ErrNotFound)
	name, note := long[1:], strings.Repeat("東", 666)+"; "
	hostile := "'); DROP TABLE case_event; --"
	got := changeCase(t, s, programA, store.CaseChange{ID: id, Version: 1, State: store.CaseResolved, Plan: &name, Note: note, By: hostile, At: at})
	if last := got.History[1]; got.Plan != name || last.Note != note || last.By != hostile {
		t.Errorf("case after a change: %+v", got)
	}
	for _, to := range []store.CaseState{store.CaseOpen, store.CaseContacted} {
		wantNoChange(t, s, programA, store.CaseChange{ID: id, Version: 2, State: to, At: at}, store.ErrBackward)
	}
	none := ""
	if got = changeCase(t, s, programA, store.CaseChange{ID: id, Version: 2, Plan: &none, At: at}); got.Plan != "" || got.State != store.CaseResolved {
		t.Errorf("case without its plan: %+v", got)
	}
	wantCaseCounts(t, s, programA, []store.Response{r}, got)
}

// testCaseHistory changes a case more often than its history tells.
func testCaseHistory(t *testing.T, h Harness) {
	s := open(t, h)
	r := promising(programA, "history", 0, 48)
	appendAll(t, s, r, promising(programA, "history", 1, 48))
	want := opened(r)
	const n = 130
	var last store.Case
	for i := range n {
		c := store.CaseChange{ID: want.ID, Version: int64(i + 1), Note: fmt.Sprint(i), At: noon.Add(time.Duration(n-i) * time.Second)}
		want.History = append(want.History, store.CaseEvent{At: c.At, State: store.CaseOpen, Note: c.Note})
		var err error
		if last, err = s.ChangeCase(context.Background(), programA, c); err != nil {
			t.Fatal(err)
		}
	}
	want.Version = n + 1
	want.History = append(want.History[:1], want.History[len(want.History)-99:]...)
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("case differs (-want +got):\n%s", diff)
	}
	wantCase(t, s, want)
}

func testCaseChangeRace(t *testing.T, h Harness) { raceChanges(t, open(t, h)) }

// raceChanges has several change each version of a case at once: one of them wins.
func raceChanges(t *testing.T, stores ...store.Store) {
	const rounds, callers = 12, 4
	r := promising(programA, "race", 0, 48)
	appendAll(t, stores[0], r)
	c := opened(r)
	states := []store.CaseState{store.CaseOpen, store.CaseContacted, store.CaseResolved, store.CaseInformed}
	for round := range rounds {
		var mu sync.Mutex
		var won []store.Case
		var group sync.WaitGroup
		for caller := range callers {
			group.Go(func() {
				change := store.CaseChange{ID: c.ID, Version: c.Version, State: states[min(3, round/2)], By: fmt.Sprint(caller), At: noon.Add(time.Hour)}
				got, err := stores[caller%len(stores)].ChangeCase(context.Background(), programA, change)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, got)
				} else if !errors.Is(err, store.ErrChanged) {
					t.Errorf("ChangeCase: %v", err)
				}
			})
		}
		group.Wait()
		if len(won) != 1 || won[0].Version != c.Version+1 {
			t.Fatalf("round %d: %d changes of one version were made", round, len(won))
		}
		c = won[0]
		wantCase(t, stores[round%len(stores)], c)
	}
	wantCaseCounts(t, stores[0], programA, []store.Response{r}, c)
}
