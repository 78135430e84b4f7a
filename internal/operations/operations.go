// Package operations is the port of a Dedicated endpoint that is not for the public: probes, metrics, the feed of counts that
// the operator follows, and the calls about cases. It has both sides: the handler that an endpoint serves, and the client that
// the operator asks with. Answers pass it only with a case that they opened, and a contact only where one is asked for.
//
// No count in the feed names a program: it is always the one that the client asks for, so that an endpoint that was broken
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
	pathCases   = "/internal/v1/cases"
	pathErase   = "/internal/v1/contacts/erase"
	pathNotices = "/internal/v1/notices"
)

const (
	// MaxWait is the longest that a call of the feed waits for something to change.
	MaxWait = 30 * time.Second
	// maxPage bounds the counts that can be asked for at once.
	maxPage = 5000
	// readTimeout bounds one read of the store.
	readTimeout = 15 * time.Second
	// AnswerTimeout is how long an answer may take, and the WriteTimeout that a server of the handler needs.
	AnswerTimeout = MaxWait + 2*readTimeout + 15*time.Second
	// minInterval is between two reads of the store within one call that waits, so that a burst of commits is one read.
	minInterval = 200 * time.Millisecond
	// retryAfter is when to ask again for what is not there now.
	retryAfter = 5 * time.Second
)
