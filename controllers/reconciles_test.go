package controllers_test

import (
	"sync/atomic"

	"github.com/go-logr/logr"
)

// reconcileCounter counts the reconciles of one operator by what its controllers log at their beginning: the metrics of the
// library are of the whole process, in which several operators run side by side.
type reconcileCounter struct{ n atomic.Int64 }

func (c *reconcileCounter) total() int64 { return c.n.Load() }

func (c *reconcileCounter) Init(logr.RuntimeInfo) {}

func (c *reconcileCounter) Enabled(int) bool { return true }

func (c *reconcileCounter) Info(_ int, message string, _ ...any) {
	if message == "Reconciling" {
		c.n.Add(1)
	}
}

func (c *reconcileCounter) Error(error, string, ...any) {}

func (c *reconcileCounter) WithValues(...any) logr.LogSink { return c }

func (c *reconcileCounter) WithName(string) logr.LogSink { return c }
