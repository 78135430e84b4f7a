package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func eraseContacts(t TB, s store.Store, program store.Key, receipt string, hash []byte, id string, at time.Time, want int) {
	t.Helper()
	if n, err := s.EraseContacts(context.Background(), program, receipt, hash, id, at); err != nil || n != int64(want) {
		t.Errorf("EraseContacts of %q, %x, %q: %d, %v; want %d", receipt, hash, id, n, err, want)
	}
}

func expireContacts(t TB, s store.Store, program store.Key, now time.Time, want int) {
	t.Helper()
	if n, err := s.ExpireContacts(context.Background(), program, now); err != nil || n != int64(want) {
		t.Errorf("ExpireContacts at %s: %d, %v; want %d", now, n, err, want)
	}
}

// withoutContact is what becomes of a case whose contact is erased.
func withoutContact(c store.Case, at time.Time) store.Case {
	c.Contact, c.ContactErasedAt = nil, at
	c.Version++
	c.History = slices.Clone(c.History)
	for i := range c.History {
		c.History[i].Note = ""
	}
	if c.State == store.CaseOpen {
		c.State, c.ResolvedAt = store.CaseResolved, at
		c.History = append(c.History,
			store.CaseEvent{At: at, State: store.CaseResolved, Note: "The contact was erased: nobody can be contacted any more."})
	}
	return c
}

// testEraseContacts erases contacts in each way, of cases in several states.
func testEraseContacts(t *testing.T, h Harness) {
	s := open(t, h)
	all := promisingMany(programA, "contacts", 12, 48)
	for i := range all {
		all[i].Case.ContactHash = contact(i / 4)
	}
	others := promisingMany(programB, "contacts", 2, 48)
	others[0].Case.ContactHash = contact(1)
	appendAll(t, s, append(others, all...)...)
	cases := []store.Case{}
	for i, r := range all {
		c := opened(r)
		if state := []store.CaseState{"", store.CaseContacted, store.CaseInformed, ""}[i%4]; state != "" {
			c = changeCase(t, s, programA, store.CaseChange{ID: c.ID, Version: 1, State: state, At: noon.Add(time.Hour)})
		}
		cases = append(cases, c)
	}
	p := readPicture(t, s)
	at := noon.Add(2 * time.Hour)
	check := func(touched ...int) {
		t.Helper()
		for _, i := range touched {
			cases[i] = withoutContact(cases[i], at)
		}
		for _, c := range cases {
			wantCase(t, s, c)
		}
		wantCaseCounts(t, s, programA, all, cases...)
		wantCaseCounts(t, s, programB, others, opened(others[0]), opened(others[1]))
		if p.readAll(t, s, 3); len(readPicture(t, s).counts) != len(p.counts) {
			t.Error("a follower does not know the counts")
		}
	}
	for range 2 {
		eraseContacts(t, s, programB, all[0].Receipt+"x", nil, "", at, 0)
		eraseContacts(t, s, programA, "no such receipt'; --", nil, "", at, 0)
		eraseContacts(t, s, programA, "\xff", nil, "", at, 0)
		eraseContacts(t, s, programA, "", contact(99), "", at, 0)
		eraseContacts(t, s, programA, "", nil, ID("none", 1), at, 0)
		eraseContacts(t, s, programA, "", nil, "me", at, 0)
		eraseContacts(t, s, store.Key{Namespace: "no", Name: "such"}, "", contact(1), "", at, 0)
	}
	check()
	for i := range 4 {
		eraseContacts(t, s, programA, all[i].Receipt, nil, "", at.Add(999), 1)
		check(i)
		eraseContacts(t, s, programA, all[i].Receipt, nil, "", at, 0)
		eraseContacts(t, s, programA, "", nil, cases[i].ID, at, 0)
	}
	eraseContacts(t, s, programA, "", contact(1), "", at, 4)
	check(4, 5, 6, 7)
	eraseContacts(t, s, programA, "", contact(1), "", at, 0)
	for i := 8; i < 12; i++ {
		eraseContacts(t, s, programA, "", nil, cases[i].ID, at, 1)
		check(i)
	}
	// Without the person, a case goes on: it stays in neither count.
	cases[0] = changeCase(t, s, programA, store.CaseChange{ID: cases[0].ID, Version: cases[0].Version, State: store.CaseInformed, At: at})
	cases[1] = changeCase(t, s, programA, store.CaseChange{ID: cases[1].ID, Version: cases[1].Version, State: store.CaseResolved, At: at})
	if !cases[0].ContactedAt.IsZero() {
		t.Error("a case without a contact was contacted")
	}
	check()
	expireContacts(t, s, programA, noon.AddDate(9, 0, 0), 0)
	for name, whom := range map[string][3]string{
		"nobody": {}, "two": {all[0].Receipt, "", cases[0].ID}, "three": {"R", string(contact(1)), cases[0].ID}, "a short hash": {"", "short", ""},
	} {
		if n, err := s.EraseContacts(context.Background(), programA, whom[0], []byte(whom[1]), whom[2], at); err == nil {
			t.Errorf("EraseContacts of %s: %d", name, n)
		}
	}
	if _, err := s.EraseContacts(context.Background(), programA, "", nil, cases[0].ID, time.Time{}); err == nil {
		t.Error("EraseContacts without a time is no error")
	}
}

