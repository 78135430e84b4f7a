package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// visit returns a visit that goes on to the response of the same arguments, and has come to a question.
func visit(program store.Key, series string, n, position int) store.Visit {
	return store.Visit{
		Program: program, ID: ID(series, n), Touchpoint: "security", Unit: "gates-a", StartedAt: noon.Add(time.Duration(n)*time.Minute - 90*time.Second),
		Question: fmt.Sprint("question-", position), Position: position,
	}
}

// visited returns the response that a visit ends with.
func visited(program store.Key, series string, n int) store.Response {
	r := respond(program, series, n)
	r.StartedAt = visit(program, series, n, 0).StartedAt
	return r
}

func track(t TB, s store.Store, visits ...store.Visit) {
	t.Helper()
	if err := trackPatiently(s, visits...); err != nil {
		t.Fatalf("Track: %v", err)
	}
}

// trackPatiently tracks until the queue has room.
func trackPatiently(s store.Store, visits ...store.Visit) error {
	for {
		err := s.Track(context.Background(), visits)
		if !isBusy(err) {
			return err
		}
		<-time.After(time.Millisecond) // not a synchronisation: a client's pause
	}
}

// unfinished counts visits where they are.
func unfinished(visits ...store.Visit) map[series]int64 {
	out := map[series]int64{}
	for _, v := range visits {
		out[ofVisit(v, "@unfinished", v.Question)]++
	}
	return out
}

func testTrack(t *testing.T, h Harness) {
	s := open(t, h)
	p := newPicture()
	p.readAll(t, s, 100)
	wantAll := func(visits ...store.Visit) {
		t.Helper()
		wantCounts(t, s, unfinished(visits...))
		if p.readAll(t, s, 1); !cmp.Equal(unfinished(visits...), p.counts) {
			t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(unfinished(visits...), p.counts))
		}
		wantRecount(t, s, programA, 0)
	}
	at := func(n, position int) store.Visit { return visit(programA, "track", n, position) }
	updated := s.Updated()
	track(t, s, at(0, 2))
	if !isClosed(updated) {
		t.Error("Updated is open after a visit")
	}
	wantAll(at(0, 2))
	// The same again, and what is behind, change nothing.
	track(t, s, at(0, 2), at(0, 1), at(0, 0))
	track(t, s, at(0, 1))
	same := at(0, 2)
	same.Question = "another one at this place"
	track(t, s, same)
	wantAll(at(0, 2))
	if page := p.read(t, s, 10); len(page.Counts) != 0 {
		t.Errorf("the feed tells %v of visits that did not move", page.Counts)
	}
	// Several in one call, one of them more than once, in whatever order.
	track(t, s, at(1, 0), at(0, 3), at(1, 4), at(1, 2), at(2, 0))
	wantAll(at(0, 3), at(1, 4), at(2, 0))
	// A visit stays where and when it began.
	moved := at(2, 5)
	moved.Touchpoint, moved.Unit, moved.StartedAt = "elsewhere", "", noon.AddDate(0, 0, 1)
	track(t, s, moved)
	wantAll(at(0, 3), at(1, 4), at(2, 5))
	// The same identity in another program is another visit. Nothing need be answered, and names may be what they like.
	other := visit(programB, "track", 1, 0)
	other.Question, other.Touchpoint, other.Unit = "", "", ""
	track(t, s, other)
	wantCounts(t, s, unfinished(at(0, 3), at(1, 4), at(2, 5), other))
	if err := s.Track(context.Background(), nil); err != nil {
		t.Errorf("Track of nothing: %v", err)
	}
	closeStore(t, s)
	s = open(t, h)
	track(t, s, at(0, 3), at(1, 9), other)
	wantCounts(t, s, unfinished(at(0, 3), at(1, 9), at(2, 5), other))
	wantRecount(t, s, programA, 0)
	wantRecount(t, s, programB, 0)
}

func testTrackErrors(t *testing.T, h Harness) {
	s := open(t, h)
	release := h.Hold(t)
	var group sync.WaitGroup
	var good []store.Visit
	for name, spoil := range map[string]func(*store.Visit){
		"id":         func(v *store.Visit) { v.ID = "me" },
		"question":   func(v *store.Visit) { v.Question = "\xff" },
		"touchpoint": func(v *store.Visit) { v.Touchpoint = "\xff" },
		"position":   func(v *store.Visit) { v.Position = -1 },
	} {
		v := visit(programA, "good", len(good), 1)
		good = append(good, v)
		group.Go(func() {
			wrong := visit(programA, "bad "+name, 1, 1)
			spoil(&wrong)
			if err := trackPatiently(s, wrong); err == nil {
				t.Errorf("a bad %s was tracked", name)
			}
		})
		group.Go(func() {
			if err := trackPatiently(s, v); err != nil {
				t.Errorf("a good visit suffered: %v", err)
			}
		})
	}
	release()
	group.Wait()
	wantCounts(t, s, unfinished(good...))
	wantRecount(t, s, programA, 0)
}

