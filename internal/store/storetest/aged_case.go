package storetest

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

var programC = store.Key{Namespace: "airport", Name: "lounges"}

// agedCases returns the cases that a store has to hold for AgedCases, from the first version that has cases on: one that is
// open, one that was contacted late and whose response was retired, and one whose contact was erased.
func agedCases() []store.Case {
	late, early := noon.Add(49*time.Hour), noon.Add(time.Hour)
	open := store.CaseEvent{At: noon, State: store.CaseOpen}
	out := []store.Case{
		{
			Touchpoint: "lounge", Language: "en", Reasons: []string{"Detractor", "LowScore"}, State: store.CaseOpen, Contact: []byte{0xc1}, Version: 1,
			Answers: []store.Answer{{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"3"}}}, History: []store.CaseEvent{open},
		},
		{
			Touchpoint: "lounge", Reasons: []string{"ContactRequested"}, State: store.CaseContacted, ContactedAt: late, Plan: "quiet", Contact: []byte{0xc3},
			Version: 2, History: []store.CaseEvent{open, {At: late, By: "jo", State: store.CaseContacted, Note: "called"}},
		},
		{
			Reasons: []string{"LowScore"}, State: store.CaseResolved, ResolvedAt: early, ContactErasedAt: early, Version: 2,
			History: []store.CaseEvent{open, {At: early, State: store.CaseResolved, Note: "The contact was erased: nobody can be contacted any more."}},
		},
	}
	for i, n := range []string{"1", "3", "4"} {
		out[i].Program, out[i].ID = programC, "00000000-0000-4000-8000-0000000000c"+n
		out[i].OpenedAt, out[i].PromisedBy = noon, noon.Add(48*time.Hour)
	}
	return out
}

// AgedCases wants a store that was filled by an earlier version, with what agedCases says, to have all of it and to work on
// with it.
func AgedCases(t *testing.T, s store.Store) {
	t.Helper()
	cases := agedCases()
	answered := aged()[2]
	answered.Program, answered.Touchpoint, answered.Unit = programC, "lounge", ""
	answered.Answers[0].Values = []string{"3"}
	responses := []store.Response{answered, answered}
	check := func() {
		t.Helper()
		for _, c := range cases {
			wantCase(t, s, c)
		}
		wantCaseCounts(t, s, programC, responses, cases...)
	}
	check()
	now := noon.Add(50 * time.Hour)
	pending := notices(t, s, programC, "Pending", now)
	wantNotices(t, pending, "Opened "+cases[0].ID, "Overdue "+cases[0].ID)
	wantNotices(t, notices(t, s, programC, "Delivered", now), "Opened "+cases[1].ID)
	wantNotices(t, notices(t, s, programC, "Dead", now), "Overdue "+cases[1].ID)
	next := promising(programC, "next", 0, 1)
	appendAll(t, s, next)
	responses, cases = append(responses, next), append(cases, opened(next))
	check()
	expireContacts(t, s, programC, now, 1)
	cases[1] = withoutContact(cases[1], now)
	cases[0] = changeCase(t, s, programC, store.CaseChange{ID: cases[0].ID, Version: 1, State: store.CaseResolved, At: now})
	check()
	eraseContacts(t, s, programC, "", contact(1), "", now, 1)
	cases[0] = withoutContact(cases[0], now)
	erase(t, s, programC, "R1", true)
	cases[0].Answers, responses = nil, responses[1:]
	check()
}
