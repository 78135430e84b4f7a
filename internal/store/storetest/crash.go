package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	crashSubmits = 10_000
	crashCallers = 96
	crashRounds  = 5
)

// crashLink, crashLeft and crashDone are what Submit stores beside responses: of every four, the first opens a case, of which
// some are contacted, the second answers an invitation, the third ends a visit, and with the fourth a visit comes that goes no
// further.
func crashLink(series string, i int) (store.Invitation, bool) {
	return invitation(programA, series+" link", i), i%4 == 1
}

func crashDone(series string, i int) (store.Visit, bool) {
	return visit(programA, series, i, i%3), i%4 == 2
}

func crashLeft(series string, i int) (store.Visit, bool) {
	return visit(programA, series+" left", i, i%3), i%4 == 3
}

func crashResponse(series string, i int) store.Response {
	if link, ok := crashLink(series, i); ok {
		return answering(link, series, i, true)
	}
	if _, ok := crashDone(series, i); ok {
		return visited(programA, series, i)
	}
	if _, ok := crashLeft(series, i); ok {
		return respond(programA, series, i)
	}
	return promising(programA, series, i, 48)
}

// crashChange is what Submit changes.
func crashChange(series string, i int) (store.CaseChange, bool) {
	return store.CaseChange{ID: ID(series+" case", i), Version: 1, State: store.CaseContacted, Note: "called", At: noon}, i%20 == 0
}

// Submit stores thousands of responses of a series from many callers at once, with invitations and visits, and writes what
// was acknowledged to w after it was, one a line. It is what the process does that Crash kills.
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
		// One write a line, so that the lines of the callers do not mix.
		say := func(what string, err error) error {
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(w, "%s %d\n", what, i)
			return err
		}
		if link, ok := crashLink(series, i); ok {
			_, err := invitePatiently(s, store.Fatigue{}, link)
			if err := say("link", err); err != nil {
				return err
			}
		}
		if v, ok := crashDone(series, i); ok {
			if err := say("done", trackPatiently(s, v)); err != nil {
				return err
			}
		}
		if v, ok := crashLeft(series, i); ok {
			if err := say("left", trackPatiently(s, v)); err != nil {
				return err
			}
		}
		_, err := appendPatiently(s, crashResponse(series, i))
		if err := say("response", err); err != nil {
			return err
		}
		if change, ok := crashChange(series, i); ok {
			_, err := s.ChangeCase(context.Background(), programA, change)
			if errors.Is(err, store.ErrChanged) {
				err = nil // by another process
			}
			if err := say("contacted", err); err != nil {
				return err
			}
		}
	}
}

// crashed is what is known of the store that is killed again and again.
type crashed struct {
	acknowledged map[string]bool
	// contacted are the cases of which it was acknowledged.
	contacted map[string]bool
	known     map[string]store.Response
	// counts is what is counted of all that was sent, once it was sent again.
	counts map[series]int64
}

// Crash kills, again and again, a process in the middle of Submit on the store that open opens, and wants everything that
// was acknowledged to be there exactly once, and counted. child returns the process that is to submit a series: its
// standard output is Submit's writer.
func Crash(t *testing.T, open func(TB) store.Store, child func(series string) *exec.Cmd) {
	c := &crashed{acknowledged: map[string]bool{}, contacted: map[string]bool{}, known: map[string]store.Response{}, counts: map[series]int64{}}
	for round := range crashRounds {
		series := fmt.Sprint("crash ", round)
		for i := range crashSubmits {
			r := crashResponse(series, i)
			c.known[r.ID] = r
		}
		// Each round is killed in another part of its first half.
		part := crashSubmits / 2 / crashRounds
		lines := killAfter(t, child(series), round*part+rand.IntN(part)+1)
		s := open(t)
		c.check(t, s, series, lines)
		closeStore(t, s)
	}
}

// check looks for what was acknowledged in a round, sends all of the round again, and wants the counts of all rounds.
func (c *crashed) check(t *testing.T, s store.Store, series string, lines []string) {
	t.Helper()
	ids, most := []string{}, 0
	links, left := []store.Invitation{}, []store.Visit{}
	for _, line := range lines {
		var what string
		var i int
		if _, err := fmt.Sscan(line, &what, &i); err != nil {
			t.Fatalf("the process said %q: %v", line, err)
		}
		most = max(most, i)
		switch what {
		case "response":
			ids = append(ids, ID(series, i))
			c.acknowledged[ID(series, i)] = true
		case "link":
			link, _ := crashLink(series, i)
			links = append(links, link)
		case "left":
			v, _ := crashLeft(series, i)
			left = append(left, v)
		case "contacted":
			change, _ := crashChange(series, i)
			c.contacted[change.ID] = true
		}
	}
	checkCrashed(t, s, c.acknowledged, c.known, ids)
	c.checkCases(t, s)
	wantNothingNew(t, s, links, left)
	// No caller was further than one after the last that any was told of, and each of them at one.
	c.sendAgain(t, s, series, min(crashSubmits, most+1+crashCallers))
	cases := c.checkCases(t, s)
	if diff := cmp.Diff(sum(c.counts, tallyCases(cases...)), ofProgram(readPicture(t, s).counts, programA)); diff != "" {
		t.Errorf("counts after all was sent again differ (-want +got):\n%s", diff)
	}
}

