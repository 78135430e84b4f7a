package commit

import (
	"errors"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

var caseHour = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// caseRecord returns a case that was opened half an hour before its promise's last hour began.
func caseRecord() CaseRecord {
	return CaseRecord{
		Case: store.Case{
			ID: uuid.NewString(), Touchpoint: "gate", State: store.CaseOpen, OpenedAt: caseHour.Add(-30 * time.Minute), PromisedBy: caseHour.Add(time.Hour),
			Contact: []byte{1}, Version: 1,
		},
		RetentionDays: 3,
	}
}

func counted(r *CaseRecord) Counts {
	c := Counts{}
	c.AddCase(7, &r.Case, 1)
	return c
}

func TestCaseCounts(t *testing.T) {
	key := func(question string, hour store.Hour) CountKey {
		return CountKey{Program: 7, Touchpoint: "gate", Question: question, Revision: 1, Hour: hour}
	}
	opened, due := key("@case-open", 493_859), func(question string) CountKey { return key(question, 493_860) }
	for name, c := range map[string]struct {
		change func(*CaseRecord)
		want   Counts
	}{
		"open":           {func(*CaseRecord) {}, Counts{opened: 1, due("@case-due"): 1}},
		"in time":        {func(r *CaseRecord) { r.reach(store.CaseContacted, r.PromisedBy) }, Counts{opened: 1, due("@case-kept"): 1}},
		"late":           {func(r *CaseRecord) { r.reach(store.CaseContacted, r.PromisedBy.Add(time.Microsecond)) }, Counts{opened: 1, due("@case-late"): 1}},
		"resolved":       {func(r *CaseRecord) { r.reach(store.CaseResolved, caseHour) }, Counts{due("@case-kept"): 1}},
		"informed late":  {func(r *CaseRecord) { r.reach(store.CaseInformed, r.PromisedBy.AddDate(1, 0, 0)) }, Counts{due("@case-late"): 1}},
		"nobody":         {func(r *CaseRecord) { r.EraseContact(caseHour) }, Counts{}},
		"nobody, closed": {func(r *CaseRecord) { r.EraseContact(caseHour); r.reach(store.CaseInformed, caseHour) }, Counts{}},
		"erased after it was contacted": {func(r *CaseRecord) {
			r.reach(store.CaseContacted, caseHour)
			r.EraseContact(caseHour)
		}, Counts{opened: 1, due("@case-kept"): 1}},
	} {
		r := caseRecord()
		if c.change(&r); !maps.Equal(c.want, counted(&r)) {
			t.Errorf("%s: counts %v, want %v", name, counted(&r), c.want)
		}
	}
}

// TestCaseOpeningCounts wants a row to be counted as its case is, once, and a suspect's not at all.
func TestCaseOpeningCounts(t *testing.T) {
	r := caseRecord()
	response := store.Response{
		ID: r.ID, Touchpoint: "gate", Unit: "unit", SubmittedAt: r.OpenedAt, Answers: []store.Answer{{Question: "q", Revision: 1, Kind: store.KindText, Values: []string{"x"}}},
		Case: &store.CaseOpening{ID: r.ID, Reasons: []string{"Detractor"}, PromisedBy: r.PromisedBy, Contact: []byte{1}, ContactHash: make([]byte, 32), RetentionDays: 1},
	}
	for standing, want := range map[store.Standing]Counts{"": counted(&r), store.StandingCounted: counted(&r), store.StandingSuspect: {}, store.StandingAnnulled: {}} {
		response.Standing = standing
		row, err := NewRow(response)
		if err != nil {
			t.Fatal(err)
		}
		got := Counts{}
		got.Add(7, &row)
		maps.DeleteFunc(got, func(k CountKey, _ int64) bool { return k.Question == "q" })
		if !maps.Equal(want, got) || (row.Case != nil) != (len(want) > 0) {
			t.Errorf("standing %q: counts %v, want %v", standing, got, want)
		}
	}
}

// TestCaseExpiry wants a contact to expire when the case was resolved for as long as it may be kept, whatever comes after.
func TestCaseExpiry(t *testing.T) {
	end := caseHour.AddDate(0, 0, 3)
	for name, c := range map[string]struct {
		change func(*CaseRecord)
		want   time.Time
	}{
		"open":         {func(*CaseRecord) {}, time.Time{}},
		"contacted":    {func(r *CaseRecord) { r.reach(store.CaseContacted, caseHour) }, time.Time{}},
		"resolved":     {func(r *CaseRecord) { r.reach(store.CaseResolved, caseHour) }, end},
		"informed":     {func(r *CaseRecord) { r.reach(store.CaseInformed, caseHour) }, end},
		"in two steps": {func(r *CaseRecord) { r.reach(store.CaseResolved, caseHour); r.reach(store.CaseInformed, end) }, end},
		"erased":       {func(r *CaseRecord) { r.reach(store.CaseResolved, caseHour); r.EraseContact(end) }, time.Time{}},
		"nobody":       {func(r *CaseRecord) { r.EraseContact(caseHour); r.reach(store.CaseInformed, end) }, time.Time{}},
		"due already":  {func(r *CaseRecord) { r.ExpiresAt = time.Unix(0, 0); r.reach(store.CaseResolved, caseHour) }, time.Unix(0, 0)},
	} {
		r := caseRecord()
		if c.change(&r); !r.ExpiresAt.Equal(c.want) {
			t.Errorf("%s: expires at %s, want %s", name, r.ExpiresAt, c.want)
		}
	}
}

func TestCaseChange(t *testing.T) {
	r := caseRecord()
	change, err := NewCaseChange(store.CaseChange{ID: r.ID, Version: 1, State: store.CaseResolved, At: caseHour.Add(1999), By: "jo", Note: "done"})
	if err != nil {
		t.Fatal(err)
	}
	want := store.CaseEvent{At: caseHour.Add(time.Microsecond), By: "jo", State: store.CaseResolved, Note: "done"}
	if got, err := r.Change(change); err != nil || got != want || r.Version != 2 || !r.ContactedAt.Equal(want.At) || !r.ResolvedAt.Equal(want.At) {
		t.Errorf("Change: %+v, %v: %+v", got, err, r)
	}
	before := r
	if _, err := r.Change(change); !errors.Is(err, store.ErrChanged) {
		t.Errorf("the same change: %v", err)
	}
	change.Version, change.State = 2, store.CaseContacted
	if _, err := r.Change(change); !errors.Is(err, store.ErrBackward) {
		t.Errorf("a change backwards: %v", err)
	}
	if diff := cmp.Diff(before, r); diff != "" {
		t.Errorf("changes that were refused changed:\n%s", diff)
	}
}

func TestCaseList(t *testing.T) {
	every := []string{"Open", "Contacted", "Resolved", "Informed"}
	for name, c := range map[string]struct {
		q     store.CaseQuery
		want  []string
		until int64
	}{
		"all":             {store.CaseQuery{}, every, math.MaxInt64},
		"in their order":  {store.CaseQuery{States: []store.CaseState{"Resolved", "Open", "Open"}}, []string{"Open", "Resolved"}, math.MaxInt64},
		"overdue":         {store.CaseQuery{OverdueAt: caseHour.Add(999)}, []string{"Open"}, caseHour.UnixMicro()},
		"overdue, closed": {store.CaseQuery{OverdueAt: caseHour, States: []store.CaseState{"Informed"}}, nil, caseHour.UnixMicro()},
	} {
		c.q.Limit = 1
		got, err := NewCaseList(c.q)
		if err != nil || !cmp.Equal(c.want, got.States) || got.Until != c.until || got.After.PromisedBy != math.MinInt64 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzCasePlace(f *testing.F) {
	for _, p := range []CasePlace{{}, {PromisedBy: caseHour.UnixMicro(), ID: uuid.Max}, {PromisedBy: -time.Hour.Microseconds()}} {
		f.Add(p.String())
	}
	f.Add("AAAA")
	f.Add(strings.Repeat("_", 32))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCasePlace(s)
		if err != nil && !errors.Is(err, store.ErrBadPage) {
			t.Errorf("%q: %v", s, err)
		}
		if err == nil && s != "" && p.String() != s {
			t.Errorf("%q is another way to write %q", s, p)
		}
	})
}

func TestNewWhom(t *testing.T) {
	id, hash := uuid.New(), make([]byte, 32)
	for name, c := range map[string]struct {
		receipt string
		hash    []byte
		id      string
		want    Whom
		none    bool
		bad     bool
	}{
		"receipt":         {receipt: "R", want: Whom{Receipt: "R"}},
		"hash":            {hash: hash, want: Whom{Hash: hash}},
		"id":              {id: id.String(), want: Whom{ID: id}},
		"another id":      {id: "me", none: true},
		"another receipt": {receipt: "\x00", want: Whom{Receipt: "\x00"}, none: true},
		"nobody":          {bad: true},
		"two":             {receipt: "R", id: id.String(), bad: true},
		"short hash":      {hash: hash[1:], bad: true},
	} {
		got, none, err := NewWhom(c.receipt, c.hash, c.id)
		if (err != nil) != c.bad || none != c.none || !c.bad && !cmp.Equal(c.want, got) {
			t.Errorf("%s: %+v, %t, %v", name, got, none, err)
		}
	}
}
