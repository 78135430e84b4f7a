package controllers_test

import (
	"maps"
	"strings"
	"sync"

	"github.com/go-logr/logr"
)

// reconcileCounter counts the reconciles of one operator by what its controllers log at their beginning and their end: the
// metrics of the library are of the whole process, in which several operators run side by side.
type reconcileCounter struct {
	mu    sync.Mutex
	begun map[string]int // by controller
	ended int
}

// by is how many have begun, of each controller.
func (c *reconcileCounter) by() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.begun)
}

// total is how many have begun.
func (c *reconcileCounter) total() int {
	sum := 0
	for _, n := range c.by() {
		sum += n
	}
	return sum
}

// running is how many have not ended.
func (c *reconcileCounter) running() int {
	total := c.total()
	c.mu.Lock()
	defer c.mu.Unlock()
	return total - c.ended
}

func (c *reconcileCounter) begin(controller string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun == nil {
		c.begun = map[string]int{}
	}
	c.begun[controller]++
}

func (c *reconcileCounter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
}

// logger returns what the operator logs to.
func (c *reconcileCounter) logger() logr.Logger { return logr.New(reconcileSink{counter: c}) }

// reconcileSink is the log of one controller, or of all of them.
type reconcileSink struct {
	counter    *reconcileCounter
	controller string
}

func (reconcileSink) Init(logr.RuntimeInfo) {}

func (reconcileSink) Enabled(int) bool { return true }

func (s reconcileSink) Info(_ int, message string, _ ...any) {
	switch {
	case message == "Reconciling":
		s.counter.begin(s.controller)
	case strings.HasPrefix(message, "Reconcile "): // successful, or done, requeueing
		s.counter.end()
	}
}

func (s reconcileSink) Error(_ error, message string, _ ...any) {
	if message == "Reconciler error" {
		s.counter.end()
	}
}

func (s reconcileSink) WithValues(values ...any) logr.LogSink {
	for i := 0; i+1 < len(values); i += 2 {
		if name, ok := values[i+1].(string); ok && values[i] == "controller" {
			s.controller = name
		}
	}
	return s
}

func (s reconcileSink) WithName(string) logr.LogSink { return s }
