package intake

import (
	"context"
	"sync"

	"github.com/cx-operator/cx-operator/internal/store"
)

// stubStore is a store whose answers a test makes up. Only what intake calls is there.
type stubStore struct {
	store.Store
	mu       sync.Mutex
	appended []store.Response
	finished int
	// append, export and finish replace the calls where they are set.
	append func(context.Context, []store.Response) ([]store.Result, error)
	export func(context.Context, func(store.Response) error) error
	finish func() error
}

func (s *stubStore) Append(ctx context.Context, responses []store.Response) ([]store.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.append != nil {
		return s.append(ctx, responses)
	}
	results := make([]store.Result, len(responses))
	for i, r := range responses {
		results[i] = store.Result{Outcome: store.Stored, Receipt: r.Receipt}
	}
	s.appended = append(s.appended, responses...)
	return results, nil
}

func (s *stubStore) Export(ctx context.Context, _ store.Key, fn func(store.Response) error) error {
	if s.export != nil {
		return s.export(ctx, fn)
	}
	for _, r := range s.appended {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *stubStore) FinishImport(context.Context, store.Key) (string, error) {
	s.finished++
	if s.finish != nil {
		return "", s.finish()
	}
	return id2, nil
}
