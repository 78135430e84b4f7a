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
	wantPicture(t, s, all)
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
	if diff := cmp.Diff(tally(all), p.counts); diff != "" {
		t.Errorf("what a reader knows after one more response differs (-want +got):\n%s", diff)
	}
	retire(t, s, programA, noon.Add(time.Hour), 1)
	wantRecount(t, s, programA, 2)
	wantPicture(t, s, all)
	for _, i := range []int{0, 1, 2} {
		erase(t, s, programA, all[i].Receipt, true)
	}
	wantRecount(t, s, programA, 1)
	wantPicture(t, s, []store.Response{all[0], all[2], all[3]})
	if _, err := s.FinishImport(context.Background(), programA); err != nil {
		t.Errorf("FinishImport: %v", err)
	}
}
