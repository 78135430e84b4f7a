package objectives

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/rollup"
)

const (
	// laneWorkers count and show; none of them ever waits for the API server.
	laneWorkers = 2
	// laneStripes bounds how many objects of a kind are judged and shown at the same time.
	laneStripes = 64
)

// Lane is the way of answers to /metrics. Passes write, and so wait for the API server where that is slow; on the lane objects
// whose counts changed are judged and shown from memory alone, and passes are asked for where there is something to write. The
// zero value is ready to show; SetUp opens the way. It may be used by several goroutines.
type Lane struct {
	stripes [laneStripes]sync.Mutex
	// passes is the queue of the controller that writes, once opened is closed.
	passes workqueue.TypedRateLimitingInterface[reconcile.Request]
	opened chan struct{}
}

var laneSeed = maphash.MakeSeed()

// Lock keeps what was judged earlier from being shown later: judging and showing an object is one step. The function that it
// returns ends that.
func (l *Lane) Lock(object types.NamespacedName) (unlock func()) {
	m := &l.stripes[maphash.Comparable(laneSeed, object)%laneStripes]
	m.Lock()
	return m.Unlock
}

// SetUp adds to the manager what refreshes objects whose counts changed: of names the requests for a place, and refresh judges and
// shows one, and says whether and after how long a pass is to follow. What it returns is a source of the passes' controller. Where
// this process hears of no counts there is nothing to refresh.
func (l *Lane) SetUp(mgr ctrl.Manager, name string, places []<-chan event.TypedGenericEvent[rollup.Place],
	of func(context.Context, rollup.Place) []reconcile.Request, refresh func(context.Context, reconcile.Request) (Due, error)) (source.Source, error) {
	if len(places) == 0 {
		return source.Func(func(context.Context, workqueue.TypedRateLimitingInterface[reconcile.Request]) error { return nil }), nil
	}
	l.opened = make(chan struct{})
	b := ctrl.NewControllerManagedBy(mgr).Named(name).WithOptions(env.ControllerOptions(laneWorkers))
	for _, c := range places {
		b = b.WatchesRawSource(env.PlacesChanged(c, of))
	}
	err := b.Complete(reconcile.Func(func(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
		select {
		case <-l.opened:
		case <-ctx.Done():
			return ctrl.Result{}, nil
		}
		due, err := refresh(ctx, req)
		if err == nil && due.pass {
			l.passes.AddAfter(req, due.after)
		}
		return ctrl.Result{}, err
	}))
	if err != nil {
		return nil, fmt.Errorf("set up the lane of counts: %w", err)
	}
	return source.Func(func(_ context.Context, passes workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		l.passes = passes
		close(l.opened)
		return nil
	}), nil
}

// Due says whether a pass is to follow, and after how long. The zero value is no.
type Due struct {
	pass  bool
	after time.Duration
}

// PassNow asks for a pass at once.
var PassNow = Due{pass: true}

// soonest is the first of two.
func (d Due) soonest(o Due) Due {
	if !d.pass || o.pass && o.after < d.after {
		return o
	}
	return d
}

// Shown is what the status of a subject holds of what answers change.
type Shown struct {
	Objectives    []v1alpha1.ObjectiveStatus
	Judged        *v1alpha1.Judging
	Participation *v1alpha1.Participation
	Cases         *v1alpha1.CaseFigures
}

// Refresh judges a subject and replaces the series of its objectives; the others of its source are for passes. The object must be
// locked.
func Refresh(e *env.Env, t *Throttle, src exporter.Source, l Label, s Subject, last Shown, now time.Time) (Due, error) {
	verdict, unjudged, err := Judge(e, s, now)
	if err != nil {
		return Due{}, err
	}
	// Figures that are released by rule are those of the record, which the cache may not have yet.
	if s.Program.Spec.Privacy.Release == v1alpha1.ReleaseImmediate || !e.Behind(s.Object) {
		e.Exporter.SetObjectives(src, objectiveSeries(l, s, last.Objectives, verdict.Objectives))
	}
	people := Participate(e, s, last.Participation, now)
	cases := Cases(e, s, last.Cases, now)
	if len(unjudged)+len(verdict.Transitions) > 0 || !equality.Semantic.DeepEqual(people.Figures, last.Participation) ||
		!equality.Semantic.DeepEqual(cases.Figures, last.Cases) {
		return PassNow, nil
	}
	var due Due
	for _, next := range []time.Time{verdict.Next, people.Next, cases.Next} {
		if !next.IsZero() {
			due = due.soonest(Due{true, max(next.Sub(now), time.Millisecond)})
		}
	}
	switch Compare(last.Objectives, verdict.Objectives, last.Judged, verdict.Judged) {
	case AtOnce:
		return PassNow, nil
	case Figures:
		due = due.soonest(Due{true, t.Due(types.NamespacedName{Namespace: src.Namespace, Name: src.Name}.String(), now)})
	case Nothing:
	}
	return due, nil
}