// testVisitCompletes ends visits with responses, in every way.
func testVisitCompletes(t *testing.T, h Harness) {
	s := open(t, h)
	at := func(n, position int) store.Visit { return visit(programA, "done", n, position) }
	track(t, s, at(0, 1), at(1, 7), at(2, 1), at(3, 4))
	// One that was tracked, one that was not, one that does not say when it began, and one that took too long to tell.
	tracked, untracked := visited(programA, "done", 0), visited(programA, "done", 10)
	unknown, long := respond(programA, "done", 1), visited(programA, "done", 2)
	long.SubmittedAt = long.SubmittedAt.Add(day)
	p := newPicture()
	p.readAll(t, s, 100)
	all := []store.Response{tracked, untracked, unknown, long}
	for i, result := range appendAll(t, s, all...) {
		if result != stored(all[i]) {
			t.Errorf("response %d: %v", i, result)
		}
	}
	want := sum(tally(all), unfinished(at(1, 7), at(3, 4)))
	check := func() {
		t.Helper()
		wantCounts(t, s, want)
		if p.readAll(t, s, 2); !cmp.Equal(want, p.counts) {
			t.Errorf("counts of a follower differ (-want +got):\n%s", cmp.Diff(want, p.counts))
		}
		wantRecount(t, s, programA, len(all))
	}
	check()
	if n := want[ofVisit(at(0, 0), "@seconds", "95")]; n != 0 {
		t.Errorf("90 s are counted under 95 s: %d", n)
	}
	if n := want[ofVisit(at(0, 0), "@seconds", "90")]; n != 1 {
		t.Errorf("90 s are counted %d times in that hour, want once", n)
	}
	// Late beacons, repeats and conflicts change nothing, nor do those of a visit that its response left unfinished.
	late := tracked
	late.StartedAt = noon.AddDate(0, 0, -1)
	for range 2 {
		track(t, s, at(0, 9), at(10, 9), at(1, 9), at(2, 9))
		wantResults(t, appendAll(t, s, late, otherBody(tracked), unknown), repeated(tracked), store.Result{Outcome: store.Conflict}, repeated(unknown))
		check()
	}
	if diff := cmp.Diff(exported(all), export(t, s, programA)); diff != "" {
		t.Errorf("export differs (-want +got):\n%s", diff)
	}
	// Nor do they when the response is gone, and its visit stays counted.
	erase(t, s, programA, tracked.Receipt, true)
	setStanding(t, s, programA, store.Selection{IDs: []string{untracked.ID}}, store.StandingAnnulled, 1)
	retire(t, s, programA, noon.Add(time.Hour), 2)
	tracked.Standing, untracked.Standing = store.StandingAnnulled, store.StandingAnnulled
	want = sum(tally([]store.Response{tracked, untracked, unknown, long}), unfinished(at(1, 7), at(3, 4)))
	all = all[:1]
	check()
	track(t, s, at(0, 9), at(10, 9), at(1, 9), at(2, 9))
	check()
	// A suspect one ends its visit if it says so, and one that was annulled before it came.
	suspect, annulled := visited(programA, "done", 3), visited(programA, "done", 4)
	suspect.Standing, suspect.Failed, annulled.Standing = store.StandingSuspect, []string{"time"}, store.StandingAnnulled
	appendAll(t, s, suspect, annulled)
	want = sum(tally([]store.Response{tracked, untracked, unknown, long, suspect, annulled}), unfinished(at(1, 7)))
	all = []store.Response{long, suspect, annulled}
	check()
}

// testVisitsUnderLoad has many visitors go on at once, each told of by several callers out of order, and most finish.
func testVisitsUnderLoad(t *testing.T, h Harness) { raceVisits(t, open(t, h)) }

func raceVisits(t *testing.T, stores ...store.Store) {
	const visitors, questions = 120, 5
	var group sync.WaitGroup
	var finished []store.Response
	var left []store.Visit
	for n := range visitors {
		r := visited(programA, "load", n)
		if n%4 != 0 {
			finished = append(finished, r)
		} else {
			left = append(left, visit(programA, "load", n, questions-1))
		}
		for w := range questions {
			group.Go(func() {
				s := stores[(n+w)%len(stores)]
				for q := range questions {
					if err := trackPatiently(s, visit(programA, "load", n, (q+w)%questions)); err != nil {
						t.Errorf("Track: %v", err)
						return
					}
					if q != w || n%4 == 0 {
						continue
					}
					if _, err := appendPatiently(s, r); err != nil {
						t.Errorf("Append: %v", err)
						return
					}
				}
			})
		}
	}
	group.Wait()
	for _, s := range stores {
		wantCounts(t, s, sum(tally(finished), unfinished(left...)))
		wantRecount(t, s, programA, len(finished))
	}
}
