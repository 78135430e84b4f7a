package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

const day = 24 * time.Hour

// contact is the hash of a person.
func contact(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 32) }

// invitation returns an invitation of nobody in particular, whose whole content follows from its arguments.
func invitation(program store.Key, series string, n int) store.Invitation {
	id := ID(series, n)
	return store.Invitation{
		Program: program, ID: id, Digest: sha256.Sum256([]byte(id)), Touchpoint: "gate", Unit: "gates-a",
		InvitedAt: noon.Add(time.Duration(n) * time.Minute), ExpiresAt: noon.AddDate(0, 0, 30),
	}
}

func inviteMany(program store.Key, series string, n int) []store.Invitation {
	out := make([]store.Invitation, n)
	for i := range out {
		out[i] = invitation(program, series, i)
	}
	return out
}

// invitationOf returns an invitation of a person at a time.
func invitationOf(program store.Key, series string, n, person int, at time.Time) store.Invitation {
	i := invitation(program, series, n)
	i.Contact, i.InvitedAt, i.ExpiresAt = contact(person), at, at.AddDate(0, 0, 30)
	return i
}

func invite(t TB, s store.Store, f store.Fatigue, invitations ...store.Invitation) []store.InviteResult {
	t.Helper()
	results, err := s.Invite(context.Background(), invitations, f)
	if err != nil {
		t.Fatalf("Invite: %v", err)
	}
	if len(results) != len(invitations) {
		t.Fatalf("Invite of %d returned %d results", len(invitations), len(results))
	}
	return results
}

// invitePatiently invites until the queue has room.
func invitePatiently(s store.Store, f store.Fatigue, invitations ...store.Invitation) ([]store.InviteResult, error) {
	for {
		results, err := s.Invite(context.Background(), invitations, f)
		if !isBusy(err) {
			return results, err
		}
		<-time.After(time.Millisecond) // not a synchronisation: a client's pause
	}
}

// became returns what is to become of an invitation.
func became(i store.Invitation, o store.Outcome, skip string) store.InviteResult {
	out := store.InviteResult{
		Outcome: o, InvitedAt: i.InvitedAt.Truncate(time.Microsecond).UTC(), ExpiresAt: i.ExpiresAt.Truncate(time.Microsecond).UTC(),
	}
	if skip != "" {
		out.Skip = store.Skip{Scope: "program", Reason: skip}
	}
	return out
}

func wantInvited(t TB, got []store.InviteResult, want ...store.InviteResult) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results differ (-want +got):\n%s", diff)
	}
}

// otherInvitation returns the invitation with another body under the same identity.
func otherInvitation(i store.Invitation) store.Invitation {
	i.Digest = sha256.Sum256([]byte("other body"))
	return i
}

