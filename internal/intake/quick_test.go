package intake

import (
	"context"

	"github.com/cx-operator/cx-operator/internal/store"
)

// quickStore takes every response at once, and keeps none.
type quickStore struct{ store.Store }

func (quickStore) Append(_ context.Context, responses []store.Response) ([]store.Result, error) {
	return []store.Result{{Outcome: store.Stored, Receipt: responses[0].Receipt}}, nil
}
