package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// opening returns the case of a response, whose whole content follows from its arguments, promised within some hours.
func opening(series string, n, hours int) *store.CaseOpening {
	hash := sha256.Sum256(fmt.Append(nil, series, n))
	return &store.CaseOpening{
		ID: ID(series+" case", n), Reasons: []string{"ContactRequested", "Detractor", "LowScore"}[:1+n%3],
		PromisedBy: respond(programA, series, n).SubmittedAt.Add(time.Duration(hours)*time.Hour + time.Hour - 1).Truncate(time.Hour),
		Contact:    fmt.Appendf(nil, "\x00sealed \xff %s %d", series, n), ContactHash: hash[:], RetentionDays: 30,
	}
}

// promising returns a response with a case.
func promising(program store.Key, series string, n, hours int) store.Response {
	r := respond(program, series, n)
	r.Case = opening(series, n, hours)
	return r
}

func promisingMany(program store.Key, series string, n, hours int) []store.Response {
	out := make([]store.Response, n)
	for i := range out {
		out[i] = promising(program, series, i, hours)
	}
	return out
}

// opened returns the case that a response opens.
func opened(r store.Response) store.Case {
	kept := exported([]store.Response{r})[0]
	return store.Case{
		Program: r.Program, ID: r.Case.ID, Touchpoint: r.Touchpoint, Language: r.Language, Reasons: r.Case.Reasons, State: store.CaseOpen,
		OpenedAt: kept.SubmittedAt, PromisedBy: r.Case.PromisedBy.UTC(), Answers: kept.Answers,
		History: []store.CaseEvent{{At: kept.SubmittedAt, State: store.CaseOpen}}, Contact: r.Case.Contact, Version: 1,
	}
}

// tallyCase counts a case as a store should, independently of it.
func tallyCase(c store.Case) map[series]int64 {
	out := map[series]int64{}
	question := ""
	switch {
	case c.State == store.CaseOpen:
		question = "@case-due"
	case !c.ContactedAt.IsZero() && !c.ContactedAt.After(c.PromisedBy):
		question = "@case-kept"
	case !c.ContactedAt.IsZero():
		question = "@case-late"
	}
	if question != "" {
		out[pseudo(c.Program, c.Touchpoint, "", question, c.PromisedBy.Add(-1), "")]++
	}
	if c.State == store.CaseOpen || c.State == store.CaseContacted {
		out[pseudo(c.Program, c.Touchpoint, "", "@case-open", c.OpenedAt, "")]++
	}
	return out
}

// tallyCases counts cases.
func tallyCases(cases ...store.Case) map[series]int64 {
	all := make([]map[series]int64, len(cases))
	for i, c := range cases {
		all[i] = tallyCase(c)
	}
	return sum(all...)
}

func getCase(t TB, s store.Store, program store.Key, id string) store.Case {
	t.Helper()
	c, err := s.Case(context.Background(), program, id)
	if err != nil {
		t.Fatalf("Case %s: %v", id, err)
	}
	return c
}

func wantCase(t TB, s store.Store, want store.Case) {
	t.Helper()
	if diff := cmp.Diff(want, getCase(t, s, want.Program, want.ID)); diff != "" {
		t.Errorf("case differs (-want +got):\n%s", diff)
	}
}

func wantNoCase(t TB, s store.Store, program store.Key, id string) {
	t.Helper()
	if c, err := s.Case(context.Background(), program, id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("case %s: %+v, %v; want none", id, c, err)
	}
}

