package resident

import (
	"context"
	"runtime/debug"
	"time"
)

// Keep gives memory back that only the start needed, at once, and until the context ends what only a burst of work needed, when
// it is over: the heap's free pages, and those of the program's file. The latter it gives back every minute as well, since work that
// has no end comes to touch ever more of them. An error is handed to fail.
func Keep(ctx context.Context, fail func(error)) {
	free := func() {
		if err := Release(); err != nil {
			fail(err)
		}
	}
	free()
	look := time.NewTicker(every)
	defer look.Stop()
	r := newRest()
	for n := 1; ; n++ {
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
		rests := r.look(used)
		if rests {
			debug.FreeOSMemory()
		}
		if rests || n%restLooks == 0 {
			free()
		}
		if !rests {
			continue
		}
		if used, err = cpu(); err == nil {
			r.done(used)
		}
	}
}
