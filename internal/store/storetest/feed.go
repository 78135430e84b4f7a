package storetest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// picture is what a reader of the feed knows.
type picture struct {
	cursor  store.Cursor
	counts  map[series]int64
	imports map[store.Key]string
	// told has every import in the order in which the feed told it, with the counts that were known then.
	told []toldImport
}

type toldImport struct {
	id     string
	counts map[series]int64
}

func newPicture() *picture {
	return &picture{counts: map[series]int64{}, imports: map[store.Key]string{}}
}

// read reads one page.
func (p *picture) read(t TB, s store.Feed, limit int) store.Changes {
	t.Helper()
	page, err := s.Changes(context.Background(), p.cursor, limit)
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	if page.Reset {
		clear(p.counts)
		clear(p.imports)
	} else if page.Next.Epoch != p.cursor.Epoch || page.Next.Seq < p.cursor.Seq {
		t.Fatalf("cursor went from %v to %v without a reset", p.cursor, page.Next)
	}
	if page.More && page.Next == p.cursor {
		t.Fatalf("the page after %v leads nowhere", p.cursor)
	}
	for _, c := range page.Counts {
		p.counts[seriesOf(c)] = c.N
		if c.N == 0 {
			delete(p.counts, seriesOf(c))
		}
	}
	for program, id := range page.Imports {
		if p.imports[program] != id {
			p.told = append(p.told, toldImport{id, maps.Clone(p.counts)})
		}
		p.imports[program] = id
	}
	p.cursor = page.Next
	return page
}

// readAll reads pages until there is no more, and returns their number.
func (p *picture) readAll(t TB, s store.Feed, limit int) int {
	t.Helper()
	for n := 1; ; n++ {
		if !p.read(t, s, limit).More {
			return n
		}
	}
}

// wantPicture wants the feed to tell the counts of exactly these responses.
func wantPicture(t TB, s store.Store, responses []store.Response) {
	t.Helper()
	wantCounts(t, s, tally(responses))
}

// wantCounts wants the feed to tell exactly these counts.
func wantCounts(t TB, s store.Store, want map[series]int64) {
	t.Helper()
	p := newPicture()
	p.readAll(t, s, 100)
	if diff := cmp.Diff(want, p.counts); diff != "" {
		t.Errorf("counts of the feed differ (-want +got):\n%s", diff)
	}
}

// appendPatiently appends until the queue has room.
func appendPatiently(s store.Store, responses ...store.Response) ([]store.Result, error) {
	for {
		results, err := s.Append(context.Background(), responses)
		if !isBusy(err) {
			return results, err
		}
		<-time.After(time.Millisecond) // not a synchronisation: a client's pause
	}
}

func testFeedPages(t *testing.T, h Harness) {
	s := open(t, h)
	// 30 commits of 2 counts each, at least; each with an hour of its own.
	var all []store.Response
	for i := range 30 {
		r := respond(programA, "pages", i)
		r.SubmittedAt = noon.Add(time.Duration(i) * time.Hour)
		r.Answers = r.Answers[1:]
		r.Answers = append(r.Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{"x"}})
		all = append(all, r)
		appendAll(t, s, r)
	}
	for _, limit := range []int{1, 2, 3, 7, 58, 60, 61, 1000} {
		p := newPicture()
		pages := p.readAll(t, s, limit)
		if most := 60/limit + 1; pages > most {
			t.Errorf("limit %d: %d pages, want at most %d", limit, pages, most)
		}
		if limit < 60 && pages == 1 {
			t.Errorf("limit %d: everything came in one page", limit)
		}
		if diff := cmp.Diff(tally(all), p.counts); diff != "" {
			t.Errorf("limit %d: counts differ (-want +got):\n%s", limit, diff)
		}
	}
	// Only what changed is told again, and in full.
	p := newPicture()
	p.readAll(t, s, 1000)
	again := respond(programA, "pages again", 0)
	again.SubmittedAt = noon
	again.Answers = []store.Answer{{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{"y"}}}
	appendAll(t, s, again)
	page := p.read(t, s, 1000)
	want := []store.Count{{Program: programA, Touchpoint: "security", Unit: "gates-a", Question: "why", Revision: 1,
		Hour: store.HourOf(noon), N: 2}}
	if diff := cmp.Diff(want, page.Counts); diff != "" || page.Reset || page.More {
		t.Errorf("page after one change: %+v (-want +got):\n%s", page, diff)
	}
}

