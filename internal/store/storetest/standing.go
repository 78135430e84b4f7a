package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// judged returns responses of every standing, in turn, with the checks that they passed and failed.
func judged(program store.Key, series string, n int) []store.Response {
	out := respondMany(program, series, n)
	for i := range out {
		switch i % 4 {
		case 1:
			out[i].Standing, out[i].Passed = store.StandingCounted, []string{"honeypot", "page"}
		case 2:
			out[i].Standing, out[i].Passed, out[i].Failed = store.StandingSuspect, []string{"page"}, []string{"honeypot", "time"}
		case 3:
			out[i].Standing, out[i].Failed = store.StandingAnnulled, []string{"time"}
		}
	}
	return out
}

// setStanding wants n responses to change, in a dry run first, and none when it is done again.
func setStanding(t TB, s store.Store, program store.Key, sel store.Selection, to store.Standing, n int) {
	t.Helper()
	for _, c := range []struct {
		dry  bool
		want int
	}{{true, n}, {true, n}, {false, n}, {true, 0}, {false, 0}} {
		got, err := s.SetStanding(context.Background(), program, sel, to, c.dry)
		if err != nil || got != int64(c.want) {
			t.Errorf("SetStanding to %s of %+v, dry run %t: %d, %v; want %d", to, sel, c.dry, got, err, c.want)
			return
		}
	}
}

func testStandings(t *testing.T, h Harness) {
	s := open(t, h)
	all := judged(programA, "standings", 40)
	// One that is suspect and yet failed nothing, as an import may say, and one that was reinstated.
	all[2].Failed = nil
	all[6].Standing = store.StandingCounted
	for i, result := range appendAll(t, s, append(all, all[2], otherBody(all[2]))...) {
		want := store.Stored
		switch i {
		case len(all):
			want = store.Repeated
		case len(all) + 1:
			want = store.Conflict
		}
		if result.Outcome != want {
			t.Errorf("response %d: %v, want %v", i, result.Outcome, want)
		}
	}
	wantPicture(t, s, all)
	wantRecount(t, s, programA, len(all))
	if diff := cmp.Diff(exported(all), export(t, s, programA)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	for name, spoil := range map[string]func(*store.Response){
		"standing":     func(r *store.Response) { r.Standing = "splendid" },
		"check":        func(r *store.Response) { r.Failed = []string{"A B"} },
		"order":        func(r *store.Response) { r.Failed = []string{"time", "page"} },
		"repeat":       func(r *store.Response) { r.Passed = []string{"page", "page"} },
		"many":         func(r *store.Response) { r.Passed = strings.Split("a b c d e f g h i", " ") },
		"long":         func(r *store.Response) { r.Passed = []string{strings.Repeat("a", 17)} },
		"invitation":   func(r *store.Response) { r.Invitation = "me" },
		"no such UUID": func(r *store.Response) { r.Invitation = "00000000-0000-0000-0000-000000000000" },
	} {
		r := respond(programA, "spoilt", 0)
		spoil(&r)
		if results, err := s.Append(context.Background(), []store.Response{r}); err == nil {
			t.Errorf("a response with a bad %s was stored: %v", name, results)
		}
	}
	wantRecount(t, s, programA, len(all))
}

func testSetStanding(t *testing.T, h Harness) {
	gate, none := "gate", ""
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	for name, c := range map[string]struct {
		sel store.Selection
		// meets says which responses meet the conditions, but for that of their standing.
		meets func(i int, r store.Response) bool
	}{
		"all":        {store.Selection{}, func(int, store.Response) bool { return true }},
		"ids":        {store.Selection{IDs: []string{ID("ids", 4), ID("ids", 9), ID("ids", 9), ID("none", 1)}}, func(i int, _ store.Response) bool { return i == 4 || i == 9 }},
		"from":       {store.Selection{From: at(20)}, func(i int, _ store.Response) bool { return i >= 20 }},
		"just after": {store.Selection{From: at(20).Add(1)}, func(i int, _ store.Response) bool { return i > 20 }},
		"to":         {store.Selection{To: at(20)}, func(i int, _ store.Response) bool { return i < 20 }},
		"just to":    {store.Selection{To: at(20).Add(1)}, func(i int, _ store.Response) bool { return i <= 20 }},
		"touchpoint": {store.Selection{Touchpoint: &gate}, func(_ int, r store.Response) bool { return r.Touchpoint == "gate" }},
		"no unit":    {store.Selection{Unit: &none}, func(_ int, r store.Response) bool { return r.Unit == "" }},
		"failed":     {store.Selection{Failed: "time"}, func(i int, _ store.Response) bool { return i%4 > 1 }},
		"failed one": {store.Selection{Failed: "honeypot"}, func(i int, _ store.Response) bool { return i%4 == 2 }},
		"part of it": {store.Selection{Failed: "honey"}, func(int, store.Response) bool { return false }},
		"suspect":    {store.Selection{Standing: store.StandingSuspect}, func(int, store.Response) bool { return true }},
		"each condition": {store.Selection{IDs: []string{ID("each condition", 14), ID("each condition", 18), ID("each condition", 26)}, From: at(10), To: at(20),
			Touchpoint: &none, Unit: &none, Failed: "time", Standing: store.StandingSuspect}, func(i int, _ store.Response) bool { return i == 14 }},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, h)
			// The tests share a store: each has a program, and so has what must not change.
			program, bystander := store.Key{Namespace: "chosen", Name: name}, store.Key{Namespace: "not chosen", Name: name}
			all, bystanders := judged(program, name, 40), judged(bystander, name, 40)
			for i := range all {
				all[i].Touchpoint, all[i].Unit = []string{"gate", "", ""}[i%3], []string{"a", ""}[(i+1)%2]
			}
			appendAll(t, s, append(bystanders, all...)...)
			p := newPicture()
			p.readAll(t, s, 1000)
			back := c.sel
			if back.Standing != "" {
				back.Standing = store.StandingAnnulled
			}
			standingMoves(t, s, p, all, c.sel, c.meets, store.StandingAnnulled)
			standingMoves(t, s, p, all, back, c.meets, store.StandingCounted)
			if diff := cmp.Diff(tally(bystanders), ofProgram(p.counts, bystander)); diff != "" {
				t.Errorf("another program changed (-want +got):\n%s", diff)
			}
			wantRecount(t, s, bystander, len(bystanders))
		})
	}
}

