package transfer

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/cx-operator/cx-operator/internal/convert/remote"
)

const (
	maxTries     = 6
	firstWait    = time.Second
	longestPause = time.Minute
)

// persist makes a call of an endpoint, which must be safe to repeat, until it succeeds, fails for good, or has failed too
// often. It says on errOut that it waits.
func persist(ctx context.Context, errOut io.Writer, call func() error) error {
	for try, wait := 1, firstWait; ; try, wait = try+1, 2*wait {
		err := call()
		if err == nil {
			return nil
		}
		atLeast, again := remote.Temporary(err)
		if !again || try == maxTries {
			return err
		}
		wait = min(max(wait, atLeast), longestPause)
		fmt.Fprintf(errOut, "%v\nTrying again in %s.\n", err, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