func testInvite(t *testing.T, h Harness) {
	s := open(t, h)
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: 7 * day}}
	all := inviteMany(programA, "invite", 5)
	all[0].InvitedAt = noon.Add(-1500).In(time.FixedZone("", 3600))
	all[1].Contact, all[2].Contact, all[4].Contact = contact(1), contact(1), contact(2)
	all[3].Touchpoint, all[3].Unit, all[3].InvitedAt = "", "", noon.Add(-time.Hour)
	conflict := store.InviteResult{Outcome: store.Conflict}
	updated := s.Updated()
	wantInvited(t, invite(t, s, f, all[0], all[1], all[2], all[1], otherInvitation(all[1]), all[2]),
		became(all[0], store.Stored, ""), became(all[1], store.Stored, ""), became(all[2], store.Stored, "invited"),
		became(all[1], store.Repeated, ""), conflict, became(all[2], store.Repeated, "invited"))
	if !isClosed(updated) {
		t.Error("Updated is open after an invitation")
	}
	// What was told is told again, however much later, and whatever the rules are by then.
	again := append([]store.Invitation{}, all...)
	for i := range again {
		again[i].InvitedAt, again[i].ExpiresAt = noon.AddDate(1, 0, 0), noon.AddDate(2, 0, 0)
	}
	counts := map[series]int64{
		ofInvitation(all[0], "@invited", ""):                1,
		ofInvitation(all[1], "@invited", ""):                1,
		ofInvitation(all[2], "@skipped", "program/invited"): 1,
	}
	for range 2 {
		wantInvited(t, invite(t, s, store.Fatigue{}, again[2], again[1], again[0], otherInvitation(again[2])),
			became(all[2], store.Repeated, "invited"), became(all[1], store.Repeated, ""), became(all[0], store.Repeated, ""), conflict)
		wantCounts(t, s, counts)
		wantRecount(t, s, programA, 0)
		closeStore(t, s)
		s = open(t, h)
	}
	// The same identity in another program is another invitation.
	elsewhere := all[1]
	elsewhere.Program = programB
	p := newPicture()
	p.readAll(t, s, 100)
	wantInvited(t, invite(t, s, f, all[3], elsewhere, all[4]),
		became(all[3], store.Stored, ""), became(elsewhere, store.Stored, ""), became(all[4], store.Stored, ""))
	for _, i := range []store.Invitation{all[3], elsewhere, all[4]} {
		counts[ofInvitation(i, "@invited", "")]++
	}
	if p.readAll(t, s, 1); !cmp.Equal(counts, p.counts) {
		t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(counts, p.counts))
	}
	wantCounts(t, s, counts)
	wantRecount(t, s, programA, 0)
	wantRecount(t, s, programB, 0)
	if got, err := s.Invite(context.Background(), nil, f); err != nil || len(got) != 0 {
		t.Errorf("Invite of nobody: %v, %v", got, err)
	}
	wantInvited(t, invite(t, s, f, inviteMany(programB, "most", 1000)...)[999:], became(invitation(programB, "most", 999), store.Stored, ""))
}

// testInviteErrors wants a call with one invitation that no store can take to leave nothing, and others not to suffer.
func testInviteErrors(t *testing.T, h Harness) {
	s := open(t, h)
	bad := map[string]func(*store.Invitation){
		"id":      func(i *store.Invitation) { i.ID = "me" },
		"nil id":  func(i *store.Invitation) { i.ID = "00000000-0000-0000-0000-000000000000" },
		"contact": func(i *store.Invitation) { i.Contact = []byte("somebody@example.org") },
		"unit":    func(i *store.Invitation) { i.Unit = "\xff" },
	}
	release := h.Hold(t)
	var group sync.WaitGroup
	good := map[series]int64{}
	n := 0
	for name, spoil := range bad {
		i := invitation(programA, "good", n)
		good[ofInvitation(i, "@invited", "")]++
		n++
		group.Go(func() {
			wrong := invitation(programA, "bad "+name, 1)
			spoil(&wrong)
			if got, err := invitePatiently(s, store.Fatigue{}, invitation(programA, "bad "+name, 0), wrong); err == nil {
				t.Errorf("a bad %s: %v", name, got)
			}
		})
		group.Go(func() {
			if got, err := invitePatiently(s, store.Fatigue{}, i); err != nil || got[0].Outcome != store.Stored {
				t.Errorf("a good invitation suffered: %v, %v", got, err)
			}
		})
	}
	release()
	group.Wait()
	if got, err := s.Invite(context.Background(), inviteMany(programA, "many", 1001), store.Fatigue{}); err == nil {
		t.Errorf("1001 invitations at once: %v", got)
	}
	wantCounts(t, s, good)
	wantRecount(t, s, programA, 0)
}

// testInviteRace makes the same invitations from many callers at once: one of them makes each.
func testInviteRace(t *testing.T, h Harness) { raceInvite(t, open(t, h)) }

