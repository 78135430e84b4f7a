package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func isBusy(err error) bool { return errors.Is(err, store.ErrBusy) }

// fill has h.Queue responses wait for a commit. It returns when they do, with what becomes of them.
func fill(t TB, h Harness, s store.Store, name string) (accepted func() []store.Response) {
	t.Helper()
	type outcome struct {
		response store.Response
		err      error
	}
	outcomes := make(chan outcome)
	var group sync.WaitGroup
	// One more than fits: its refusal says that the others wait.
	for i := range h.Queue + 1 {
		group.Go(func() {
			r := respond(programA, name, i)
			_, err := s.Append(context.Background(), []store.Response{r})
			outcomes <- outcome{r, err}
		})
	}
	if first := <-outcomes; !isBusy(first.err) {
		t.Fatalf("the first to return while commits are held got %v, want ErrBusy", first.err)
	}
	go func() {
		defer close(outcomes)
		group.Wait()
	}()
	return func() (stored []store.Response) {
		t.Helper()
		for o := range outcomes {
			if o.err != nil {
				t.Errorf("a response that waited got %v", o.err)
			}
			stored = append(stored, o.response)
		}
		return stored
	}
}

func testQueueFull(t *testing.T, h Harness) {
	s := open(t, h)
	release := h.Hold(t)
	accepted := fill(t, h, s, "full")
	for i := range 10 {
		if _, err := s.Append(context.Background(), respondMany(programA, "refused", i+1)); !isBusy(err) {
			t.Errorf("Append to a full queue: %v, want ErrBusy", err)
		}
	}
	if err := s.Track(context.Background(), []store.Visit{visit(programA, "refused", 0, 0)}); !isBusy(err) {
		t.Errorf("Track with a full queue: %v, want ErrBusy", err)
	}
	if _, err := s.Invite(context.Background(), inviteMany(programA, "refused", 1), store.Fatigue{}); !isBusy(err) {
		t.Errorf("Invite with a full queue: %v, want ErrBusy", err)
	}
	// Reading goes on.
	wantRecount(t, s, programA, 0)
	release()
	stored := accepted()
	if len(stored) != h.Queue {
		t.Errorf("%d responses were accepted, want %d", len(stored), h.Queue)
	}
	refused := respondMany(programA, "refused", h.Queue)
	for i, result := range appendAll(t, s, refused...) {
		if result.Outcome != store.Stored {
			t.Errorf("refused response %d: %v, want it new", i, result)
		}
	}
	wantRecount(t, s, programA, 2*h.Queue)
	wantPicture(t, s, append(stored, refused...))
}

