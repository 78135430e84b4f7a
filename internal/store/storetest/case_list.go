package storetest

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// listed makes of cases what a list has of them, in its order.
func listed(cases []store.Case) []store.Case {
	out := append([]store.Case{}, cases...)
	for i := range out {
		out[i].Answers, out[i].History = nil, nil
	}
	slices.SortFunc(out, func(a, b store.Case) int { return cmp.Or(a.PromisedBy.Compare(b.PromisedBy), cmp.Compare(a.ID, b.ID)) })
	return out
}

// listAll reads every page of a list, and wants each to say how many are behind it, where nothing changes meanwhile.
func listAll(t TB, s store.Store, program store.Key, q store.CaseQuery, quiet bool) []store.Case {
	t.Helper()
	all := []store.Case{}
	behind := []int64{}
	for {
		page, err := s.ListCases(context.Background(), program, q)
		if err != nil {
			t.Fatalf("ListCases %+v: %v", q, err)
		}
		if len(page.Cases) > q.Limit || page.Next != "" && len(page.Cases) < q.Limit || (page.Next == "") != (page.Remaining == 0) {
			t.Fatalf("a page of %d cases at a limit of %d, next %q, %d remaining", len(page.Cases), q.Limit, page.Next, page.Remaining)
		}
		all = append(all, page.Cases...)
		behind = append(behind, int64(len(all))+page.Remaining)
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	for _, n := range behind {
		if quiet && n != int64(len(all)) {
			t.Errorf("a page of %+v told of %d cases in all, there are %d", q, n, len(all))
		}
	}
	return all
}

// testCaseLists lists cases by every filter, in pages of several sizes.
func testCaseLists(t *testing.T, h Harness) {
	s := open(t, h)
	none, gate, hostile := "", "gate", "' OR 1 = 1 --"
	var all []store.Case
	to := []store.CaseState{"", store.CaseContacted, store.CaseResolved, store.CaseInformed}
	for i := range 60 {
		r := promising(programA, "lists", i, 1+i%7)
		r.Touchpoint = []string{none, gate, hostile}[i%3]
		appendAll(t, s, r)
		c := opened(r)
		if state := to[i%4]; state != "" {
			c = changeCase(t, s, programA, store.CaseChange{ID: c.ID, Version: 1, State: state, At: noon.Add(3 * time.Hour)})
		}
		all = append(all, c)
	}
	appendAll(t, s, promisingMany(programB, "lists", 3, 1)...)
	at := all[8].PromisedBy
	for name, c := range map[string]struct {
		q     store.CaseQuery
		wants func(store.Case) bool
	}{
		"all":              {store.CaseQuery{}, func(store.Case) bool { return true }},
		"open":             {store.CaseQuery{States: []store.CaseState{store.CaseOpen}}, func(c store.Case) bool { return c.State == store.CaseOpen }},
		"two states":       {store.CaseQuery{States: []store.CaseState{store.CaseResolved, store.CaseOpen, store.CaseResolved}}, func(c store.Case) bool { return c.State == store.CaseOpen || c.State == store.CaseResolved }},
		"gate":             {store.CaseQuery{Touchpoint: &gate}, func(c store.Case) bool { return c.Touchpoint == gate }},
		"no touchpoint":    {store.CaseQuery{Touchpoint: &none}, func(c store.Case) bool { return c.Touchpoint == "" }},
		"hostile":          {store.CaseQuery{Touchpoint: &hostile}, func(c store.Case) bool { return c.Touchpoint == hostile }},
		"overdue":          {store.CaseQuery{OverdueAt: at}, func(c store.Case) bool { return c.State == store.CaseOpen && !c.PromisedBy.After(at) }},
		"just not overdue": {store.CaseQuery{OverdueAt: at.Add(-1)}, func(c store.Case) bool { return c.State == store.CaseOpen && c.PromisedBy.Before(at) }},
		"overdue and closed": {store.CaseQuery{OverdueAt: at.AddDate(1, 0, 0), States: []store.CaseState{store.CaseInformed, store.CaseContacted}},
			func(store.Case) bool { return false }},
		"each condition": {store.CaseQuery{OverdueAt: at, States: []store.CaseState{store.CaseOpen, store.CaseContacted}, Touchpoint: &gate},
			func(c store.Case) bool {
				return c.State == store.CaseOpen && !c.PromisedBy.After(at) && c.Touchpoint == gate
			}},
	} {
		want := listed(slices.DeleteFunc(slices.Clone(all), func(each store.Case) bool { return !c.wants(each) }))
		for _, limit := range []int{1, 4, len(want), len(want) + 1, 500} {
			if c.q.Limit = limit; limit == 0 {
				continue
			}
			if diff := gocmp.Diff(want, listAll(t, s, programA, c.q, true)); diff != "" {
				t.Errorf("%s by %d: list differs (-want +got):\n%s", name, limit, diff)
			}
		}
	}
	if got := listAll(t, s, store.Key{Namespace: "no", Name: "such"}, store.CaseQuery{Limit: 1}, true); len(got) != 0 {
		t.Errorf("a program that there is not has %d cases", len(got))
	}
	wantBadLists(t, s)
}

func wantBadLists(t *testing.T, s store.Store) {
	t.Helper()
	zero := "a\x00"
	for name, q := range map[string]store.CaseQuery{
		"no limit":       {},
		"negative limit": {Limit: -1},
		"limit":          {Limit: 501},
		"state":          {Limit: 1, States: []store.CaseState{"Open' --"}},
		"touchpoint":     {Limit: 1, Touchpoint: &zero},
	} {
		if page, err := s.ListCases(context.Background(), programA, q); err == nil || errors.Is(err, store.ErrBadPage) || page.Next != "" {
			t.Errorf("a list with a bad %s: %+v, %v", name, page, err)
		}
	}
	page, err := s.ListCases(context.Background(), programA, store.CaseQuery{Limit: 7})
	if err != nil || page.Next == "" {
		t.Fatalf("ListCases: %+v, %v", page, err)
	}
	other := base64.RawURLEncoding.EncodeToString(make([]byte, 23))
	for _, after := range []string{"a", page.Next + "A", page.Next[1:], "!" + page.Next[1:], page.Next + "=", other, "'; --",
		base64.RawURLEncoding.EncodeToString(append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 16)...)), strings.Repeat("A", 1<<20)} {
		if _, err := s.ListCases(context.Background(), programA, store.CaseQuery{Limit: 1, After: after}); !errors.Is(err, store.ErrBadPage) {
			t.Errorf("a page after %.40q: %v, want ErrBadPage", after, err)
		}
	}
}

