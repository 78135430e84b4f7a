package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// await asks again and again until nothing is pending. It ends with an error that names what is still pending when the
// limit has passed, and at once when check fails or the context ends.
func (c *console) await(ctx context.Context, limit time.Duration, check func(context.Context) (pending []string, err error)) error {
	const every = 200 * time.Millisecond
	defer c.clear()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last []string
	for {
		pending, err := check(limited)
		switch {
		case err != nil && limited.Err() == nil:
			return err
		case err == nil && len(pending) == 0:
			return nil
		case err == nil:
			last = pending
			c.waiting(list(pending))
		}
		select {
		case <-ticker.C:
		case <-limited.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("after %s still waiting for %s: %w", limit, list(last), errTooLate)
		}
	}
}

// errTooLate says that a limit of time has passed.
var errTooLate = errors.New("not in time")
