package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

func forget(t TB, s store.Store, program store.Key, visits, invitations, now time.Time, want int) {
	t.Helper()
	if n, err := s.Forget(context.Background(), program, visits, invitations, now); err != nil || n != int64(want) {
		t.Errorf("Forget of visits before %s and of invitations before %s at %s: %d, %v; want %d", visits, invitations, now, n, err, want)
	}
}

// never is before everything.
var never = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)

func testForget(t *testing.T, h Harness) {
	s := open(t, h)
	us := time.Microsecond
	var visits []store.Visit
	for i, at := range []time.Time{noon.Add(-time.Hour), noon.Add(-us), noon, noon.Add(us)} {
		v := visit(programA, "forget", i, i)
		v.StartedAt = at
		visits = append(visits, v)
	}
	var links []store.Invitation
	for i, c := range []struct{ invited, expires time.Duration }{
		{-us, 0}, {-us, 1}, {0, 0}, {-time.Hour, time.Hour}, {-48 * time.Hour, -time.Hour}, {-47 * time.Hour, -time.Hour},
	} {
		v := invitation(programA, "forget", i)
		v.InvitedAt, v.ExpiresAt = noon.Add(c.invited), noon.Add(c.expires)
		links = append(links, v)
	}
	links[4].Contact, links[5].Contact = contact(1), contact(1)
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: day}}
	track(t, s, append(visits, visit(programB, "forget", 0, 0))...)
	invite(t, s, f, append(links, invitation(programB, "forget", 0))...)
	answer := answering(links[4], "answer", 0, true)
	appendAll(t, s, answer)
	want := sum(unfinished(visits...), unfinished(visit(programB, "forget", 0, 0)), tally([]store.Response{answer}), map[series]int64{
		ofInvitation(links[4], "@answered", ""):                         1,
		ofInvitation(links[5], "@skipped", "program/invited"):           1,
		ofInvitation(invitation(programB, "forget", 0), "@invited", ""): 1,
	})
	for _, i := range links[:5] {
		want = sum(want, map[series]int64{ofInvitation(i, "@invited", ""): 1})
	}
	p := newPicture()
	p.readAll(t, s, 100)
	check := func() {
		t.Helper()
		wantCounts(t, s, want)
		if p.readAll(t, s, 3); !cmp.Equal(want, p.counts) {
			t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(want, p.counts))
		}
		wantRecount(t, s, programA, 1)
		wantRecount(t, s, programB, 0)
	}
	check()
	forget(t, s, programA, never, never, noon.AddDate(9, 0, 0), 0)
	forget(t, s, store.Key{Namespace: "no", Name: "such"}, noon, noon, noon, 0)
	forget(t, s, programA, noon.Add(-us), never, noon, 1)
	forget(t, s, programA, noon, never, noon, 1)
	forget(t, s, programA, noon.Add(1), never, noon, 1)
	check()
	// Made before, and expired: links 0, 1 (1 ns is stored as 0), 4 and 5. The others: made at noon; not expired.
	forget(t, s, programA, never, noon, noon.Add(-time.Hour-us), 0)
	forget(t, s, programA, never, noon.Add(-48*time.Hour), noon, 0)
	forget(t, s, programA, never, noon.Add(-47*time.Hour), noon, 1)
	forget(t, s, programA, never, noon, noon, 3)
	check()
	forget(t, s, programA, noon, noon, noon, 0)
	forget(t, s, programA, noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 1), 3)
	check()
	// What is forgotten is new when it comes again.
	track(t, s, visits[0])
	invite(t, s, f, links[4])
	want = sum(want, unfinished(visits[0]), map[series]int64{ofInvitation(links[4], "@invited", ""): 1})
	check()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if n, err := s.Forget(ended, programA, noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 0)); err == nil || n != 0 {
		t.Errorf("Forget with a context that has ended: %d, %v", n, err)
	}
}

// testForgetMany forgets more than any one transaction should, while others go on.
func testForgetMany(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 1000
	var visits []store.Visit
	for i := range n {
		visits = append(visits, visit(programA, "many", i, i%3))
	}
	links := inviteMany(programA, "many", n)
	for i := range links {
		links[i].ExpiresAt = noon.AddDate(0, 0, i%2*100)
	}
	track(t, s, visits...)
	invite(t, s, store.Fatigue{}, links...)
	want := unfinished(visits...)
	for _, i := range links {
		want[ofInvitation(i, "@invited", "")]++
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		forget(t, s, programA, noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), n+n/2)
	}()
	var beside []store.Response
	for i := 0; !isClosed(done) || i == 0; i++ {
		r := visited(programB, "beside", i)
		track(t, s, visit(programB, "beside", i, 1))
		if _, err := appendPatiently(s, r); err != nil {
			t.Fatalf("Append beside: %v", err)
		}
		beside = append(beside, r)
	}
	wantCounts(t, s, sum(want, tally(beside)))
	wantRecount(t, s, programA, 0)
	forget(t, s, programA, noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), 0)
	forget(t, s, programA, noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), noon.AddDate(1, 0, 0), n/2)
	wantCounts(t, s, sum(want, tally(beside)))
	wantRecount(t, s, programA, 0)
}

// testForgottenInvitation answers links that are forgotten, and forgets links that were never known.
func testForgottenInvitation(t *testing.T, h Harness) {
	s := open(t, h)
	link, nowhere := invitation(programA, "forgotten", 0), invitation(programA, "forgotten", 1)
	link.Contact, link.ExpiresAt = contact(1), noon
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: 90 * day}}
	invite(t, s, f, link)
	forget(t, s, programA, never, noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 1), 1)
	// The person's cooldown is forgotten with it.
	other := invitationOf(programA, "forgotten", 2, 1, noon.AddDate(0, 0, 1))
	wantInvited(t, invite(t, s, f, other), became(other, store.Stored, ""))
	var all []store.Response
	for i, v := range []store.Invitation{link, nowhere} {
		r := answering(v, "forgotten", i, true)
		all = append(all, r)
		wantResults(t, appendAll(t, s, r, answering(v, "forgotten again", i, true)), stored(r), store.Result{Outcome: store.Spent})
	}
	want := sum(tally(all), map[series]int64{ofInvitation(link, "@invited", ""): 1, ofInvitation(other, "@invited", ""): 1})
	wantCounts(t, s, want)
	// What is remembered of the answers says the day, and is kept for 400 days more.
	today := noon.Truncate(day)
	forget(t, s, programA, never, today, today.AddDate(9, 0, 0), 0)
	forget(t, s, programA, never, today.Add(time.Microsecond), today.Add(400*day-time.Microsecond), 0)
	wantResults(t, appendAll(t, s, answering(link, "forgotten late", 0, true)), store.Result{Outcome: store.Spent})
	forget(t, s, programA, never, today.Add(time.Microsecond), today.Add(400*day), 2)
	wantCounts(t, s, want)
	wantRecount(t, s, programA, 2)
}
