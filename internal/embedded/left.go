package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// Holds says whether the SQLite store of a ResponseStore, on this process's volume, counts anything of a program: answers,
// invitations or visits that ended. It opens a store that is closed for as long as it takes.
func (e *Endpoint) Holds(ctx context.Context, key, program store.Key) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, store.ErrClosed
	}
	if s, open := e.stores[key.String()]; open {
		return holds(ctx, s.store, program)
	}
	path := e.storePath(key)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return false, fmt.Errorf("open store %s: %w", key, err)
	}
	found, err := holds(ctx, s, program)
	return found, errors.Join(err, s.Close())
}

// holds reads the counts until one is of the program. Visits that did not end so far are no answers.
func holds(ctx context.Context, feed store.Feed, program store.Key) (bool, error) {
	const page = 5000
	var since store.Cursor
	for {
		c, err := feed.Changes(ctx, since, page)
		if err != nil {
			return false, fmt.Errorf("look for what is left of %s: %w", program, err)
		}
		for i := range c.Counts {
			if c.Counts[i].Program == program && c.Counts[i].N > 0 && c.Counts[i].Question != store.QuestionUnfinished {
				return true, nil
			}
		}
		if !c.More || c.Next == since {
			return false, nil
		}
		since = c.Next
	}
}

// Leave ends the service of the only program of a SQLite store that nothing is left of, and closes the store, so that no answer
// can be acknowledged there any more. It says whether the store is empty of the program. Where it is not, an answer came
// meanwhile: the program must be served again, and the store be opened.
func (e *Endpoint) Leave(ctx context.Context, key, program store.Key) (bool, error) {
	if held, err := e.Holds(ctx, key, program); err != nil || held {
		return false, err
	}
	if err := e.Withdraw(program); err != nil {
		return false, err
	}
	if err := e.CloseStore(key); err != nil {
		return false, err
	}
	held, err := e.Holds(ctx, key, program)
	return err == nil && !held, err
}
