package storetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// agedImport is the import of the store that Aged expects.
const agedImport = "0f8fad5b-d9cb-469f-a165-70867728950e"

// aged returns what a store of every earlier version has to hold for Aged: the last one was retired.
func aged() []store.Response {
	out := []store.Response{
		{
			Touchpoint: "security", Unit: "gates-a", Language: "en", SubmittedAt: noon,
			Answers: []store.Answer{
				{Question: "lanes", Revision: 2, Kind: store.KindMultiple, Values: []string{"staff", "signs"}},
				{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}},
				{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{`Grüße, "東京"`}},
			},
		},
		{SubmittedAt: noon.AddDate(0, 0, 40), Answers: []store.Answer{
			{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}},
		}},
		{
			Touchpoint: "security", Unit: "gates-a", Language: "en", SubmittedAt: noon,
			Answers: []store.Answer{{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}}},
		},
	}
	for i := range out {
		n := string(rune('1' + i))
		out[i].Program, out[i].Receipt = programA, "R"+n
		out[i].ID = "00000000-0000-4000-8000-00000000000" + n
		out[i].Digest = [32]byte(bytes.Repeat([]byte{byte(i + 1)}, 32))
	}
	return out
}

// Aged wants a store that was filled by an earlier version, with what aged says, to have all of it and to work on with it.
func Aged(t *testing.T, s store.Store) {
	t.Helper()
	all := aged()
	if diff := cmp.Diff(exported(all[:2]), export(t, s, programA)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	wantRecount(t, s, programA, 2)
	wantPictureOf(t, s, programA, all)
	p := newPicture()
	p.readAll(t, s, 1000)
	if p.imports[programA] != agedImport {
		t.Errorf("imports %v, want %s", p.imports, agedImport)
	}
	for _, r := range all {
		wantResults(t, appendAll(t, s, r, otherBody(r)),
			store.Result{Outcome: store.Repeated, Receipt: r.Receipt}, store.Result{Outcome: store.Conflict})
	}
	later := respond(programA, "later", 0)
	later.SubmittedAt = noon.AddDate(0, 0, 40)
	appendAll(t, s, later)
	all = append(all, later)
	wantRecount(t, s, programA, 3)
	p.readAll(t, s, 1000)
	if diff := cmp.Diff(tally(all), ofProgram(p.counts, programA)); diff != "" {
		t.Errorf("what a reader knows after one more response differs (-want +got):\n%s", diff)
	}
	retire(t, s, programA, noon.Add(time.Hour), 1)
	wantRecount(t, s, programA, 2)
	wantPictureOf(t, s, programA, all)
	for _, i := range []int{0, 1, 2} {
		erase(t, s, programA, all[i].Receipt, true)
	}
	wantRecount(t, s, programA, 1)
	kept := []store.Response{all[0], all[2], all[3]}
	wantPictureOf(t, s, programA, kept)
	if _, err := s.FinishImport(context.Background(), programA); err != nil {
		t.Errorf("FinishImport: %v", err)
	}
	setStanding(t, s, programA, store.Selection{}, store.StandingAnnulled, 1)
	kept[2].Standing = store.StandingAnnulled
	wantPictureOf(t, s, programA, kept)
	wantRecount(t, s, programA, 1)
}

func wantPictureOf(t TB, s store.Store, program store.Key, responses []store.Response) {
	t.Helper()
	if diff := cmp.Diff(tally(responses), ofProgram(readPicture(t, s).counts, program)); diff != "" {
		t.Errorf("counts of the feed differ (-want +got):\n%s", diff)
	}
}

// agedSuspects returns what a store has to hold for AgedInvitations, from the first version that has standings on. The last
// one was retired: it was counted. It came by a link that was for single use, and that the store did not know.
func agedSuspects() []store.Response {
	out := aged()
	for i := range out {
		out[i].Program, out[i].Touchpoint, out[i].Unit = programB, "gate", ""
	}
	out[0].Standing, out[0].Passed, out[0].Failed = store.StandingSuspect, []string{"page"}, []string{"honeypot", "time"}
	out[1].Standing, out[1].Failed = store.StandingAnnulled, []string{"proof"}
	return out
}

// agedInvitations returns the invitations: one that was answered on the day of noon, one that was skipped, one that was not
// answered, and the one that the store does not know.
func agedInvitations() []store.Invitation {
	var out []store.Invitation
	for i := range 4 {
		v := invitationOf(programB, "", i, 1, noon.Add(time.Duration(i)*time.Hour))
		v.ID = "00000000-0000-4000-8000-0000000000a" + string(rune('1'+i))
		v.Digest = [32]byte(bytes.Repeat([]byte{byte(0xa1 + i)}, 32))
		v.Unit = ""
		out = append(out, v)
	}
	out[2].Contact = nil
	return out
}

// agedVisit returns the visit that is unfinished; another one has ended.
func agedVisit() store.Visit {
	return store.Visit{Program: programB, ID: "00000000-0000-4000-8000-0000000000b1", Touchpoint: "gate", StartedAt: noon, Question: "lanes", Position: 1}
}

// AgedInvitations wants a store that was filled by an earlier version, with what agedSuspects, agedInvitations and agedVisit
// say, to have all of it and to work on with it.
func AgedInvitations(t *testing.T, s store.Store) {
	t.Helper()
	all, links, left := agedSuspects(), agedInvitations(), agedVisit()
	ended := visited(programB, "", 0)
	ended.Touchpoint, ended.Unit, ended.SubmittedAt, ended.StartedAt = "gate", "", noon, noon.Add(-90*time.Second)
	ended.Standing = store.StandingAnnulled
	counts := sum(unfinished(left), tally([]store.Response{ended}), map[series]int64{
		ofInvitation(links[0], "@invited", ""):                1,
		ofInvitation(links[0], "@answered", ""):               1,
		ofInvitation(links[1], "@skipped", "program/invited"): 1,
		ofInvitation(links[2], "@invited", ""):                1,
	})
	check := func(kept int) {
		t.Helper()
		if diff := cmp.Diff(sum(counts, tally(all)), ofProgram(readPicture(t, s).counts, programB)); diff != "" {
			t.Errorf("counts differ (-want +got):\n%s", diff)
		}
		wantRecount(t, s, programB, kept)
	}
	check(2)
	if diff := cmp.Diff(exported(all[:2]), export(t, s, programB)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	for _, r := range all {
		wantResults(t, appendAll(t, s, r, otherBody(r)), repeated(r), store.Result{Outcome: store.Conflict})
	}
	f := store.Fatigue{Program: store.Cooldown{AfterInvitation: day, AfterAnswer: 9 * day}}
	wantInvited(t, invite(t, s, f, links[:3]...),
		became(links[0], store.Repeated, ""), became(links[1], store.Repeated, "invited"), became(links[2], store.Repeated, ""))
	late := invitationOf(programB, "late", 0, 1, noon.Truncate(day).Add(9*day-1000))
	wantInvited(t, invite(t, s, f, late), became(late, store.Stored, "answered"))
	counts[ofInvitation(late, "@skipped", "program/answered")]++
	for i, link := range []store.Invitation{links[0], links[3]} {
		wantResults(t, appendAll(t, s, answering(link, "aged", i, true)), store.Result{Outcome: store.Spent})
	}
	track(t, s, left)
	left.Position, left.Question = 2, "why"
	track(t, s, left)
	counts = sum(counts, unfinished(left), map[series]int64{ofVisit(agedVisit(), "@unfinished", "lanes"): -1})
	check(2)
	setStanding(t, s, programB, store.Selection{Failed: "time"}, store.StandingCounted, 1)
	all[0].Standing = store.StandingCounted
	check(2)
	forget(t, s, programB, noon.AddDate(9, 0, 0), noon.AddDate(9, 0, 0), noon.AddDate(9, 0, 0), 1+5)
	for i, r := range all[:2] {
		erase(t, s, programB, r.Receipt, true)
		all[i].Standing = store.StandingAnnulled // it is in no count
	}
	check(0)
}
