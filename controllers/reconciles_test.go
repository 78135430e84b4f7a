package controllers_test

import (
	"strings"
	"sync/atomic"

	"github.com/go-logr/logr"
)

// reconcileCounter counts the reconciles of one operator by what its controllers log at their beginning and their end: the
// metrics of the library are of the whole process, in which several operators run side by side.
type reconcileCounter struct{ begun, ended atomic.Int64 }

// total is how many have begun.
func (c *reconcileCounter) total() int64 { return c.begun.Load() }

// running is how many have not ended.
func (c *reconcileCounter) running() int64 { return c.begun.Load() - c.ended.Load() }

func (c *reconcileCounter) Init(logr.RuntimeInfo) {}

func (c *reconcileCounter) Enabled(int) bool { return true }

func (c *reconcileCounter) Info(_ int, message string, _ ...any) {
	switch {
	case message == "Reconciling":
		c.begun.Add(1)
	case strings.HasPrefix(message, "Reconcile "): // successful, or done, requeueing
		c.ended.Add(1)
	}
}

func (c *reconcileCounter) Error(_ error, message string, _ ...any) {
	if message == "Reconciler error" {
		c.ended.Add(1)
	}
}

func (c *reconcileCounter) WithValues(...any) logr.LogSink { return c }

func (c *reconcileCounter) WithName(string) logr.LogSink { return c }
