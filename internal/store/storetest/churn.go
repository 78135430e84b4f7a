package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// testStandingUnderLoad has a reader follow in small pages while answers of every standing come in, are annulled and brought
// back, retired and erased, and visits and invitations come and are forgotten.
func testStandingUnderLoad(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 400
	all := judged(programA, "load", n)
	links := inviteMany(programA, "load", n)
	want := map[series]int64{}
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := w; i < n; i += 4 {
				track(t, s, visit(programA, "left", i, 1))
				if _, err := invitePatiently(s, store.Fatigue{}, links[i]); err != nil {
					t.Errorf("Invite: %v", err)
				}
				if _, err := appendPatiently(s, all[i]); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	for i := range n {
		want = sum(want, unfinished(visit(programA, "left", i, 1)), map[series]int64{ofInvitation(links[i], "@invited", ""): 1})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		churn(t, s, all)
		writing.Wait()
	}()
	p := newPicture()
	for over := false; !over; {
		over = isClosed(done)
		p.readAll(t, s, 3)
		if check, err := s.Recount(context.Background(), programA); err != nil || len(check.Differences) > 0 {
			t.Errorf("Recount meanwhile: %v, %v", check, err)
		}
	}
	// In the end, all that is kept is brought back, and then what was suspect is taken out.
	if _, err := s.SetStanding(context.Background(), programA, store.Selection{}, store.StandingCounted, false); err != nil {
		t.Errorf("SetStanding: %v", err)
	}
	kept := export(t, s, programA)
	p.readAll(t, s, 3)
	if diff := cmp.Diff(sum(want, tally(suspectsAside(all[:20])), tally(kept)), p.counts); diff != "" {
		t.Errorf("counts of a follower differ (-want +got):\n%s", diff)
	}
	failed := 0
	for _, r := range kept {
		if r.Standing != store.StandingCounted {
			t.Errorf("response %s is %s", r.ID, r.Standing)
		}
		if len(r.Failed) > 0 {
			failed++
		}
	}
	setStanding(t, s, programA, store.Selection{Failed: "time"}, store.StandingAnnulled, failed)
	wantRecount(t, s, programA, n-30)
}

// churn changes what testStandingUnderLoad stores. The first 20 it retires before they are changed, the next 10 it erases.
func churn(t TB, s store.Store, all []store.Response) {
	t.Helper()
	for retired := int64(0); retired < 20; {
		n, err := s.Retire(context.Background(), programA, all[20].SubmittedAt)
		if err != nil {
			t.Errorf("Retire: %v", err)
			return
		}
		retired += n
	}
	for i := 20; i < 30; {
		known, err := s.Erase(context.Background(), programA, all[i].Receipt)
		if err != nil {
			t.Errorf("Erase: %v", err)
			return
		}
		if known {
			i++
		}
	}
	churnStandings(t, s, all[40].SubmittedAt)
}

// churnStandings annuls and brings back all from a time on, and forgets all visits and invitations.
func churnStandings(t TB, s store.Store, from time.Time) {
	t.Helper()
	for range 5 {
		for _, to := range []store.Standing{store.StandingAnnulled, store.StandingCounted} {
			if _, err := s.SetStanding(context.Background(), programA, store.Selection{From: from}, to, false); err != nil {
				t.Errorf("SetStanding: %v", err)
			}
		}
		if _, err := s.Forget(context.Background(), programA, noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 0)); err != nil {
			t.Errorf("Forget: %v", err)
		}
	}
}

// suspectsAside makes of retired responses what they count as: those that were suspect are in no count any more.
func suspectsAside(retired []store.Response) []store.Response {
	for i := range retired {
		if retired[i].Standing == store.StandingSuspect {
			retired[i].Standing = store.StandingAnnulled
		}
	}
	return retired
}
