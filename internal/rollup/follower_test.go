package rollup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

// memoryFeed is a store's feed in memory: every commit is one page.
type memoryFeed struct {
	mu      sync.Mutex
	epoch   string
	commits []store.Changes
	updated chan struct{}
	fail    error
	hang    bool
	stuck   bool
	reads   int
}

func newFeed() *memoryFeed { return &memoryFeed{epoch: "one", updated: make(chan struct{})} }

func (f *memoryFeed) Updated() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.updated
}

// commit adds counts and an import, if named.
func (f *memoryFeed) commit(imported string, counts ...store.Count) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := store.Changes{Counts: counts}
	if imported != "" {
		c.Imports = map[store.Key]string{alpha: imported}
	}
	f.commits = append(f.commits, c)
	close(f.updated)
	f.updated = make(chan struct{})
}

// set changes how the feed behaves.
func (f *memoryFeed) set(change func(*memoryFeed)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *memoryFeed) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return store.Changes{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.fail != nil {
		return store.Changes{}, f.fail
	}
	if limit < 1 {
		return store.Changes{}, fmt.Errorf("limit %d", limit)
	}
	c := store.Changes{Next: store.Cursor{Epoch: f.epoch, Seq: since.Seq}}
	if since.Epoch != f.epoch {
		c.Reset, c.Next.Seq = true, 0
	}
	if f.stuck {
		c.More, c.Next = true, since
		return c, nil
	}
	if c.Next.Seq < int64(len(f.commits)) {
		commit := f.commits[c.Next.Seq]
		c.Counts, c.Imports = commit.Counts, commit.Imports
		c.Next.Seq++
		c.More = c.Next.Seq < int64(len(f.commits))
	}
	return c, nil
}

// following is a Follower that runs in a bubble of synctest, and what it told.
type following struct {
	t    *testing.T
	feed *memoryFeed
	book *Book
	stop func()

	mu   sync.Mutex
	told []string
}

// follow runs a Follower; time in a bubble passes when everything waits.
func follow(t *testing.T, feed *memoryFeed) *following {
	f := &following{t: t, feed: feed, book: NewBook()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	run := &Follower{
		Source: "ns/store", Feed: feed, Book: f.book, Clock: time.Now,
		Changed:  func(all []Place) { f.tell("changed %v", Programs(all)) },
		Readable: func(ok bool) { f.tell("readable %v", ok) },
		Log: funcr.New(func(_, args string) {
			if strings.Contains(args, "error") {
				f.tell("logged an error")
			}
		}, funcr.Options{}),
	}
	go func() { done <- run.Run(ctx) }()
	f.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	}
	return f
}

func (f *following) tell(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// after lets time pass and returns what was told since the last call.
func (f *following) after(d time.Duration) []string {
	<-time.After(d)
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

func (f *following) want(d time.Duration, want ...string) {
	f.t.Helper()
	if got := f.after(d); !slices.Equal(got, want) {
		f.t.Fatalf("told %q, want %q", got, want)
	}
}

func (f *following) readsWithin(d time.Duration) int {
	var before, after int
	f.feed.set(func(m *memoryFeed) { before = m.reads })
	f.after(d)
	f.feed.set(func(m *memoryFeed) { after = m.reads })
	return after - before
}

func TestFollowerReadsAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		feed.commit("", of("food", "", 1, "5", 1))
		feed.commit("first", of("food", "", 1, "5", 2))
		f := follow(t, feed)
		defer f.stop()
		f.want(time.Millisecond, "readable true", "changed [ns/alpha]")
		wantWindow(t, f.book, ask("food", 0, 9), Window{Values: map[string]int64{"5": 2}, Ever: 2, Earliest: 1, Any: true})
		if f.book.LastImport(alpha) != "first" {
			t.Error("the import is not known")
		}
		f.want(time.Second)
		feed.commit("", of("food", "", 1, "5", 3))
		f.want(time.Millisecond, "changed [ns/alpha]")
		wantWindow(t, f.book, ask("food", 0, 9), Window{Values: map[string]int64{"5": 3}, Ever: 3, Earliest: 1, Any: true})
		feed.commit("", of("food", "", 1, "5", 3)) // nothing new
		f.want(time.Second)
	})
}

// Without a commit the store is read once a tick, which confirms that it can be.
func TestFollowerTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, newFeed())
		defer f.stop()
		f.want(time.Millisecond, "readable true")
		if n := f.readsWithin(time.Minute); n != 6 {
			t.Errorf("%d reads in a minute of silence, want 6", n)
		}
		if at, ok := f.book.ReadAt("ns/store"); !ok || time.Since(at) > 10*time.Second {
			t.Errorf("read at %s, %v", at, ok)
		}
	})
}

