package rollup

import (
	"context"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Follower keeps a Book up to date with one store.
type Follower struct {
	// Source under which the Book knows the store: its namespace/name.
	Source string
	Feed   store.Feed
	Book   *Book
	// Clock tells the time at which a read ended.
	Clock func() time.Time
	// Changed is called with the programs whose counts or imports changed, after each read that reached the end of the
	// feed. It must not block for long.
	Changed func([]store.Key)
	// Readable, if set, is called when the store could be read to its end for the first time or again (true) and when a
	// read failed after that or at first (false): only on a change. Programs without any answer hear of it only here.
	Readable func(bool)
	Log      logr.Logger
	// Tick is how often the store is read without an update, and retried after an error; 10 s if zero.
	Tick time.Duration
}

// Run follows the feed until the context ends, and then returns nil.
func (f *Follower) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
