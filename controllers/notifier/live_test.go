package notifier

import (
	"context"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// behind is a cache that has not heard of what happened since.
type behind struct {
	client.Client
	touchpoints v1alpha1.TouchpointList
}

func (b *behind) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if l, ok := list.(*v1alpha1.TouchpointList); ok {
		b.touchpoints.DeepCopyInto(l)
		return nil
	}
	return b.Client.List(ctx, list, options...)
}

// A new leader whose cache is behind sends nothing again that the one before sent, and what that one has not.
func TestANewLeaderWhoseCacheIsBehind(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"gate", "lounge"} {
		w.touchpoint(name, "retail")
	}
	w.happens("gate", planMissing)
	stale := &behind{}
	if err := w.c.List(t.Context(), &stale.touchpoints, client.InNamespace(w.ns)); err != nil {
		t.Fatal(err)
	}
	w.runs(time.Minute)
	if got := w.receiver.taken(); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	w.happens("lounge", planMissing)

	w.lead()
	stale.Client, w.r.Client = w.r.Client, stale
	w.advance(time.Minute)
	w.pass()
	if got := w.receiver.taken(); len(got) != 1 || got[0].data.Name != "lounge" {
		t.Errorf("%+v", got)
	}
}
