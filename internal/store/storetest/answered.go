package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// answering returns a response to an invitation, which may be for single use.
func answering(i store.Invitation, series string, n int, single bool) store.Response {
	r := respond(i.Program, series, n)
	r.Invitation, r.SingleUse = i.ID, single
	return r
}

func stored(r store.Response) store.Result {
	return store.Result{Outcome: store.Stored, Receipt: r.Receipt}
}

func repeated(r store.Response) store.Result {
	return store.Result{Outcome: store.Repeated, Receipt: r.Receipt}
}

// testAnswered answers invitations that may be answered more than once: each counts once, where it was made.
func testAnswered(t *testing.T, h Harness) {
	s := open(t, h)
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: day}}
	made, other := invitationOf(programA, "answered", 0, 1, noon.Add(-30*time.Hour)), invitation(programA, "answered", 1)
	skipped := invitationOf(programA, "answered", 2, 1, noon.Add(-20*time.Hour))
	invite(t, s, f, made, other, skipped)
	counts := map[series]int64{
		ofInvitation(made, "@invited", ""):                   1,
		ofInvitation(other, "@invited", ""):                  1,
		ofInvitation(skipped, "@skipped", "program/invited"): 1,
	}
	wantCounts(t, s, counts)
	first, second := answering(made, "answered", 0, false), answering(made, "answered", 1, false)
	suspect, nowhere := answering(other, "answered", 2, false), answering(invitation(programA, "nowhere", 0), "answered", 3, false)
	suspect.Standing, suspect.Failed = store.StandingSuspect, []string{"time"}
	none := answering(skipped, "answered", 4, false)
	// An invitation of another program is none of this one.
	elsewhere := answering(other, "answered", 5, false)
	elsewhere.Program = programB
	all := []store.Response{first, second, suspect, nowhere, none, elsewhere}
	p := newPicture()
	p.readAll(t, s, 100)
	for range 2 {
		for i, result := range appendAll(t, s, all...) {
			if result.Outcome == store.Spent || result.Receipt != all[i].Receipt {
				t.Errorf("response %d: %v", i, result)
			}
		}
	}
	counts[ofInvitation(made, "@answered", "")] = 1
	counts[ofInvitation(other, "@answered", "")] = 1
	want := sum(counts, tally(all))
	wantCounts(t, s, want)
	if p.readAll(t, s, 2); !cmp.Equal(want, p.counts) {
		t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(want, p.counts))
	}
	if diff := cmp.Diff(exported(all[:5]), export(t, s, programA)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	// What becomes of the answers later changes nothing of the invitations.
	setStanding(t, s, programA, store.Selection{IDs: []string{suspect.ID}}, store.StandingAnnulled, 1)
	erase(t, s, programA, first.Receipt, true)
	erase(t, s, programA, second.Receipt, true)
	wantCounts(t, s, sum(counts, tally([]store.Response{nowhere, none, elsewhere})))
	retire(t, s, programA, noon.AddDate(1, 0, 0), 3)
	wantCounts(t, s, sum(counts, tally([]store.Response{nowhere, none, elsewhere})))
	wantRecount(t, s, programA, 0)
	wantRecount(t, s, programB, 1)
}