// A burst of commits is few reads.
func TestFollowerCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		f := follow(t, feed)
		defer f.stop()
		f.after(time.Second)
		for n := range int64(1000) {
			feed.commit("", of("food", "", 1, "5", n+1))
			<-time.After(time.Millisecond)
		}
		changed := len(f.after(time.Second))
		if changed < 4 || changed > 7 {
			t.Errorf("%d reports for a second of commits, want about 5", changed)
		}
		if got := f.book.Window(ask("food", 0, 9)).Values["5"]; got != 1000 {
			t.Errorf("%d answers, want 1000", got)
		}
	})
}

// A store that cannot be read is told once, tried each tick from where it stood, and told again when it can.
func TestFollowerErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		feed.commit("", of("food", "", 1, "5", 1))
		feed.fail = errors.New("disk is away")
		f := follow(t, feed)
		defer f.stop()
		f.want(time.Millisecond, "logged an error", "readable false")
		feed.commit("", of("food", "", 1, "5", 2)) // an update does not hurry a store that fails
		if n := f.readsWithin(59 * time.Second); n != 5 {
			t.Errorf("%d reads in a minute of errors, want 5", n)
		}
		f.want(time.Second)
		feed.set(func(m *memoryFeed) { m.fail = nil })
		f.want(10*time.Second, "readable true", "changed [ns/alpha]")
		at, _ := f.book.ReadAt("ns/store")

		feed.set(func(m *memoryFeed) { m.fail = errors.New("disk is away again") })
		f.want(time.Minute, "logged an error", "readable false")
		if again, ok := f.book.ReadAt("ns/store"); !ok || !again.Equal(at) && again.Sub(at) > 11*time.Second {
			t.Errorf("read at %s, %v although reads failed since %s", again, ok, at)
		}
		if got := f.book.Window(ask("food", 0, 9)).Values["5"]; got != 2 {
			t.Errorf("%d answers, want the 2 that were known", got)
		}
	})
}

// What changed before an error in the middle of a backlog is reported when the rest was read.
func TestFollowerErrorBetweenPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		f := follow(t, feed)
		defer f.stop()
		f.want(time.Second, "readable true")
		feed.set(func(m *memoryFeed) { m.fail = errors.New("busy") })
		f.want(20*time.Second, "logged an error", "readable false")
		foreign := of("food", "", 1, "5", 1)
		foreign.Program = beta
		feed.commit("", of("food", "", 1, "5", 1))
		feed.commit("", foreign)
		feed.set(func(m *memoryFeed) { m.fail = nil })
		f.want(10*time.Second, "readable true", "changed [ns/alpha ns/beta]")
	})
}

// A store that hangs counts as one that cannot be read.
func TestFollowerHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		feed.hang = true
		f := follow(t, feed)
		f.want(29 * time.Second)
		f.want(2*time.Second, "logged an error", "readable false")
		f.after(15 * time.Second) // in the middle of the next read
		f.stop()
		f.want(time.Minute)
	})
}

// A feed that never moves on must not be read in a loop.
func TestFollowerStuckFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		f := follow(t, feed)
		defer f.stop()
		f.want(time.Second, "readable true")
		feed.set(func(m *memoryFeed) { m.stuck = true })
		f.want(20*time.Second, "logged an error", "readable false")
	})
}

// Another epoch: the store was restored from a backup, and all is read anew.
func TestFollowerEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		feed.commit("", of("food", "", 1, "5", 9), of("food", "", 2, "5", 1))
		f := follow(t, feed)
		defer f.stop()
		f.after(time.Second)
		feed.set(func(m *memoryFeed) {
			m.epoch = "two"
			m.commits = []store.Changes{{Counts: []store.Count{of("food", "", 1, "5", 7)}}}
		})
		f.want(20*time.Second, "changed [ns/alpha]")
		wantWindow(t, f.book, ask("food", 0, 9), Window{Values: map[string]int64{"5": 7}, Ever: 7, Earliest: 1, Any: true})
	})
}

// The context ends a Follower wherever it waits, and nothing of it goes on: synctest fails on a goroutine that is left.
func TestFollowerStops(t *testing.T) {
	for _, at := range []time.Duration{0, time.Millisecond, 199 * time.Millisecond, time.Second, 10*time.Second + time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := follow(t, newFeed())
			<-time.After(at)
			f.stop()
			if n := f.readsWithin(time.Minute); n != 0 {
				t.Errorf("%d reads after the end", n)
			}
		})
	}
}

// A context that ends during a read is an end, not an error of the store.
func TestFollowerStopsSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed()
		feed.hang = true
		f := follow(t, feed)
		<-time.After(time.Second)
		f.stop()
		if diff := cmp.Diff([]string(nil), f.after(time.Second)); diff != "" {
			t.Error(diff)
		}
	})
}
