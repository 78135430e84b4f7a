package env

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

// A place becomes the requests that it maps to, in order, and one that maps to none becomes none.
func TestPlacesChanged(t *testing.T) {
	program := store.Key{Namespace: "sfo", Name: "visits"}
	places := make(chan event.TypedGenericEvent[rollup.Place], 3)
	source := PlacesChanged(places, func(_ context.Context, p rollup.Place) []reconcile.Request {
		if p.Touchpoint == "" {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: p.Program.Namespace, Name: p.Touchpoint}}}
	})
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, queue.ShutDown)() // nobody waits for ever
	if err := source.Start(ctx, queue); err != nil {
		t.Fatal(err)
	}
	for _, p := range []rollup.Place{{Program: program, Touchpoint: "desk"}, {Program: program}, {Program: program, Touchpoint: "exit"}} {
		places <- event.TypedGenericEvent[rollup.Place]{Object: p}
	}
	for _, want := range []string{"desk", "exit"} {
		got, ended := queue.Get()
		if ended {
			t.Fatalf("no request for %s came", want)
		}
		if got.Namespace != "sfo" || got.Name != want {
			t.Errorf("a request for %s, want one for sfo/%s", got, want)
		}
		queue.Done(got)
	}
	if n := queue.Len(); n != 0 {
		t.Errorf("%d requests more than places", n)
	}
}