func testFeedCursors(t *testing.T, h Harness) {
	s := open(t, h)
	page := newPicture().read(t, s, 10)
	if !page.Reset || page.More || len(page.Counts) != 0 || page.Next.Epoch == "" {
		t.Errorf("first page of an empty store: %+v", page)
	}
	if page, err := s.Changes(context.Background(), page.Next, 10); err != nil || page.Reset {
		t.Errorf("second page of an empty store: %+v, %v", page, err)
	}
	appendAll(t, s, respondMany(programA, "cursors", 3)...)
	want := newPicture()
	want.readAll(t, s, 1000)
	for name, cursor := range map[string]store.Cursor{
		"zero":          {},
		"unknown epoch": {Epoch: "another store", Seq: want.cursor.Seq},
		"no epoch":      {Seq: want.cursor.Seq},
		"beyond":        {Epoch: want.cursor.Epoch, Seq: want.cursor.Seq + 1},
		"negative":      {Epoch: want.cursor.Epoch, Seq: -1},
	} {
		p := newPicture()
		p.cursor = cursor
		p.counts[series{Value: "to be forgotten"}] = 1
		if page := p.read(t, s, 1000); !page.Reset || page.Next != want.cursor {
			t.Errorf("%s cursor: reset %t, next %v, want %v", name, page.Reset, page.Next, want.cursor)
		}
		if diff := cmp.Diff(want.counts, p.counts); diff != "" {
			t.Errorf("%s cursor: counts differ (-want +got):\n%s", name, diff)
		}
	}
	idle := want.read(t, s, 1000)
	if idle.Reset || idle.More || len(idle.Counts) != 0 || len(idle.Imports) != 0 {
		t.Errorf("page of an idle store: %+v", idle)
	}
}

// testFeedConcurrent has a reader follow many writers in small pages: in the end it must know what is stored.
func testFeedConcurrent(t *testing.T, h Harness) {
	s := open(t, h)
	const writers, each = 8, 60
	var writing sync.WaitGroup
	var all []store.Response
	for w := range writers {
		program := []store.Key{programA, programB}[w%2]
		responses := respondMany(program, fmt.Sprint("writer ", w), each)
		all = append(all, responses...)
		writing.Go(func() {
			for i := 0; i < each; i += 1 + i%4 {
				if _, err := appendPatiently(s, responses[i:min(each, i+1+i%4)]...); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		writing.Wait()
	}()
	p := newPicture()
	for {
		over := isClosed(done)
		updated := s.Updated()
		p.readAll(t, s, 3)
		if over {
			break
		}
		select {
		case <-updated:
		case <-done:
		}
	}
	if diff := cmp.Diff(tally(all), p.counts); diff != "" {
		t.Errorf("the reader's counts differ from the answers (-want +got):\n%s", diff)
	}
	var kept []store.Response
	kept = append(kept, export(t, s, programA)...)
	kept = append(kept, export(t, s, programB)...)
	if diff := cmp.Diff(tally(kept), p.counts); diff != "" {
		t.Errorf("the reader's counts differ from the export (-want +got):\n%s", diff)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func testFeedUpdated(t *testing.T, h Harness) {
	s := open(t, h)
	for i := range 3 {
		updated := s.Updated()
		if isClosed(updated) {
			t.Fatal("Updated is closed before a commit")
		}
		if i < 2 {
			appendAll(t, s, respond(programA, "updated", i))
		} else if _, err := s.FinishImport(context.Background(), programA); err != nil {
			t.Fatalf("FinishImport: %v", err)
		}
		if !isClosed(updated) {
			t.Fatal("Updated is open after a commit that was acknowledged")
		}
	}
}
