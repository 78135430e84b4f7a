package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// modelCase is a case with what only its store knows. gone is true once the response was deleted.
type modelCase struct {
	store.Case
	receipt, response string
	hash              []byte
	days              int
	gone, told        bool
}

// drawOpening draws from few contacts and promises. A response is stored once, and so is its case.
func drawOpening(t *rapid.T, r store.Response) *store.CaseOpening {
	return &store.CaseOpening{
		ID: ID("case of "+r.ID, 0), Reasons: []string{"Detractor"}, Contact: []byte(r.Receipt), RetentionDays: int32(rapid.IntRange(1, 2).Draw(t, "retention")),
		PromisedBy:  noon.Add(time.Duration(rapid.IntRange(-3, 30).Draw(t, "promised")) * time.Hour),
		ContactHash: contact(rapid.IntRange(0, 3).Draw(t, "contact")),
	}
}

// open opens the case of a response that is stored.
func (m *model) open(r store.Response) {
	if r.Case == nil || r.Standing != "" && r.Standing != store.StandingCounted {
		return
	}
	m.cases[identity{r.Program, r.Case.ID}] = &modelCase{
		Case: opened(r), receipt: r.Receipt, response: r.ID, hash: r.Case.ContactHash, days: int(r.Case.RetentionDays),
	}
}

func (m *model) caseOf(r store.Response) *modelCase {
	return m.cases[identity{r.Program, ID("case of "+r.ID, 0)}]
}

// leave takes the response away from its case.
func (m *model) leave(r store.Response) {
	if c := m.caseOf(r); c != nil {
		c.gone, c.Answers = true, nil
	}
}

// eraseCase is what becomes of a case when its response is erased: when that was, the store says.
func (m *model) eraseCase(t *rapid.T, r store.Response) {
	c := m.caseOf(r)
	if c == nil {
		return
	}
	m.leave(r)
	if c.Contact != nil {
		c.Case = withoutContact(c.Case, getCase(t, *m.store, r.Program, c.ID).ContactErasedAt)
	}
}

func (m *model) changeCase(t *rapid.T) {
	r := m.drawResponse(t)
	change := store.CaseChange{
		ID: ID("case of "+r.ID, 0), State: rapid.SampledFrom([]store.CaseState{"", "Open", "Contacted", "Resolved", "Informed"}).Draw(t, "to"),
		At: noon.Add(time.Duration(rapid.IntRange(-3, 40).Draw(t, "at")) * time.Hour), By: "model", Note: rapid.SampledFrom([]string{"", "note"}).Draw(t, "note"),
	}
	c := m.caseOf(r)
	if c == nil {
		wantNoChange(t, *m.store, r.Program, change, store.ErrNotFound)
		return
	}
	if change.Version = c.Version; rapid.IntRange(0, 5).Draw(t, "stale") == 0 {
		change.Version--
		wantNoChange(t, *m.store, r.Program, change, store.ErrChanged)
		return
	}
	order := map[store.CaseState]int{"": 9, "Open": 1, "Contacted": 2, "Resolved": 3, "Informed": 4}
	if order[change.State] < order[c.State] {
		wantNoChange(t, *m.store, r.Program, change, store.ErrBackward)
		return
	}
	playChange(&c.Case, change.State, change.At)
	c.Version++
	c.History = append(c.History[:len(c.History):len(c.History)], store.CaseEvent{At: change.At, By: change.By, State: c.State, Note: change.Note})
	if diff := cmp.Diff(c.Case, changeCase(t, *m.store, r.Program, change)); diff != "" {
		t.Errorf("case differs (-want +got):\n%s", diff)
	}
}

// eraseWhere erases contacts in the model, and returns how many.
func (m *model) eraseWhere(program store.Key, at time.Time, where func(*modelCase) bool) (n int) {
	for key, c := range m.cases {
		if key.program == program && c.Contact != nil && where(c) {
			c.Case = withoutContact(c.Case, at)
			n++
		}
	}
	return n
}

func (m *model) eraseContacts(t *rapid.T) {
	r := m.drawResponse(t)
	at := noon.Add(drawMinute(t, "at"))
	switch rapid.IntRange(0, 2).Draw(t, "by") {
	case 0:
		n := m.eraseWhere(r.Program, at, func(c *modelCase) bool { return c.receipt == r.Receipt })
		eraseContacts(t, *m.store, r.Program, r.Receipt, nil, "", at, n)
	case 1:
		hash := contact(rapid.IntRange(0, 4).Draw(t, "hash"))
		n := m.eraseWhere(r.Program, at, func(c *modelCase) bool { return string(c.hash) == string(hash) })
		eraseContacts(t, *m.store, r.Program, "", hash, "", at, n)
	default:
		id := ID("case of "+r.ID, 0)
		n := m.eraseWhere(r.Program, at, func(c *modelCase) bool { return c.ID == id })
		eraseContacts(t, *m.store, r.Program, "", nil, id, at, n)
	}
}

func (m *model) expireContacts(t *rapid.T) {
	program, now := m.drawProgram(t), noon.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "now"))*time.Hour)
	n := m.eraseWhere(program, now, func(c *modelCase) bool {
		return c.gone || !c.ResolvedAt.IsZero() && !c.ResolvedAt.AddDate(0, 0, c.days).After(now)
	})
	expireContacts(t, *m.store, program, now, n)
}

// notices tells of what is overdue, once of each case.
func (m *model) notices(t *rapid.T) {
	program, now := m.drawProgram(t), noon.Add(time.Duration(rapid.IntRange(-3, 40).Draw(t, "now"))*time.Hour)
	want := map[string]int{}
	for key, c := range m.cases {
		if key.program != program {
			continue
		}
		want["Opened "+c.ID]++
		if c.told = c.told || c.State == store.CaseOpen && !c.PromisedBy.After(now); c.told {
			want["Overdue "+c.ID]++
		}
	}
	page, err := (*m.store).Notices(context.Background(), program, store.NoticePending, 0, 500, now)
	if err != nil {
		t.Fatalf("Notices: %v", err)
	}
	got := map[string]int{}
	for _, n := range page {
		got[n.Transition+" "+n.CaseID]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notices differ (-want +got):\n%s", diff)
	}
}

// checkCases wants the cases of a program to be those of the model, and returns what they count as.
func (m *model) checkCases(t *rapid.T, program store.Key) map[series]int64 {
	cases := []store.Case{}
	for key, c := range m.cases {
		if key.program == program {
			cases = append(cases, c.Case)
			wantCase(t, *m.store, c.Case)
		}
	}
	if diff := cmp.Diff(listed(cases), listAll(t, *m.store, program, store.CaseQuery{Limit: 7}, true)); diff != "" {
		t.Errorf("list differs (-want +got):\n%s", diff)
	}
	if _, err := (*m.store).Case(context.Background(), program, ID("no case", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Case of none: %v", err)
	}
	return tallyCases(cases...)
}