func raceInvite(t *testing.T, stores ...store.Store) {
	const callers, ids = 12, 15
	all := inviteMany(programA, "race", ids)
	var mu sync.Mutex
	outcomes := map[string]map[store.Outcome]int{}
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range ids {
				v := all[(i+c)%ids]
				results, err := invitePatiently(stores[c%len(stores)], store.Fatigue{}, v, v)
				if err != nil || results[1].Outcome != store.Repeated {
					t.Errorf("Invite: %v, %v", results, err)
					return
				}
				mu.Lock()
				if outcomes[v.ID] == nil {
					outcomes[v.ID] = map[store.Outcome]int{}
				}
				outcomes[v.ID][results[0].Outcome]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	counts := map[series]int64{}
	for _, i := range all {
		counts[ofInvitation(i, "@invited", "")]++
		if diff := cmp.Diff(map[store.Outcome]int{store.Stored: 1, store.Repeated: callers - 1}, outcomes[i.ID]); diff != "" {
			t.Errorf("outcomes of %s differ (-want +got):\n%s", i.ID, diff)
		}
	}
	for _, s := range stores {
		wantCounts(t, s, counts)
		wantRecount(t, s, programA, 0)
	}
}

// testFatigue invites three people again and again.
func testFatigue(t *testing.T, h Harness) {
	s := open(t, h)
	elsewhere := store.Key{Namespace: "mall", Name: "passengers"}
	f := store.Fatigue{
		Program:   store.Cooldown{AfterInvitation: 30 * day},
		Namespace: store.Cooldown{AfterInvitation: 7 * day},
	}
	last := noon.AddDate(0, 0, 40)
	n := 0
	for _, c := range []struct {
		program store.Key
		person  int
		at      time.Time
		f       store.Fatigue
		want    string
	}{
		{programA, 1, noon, f, ""},
		{programA, 1, noon, f, "program/invited"},
		{programB, 1, noon, f, "namespace/invited"},
		// Another namespace, another person and nobody in particular do not matter.
		{elsewhere, 1, noon, f, ""},
		{programA, 2, noon, f, ""},
		{programA, 0, noon, f, ""},
		{programA, 0, noon, f, ""},
		// The end of a cooldown is when it has lasted as long as it should, for the namespace first.
		{programB, 1, noon.Add(7*day - time.Microsecond), f, "namespace/invited"},
		{programB, 1, noon.Add(7 * day), f, ""},
		{programB, 1, noon.Add(7 * day), f, "program/invited"},
		// What was skipped does not begin a cooldown; what was made in another program does.
		{programA, 1, noon.Add(13 * day), f, "program/invited"},
		{programA, 1, noon.Add(30*day - time.Microsecond), f, "program/invited"},
		{programA, 1, noon.Add(30 * day), f, ""},
		{programB, 1, noon.Add(37*day - time.Microsecond), store.Fatigue{Namespace: f.Namespace}, "namespace/invited"},
		// An invitation that is later than the new one counts too, and the latest one of several.
		{programA, 2, last, store.Fatigue{}, ""},
		{programA, 2, noon.Add(35 * day), store.Fatigue{}, ""},
		{programA, 2, last.Add(-time.Hour), f, "program/invited"},
		{programB, 2, last.Add(-time.Hour), f, "namespace/invited"},
		{programA, 2, last.Add(29 * day), f, "program/invited"},
		// Without rules, all are invited. Each rule is one of its own.
		{programA, 2, last, store.Fatigue{}, ""},
		{programB, 2, last, store.Fatigue{Program: f.Program}, ""},
		{programB, 2, last, store.Fatigue{Namespace: f.Namespace}, "namespace/invited"},
		{programA, 2, last, store.Fatigue{Namespace: f.Program, Program: store.Cooldown{AfterAnswer: 90 * day}}, "namespace/invited"},
	} {
		i := invitationOf(c.program, "fatigue", n, c.person, c.at)
		if c.person == 0 {
			i.Contact = nil
		}
		if got := invite(t, s, c.f, i)[0]; got.Outcome != store.Stored || got.Skip.String() != c.want {
			t.Errorf("invitation %d, of %d to %s at %s: %+v, want skip %q", n, c.person, c.program, c.at, got, c.want)
		}
		n++
	}
	for _, program := range []store.Key{programA, programB, elsewhere} {
		wantRecount(t, s, program, 0)
	}
}

// testFatigueAnswers counts from the beginning of the day of the last answer.
func testFatigueAnswers(t *testing.T, h Harness) {
	s := open(t, h)
	f := store.Fatigue{Program: store.Cooldown{AfterAnswer: 90 * day}, Namespace: store.Cooldown{AfterAnswer: 14 * day}}
	first := invitationOf(programA, "answers", 0, 1, noon)
	second := invitationOf(programA, "answers", 1, 1, noon)
	wantInvited(t, invite(t, s, f, first, second), became(first, store.Stored, ""), became(second, store.Stored, ""))
	answer := func(n int, i store.Invitation, at time.Time) {
		t.Helper()
		r := respond(programA, "answers", n)
		r.Invitation, r.SubmittedAt = i.ID, at
		wantResults(t, appendAll(t, s, r), store.Result{Outcome: store.Stored, Receipt: r.Receipt})
	}
	// The second one is answered first, and again as of the day before: what counts is the latest day of any.
	midnight := noon.Truncate(day)
	answer(0, second, midnight.Add(2*day-time.Microsecond))
	answer(1, first, midnight.Add(20*time.Hour))
	answer(2, second, midnight)
	n := 2
	for _, c := range []struct {
		program store.Key
		at      time.Time
		want    string
	}{
		{programA, midnight.Add(day), "program/answered"},
		{programA, midnight.Add(91*day - time.Microsecond), "program/answered"},
		{programB, midnight.Add(15*day - time.Microsecond), "namespace/answered"},
		{programB, midnight.Add(15 * day), ""},
		{programA, midnight.Add(91 * day), ""},
	} {
		i := invitationOf(c.program, "answers", n, 1, c.at)
		if got := invite(t, s, f, i)[0]; got.Skip.String() != c.want {
			t.Errorf("invitation to %s at %s: %+v, want skip %q", c.program, c.at, got, c.want)
		}
		n++
	}
	// Of both reasons the invitation is told, of both scopes the program.
	both := store.Fatigue{Program: store.Cooldown{AfterInvitation: 365 * day, AfterAnswer: 365 * day}}
	both.Namespace = both.Program
	for _, c := range []struct {
		f    store.Fatigue
		want string
	}{
		{both, "program/invited"},
		{store.Fatigue{Program: store.Cooldown{AfterAnswer: 365 * day}, Namespace: both.Namespace}, "program/answered"},
		{store.Fatigue{Namespace: both.Namespace}, "namespace/invited"},
	} {
		i := invitationOf(programA, "answers", n, 1, midnight.Add(100*day))
		if got := invite(t, s, c.f, i)[0]; got.Skip.String() != c.want {
			t.Errorf("of several reasons %q was told, want %q", got.Skip, c.want)
		}
		n++
	}
	wantRecount(t, s, programA, 3)
}

// testFatigueRace invites one person from many callers at once, to two programs: one of them does.
func testFatigueRace(t *testing.T, h Harness) { raceFatigue(t, open(t, h)) }

func raceFatigue(t *testing.T, stores ...store.Store) {
	const rounds, callers = 5, 20
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: day}, Namespace: store.Cooldown{AfterInvitation: day}}
	for round := range rounds {
		var mu sync.Mutex
		skips := map[string]int{}
		var group sync.WaitGroup
		for c := range callers {
			group.Go(func() {
				program := []store.Key{programA, programB}[c%2]
				i := invitationOf(program, fmt.Sprint("fatigue race ", round), c, round+1, noon.Add(time.Duration(c%3)*time.Second))
				results, err := invitePatiently(stores[c%len(stores)], f, i)
				if err != nil {
					t.Errorf("Invite: %v", err)
					return
				}
				mu.Lock()
				skips[results[0].Skip.String()]++
				mu.Unlock()
			})
		}
		group.Wait()
		want := map[string]int{"": 1, "program/invited": callers/2 - 1, "namespace/invited": callers / 2}
		if diff := cmp.Diff(want, skips); diff != "" {
			t.Errorf("skips of round %d differ (-want +got):\n%s", round, diff)
		}
	}
	wantRecount(t, stores[0], programA, 0)
	wantRecount(t, stores[0], programB, 0)
}
