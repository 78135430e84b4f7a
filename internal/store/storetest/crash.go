package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	crashSubmits = 10_000
	crashCallers = 96
	crashRounds  = 5
)

// Submit stores thousands of responses of a series from many callers at once, and writes the identity of each to w, one a
// line, after it was acknowledged. It is what the process does that Crash kills.
func Submit(s store.Store, series string, w io.Writer) error {
	var next atomic.Int64
	errs := make([]error, crashCallers)
	var group sync.WaitGroup
	for c := range crashCallers {
		group.Go(func() { errs[c] = submit(s, series, &next, w) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func submit(s store.Store, series string, next *atomic.Int64, w io.Writer) error {
	for {
		i := int(next.Add(1)) - 1
		if i >= crashSubmits {
			return nil
		}
		r := respond(programA, series, i)
		if _, err := appendPatiently(s, r); err != nil {
			return err
		}
		// One write a line, so that the lines of the callers do not mix.
		if _, err := io.WriteString(w, r.ID+"\n"); err != nil {
			return err
		}
	}
}

// Crash kills, again and again, a process in the middle of Submit on the store that open opens, and wants everything that
// was acknowledged to be there exactly once, and counted. child returns the process that is to submit a series: its
// standard output is Submit's writer.
func Crash(t *testing.T, open func(TB) store.Store, child func(series string) *exec.Cmd) {
	acknowledged := map[string]bool{}
	known := map[string]store.Response{}
	for round := range crashRounds {
		series := fmt.Sprint("crash ", round)
		for i := range crashSubmits {
			r := respond(programA, series, i)
			known[r.ID] = r
		}
		// Each round is killed in another part of its first half.
		part := crashSubmits / 2 / crashRounds
		ids := killAfter(t, child(series), round*part+rand.IntN(part)+1)
		for _, id := range ids {
			acknowledged[id] = true
		}
		s := open(t)
		checkCrashed(t, s, acknowledged, known, ids)
		closeStore(t, s)
	}
}

// killAfter kills the process when it has acknowledged n submits, and returns all that it acknowledged.
func killAfter(t *testing.T, cmd *exec.Cmd, n int) []string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if ids = append(ids, lines.Text()); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the process was to be killed after %d submits; it acknowledged %d and ended: %v", n, len(ids), err)
	}
	t.Logf("killed after %d submits of %d", len(ids), crashSubmits)
	return ids
}

func checkCrashed(t *testing.T, s store.Store, acknowledged map[string]bool, known map[string]store.Response, last []string) {
	t.Helper()
	kept := export(t, s, programA)
	seen := map[string]bool{}
	for _, r := range kept {
		if seen[r.ID] {
			t.Errorf("response %s is there twice", r.ID)
		}
		if _, ok := known[r.ID]; !ok {
			t.Errorf("response %s was never submitted", r.ID)
		}
		seen[r.ID] = true
	}
	for id := range acknowledged {
		if !seen[id] {
			t.Errorf("response %s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d responses are kept, %d of them acknowledged", len(kept), len(acknowledged))
	wantRecount(t, s, programA, len(kept))
	wantPicture(t, s, kept)
	// A client that did not see its acknowledgement sends again.
	again := make([]store.Response, 0, len(last))
	for _, id := range last {
		again = append(again, known[id])
	}
	results, err := s.Append(context.Background(), again)
	if err != nil {
		t.Fatalf("Append of what was acknowledged: %v", err)
	}
	for i, result := range results {
		if result != (store.Result{Outcome: store.Repeated, Receipt: again[i].Receipt}) {
			t.Errorf("response %s again: %v", again[i].ID, result)
		}
	}
	wantRecount(t, s, programA, len(kept))
}
