// Package apply makes the cluster's objects what render says, by server-side apply. Where nothing differs it writes nothing.
package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/internal/render"
)

// Applier applies the objects of an owner. It may be used by several goroutines.
type Applier struct {
	// Client reads, from the manager's cache where it has one, and writes.
	Client client.Client
	// Reader reads from the API server itself, where the cache does not have an object: it may be somebody else's.
	Reader client.Reader
	// Owner is the name under which the API server keeps what was applied.
	Owner client.FieldOwner
}

// Result is what Apply found beside what it did.
type Result struct {
	// Absent are the kinds that were wanted and that the cluster does not have.
	Absent []schema.GroupVersionKind
	// Taken are objects, KIND/NAME, that exist and are not the owner's. They were not touched.
	Taken []string
	// Refused are objects that the API server would not take.
	Refused []Refusal
}

// Refusal is why the API server would not take an object.
type Refusal struct {
	// Kind and Name of the object.
	Kind, Name string
	// Message of the API server.
	Message string
}

// Apply makes the cluster's objects what wanted says, and deletes what is the owner's (by its controller reference) and is
// wanted no longer.
func (a *Applier) Apply(ctx context.Context, owner client.Object, wanted []render.Object) (Result, error) {
	return Result{}, nil
}
