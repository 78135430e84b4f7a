// Package rollup holds the hourly counts of all stores in memory, and follows the stores' feeds. A window over any number
// of answers costs the sum of the hours in it.
package rollup

import (
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Book holds the counts of all stores. It is safe for concurrent use.
type Book struct {
}

// NewBook returns an empty Book.
func NewBook() *Book { return &Book{} }

// Apply adds a page of a store's feed, read at the instant at.
func (b *Book) Apply(source string, c store.Changes, at time.Time) []store.Key { return nil }

// Forget drops all that is known of a source.
func (b *Book) Forget(source string) {}

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
	// Values is how often each value was given.
	Values map[string]int64
	// Ever is the number of answers to that question and revision, whenever they were given.
	Ever int64
	// Earliest is the first hour in the window with an answer, if Any.
	Earliest store.Hour
	Any      bool
}

// Window counts.
func (b *Book) Window(q Query) Window { return Window{} }

// LastImport returns the identity of the last finished import of the program, "" if there was none.
func (b *Book) LastImport(p store.Key) string { return "" }

// ReadAt returns when the source was last read to its end; false before the first time.
func (b *Book) ReadAt(source string) (time.Time, bool) { return time.Time{}, false }
