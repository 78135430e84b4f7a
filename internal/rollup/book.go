// Package rollup holds the hourly counts of all stores in memory, and follows the stores' feeds. A window over any number
// of answers costs the sum of the hours in it. Of what is counted beside the answers it holds the last KeptDays.
package rollup

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Book holds the counts of all stores. It is safe for concurrent use.
type Book struct {
	mu    sync.RWMutex
	feeds map[string]*feed
	// holders are the sources that know of a program, by name. Mostly there is one; a program that was deleted and made
	// anew with another store leaves its old counts in the old one.
	holders map[store.Key][]holder
}

// feed is what is known of one source.
type feed struct {
	current table
	// pending is a full read that has not reached its end; until then the current counts stand, since half the counts
	// of a restored backup would look like answers that were lost.
	pending table
	readAt  time.Time
}

// table is the programs of one source.
type table map[store.Key]*program

// holder is what one source knows of a program.
type holder struct {
	source  string
	program *program
}

// NewBook returns an empty Book.
func NewBook() *Book {
	return &Book{feeds: map[string]*feed{}, holders: map[store.Key][]holder{}}
}

// Apply adds a page of the feed of a source (the store's namespace/name) that was read at the instant at. It returns the
// places whose counts or imports changed, in order. Pages of one source must come in order. What a full read (Reset)
// brings shows only when it is complete, all at once.
func (b *Book) Apply(source string, c store.Changes, at time.Time) []Place {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.feeds[source]
	if !ok {
		f = &feed{}
		b.feeds[source] = f
	}
	if c.Reset || f.current == nil && f.pending == nil {
		f.pending = table{}
	}
	var changed places
	floor := floorAt(at)
	switch {
	case f.pending == nil:
		changed = f.current.apply(c, floor)
		for k := range changed {
			b.hold(source, k.Program, f.current[k.Program])
		}
	case c.More:
		f.pending.apply(c, floor)
	default:
		f.pending.apply(c, floor)
		changed = b.replace(source, f)
	}
	if !c.More {
		f.readAt = at
	}
	return changed.sorted()
}

// Forget drops all that is known of a source. Its Follower must have ended.
func (b *Book) Forget(source string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f, ok := b.feeds[source]; ok {
		f.pending = nil
		b.replace(source, f)
		delete(b.feeds, source)
	}
}

// replace makes the pending table the current one and returns the programs of both.
func (b *Book) replace(source string, f *feed) places {
	changed := places{}
	for k := range f.current {
		changed[Place{Program: k, All: true}] = true
		b.drop(source, k)
	}
	f.current, f.pending = f.pending, nil
	for k, p := range f.current {
		changed[Place{Program: k, All: true}] = true
		b.hold(source, k, p)
	}
	return changed
}

func findHolder(h holder, source string) int { return cmp.Compare(h.source, source) }

// hold notes that the source knows of the program.
func (b *Book) hold(source string, k store.Key, p *program) {
	i, ok := slices.BinarySearchFunc(b.holders[k], source, findHolder)
	if !ok {
		b.holders[k] = slices.Insert(b.holders[k], i, holder{source, p})
	}
}

// drop notes that the source no longer knows of the program.
func (b *Book) drop(source string, k store.Key) {
	i, ok := slices.BinarySearchFunc(b.holders[k], source, findHolder)
	if !ok {
		return
	}
	b.holders[k] = slices.Delete(b.holders[k], i, i+1)
	if len(b.holders[k]) == 0 {
		delete(b.holders, k)
	}
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Query asks for the answers to one question in a window.
type Query struct {
	// Source is the store, as given to Apply; empty for the sum of all stores that know of the program.
	Source  string
	Program store.Key
	// Touchpoint whose answers count; "" are those given without one.
	Touchpoint string
	// ProgramWide counts every touchpoint, also "".
	ProgramWide bool
	Question    string
	Revision    int32
	// From and To bound the window; To is exclusive.
	From, To store.Hour
}

// Window is what a Query finds.
type Window struct {
	// Values is how often each value was given. A question with several choices counts under "" how many answered.
	Values map[string]int64
	// Ever is the number of answers to that question and revision, whenever they were given. A store's pseudo-questions
	// have none that could be relied on.
	Ever int64
	// Earliest is the first hour in the window with an answer, if Any.
	Earliest store.Hour
	Any      bool
}

// Counts returns the values of a scale; values that are no integers are left out.
func (w Window) Counts() score.Counts {
	c := make(score.Counts, len(w.Values))
	for v, n := range w.Values {
		if i, err := strconv.Atoi(v); err == nil {
			c[i] += n
		}
	}
	return c
}

// Window counts the answers. It costs no more than the hours with answers in the window, over all touchpoints together
// where the query is program-wide, and never more with more answers.
func (b *Book) Window(q Query) Window {
	b.mu.RLock()
	defer b.mu.RUnlock()
	w := Window{Values: map[string]int64{}}
	for _, h := range b.holders[q.Program] {
		if q.Source == "" || q.Source == h.source {
			h.program.window(q, &w)
		}
	}
	return w
}

// LastImport returns the identity of the last finished import into the program, "" if none is known. Of several stores
// that know of the program, the first by name that has one counts.
func (b *Book) LastImport(p store.Key) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, h := range b.holders[p] {
		if h.program.lastImport != "" {
			return h.program.lastImport
		}
	}
	return ""
}

// ReadAt returns when the source was last read to the end of its feed; false before the first time.
func (b *Book) ReadAt(source string) (time.Time, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	f, ok := b.feeds[source]
	if !ok || f.current == nil {
		return time.Time{}, false
	}
	return f.readAt, true
}