// standingMoves gives those of all responses of a program another standing that meet a selection, and has a follower of
// the feed learn of it.
func standingMoves(t *testing.T, s store.Store, p *picture, all []store.Response, sel store.Selection,
	meets func(int, store.Response) bool, to store.Standing) {
	t.Helper()
	program := all[0].Program
	before := tally(all)
	n := 0
	for i := range all {
		is := exported(all[i : i+1])[0].Standing
		if meets(i, all[i]) && is != to && (sel.Standing == "" || sel.Standing == is) {
			all[i].Standing = to
			n++
		}
	}
	setStanding(t, s, program, sel, to, n)
	for _, c := range p.read(t, s, 10_000).Counts {
		if before[seriesOf(c)] == c.N {
			t.Errorf("the feed tells %+v, which did not change", c)
		}
	}
	if diff := cmp.Diff(tally(all), ofProgram(p.counts, program)); diff != "" {
		t.Errorf("counts of a follower after %s differ (-want +got):\n%s", to, diff)
	}
	if diff := cmp.Diff(exported(all), export(t, s, program)); diff != "" {
		t.Errorf("export after %s differs (-want +got):\n%s", to, diff)
	}
	wantRecount(t, s, program, len(all))
}

// testSetStandingMany changes more than any one transaction should, back and forth.
func testSetStandingMany(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 1100
	all := respondMany(programA, "many", n)
	ids := make([]string, n)
	for i := range all {
		all[i].SubmittedAt = noon.Add(time.Duration(i%7) * time.Hour)
		ids[i] = all[i].ID
	}
	appendAll(t, s, all...)
	p := newPicture()
	p.readAll(t, s, 1000)
	for _, sel := range []store.Selection{{}, {IDs: ids}, {From: noon}} {
		setStanding(t, s, programA, sel, store.StandingAnnulled, n)
		wantCounts(t, s, map[series]int64{})
		if p.readAll(t, s, 5); len(p.counts) != 0 {
			t.Errorf("a follower still knows %d counts", len(p.counts))
		}
		wantRecount(t, s, programA, n)
		setStanding(t, s, programA, sel, store.StandingCounted, n)
		wantPicture(t, s, all)
	}
	wantRecount(t, s, programA, n)
}