// testCasePaging goes through more than a thousand cases, again and again, while they change and others come: every page is
// in order, nothing comes twice, and what is there all the time comes once.
func testCasePaging(t *testing.T, h Harness) {
	s := open(t, h)
	const n, beside = 1100, 80
	all := promisingMany(programA, "paging", n, 30)
	appendAll(t, s, all...)
	stays := map[string]bool{}
	for i, r := range all {
		stays[r.Case.ID] = i%9 > 0
	}
	done := make(chan struct{})
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		for i := 0; i < n; i += 9 {
			change := store.CaseChange{ID: all[i].Case.ID, Version: 1, State: store.CaseContacted, At: noon}
			if _, err := s.ChangeCase(context.Background(), programA, change); err != nil {
				t.Errorf("ChangeCase: %v", err)
			}
		}
	})
	writing.Go(func() {
		for i := range beside {
			if _, err := appendPatiently(s, promising(programA, "beside", i, 1+i%40)); err != nil {
				t.Errorf("Append: %v", err)
			}
		}
	})
	go func() {
		defer close(done)
		writing.Wait()
	}()
	for over := false; !over; {
		over = isClosed(done)
		got := listAll(t, s, programA, store.CaseQuery{States: []store.CaseState{store.CaseOpen}, Limit: 90}, over)
		wantOrder(t, got, stays)
	}
	if got := listAll(t, s, programA, store.CaseQuery{Limit: 500}, true); len(got) != n+beside {
		t.Errorf("%d cases in the end, want %d", len(got), n+beside)
	}
	if got := listAll(t, s, programA, store.CaseQuery{States: []store.CaseState{store.CaseContacted}, Limit: 100}, true); len(got) != (n+8)/9 {
		t.Errorf("%d contacted cases in the end, want %d", len(got), (n+8)/9)
	}
}

// wantOrder wants cases to come in order, each once, and those that stay to be among them.
func wantOrder(t TB, got []store.Case, stays map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for i, c := range got {
		if seen[c.ID] {
			t.Errorf("case %s comes twice", c.ID)
		}
		seen[c.ID] = true
		if i > 0 && fmt.Sprint(got[i-1].PromisedBy.Unix(), got[i-1].ID) >= fmt.Sprint(c.PromisedBy.Unix(), c.ID) {
			t.Errorf("case %s is out of order", c.ID)
		}
	}
	for id, is := range stays {
		if is && !seen[id] {
			t.Errorf("case %s is missing", id)
		}
	}
}