// checkCases wants each response that is kept to have its case, and a notice of it, and what was acknowledged of cases to be so.
// It returns the cases.
func (c *crashed) checkCases(t *testing.T, s store.Store) []store.Case {
	t.Helper()
	var want []store.Case
	told := []string{}
	contacted := 0
	for _, r := range export(t, s, programA) {
		if r.Case = c.known[r.ID].Case; r.Case == nil {
			continue
		}
		is := opened(r)
		got := getCase(t, s, programA, is.ID)
		if c.contacted[is.ID] || got.State == store.CaseContacted {
			is.State, is.ContactedAt, is.Version = store.CaseContacted, noon, 2
			is.History = append(is.History, store.CaseEvent{At: noon, State: store.CaseContacted, Note: "called"})
			contacted++
		}
		if diff := cmp.Diff(is, got); diff != "" {
			t.Errorf("case differs (-want +got):\n%s", diff)
		}
		want = append(want, is)
		told = append(told, is.ID)
	}
	got := listAll(t, s, programA, store.CaseQuery{Limit: 500}, true)
	if diff := cmp.Diff(listed(want), got); diff != "" {
		t.Errorf("cases differ from the responses that open them (-want +got):\n%s", diff)
	}
	var notified []string
	for after := int64(0); ; {
		page, err := s.Notices(context.Background(), programA, store.NoticePending, after, 500, noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, n := range page {
			notified, after = append(notified, n.CaseID), n.Seq
		}
	}
	slices.Sort(notified)
	if slices.Sort(told); !slices.Equal(told, notified) {
		t.Errorf("%d cases and %d notices of them", len(told), len(notified))
	}
	t.Logf("%d cases are kept, %d of them contacted, %d of these acknowledged", len(got), contacted, len(c.contacted))
	return got
}

// wantNothingNew sends again what was acknowledged: nothing may change.
func wantNothingNew(t *testing.T, s store.Store, links []store.Invitation, left []store.Visit) {
	t.Helper()
	p := readPicture(t, s)
	before := maps.Clone(p.counts)
	for chunk := range slices.Chunk(links, 1000) {
		for i, result := range invite(t, s, store.Fatigue{}, chunk...) {
			if result != became(chunk[i], store.Repeated, "") {
				t.Errorf("invitation %s again: %v", chunk[i].ID, result)
			}
		}
	}
	track(t, s, left...)
	if p.readAll(t, s, 1000); !cmp.Equal(before, p.counts) {
		t.Errorf("counts differ when what was acknowledged comes again (-before +after):\n%s", cmp.Diff(before, p.counts))
	}
	t.Logf("%d invitations and %d visits were acknowledged", len(links), len(left))
}

// sendAgain sends the first n of a series, as clients do that saw no acknowledgement.
func (c *crashed) sendAgain(t *testing.T, s store.Store, series string, n int) {
	t.Helper()
	var links []store.Invitation
	var visits []store.Visit
	var responses []store.Response
	for i := range n {
		if link, ok := crashLink(series, i); ok {
			links = append(links, link)
			c.counts[ofInvitation(link, "@invited", "")]++
			c.counts[ofInvitation(link, "@answered", "")]++
		}
		if v, ok := crashDone(series, i); ok {
			visits = append(visits, v)
		}
		if v, ok := crashLeft(series, i); ok {
			visits = append(visits, v)
			c.counts = sum(c.counts, unfinished(v))
		}
		responses = append(responses, crashResponse(series, i))
		c.acknowledged[ID(series, i)] = true
	}
	c.counts = sum(c.counts, tallyWithoutCases(responses))
	for chunk := range slices.Chunk(links, 1000) {
		invite(t, s, store.Fatigue{}, chunk...)
	}
	track(t, s, visits...)
	for i, result := range appendAll(t, s, responses...) {
		if result.Receipt != responses[i].Receipt {
			t.Errorf("response %s again: %v", responses[i].ID, result)
		}
	}
	check, err := s.Recount(context.Background(), programA)
	if err != nil || len(check.Differences) > 0 {
		t.Errorf("Recount: %v, %v", check, err)
	}
}

func readPicture(t TB, s store.Store) *picture {
	t.Helper()
	p := newPicture()
	p.readAll(t, s, 1000)
	return p
}

// killAfter kills the process when it has said n lines, and returns all that it said.
func killAfter(t *testing.T, cmd *exec.Cmd, n int) []string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = append(said, lines.Text()); len(said) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the process was to be killed after %d lines; it said %d and ended: %v", n, len(said), err)
	}
	t.Logf("killed after %d acknowledgements", len(said))
	return said
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
	counts := readPicture(t, s).counts
	maps.DeleteFunc(counts, func(k series, _ int64) bool { return strings.HasPrefix(k.Question, "@") })
	if diff := cmp.Diff(tally(kept), counts); diff != "" {
		t.Errorf("counts of the feed differ (-want +got):\n%s", diff)
	}
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