// notices returns all notices of a state, read in pages that grow.
func notices(t TB, s store.Store, program store.Key, state string, now time.Time) (all []store.CaseNotice) {
	t.Helper()
	after := int64(0)
	for limit := 2; ; limit = min(500, 2*limit) {
		page, err := s.Notices(context.Background(), program, state, after, limit, now)
		if err != nil {
			t.Fatalf("Notices: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		for _, n := range page {
			if n.Seq <= after {
				t.Fatalf("notice %d came after %d", n.Seq, after)
			}
			after = n.Seq
		}
		all = append(all, page...)
	}
}

// wantNotices wants the notices to tell what the texts say: each is a transition and an ID.
func wantNotices(t TB, got []store.CaseNotice, want ...string) {
	t.Helper()
	told := []string{}
	for _, n := range got {
		told = append(told, n.Transition+" "+n.CaseID)
	}
	if diff := cmp.Diff(append([]string{}, want...), told); diff != "" {
		t.Errorf("notices differ (-want +got):\n%s", diff)
	}
}

// testCaseOpens opens cases with responses, and none with a response that changes nothing or does not count.
func testCaseOpens(t *testing.T, h Harness) {
	s := open(t, h)
	r := promising(programA, "opens", 0, 48)
	again, conflict, spent, suspect, annulled := r, r, promising(programA, "opens", 1, 48), promising(programA, "opens", 2, 48), promising(programA, "opens", 3, 48)
	again.Case, conflict.Case = opening("again", 0, 24), opening("conflict", 0, 24)
	link := invitation(programA, "link", 0)
	first := answering(link, "first", 0, true)
	spent.Invitation, spent.SingleUse = link.ID, true
	suspect.Standing, suspect.Failed = store.StandingSuspect, []string{"page"}
	annulled.Standing = store.StandingAnnulled
	updated := s.Updated()
	results := appendAll(t, s, r, again, otherBody(conflict), first, spent, suspect, annulled)
	wantResults(t, results, stored(r), repeated(r), store.Result{Outcome: store.Conflict}, stored(first), store.Result{Outcome: store.Spent},
		stored(suspect), stored(annulled))
	if !isClosed(updated) {
		t.Error("Updated is open after a case was opened")
	}
	wantCase(t, s, opened(r))
	wantNoCase(t, s, programB, r.Case.ID)
	wantNoCase(t, s, store.Key{Namespace: "no", Name: "such"}, r.Case.ID)
	for _, id := range []string{again.Case.ID, conflict.Case.ID, spent.Case.ID, suspect.Case.ID, annulled.Case.ID, "", "me",
		strings.ToUpper(r.Case.ID), "'; DROP TABLE customer_case; --"} {
		wantNoCase(t, s, programA, id)
	}
	got := notices(t, s, programA, "Pending", noon)
	wantNotices(t, got, "Opened "+r.Case.ID)
	if n := got[0]; n.Touchpoint != r.Touchpoint || !n.At.Equal(r.SubmittedAt) || n.State != "Pending" || n.Record != nil {
		t.Errorf("notice %+v", n)
	}

	// A suspect that is brought back opens none: nothing is kept of whom it would be about. A case stays when its response is
	// annulled.
	setStanding(t, s, programA, store.Selection{IDs: []string{suspect.ID}}, store.StandingCounted, 1)
	setStanding(t, s, programA, store.Selection{IDs: []string{r.ID}}, store.StandingAnnulled, 1)
	wantNoCase(t, s, programA, suspect.Case.ID)
	wantCase(t, s, opened(r))
	suspect.Standing, r.Standing = store.StandingCounted, store.StandingAnnulled
	wantCaseCounts(t, s, programA, []store.Response{r, first, suspect, annulled}, opened(r))
	for _, exported := range export(t, s, programA) {
		if exported.Case != nil {
			t.Error("the export has a case")
		}
	}
	closeStore(t, s)
	wantCase(t, open(t, h), opened(r))
}

// wantCaseCounts wants the feed to tell the counts of responses without their cases, and of cases as they are now, and the
// store to find the same when it counts again.
func wantCaseCounts(t TB, s store.Store, program store.Key, responses []store.Response, cases ...store.Case) {
	t.Helper()
	plain := append([]store.Response{}, responses...)
	for i := range plain {
		plain[i].Case = nil
	}
	if diff := cmp.Diff(sum(tally(plain), tallyCases(cases...)), ofProgram(readPicture(t, s).counts, program)); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
	check, err := s.Recount(context.Background(), program)
	if err != nil || len(check.Differences) > 0 {
		t.Errorf("Recount: %v, %v", check, err)
	}
}

// testCaseHours wants a promise to be counted in the hour that ends with it, and an opening in its own.
func testCaseHours(t *testing.T, h Harness) {
	s := open(t, h)
	for i, c := range []struct {
		openedAt, promisedBy time.Time
		open, due            store.Hour
	}{
		{noon, noon.Add(time.Hour), 493_860, 493_860},
		{noon.Add(time.Hour - 1), noon.Add(time.Hour), 493_860, 493_860},
		{noon.Add(1), noon.Add(48 * time.Hour), 493_860, 493_907},
		{time.Unix(-1, 0), time.Unix(0, 0), -1, -1},
		{time.Unix(-3600, 0), time.Unix(-3600, 0), -1, -2},
		{noon, time.Date(2026, 5, 4, 19, 30, 0, 0, time.FixedZone("UTC+5:30", 19_800)), 493_860, 493_861},
	} {
		program := store.Key{Namespace: "hours", Name: fmt.Sprint(i)}
		r := promising(program, "hours", i, 1)
		r.SubmittedAt, r.Case.PromisedBy = c.openedAt, c.promisedBy
		appendAll(t, s, r)
		counted := map[string]store.Hour{}
		for k := range ofProgram(readPicture(t, s).counts, program) {
			if strings.HasPrefix(k.Question, "@case") {
				counted[k.Question+" of "+k.Touchpoint+" "+k.Unit+k.Value] = k.Hour
			}
		}
		if diff := cmp.Diff(map[string]store.Hour{"@case-due of security ": c.due, "@case-open of security ": c.open}, counted); diff != "" {
			t.Errorf("hours of %s to %s differ (-want +got):\n%s", c.openedAt, c.promisedBy, diff)
		}
		wantRecount(t, s, program, 1)
		wantCase(t, s, opened(r))
		// A moment after the promise is late, the moment itself is not.
		change := store.CaseChange{ID: r.Case.ID, Version: 1, State: store.CaseContacted, At: c.promisedBy.Add(time.Duration(i%2) * time.Microsecond)}
		wantCaseCounts(t, s, program, []store.Response{r}, changeCase(t, s, program, change))
	}
}

// testCaseUnstorable wants what no case may hold to fail its own response only, of a suspect as well.
func testCaseUnstorable(t *testing.T, h Harness) {
	s := open(t, h)
	good := promising(programA, "good", 0, 48)
	appendAll(t, s, good)
	for name, spoil := range map[string]func(*store.CaseOpening){
		"no id":          func(c *store.CaseOpening) { c.ID = "" },
		"id":             func(c *store.CaseOpening) { c.ID = strings.ToUpper(c.ID) },
		"nil id":         func(c *store.CaseOpening) { c.ID = "00000000-0000-0000-0000-000000000000" },
		"no reason":      func(c *store.CaseOpening) { c.Reasons = nil },
		"empty reason":   func(c *store.CaseOpening) { c.Reasons = []string{""} },
		"reasons":        func(c *store.CaseOpening) { c.Reasons = []string{"LowScore", "Detractor"} },
		"same reasons":   func(c *store.CaseOpening) { c.Reasons = []string{"Detractor", "Detractor"} },
		"many reasons":   func(c *store.CaseOpening) { c.Reasons = strings.Split("a b c d e f g h i", " ") },
		"long reason":    func(c *store.CaseOpening) { c.Reasons = []string{strings.Repeat("a", 33)} },
		"reason's text":  func(c *store.CaseOpening) { c.Reasons = []string{"'; --"} },
		"promise":        func(c *store.CaseOpening) { c.PromisedBy = c.PromisedBy.Add(time.Minute) },
		"exact promise":  func(c *store.CaseOpening) { c.PromisedBy = c.PromisedBy.Add(1) },
		"no promise":     func(c *store.CaseOpening) { c.PromisedBy = time.Time{} },
		"no contact":     func(c *store.CaseOpening) { c.Contact = nil },
		"long contact":   func(c *store.CaseOpening) { c.Contact = make([]byte, 4097) },
		"no hash":        func(c *store.CaseOpening) { c.ContactHash = nil },
		"hash":           func(c *store.CaseOpening) { c.ContactHash = make([]byte, 31) },
		"no retention":   func(c *store.CaseOpening) { c.RetentionDays = 0 },
		"long retention": func(c *store.CaseOpening) { c.RetentionDays = 731 },
		"same id":        func(c *store.CaseOpening) { c.ID = good.Case.ID },
	} {
		r := promising(programA, "spoilt", 0, 48)
		spoil(r.Case)
		for _, standing := range []store.Standing{store.StandingSuspect, store.StandingCounted} {
			if r.Standing = standing; standing == store.StandingSuspect && name == "same id" {
				continue // it opens none
			}
			if results, err := s.Append(context.Background(), []store.Response{r}); err == nil {
				t.Errorf("a response whose case has a bad %s was stored: %v", name, results)
			}
		}
	}
	long := promising(programA, "long", 1, 48)
	long.Case.Contact, long.Case.RetentionDays = bytes.Repeat([]byte{0, 255}, 2048), 730
	long.Touchpoint, long.Language = strings.Repeat("東", 84)+"-", "'; DROP TABLE customer_case; --"
	appendAll(t, s, long)
	wantCase(t, s, opened(long))
	wantCaseCounts(t, s, programA, []store.Response{good, long}, opened(good), opened(long))
	tooLong := promising(programA, "too long", 2, 48)
	tooLong.Touchpoint = strings.Repeat("a", 254)
	if results, err := s.Append(context.Background(), []store.Response{tooLong}); err == nil {
		t.Errorf("a case with a long touchpoint was stored: %v", results)
	}
	// What failed can come again.
	r := promising(programA, "spoilt", 0, 48)
	wantResults(t, appendAll(t, s, r), stored(r))
	wantCase(t, s, opened(r))
}
