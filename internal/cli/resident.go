package cli

import (
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/resident"
)

// startUp is what a process takes at most, usually, to start.
const startUp = 10 * time.Second

// releaseWhenStarted gives memory back that only the start needed: now that of the packages' initialisation, and later that of
// what the command does first. The function that it returns calls the latter off.
func releaseWhenStarted(log logr.Logger) (stop func()) {
	release := func() {
		if err := resident.Release(); err != nil {
			log.Error(err, "What the start needed stays in memory")
		}
	}
	release()
	timer := time.AfterFunc(startUp, release)
	return func() { timer.Stop() }
}
