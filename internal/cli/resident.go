package cli

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/resident"
)

// managerGC is how many percent the manager's heap may grow before it is collected. Half of what is usual costs some percent of
// its CPU time, and keeps what it holds at the most near what its objects need.
const managerGC = 50

// collectOften sets that, unless the environment says how often.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(managerGC)
	}
}

// keepSmall gives memory back that is not needed after the start, and after bursts of work. The function that it returns ends
// that.
func keepSmall(ctx context.Context, log logr.Logger) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go resident.Keep(ctx, func(err error) { log.Error(err, "Memory that is not needed now is kept") })
	return stop
}
