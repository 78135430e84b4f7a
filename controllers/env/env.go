// Package env holds what every controller works with, and the few ways in which all of them touch the API.
package env

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/embedded"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

// FieldOwner is the field manager of everything that the operator writes.
const FieldOwner = client.FieldOwner("cx-operator")

// FigureInterval is the least time between two status writes that change nothing but figures. State and condition
// transitions are written at once.
const FigureInterval = 15 * time.Second

// Env is what every controller works with.
type Env struct {
	// Client reads from the cache and writes to the API server.
	Client client.Client
	// Recorder writes events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock func() time.Time
	// Book holds the counts of every store.
	Book *rollup.Book
	// Exporter holds the series of every object.
	Exporter *exporter.Exporter
	// Endpoint serves Embedded programs; nil where this process serves none.
	Endpoint *embedded.Endpoint
	// Dedicated makes and follows Dedicated endpoints; nil where this operator serves none.
	Dedicated *Dedicated
	// Undedicated says why Dedicated is nil.
	Undedicated string
	// Notify sends messages to the channels of teams; nil where this operator tells nobody anything.
	Notify *notify.Sender
	// StaleAfter is how long counts may be unread before verdicts are Stale.
	StaleAfter time.Duration
	// Started is when the process began to act; by itself it is when ActingSince is first asked.
	Started time.Time
	// HoldFor is how long a status waits, at the most, for what is on its way: see Hold. Zero is not at all.
	HoldFor time.Duration

	acting sync.Once
	writes writes
}

// ActingSince returns since when this process acts: since its first pass. A process that stood by for days has read nothing
// yet when it becomes the leader, and that is no reason to call figures stale.
func (e *Env) ActingSince() time.Time {
	e.acting.Do(func() {
		if e.Started.IsZero() {
			e.Started = e.Clock()
		}
	})
	return e.Started
}

// PatchStatus writes the status of obj where it differs from before. A stale read is a conflict, never an overwrite.
func (e *Env) PatchStatus(ctx context.Context, obj, before client.Object) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	began := e.Clock()
	if err := e.Client.Status().Patch(ctx, obj, patch, FieldOwner); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	e.writes.note(obj)
	e.writes.took(e.Clock().Sub(began))
	return nil
}

// WriteTime is how long a write of a status took lately.
func (e *Env) WriteTime() time.Duration {
	e.writes.mu.Lock()
	defer e.writes.mu.Unlock()
	return e.writes.time
}

// Announce writes an event for each breach that opened or closed. It is called after the status write succeeded. The action
// names the type: events of one object, reason and action become one series, of which only the first text is kept.
func (e *Env) Announce(obj runtime.Object, transitions []breach.Transition) {
	for _, t := range transitions {
		kind, action, text := corev1.EventTypeNormal, "Close", "closed: "
		if t.Opened {
			kind, action, text = corev1.EventTypeWarning, "Open", "opened: "
		}
		e.Recorder.Eventf(obj, nil, kind, t.Reason, action+string(t.Breach.Type), "%s", text+Describe(t.Breach))
	}
}

// Describe names a breach in words.
func Describe(b v1alpha1.Breach) string {
	text := string(b.Type)
	if b.Objective != "" {
		text += " of objective " + b.Objective
	}
	if b.Item != "" {
		text += ", " + b.Item
	}
	if b.Type == v1alpha1.BreachConsistentlyLow {
		text += ", which needs training and management's attention"
	}
	return text
}