// testSpent answers invitations for single use, again and again.
func testSpent(t *testing.T, h Harness) {
	s := open(t, h)
	links := inviteMany(programA, "spent", 4)
	invite(t, s, store.Fatigue{}, links...)
	spent := store.Result{Outcome: store.Spent}
	first, second := answering(links[0], "spent", 0, true), answering(links[0], "spent", 1, true)
	second.StartedAt = noon
	track(t, s, store.Visit{Program: programA, ID: second.ID, Touchpoint: "gate", StartedAt: noon, Question: "why", Position: 1})
	// Two in one call, and a repeat and a conflict go before the link.
	wantResults(t, appendAll(t, s, first, second, first, otherBody(first), second),
		stored(first), spent, repeated(first), store.Result{Outcome: store.Conflict}, spent)
	wantResults(t, appendAll(t, s, second, otherBody(second), first), spent, spent, repeated(first))
	// A response that was refused for its link is free to come by another one.
	third := second
	third.Invitation = links[1].ID
	wantResults(t, appendAll(t, s, third), stored(third))
	wantResults(t, appendAll(t, s, second), repeated(third))
	// A suspect response spends a link, too.
	suspect := answering(links[2], "spent", 3, true)
	suspect.Standing, suspect.Failed = store.StandingSuspect, []string{"page"}
	wantResults(t, appendAll(t, s, suspect, answering(links[2], "spent", 4, true)), stored(suspect), spent)
	// One that was answered is spent for who takes it for single use, and not for others.
	loose := answering(links[3], "spent", 5, false)
	wantResults(t, appendAll(t, s, loose, answering(links[3], "spent", 6, true)), stored(loose), spent)
	also := answering(links[3], "spent", 7, false)
	wantResults(t, appendAll(t, s, also), stored(also))

	all := []store.Response{first, third, suspect, loose, also}
	counts := tally(all)
	for _, i := range links {
		counts[ofInvitation(i, "@invited", "")]++
		counts[ofInvitation(i, "@answered", "")]++
	}
	wantCounts(t, s, counts)
	wantRecount(t, s, programA, len(all))
	if diff := cmp.Diff(exported(all), export(t, s, programA)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	// It stays spent, whatever becomes of the answer.
	erase(t, s, programA, first.Receipt, true)
	retire(t, s, programA, noon.AddDate(1, 0, 0), 4)
	closeStore(t, s)
	s = open(t, h)
	for i, link := range links {
		wantResults(t, appendAll(t, s, answering(link, "spent again", i, true)), spent)
	}
	wantResults(t, appendAll(t, s, first, third), repeated(first), repeated(third))
	wantRecount(t, s, programA, 0)
}

// testSpentUnknown answers invitations for single use that the store does not know, as after the restore of a backup, or
// has skipped: not counted, and spent from then on. When they are made after all, they are so as answered.
func testSpentUnknown(t *testing.T, h Harness) {
	s := open(t, h)
	spent := store.Result{Outcome: store.Spent}
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: day, AfterAnswer: 5 * day}}
	made := invitationOf(programA, "unknown", 0, 1, noon)
	skipped := invitationOf(programA, "unknown", 1, 1, noon)
	nowhere := invitationOf(programA, "unknown", 2, 2, noon.Add(-time.Hour))
	tired := invitationOf(programA, "unknown", 3, 1, noon)
	invite(t, s, f, made, skipped)
	var all []store.Response
	for i, v := range []store.Invitation{skipped, nowhere, tired} {
		r := answering(v, "unknown", i, true)
		all = append(all, r)
		wantResults(t, appendAll(t, s, r, answering(v, "unknown again", i, true)), stored(r), spent)
	}
	counts := map[series]int64{
		ofInvitation(made, "@invited", ""):                   1,
		ofInvitation(skipped, "@skipped", "program/invited"): 1,
	}
	wantCounts(t, s, sum(counts, tally(all)))
	wantRecount(t, s, programA, 3)

	wantInvited(t, invite(t, s, f, nowhere, tired, skipped, nowhere, otherInvitation(nowhere)),
		became(nowhere, store.Stored, ""), became(tired, store.Stored, "invited"), became(skipped, store.Repeated, "invited"),
		became(nowhere, store.Repeated, ""), store.InviteResult{Outcome: store.Conflict})
	counts[ofInvitation(nowhere, "@invited", "")]++
	counts[ofInvitation(nowhere, "@answered", "")]++
	counts[ofInvitation(tired, "@skipped", "program/invited")]++
	wantCounts(t, s, sum(counts, tally(all)))
	for i, v := range []store.Invitation{skipped, nowhere, tired} {
		wantResults(t, appendAll(t, s, answering(v, "unknown once more", i, true)), spent)
	}
	// The person has answered on that day.
	late := invitationOf(programA, "unknown", 4, 2, noon.Truncate(day).Add(5*day-1000))
	if got := invite(t, s, f, late)[0].Skip.String(); got != "program/answered" {
		t.Errorf("who answered before the invitation was known is skipped as %q", got)
	}
	wantRecount(t, s, programA, 3)
}

// testSpentRace answers one invitation many times at once: one answer is stored.
func testSpentRace(t *testing.T, h Harness) { raceSpent(t, open(t, h)) }

func raceSpent(t *testing.T, stores ...store.Store) {
	const rounds, callers = 4, 50
	counts := map[series]int64{}
	var kept []store.Response
	for round := range rounds {
		link := invitation(programA, "spent race", round)
		if round%2 == 0 { // the others are not known
			invite(t, stores[0], store.Fatigue{}, link)
			counts[ofInvitation(link, "@invited", "")]++
			counts[ofInvitation(link, "@answered", "")]++
		}
		winner := spendTogether(t, stores, link, fmt.Sprint("spent race ", round), callers)
		kept = append(kept, winner)
		wantResults(t, appendAll(t, stores[0], winner), repeated(winner))
	}
	for _, s := range stores {
		wantCounts(t, s, sum(counts, tally(kept)))
		wantRecount(t, s, programA, rounds)
	}
}

// spendTogether has many responses race for one link, each sent twice, and returns the one that was stored.
func spendTogether(t *testing.T, stores []store.Store, link store.Invitation, series string, callers int) (winner store.Response) {
	t.Helper()
	var mu sync.Mutex
	outcomes := map[store.Outcome]int{}
	start := make(chan struct{})
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			r := answering(link, series, c, true)
			<-start
			for range 2 {
				results, err := appendPatiently(stores[c%len(stores)], r)
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				mu.Lock()
				if outcomes[results[0].Outcome]++; results[0].Outcome == store.Stored {
					winner = r
				}
				mu.Unlock()
			}
		})
	}
	close(start)
	group.Wait()
	want := map[store.Outcome]int{store.Stored: 1, store.Repeated: 1, store.Spent: 2*callers - 2}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Fatalf("outcomes differ (-want +got):\n%s", diff)
	}
	return winner
}
