package env

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cx-operator/cx-operator/internal/rollup"
)

// PlacesChanged is a source of requests for places whose counts changed.
func PlacesChanged(places <-chan event.TypedGenericEvent[rollup.Place], requests func(context.Context, rollup.Place) []reconcile.Request) source.TypedSource[reconcile.Request] {
	return source.TypedChannel(places, handler.TypedEnqueueRequestsFromMapFunc(requests))
}

// Places subscribes to where counts change, of all that this process serves or reads. It must be called before the manager starts,
// and each channel must be read.
func (e *Env) Places() []<-chan event.TypedGenericEvent[rollup.Place] {
	var all []<-chan event.TypedGenericEvent[rollup.Place]
	if e.Endpoint != nil {
		all = append(all, e.Endpoint.SubscribePlaces())
	}
	if e.Dedicated != nil {
		all = append(all, e.Dedicated.Fleet.SubscribePlaces())
	}
	return all
}