func testCancel(t *testing.T, h Harness) {
	s := open(t, h)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.FinishImport(ended, programA); !errors.Is(err, context.Canceled) {
		t.Errorf("FinishImport with a context that has ended: %v", err)
	}
	if err := s.Export(ended, programA, func(store.Response) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Export with a context that has ended: %v", err)
	}

	if _, err := s.Invite(ended, inviteMany(programA, "cancelled", 1), store.Fatigue{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Invite with a context that has ended: %v", err)
	}
	if err := s.Track(ended, []store.Visit{visit(programA, "cancelled", 0, 0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Track with a context that has ended: %v", err)
	}

	if _, err := s.ListCases(ended, programA, store.CaseQuery{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("ListCases with a context that has ended: %v", err)
	}
	if _, err := s.ChangeCase(ended, programA, store.CaseChange{ID: ID("cancelled", 0), At: noon}); !errors.Is(err, context.Canceled) {
		t.Errorf("ChangeCase with a context that has ended: %v", err)
	}

	release := h.Hold(t)
	ctx, cancel := context.WithCancel(context.Background())
	r := respond(programA, "cancelled", 0)
	returned := make(chan error)
	go func() {
		_, err := s.Append(ctx, []store.Response{r})
		returned <- err
	}()
	cancel()
	// Commits are still held: only the context can have ended it.
	if err := <-returned; !errors.Is(err, context.Canceled) {
		t.Errorf("Append whose context ends: %v", err)
	}
	release()
	result := appendAll(t, s, r)[0]
	if result.Outcome == store.Conflict || result.Receipt != r.Receipt {
		t.Errorf("the same again: %v", result)
	}
	wantRecount(t, s, programA, 1)
	wantPicture(t, s, []store.Response{r})
}

func testClose(t *testing.T, h Harness) {
	s := h.Open(t)
	appendAll(t, s, respondMany(programA, "close", 3)...)
	for range 3 {
		closeStore(t, s)
	}
	ctx := context.Background()
	_, err := s.Append(ctx, respondMany(programA, "closed", 1))
	wantClosed(t, "Append", err)
	_, err = s.FinishImport(ctx, programA)
	wantClosed(t, "FinishImport", err)
	_, err = s.Changes(ctx, store.Cursor{}, 10)
	wantClosed(t, "Changes", err)
	wantClosed(t, "Export", s.Export(ctx, programA, func(store.Response) error { return nil }))
	_, err = s.Retire(ctx, programA, noon)
	wantClosed(t, "Retire", err)
	_, err = s.Recount(ctx, programA)
	wantClosed(t, "Recount", err)
	_, err = s.Erase(ctx, programA, "R-close-0")
	wantClosed(t, "Erase", err)
	_, err = s.Invite(ctx, inviteMany(programA, "closed", 1), store.Fatigue{})
	wantClosed(t, "Invite", err)
	wantClosed(t, "Track", s.Track(ctx, []store.Visit{visit(programA, "closed", 0, 0)}))
	for _, dry := range []bool{true, false} {
		_, err = s.SetStanding(ctx, programA, store.Selection{}, store.StandingAnnulled, dry)
		wantClosed(t, "SetStanding", err)
	}
	_, err = s.Forget(ctx, programA, noon, noon, noon)
	wantClosed(t, "Forget", err)
	_, err = s.Info(ctx)
	wantClosed(t, "Info", err)
	_, err = s.Case(ctx, programA, ID("closed", 0))
	wantClosed(t, "Case", err)
	_, err = s.ListCases(ctx, programA, store.CaseQuery{Limit: 1})
	wantClosed(t, "ListCases", err)
	_, err = s.ChangeCase(ctx, programA, store.CaseChange{ID: ID("closed", 0), At: noon})
	wantClosed(t, "ChangeCase", err)
	_, err = s.EraseContacts(ctx, programA, "R", nil, "", noon)
	wantClosed(t, "EraseContacts", err)
	_, err = s.ExpireContacts(ctx, programA, noon)
	wantClosed(t, "ExpireContacts", err)
	_, err = s.Notices(ctx, programA, "Pending", 0, 1, noon)
	wantClosed(t, "Notices", err)
	wantClosed(t, "SettleNotice", s.SettleNotice(ctx, programA, 1, "Dead", nil, noon))
	s.Updated()

	s = open(t, h)
	wantRecount(t, s, programA, 3)
}

func wantClosed(t TB, call string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("%s after Close: %v, want ErrClosed", call, err)
	}
}

// testCloseDrains closes while responses wait: they are stored, and later ones refused.
func testCloseDrains(t *testing.T, h Harness) {
	s := h.Open(t)
	release := h.Hold(t)
	accepted := fill(t, h, s, "drain")
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() { closeStore(t, s) })
	}
	for {
		_, err := s.Append(context.Background(), respondMany(programA, "late", 1))
		if errors.Is(err, store.ErrClosed) {
			break
		}
		if !isBusy(err) {
			t.Fatalf("Append during Close: %v", err)
		}
	}
	release()
	stored := accepted()
	closing.Wait()
	s = open(t, h)
	wantRecount(t, s, programA, len(stored))
	wantPicture(t, s, stored)
}

// testCloseRace closes while a response is on its way: it is stored, or refused with ErrClosed, and never forgotten.
func testCloseRace(t *testing.T, h Harness) {
	const rounds = 20
	var stored []store.Response
	for i := range rounds {
		s := h.Open(t)
		r := respond(programA, "race", i)
		started, returned := make(chan struct{}), make(chan error)
		go func() {
			close(started)
			_, err := s.Append(context.Background(), []store.Response{r})
			returned <- err
		}()
		<-started
		closeStore(t, s)
		if err := <-returned; err == nil {
			stored = append(stored, r)
		} else if !errors.Is(err, store.ErrClosed) {
			t.Errorf("Append during Close: %v", err)
		}
	}
	t.Logf("%d of %d were stored", len(stored), rounds)
	s := open(t, h)
	wantRecount(t, s, programA, len(stored))
	wantPicture(t, s, stored)
}

func testReopen(t *testing.T, h Harness) {
	s := h.Open(t)
	info, err := s.Info(context.Background())
	if err != nil || info.Engine == "" || info.SchemaVersion < 1 {
		t.Errorf("Info: %+v, %v", info, err)
	}
	first := respondMany(programA, "first", 30)
	appendAll(t, s, first...)
	retire(t, s, programA, noon.Add(5*time.Minute), 5)
	id := finishImport(t, s, programA)
	p := newPicture()
	p.readAll(t, s, 10)
	closeStore(t, s)

	s = open(t, h)
	if again, err := s.Info(context.Background()); err != nil || again != info {
		t.Errorf("Info after reopening: %+v, %v; want %+v", again, err, info)
	}
	wantRecount(t, s, programA, 25)
	for i, result := range appendAll(t, s, first...) {
		if result != (store.Result{Outcome: store.Repeated, Receipt: first[i].Receipt}) {
			t.Errorf("response %d again after reopening: %v", i, result)
		}
	}
	second := respondMany(programB, "second", 30)
	appendAll(t, s, second...)
	// A reader may or may not have to start anew, but must come to know the same.
	p.readAll(t, s, 10)
	if p.imports[programA] != id || len(p.imports) != 1 {
		t.Errorf("imports after reopening: %v", p.imports)
	}
	for key, n := range tally(append(first, second...)) {
		if p.counts[key] != n {
			t.Errorf("after reopening, %v counted %d, want %d", key, p.counts[key], n)
		}
	}
	wantPicture(t, s, append(first, second...))
}