// testEraseContactsMany erases more contacts of one person than any one transaction should.
func testEraseContactsMany(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 600
	all := promisingMany(programA, "many", n, 48)
	cases := make([]store.Case, n)
	for i := range all {
		all[i].Case.ContactHash = contact(1)
		cases[i] = withoutContact(opened(all[i]), noon)
	}
	appendAll(t, s, all...)
	eraseContacts(t, s, programA, "", contact(1), "", noon, n)
	wantCaseCounts(t, s, programA, all, cases...)
	for _, i := range []int{0, 300, n - 1} {
		wantCase(t, s, cases[i])
	}
}

// testCaseErase erases responses with cases: contact and answers go, the case stays.
func testCaseErase(t *testing.T, h Harness) {
	s := open(t, h)
	all := promisingMany(programA, "erase", 4, 48)
	appendAll(t, s, all...)
	cases := []store.Case{}
	for _, r := range all {
		cases = append(cases, opened(r))
	}
	cases[1] = changeCase(t, s, programA, store.CaseChange{ID: cases[1].ID, Version: 1, State: store.CaseContacted, At: noon.Add(time.Hour)})
	eraseContacts(t, s, programA, all[2].Receipt, nil, "", noon, 1)
	cases[2] = withoutContact(cases[2], noon)
	for i := range 3 {
		erase(t, s, programA, all[i].Receipt, true)
		got := getCase(t, s, programA, cases[i].ID)
		at := got.ContactErasedAt
		if i < 2 {
			// By the clock of the database: what comes after is later.
			if at.Before(noon.AddDate(0, -5, 0)) || i > 0 && at.Before(cases[i-1].ContactErasedAt) {
				t.Errorf("contact %d was erased at %s, the one before at %s", i, at, cases[0].ContactErasedAt)
			}
			cases[i] = withoutContact(cases[i], at)
		}
		cases[i].Answers = nil
		erase(t, s, programA, all[i].Receipt, true)
		for _, c := range cases {
			wantCase(t, s, c)
		}
		wantCaseCounts(t, s, programA, all[i+1:], cases...)
		eraseContacts(t, s, programA, all[i].Receipt, nil, "", noon, 0)
	}
	wantResults(t, appendAll(t, s, all[0]), repeated(all[0]))
	wantCase(t, s, cases[0])
}

