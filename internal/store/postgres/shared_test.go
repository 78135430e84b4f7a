package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

var program = store.Key{Namespace: "airport", Name: "passengers"}

func TestShared(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T) storetest.Harness { return newHarness(t, Options{}) })
}

// TestTwoProcesses has two processes open an empty schema at once, and submit the same thousands of responses once both
// have. Which of them stores how many is left to chance.
func TestTwoProcesses(t *testing.T) {
	dsn := newSchema(t, server)
	var outputs [2]bytes.Buffer
	var starts [2]io.Closer
	var group sync.WaitGroup
	for i := range outputs {
		cmd := waitingChild("same", dsn)
		cmd.Stdout = &outputs[i]
		start, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		starts[i] = start
		group.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		})
	}
	await(t, dsn, `SELECT coalesce(string_agg(DISTINCT objid::text, ',' ORDER BY objid::text), '') = '0,1' FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = (to_regclass('progress')::oid)`)
	for _, start := range starts {
		if err := start.Close(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	n := bytes.Count(outputs[0].Bytes(), []byte("response "))
	if other := bytes.Count(outputs[1].Bytes(), []byte("response ")); n == 0 || n != other {
		t.Errorf("the processes had %d and %d acknowledgements", n, other)
	}
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	wantKept(t, s, n)
	page, err := s.ListCases(context.Background(), program, store.CaseQuery{Limit: 1})
	if err != nil || page.Remaining+1 != int64((n+3)/4) {
		t.Errorf("%d cases, %v; want one of every four responses", page.Remaining+1, err)
	}
	if got := ask(t, dsn, `SELECT (count(*) = count(DISTINCT id))::text FROM case_notice`); got != "true" {
		t.Error("a case was told of twice")
	}
}

func wantKept(t *testing.T, s *Store, n int) {
	t.Helper()
	check, err := s.Recount(context.Background(), program)
	if err != nil || check.Responses != int64(n) || len(check.Differences) > 0 {
		t.Errorf("Recount: %+v, %v; want %d responses", check, err, n)
	}
}

// answered returns a response to one question.
func answered(n int, value string) store.Response {
	return store.Response{
		Program: program, ID: storetest.ID("answered", n), Receipt: fmt.Sprint("R", n), SubmittedAt: noon,
		Answers: []store.Answer{{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{value}}},
	}
}

// opening returns the case of a response.
func opening(r store.Response, contact int) *store.CaseOpening {
	hash := [32]byte{byte(contact)}
	return &store.CaseOpening{
		ID: r.ID, Reasons: []string{"Detractor"}, PromisedBy: r.SubmittedAt.Truncate(time.Hour).Add(24 * time.Hour),
		Contact: []byte("sealed"), ContactHash: hash[:], RetentionDays: 1,
	}
}

func mustAppend(t *testing.T, s *Store, responses ...store.Response) {
	t.Helper()
	if _, err := s.Append(context.Background(), responses); err != nil {
		t.Fatalf("Append: %v", err)
	}
}

func mustRead(t *testing.T, s *Store, since store.Cursor) store.Changes {
	t.Helper()
	page, err := s.Changes(context.Background(), since, 100)
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	return page
}

// TestFeedSkipsNoLateCommit has a transaction wait between its number and its commit, while later numbers are committed and
// read: the reader must learn of it all the same.
func TestFeedSkipsNoLateCommit(t *testing.T) {
	ctx := context.Background()
	dsn := newSchema(t, server)
	late, early := mustOpen(t, dsn, Options{}), mustOpen(t, dsn, Options{})
	defer mustClose(t, late)
	defer mustClose(t, early)
	mustAppend(t, late, answered(1, "1"))
	start := mustRead(t, early, store.Cursor{}).Next

	// The number is taken before the count is changed, and the count is locked.
	holder := connect(t, dsn)
	defer hangUp(t, holder)
	mustExec(t, holder, "BEGIN")
	mustExec(t, holder, "SELECT FROM rollup FOR UPDATE")
	committed := make(chan error)
	go func() {
		_, err := late.Append(ctx, []store.Response{answered(2, "1")})
		committed <- err
	}()
	await(t, dsn, `SELECT count(*) = 1 FROM pg_locks WHERE NOT granted`)

	mustAppend(t, early, answered(3, "3"))
	var cursors []store.Cursor
	cursor := start
	for i := 4; i < 7; i++ {
		page := mustRead(t, early, cursor)
		if len(page.Counts) == 0 || page.Counts[0].N != int64(i-3) || page.Counts[0].Value != "3" {
			t.Errorf("the page that overlaps has the counts %v", page.Counts)
		}
		if cursor = page.Next; page.More || page.Reset {
			t.Errorf("the page that overlaps: %+v", page)
		}
		cursors = append(cursors, cursor)
		mustAppend(t, early, answered(i, "3"))
	}
	mustExec(t, holder, "ROLLBACK")
	if err := <-committed; err != nil {
		t.Fatalf("the late commit: %v", err)
	}
	if got := ask(t, dsn, `SELECT ((SELECT max(number) FROM rollup WHERE value = '1') < (SELECT max(number) FROM rollup WHERE value = '3')
		AND (SELECT max(seq) FROM progress) - (SELECT max(number) FROM rollup WHERE value = '1') = 4)::text`); got != "true" {
		t.Fatal("the late commit has not the number that the test is about")
	}
	for _, cursor := range append(cursors, start) {
		want := map[string]int64{"1": 2, "3": 4}
		page := mustRead(t, early, cursor)
		for _, c := range page.Counts {
			if c.N != want[c.Value] {
				t.Errorf("from %v: %q counts %d, want %d", cursor, c.Value, c.N, want[c.Value])
			}
			delete(want, c.Value)
		}
		if len(want) > 0 {
			t.Errorf("from %v: nothing about %v", cursor, want)
		}
		// With nothing under way, the feed goes on to the end and rests there.
		if rest := mustRead(t, early, page.Next); len(rest.Counts) > 0 || rest.Next != page.Next {
			t.Errorf("the page after the last: %+v", rest)
		}
	}
}

// await waits until a query says true.
func await(t *testing.T, dsn, query string) {
	t.Helper()
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	awaitOn(t, conn, query)
}

func awaitOn(t *testing.T, conn *pgx.Conn, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		var is bool
		if err := conn.QueryRow(ctx, query).Scan(&is); err != nil {
			t.Fatalf("waiting for %s: %v", query, err)
		}
		if is {
			return
		}
		<-time.After(5 * time.Millisecond) // leaves the machine to what is waited for
	}
}

// patience is for what must happen soon, on a machine that may be busy.
const patience = time.Minute

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
