package resident

import (
	"context"
	"runtime/debug"
	"time"
)

// Keep gives memory back that only the start needed, at once, and until the context ends what only a burst of work needed, when
// it is over: the heap's free pages, and those of the program's file. An error is handed to fail.
func Keep(ctx context.Context, fail func(error)) {
	free := func() {
		if err := Release(); err != nil {
			fail(err)
		}
	}
	free()
	look := time.NewTicker(every)
	defer look.Stop()
	for r := newRest(); ; {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		used, err := cpu()
		if err != nil {
			fail(err)
			return
		}
		if !r.look(used) {
			continue
		}
		debug.FreeOSMemory()
		free()
		if used, err = cpu(); err == nil {
			r.done(used)
		}
	}
}
