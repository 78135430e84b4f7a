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
	// invite, track and standing are the other calls.
	invite   func([]store.Invitation, store.Fatigue) ([]store.InviteResult, error)
	track    func(context.Context, []store.Visit) error
	standing func(store.Selection, store.Standing, bool) (int64, error)
	visits   []store.Visit
	export   func(context.Context, func(store.Response) error) error
	finish   func() error
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

func (s *stubStore) Invite(_ context.Context, invitations []store.Invitation, f store.Fatigue) ([]store.InviteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.invite != nil {
		return s.invite(invitations, f)
	}
	results := make([]store.InviteResult, len(invitations))
	for i, in := range invitations {
		results[i] = store.InviteResult{Outcome: store.Stored, InvitedAt: in.InvitedAt, ExpiresAt: in.ExpiresAt}
	}
	return results, nil
}

func (s *stubStore) Track(ctx context.Context, visits []store.Visit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.track != nil {
		return s.track(ctx, visits)
	}
	s.visits = append(s.visits, visits...)
	return nil
}

func (s *stubStore) SetStanding(_ context.Context, _ store.Key, chosen store.Selection, to store.Standing, dryRun bool) (int64, error) {
	return s.standing(chosen, to, dryRun)
}

func (s *stubStore) Recount(context.Context, store.Key) (store.Check, error) {
	return store.Check{Responses: int64(len(s.appended))}, nil
}