// testCaseRetention retires responses with cases, and has contacts expire.
func testCaseRetention(t *testing.T, h Harness) {
	s := open(t, h)
	all := promisingMany(programA, "retention", 8, 48)
	for i := range all {
		all[i].Case.RetentionDays = int32(10 * (i + 1))
	}
	appendAll(t, s, all...)
	cases := []store.Case{}
	for _, r := range all {
		cases = append(cases, opened(r))
	}
	change := func(i int, to store.CaseState, at time.Time) {
		t.Helper()
		cases[i] = changeCase(t, s, programA, store.CaseChange{ID: cases[i].ID, Version: cases[i].Version, State: to, At: at})
	}
	check := func(s store.Store, kept int) {
		t.Helper()
		for _, c := range cases {
			wantCase(t, s, c)
		}
		wantCaseCounts(t, s, programA, all, cases...)
		wantRecount(t, s, programA, kept)
	}
	for i := range 3 {
		change(i, store.CaseResolved, noon.Add(time.Hour))
	}
	change(1, store.CaseInformed, noon.AddDate(0, 0, 5))
	change(3, store.CaseContacted, noon)
	change(4, store.CaseInformed, noon)
	check(s, 8)
	// Each expires when it was resolved for as long as it may, not before, and not while it is open or contacted.
	for i := range 3 {
		end := noon.Add(time.Hour).AddDate(0, 0, 10*(i+1))
		expireContacts(t, s, programA, end.Add(-time.Microsecond), 0)
		expireContacts(t, s, programA, end, 1)
		cases[i] = withoutContact(cases[i], end)
		check(s, 8)
	}
	expireContacts(t, s, programB, noon.AddDate(9, 0, 0), 0)

	// Retention leaves the cases, without answers, and what may be erased by the receipt still is.
	retire(t, s, programA, all[6].SubmittedAt, 6)
	for i := range 6 {
		cases[i].Answers = nil
		if h.Keeps(t, all[i]) {
			t.Errorf("the identity of response %d, which was retired, is in clear", i)
		}
	}
	check(s, 2)
	at := noon.AddDate(0, 0, 40)
	eraseContacts(t, s, programA, all[5].Receipt, nil, "", at, 1)
	cases[5] = withoutContact(cases[5], at)
	erase(t, s, programA, all[4].Receipt, true)
	if cases[4] = withoutContact(cases[4], getCase(t, s, programA, cases[4].ID).ContactErasedAt); cases[4].ContactErasedAt.IsZero() {
		t.Error("the contact of a retired response was not erased with it")
	}
	check(s, 2)
	// Of what retention deleted, the contact goes at once, also of a case that is not closed.
	change(3, store.CaseResolved, at)
	expireContacts(t, s, programA, at, 1)
	cases[3] = withoutContact(cases[3], at)
	retire(t, s, programA, all[7].SubmittedAt, 1)
	cases[6].Answers = nil
	check(s, 1)
	expireContacts(t, s, programA, at, 1)
	cases[6] = withoutContact(cases[6], at)
	check(s, 1)
	expireContacts(t, s, programA, noon.AddDate(9, 0, 0), 0)
	if _, err := s.ExpireContacts(context.Background(), programA, time.Time{}); err == nil {
		t.Error("ExpireContacts without a time is no error")
	}
	closeStore(t, s)
	check(open(t, h), 1)
}

// testCaseExpireMany has more contacts expire than any one transaction should erase.
func testCaseExpireMany(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 520
	all := promisingMany(programA, "expire", n, 48)
	appendAll(t, s, all...)
	retire(t, s, programA, noon.AddDate(1, 0, 0), n)
	expireContacts(t, s, programA, noon, n)
	cases := listAll(t, s, programA, store.CaseQuery{Limit: 500}, true)
	for _, c := range cases {
		if c.Contact != nil || c.State != store.CaseResolved || !c.ContactErasedAt.Equal(noon) {
			t.Errorf("case %+v", c)
		}
	}
	if len(cases) != n {
		t.Errorf("%d cases, want %d", len(cases), n)
	}
	wantCaseCounts(t, s, programA, all, cases...)
}
