// Package storetest judges implementations of store.Store: what every one must do, whatever its database.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// TB is what a harness needs of a test: *testing.T has it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// Harness is one store under test, and what a test must be able to do to it from outside.
type Harness struct {
	// Open opens the store. It is called again after a Close, and then finds what was there.
	Open func(TB) store.Store
	// Queue is how many responses may wait for a commit in the opened store, exactly.
	Queue int
	// Hold keeps every commit waiting, for some seconds at least, until release is called.
	Hold func(TB) (release func())
	// Damage adds one to a count of the program, behind the store's back.
	Damage func(TB, store.Key)
	// Keeps tells whether the database has a response's ID or its Digest in clear, anywhere that a query can find it.
	Keeps func(TB, store.Response) bool
}

// Run runs every test of the suite, each on a store of its own, empty, that fresh makes.
func Run(t *testing.T, fresh func(t *testing.T) Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"SameTwice", testSameTwice},
		{"ConcurrentRepeats", testConcurrentRepeats},
		{"ResultsInOrder", testResultsInOrder},
		{"TakenAmongMany", testTakenAmongMany},
		{"Kinds", testKinds},
		{"Hours", testHours},
		{"Programs", testPrograms},
		{"Unstorable", testUnstorable},
		{"LargeImport", testLargeImport},
		{"FeedPages", testFeedPages},
		{"FeedCursors", testFeedCursors},
		{"FeedConcurrent", testFeedConcurrent},
		{"FeedImports", testFeedImports},
		{"FeedImportsOfMovedCounts", testFeedImportsOfMovedCounts},
		{"FeedUpdated", testFeedUpdated},
		{"Export", testExport},
		{"ExportSnapshot", testExportSnapshot},
		{"ExportStops", testExportStops},
		{"Retire", testRetire},
		{"RetireBound", testRetireBound},
		{"RetireUnderLoad", testRetireUnderLoad},
		{"RecountDamage", testRecountDamage},
		{"RepeatAcrossMidnight", testRepeatAcrossMidnight},
		{"Erase", testErase},
		{"EraseRetired", testEraseRetired},
		{"EraseUnderLoad", testEraseUnderLoad},
		{"RetiredIdentities", testRetiredIdentities},
		{"Standings", testStandings},
		{"SetStanding", testSetStanding},
		{"SetStandingMany", testSetStandingMany},
		{"SetStandingErrors", testSetStandingErrors},
		{"StandingRetire", testStandingRetire},
		{"StandingErase", testStandingErase},
		{"StandingUnderLoad", testStandingUnderLoad},
		{"Invite", testInvite},
		{"InviteErrors", testInviteErrors},
		{"InviteRace", testInviteRace},
		{"Fatigue", testFatigue},
		{"FatigueAnswers", testFatigueAnswers},
		{"FatigueRace", testFatigueRace},
		{"Answered", testAnswered},
		{"Spent", testSpent},
		{"SpentUnknown", testSpentUnknown},
		{"SpentRace", testSpentRace},
		{"Track", testTrack},
		{"TrackErrors", testTrackErrors},
		{"VisitCompletes", testVisitCompletes},
		{"VisitsUnderLoad", testVisitsUnderLoad},
		{"Forget", testForget},
		{"ForgetMany", testForgetMany},
		{"ForgottenInvitation", testForgottenInvitation},
		{"CaseOpens", testCaseOpens},
		{"CaseHours", testCaseHours},
		{"CaseUnstorable", testCaseUnstorable},
		{"CaseChanges", testCaseChanges},
		{"CaseChangeErrors", testCaseChangeErrors},
		{"CaseHistory", testCaseHistory},
		{"CaseChangeRace", testCaseChangeRace},
		{"CaseLists", testCaseLists},
		{"CasePaging", testCasePaging},
		{"EraseContacts", testEraseContacts},
		{"EraseContactsMany", testEraseContactsMany},
		{"CaseErase", testCaseErase},
		{"CaseRetention", testCaseRetention},
		{"CaseExpireMany", testCaseExpireMany},
		{"CaseNotices", testCaseNotices},
		{"CaseOverdueRace", testCaseOverdueRace},
		{"CasesUnderLoad", testCasesUnderLoad},
		{"QueueFull", testQueueFull},
		{"Cancel", testCancel},
		{"Close", testClose},
		{"CloseDrains", testCloseDrains},
		{"CloseRace", testCloseRace},
		{"Reopen", testReopen},
		{"Model", testModel},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

var (
	programA = store.Key{Namespace: "airport", Name: "passengers"}
	programB = store.Key{Namespace: "airport", Name: "tenants"}
	noon     = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

// open opens the store and closes it when the test ends.
func open(t *testing.T, h Harness) store.Store {
	t.Helper()
	s := h.Open(t)
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t TB, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// ID returns the n-th identity of a series.
func ID(series string, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s/%d", series, n)).String()
}

// respond returns a response whose whole content follows from its arguments.
func respond(program store.Key, series string, n int) store.Response {
	id := ID(series, n)
	return store.Response{
		Program: program, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: fmt.Sprintf("R-%s-%d", series, n),
		Touchpoint: "security", Unit: "gates-a", Language: "en",
		SubmittedAt: noon.Add(time.Duration(n) * time.Minute),
		Answers: []store.Answer{
			{Question: "lanes", Revision: 2, Kind: store.KindMultiple, Values: choices(n)},
			{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{fmt.Sprint(n % 11)}},
		},
	}
}

func choices(n int) []string {
	all := []string{"staff", "signs", "speed"}
	return all[:1+n%len(all)]
}

func respondMany(program store.Key, series string, n int) []store.Response {
	out := make([]store.Response, n)
	for i := range out {
		out[i] = respond(program, series, i)
	}
	return out
}

func appendAll(t TB, s store.Store, responses ...store.Response) []store.Result {
	t.Helper()
	results, err := s.Append(context.Background(), responses)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	if len(results) != len(responses) {
		t.Fatalf("Append of %d returned %d results", len(responses), len(results))
	}
	return results
}

func wantResults(t TB, got []store.Result, want ...store.Result) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results differ (-want +got):\n%s", diff)
	}
}

func export(t TB, s store.Store, program store.Key) []store.Response {
	t.Helper()
	out := []store.Response{}
	err := s.Export(context.Background(), program, func(r store.Response) error {
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatalf("Export: %v", err)
	}
	return out
}

// wantRecount wants the program's counts to hold, and this many responses kept.
func wantRecount(t TB, s store.Store, program store.Key, responses int) {
	t.Helper()
	check, err := s.Recount(context.Background(), program)
	if err != nil {
		t.Fatalf("Recount: %v", err)
	}
	if check.Responses != int64(responses) || len(check.Differences) != 0 {
		t.Errorf("Recount of %s: %d responses, want %d; differences:\n%s", program, check.Responses, responses,
			strings.Join(check.Differences, "\n"))
	}
}
