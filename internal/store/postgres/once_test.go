package postgres

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
)

// wantOutcomes appends responses by one call.
func wantOutcomes(t *testing.T, s *Store, responses []store.Response, want ...store.Outcome) {
	t.Helper()
	results, err := s.Append(context.Background(), responses)
	var got []store.Outcome
	for _, r := range results {
		got = append(got, r.Outcome)
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("Append: %v, %v; want %v", got, err, want)
	}
}

// wantUndone wants the server to have undone the last transaction, or not, before it was tried the other way. Nothing else is
// under way.
func wantUndone(t *testing.T, s *Store, want bool) {
	t.Helper()
	if got := s.writer.wary == wary; got != want {
		t.Errorf("the transaction was undone: %t (%d), want %t", got, s.writer.wary, want)
	}
	s.writer.wary = 0
}

// TestNewOnly has what is taken for granted of new responses not hold, one thing at a time.
func TestNewOnly(t *testing.T) {
	ctx := context.Background()
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	some := func(numbers ...int) (out []store.Response) {
		for _, n := range numbers {
			out = append(out, answered(n, "1"))
		}
		return out
	}
	wantOutcomes(t, s, some(1, 2), store.Stored, store.Stored)
	// A case makes no difference; it is opened once.
	contacted := answered(3, "1")
	contacted.Case = opening(contacted, 1)
	wantOutcomes(t, s, []store.Response{contacted}, store.Stored)
	wantUndone(t, s, false)
	wantOutcomes(t, s, append(some(4), contacted), store.Stored, store.Repeated)
	wantUndone(t, s, true)
	contacted.Digest[0]++
	wantOutcomes(t, s, append(some(5), contacted), store.Stored, store.Conflict)
	wantUndone(t, s, true)
	// What was erased is a repeat, and what is beside it is stored.
	mustErase(t, s, "R4")
	mustErase(t, s, "R5")
	wantOutcomes(t, s, some(4, 5, 6), store.Repeated, store.Repeated, store.Stored)
	wantUndone(t, s, true)
	wantKept(t, s, 4)
	// Twice in one call is for who looks, and nothing that the server must undo.
	wantOutcomes(t, s, some(7, 7), store.Stored, store.Repeated)
	wantUndone(t, s, false)
	// Meta is written by who restores a backup: the writer starts anew.
	conn := connect(t, dsn)
	mustExec(t, conn, `UPDATE meta SET epoch = gen_random_uuid()`)
	hangUp(t, conn)
	wantOutcomes(t, s, some(8), store.Stored)
	wantUndone(t, s, true)
	wantOutcomes(t, s, some(9), store.Stored)
	wantUndone(t, s, false)
	wantKept(t, s, 7)
	if page, err := s.ListCases(ctx, program, store.CaseQuery{Limit: 10}); err != nil || len(page.Cases) != 1 {
		t.Errorf("cases: %+v, %v; want one", page, err)
	}
}

func mustErase(t *testing.T, s *Store, receipt string) {
	t.Helper()
	if known, err := s.Erase(context.Background(), program, receipt); err != nil || !known {
		t.Fatalf("Erase: %t, %v", known, err)
	}
}

// TestWary wants who sends the same again and again to have few transactions undone.
func TestWary(t *testing.T) {
	s := mustOpen(t, newSchema(t, server), Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(0, "1"))
	for i := range wary + 1 {
		mustAppend(t, s, answered(0, "1"))
		if want := wary - i; s.writer.wary != want {
			t.Fatalf("after %d repeats, %d transactions are to look first, want %d", i+1, s.writer.wary, want)
		}
	}
	mustAppend(t, s, answered(1, "1"))
	wantUndone(t, s, false)
	wantKept(t, s, 2)
}

// TestNewAtTheSameMoment has another process take an identity first, and then give it up or keep it.
func TestNewAtTheSameMoment(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	mustAppend(t, s, answered(0, "1"))
	other := connect(t, dsn)
	defer hangUp(t, other)
	for n, c := range []struct {
		end    string
		want   store.Outcome
		undone bool
	}{{"ROLLBACK", store.Stored, false}, {"COMMIT", store.Conflict, true}} {
		r := answered(n+1, "1")
		mustExec(t, other, "BEGIN")
		mustExec(t, other, `INSERT INTO submission (program, id, digest, receipt, submitted_at) VALUES (1, $1, sha256('other'), 'other', $2)`, r.ID, noon)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			wantOutcomes(t, s, []store.Response{r}, c.want)
		}()
		awaitWaiting(t, dsn)
		mustExec(t, other, c.end)
		<-finished
		wantUndone(t, s, c.undone)
	}
	wantKept(t, s, 2)
}

// awaitWaiting waits until somebody waits for a lock in the schema's database.
func awaitWaiting(t *testing.T, dsn string) {
	t.Helper()
	await(t, dsn, `SELECT count(*) = 1 FROM pg_locks WHERE NOT granted`)
}

func started(n int) (store.Visit, store.Response) {
	r := answered(n, "1")
	r.StartedAt = noon
	return store.Visit{Program: program, ID: r.ID, StartedAt: noon, Question: "recommend", Position: 1}, r
}

// TestNewEndsVisit has responses end visits that another process tracks, before, and at the same moment: whichever of both comes
// first, the visit is counted as what it is.
func TestNewEndsVisit(t *testing.T) {
	ctx := context.Background()
	dsn := newSchema(t, server)
	s, other := mustOpen(t, dsn, Options{}), mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	defer mustClose(t, other)
	track := func(v store.Visit) {
		t.Helper()
		if err := other.Track(ctx, []store.Visit{v}); err != nil {
			t.Errorf("Track: %v", err)
		}
	}
	wantUnfinished := func(visits, unfinished string) {
		t.Helper()
		wantUndone(t, s, false)
		if got := ask(t, dsn, `SELECT count(*)::text FROM visit`); got != visits {
			t.Errorf("%s visits are there, want %s", got, visits)
		}
		if got := ask(t, dsn, `SELECT sum(n)::text FROM rollup WHERE question = '@unfinished'`); got != unfinished {
			t.Errorf("%s visits are counted as unfinished, want %s", got, unfinished)
		}
	}
	stays, _ := started(100)
	ended, last := started(1)
	track(stays)
	track(ended)
	mustAppend(t, s, last)
	wantUnfinished("1", "1")

	hold := func(conn *pgx.Conn) {
		mustExec(t, conn, "BEGIN")
		mustExec(t, conn, "SELECT FROM progress FOR UPDATE")
	}
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	for n, first := range []string{"response", "visit"} {
		v, r := started(n + 2)
		done := make(chan struct{}, 2)
		one := func() { mustAppendBeside(t, s, r); done <- struct{}{} }
		two := func() { track(v); done <- struct{}{} }
		if first == "visit" {
			one, two = two, one
		}
		hold(conn)
		go one()
		awaitWaiting(t, dsn)
		go two()
		await(t, dsn, `SELECT count(*) = 2 FROM pg_locks WHERE NOT granted`)
		mustExec(t, conn, "COMMIT")
		<-done
		<-done
		wantUnfinished("1", "1")
	}
	wantKept(t, s, 3)
	if got := ask(t, dsn, `SELECT count(*)::text FROM submission`); got != "3" {
		t.Errorf("%s identities are taken, want those of 3 responses", got)
	}
}

// mustAppendBeside is mustAppend for another goroutine than the test's own.
func mustAppendBeside(t *testing.T, s *Store, r store.Response) {
	if _, err := s.Append(context.Background(), []store.Response{r}); err != nil {
		t.Errorf("Append: %v", err)
	}
}