func testSetStandingErrors(t *testing.T, h Harness) {
	s := open(t, h)
	appendAll(t, s, judged(programA, "errors", 8)...)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx context.Context
		sel store.Selection
		to  store.Standing
	}{
		"to suspect": {context.Background(), store.Selection{}, store.StandingSuspect},
		"to nothing": {context.Background(), store.Selection{}, ""},
		"many ids":   {context.Background(), store.Selection{IDs: make([]string, 10_001)}, store.StandingAnnulled},
		"a bad id":   {context.Background(), store.Selection{IDs: []string{ID("errors", 0), "me"}}, store.StandingAnnulled},
		"cancelled":  {ended, store.Selection{}, store.StandingAnnulled},
	} {
		for _, dry := range []bool{true, false} {
			if n, err := s.SetStanding(c.ctx, programA, c.sel, c.to, dry); err == nil || n != 0 {
				t.Errorf("%s, dry run %t: %d, %v", name, dry, n, err)
			}
		}
	}
	setStanding(t, s, store.Key{Namespace: "no", Name: "such"}, store.Selection{}, store.StandingAnnulled, 0)
	wantPicture(t, s, judged(programA, "errors", 8))
}

// testStandingRetire retires responses of every standing: what was counted stays counted, what was suspect does not.
func testStandingRetire(t *testing.T, h Harness) {
	s := open(t, h)
	const n = 800
	all := judged(programA, "standing", n)
	appendAll(t, s, all...)
	p := newPicture()
	p.readAll(t, s, 1000)
	setStanding(t, s, programA, store.Selection{IDs: []string{all[0].ID}}, store.StandingAnnulled, 1)
	setStanding(t, s, programA, store.Selection{IDs: []string{all[2].ID, all[3].ID}}, store.StandingCounted, 2)
	all[0].Standing, all[2].Standing, all[3].Standing = store.StandingAnnulled, store.StandingCounted, store.StandingCounted
	retire(t, s, programA, all[n/2].SubmittedAt, n/2)
	suspectsAside(all[:n/2])
	wantPicture(t, s, all)
	if p.readAll(t, s, 7); !cmp.Equal(tally(all), p.counts) {
		t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(tally(all), p.counts))
	}
	wantRecount(t, s, programA, n/2)
	// What is retired has no standing any more.
	setStanding(t, s, programA, store.Selection{To: all[n/2].SubmittedAt}, store.StandingAnnulled, 0)
	for _, i := range []int{0, 1, 2, 3, 6} {
		wantResults(t, appendAll(t, s, all[i], otherBody(all[i])),
			store.Result{Outcome: store.Repeated, Receipt: all[i].Receipt}, store.Result{Outcome: store.Conflict})
		erase(t, s, programA, all[i].Receipt, true)
	}
	wantPicture(t, s, all)
	wantRecount(t, s, programA, n/2)
}

func testStandingErase(t *testing.T, h Harness) {
	s := open(t, h)
	all := judged(programA, "erase", 12)
	appendAll(t, s, all...)
	p := newPicture()
	p.readAll(t, s, 1000)
	setStanding(t, s, programA, store.Selection{IDs: []string{all[6].ID}}, store.StandingCounted, 1)
	setStanding(t, s, programA, store.Selection{IDs: []string{all[5].ID}}, store.StandingAnnulled, 1)
	all[6].Standing, all[5].Standing = store.StandingCounted, store.StandingAnnulled
	for range 8 {
		erase(t, s, programA, all[0].Receipt, true)
		all = all[1:]
		wantPicture(t, s, all)
		wantRecount(t, s, programA, len(all))
	}
	if p.readAll(t, s, 3); !cmp.Equal(tally(all), p.counts) {
		t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(tally(all), p.counts))
	}
}

// testRetiredIdentities wants nothing to be kept of what is retired or erased from which its answers could be guessed: the
// digest of a short answer gives it away to who tries all that could have been answered, if the identity is known.
func testRetiredIdentities(t *testing.T, h Harness) {
	s := open(t, h)
	all := judged(programA, "identities", 12)
	appendAll(t, s, all...)
	retire(t, s, programA, all[8].SubmittedAt, 8)
	erase(t, s, programA, all[9].Receipt, true)
	check := func(s store.Store) {
		t.Helper()
		for i, r := range all {
			if want := i == 8 || i > 9; h.Keeps(t, r) != want {
				t.Errorf("response %d: its identity or digest is in clear: %t, want %t", i, !want, want)
			}
			wantResults(t, appendAll(t, s, r, otherBody(r)),
				store.Result{Outcome: store.Repeated, Receipt: r.Receipt}, store.Result{Outcome: store.Conflict})
		}
		wantRecount(t, s, programA, 3)
	}
	check(s)
	erase(t, s, programA, all[3].Receipt, true)
	erase(t, s, programA, all[3].Receipt, true)
	closeStore(t, s)
	check(open(t, h))
}
