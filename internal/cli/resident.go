package cli

import (
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/resident"
)

// startUp is what a process takes at most, usually, to start.
const startUp = 10 * time.Second

// releaseWhenStarted gives memory back that only the start needed. The function that it returns calls that off.
func releaseWhenStarted(log logr.Logger) (stop func()) {
	timer := time.AfterFunc(startUp, func() {
		if err := resident.Release(); err != nil {
			log.Error(err, "What the start needed stays in memory")
		}
	})
	return func() { timer.Stop() }
}
