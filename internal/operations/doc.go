// Package operations is the port of a Dedicated endpoint that is not for the public: probes, metrics, and the feed of counts
// that the operator follows. It has both sides: the handler that an endpoint serves, and the client that the operator reads
// with. Answers never pass it, counts do.
//
// Nothing in the feed names a program: it is always the one that the client asks for, so that an endpoint that was broken
// into can say nothing of another.
package operations

import "time"

// The addresses of the port.
const (
	pathHealth  = "/healthz"
	pathReady   = "/readyz"
	pathMetrics = "/metrics"
	pathChanges = "/internal/v1/changes"
	pathStore   = "/internal/v1/store"
)

const (
	// MaxWait is the longest that a call of the feed waits for something to change.
	MaxWait = 30 * time.Second
	// maxPage bounds the counts that can be asked for at once.
	maxPage = 5000
)
