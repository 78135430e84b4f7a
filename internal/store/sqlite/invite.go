package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

func (s *Store) Invite(context.Context, []store.Invitation, store.Fatigue) ([]store.InviteResult, error) {
	return nil, errors.ErrUnsupported
}

func (s *Store) Track(context.Context, []store.Visit) error { return errors.ErrUnsupported }

func (s *Store) SetStanding(context.Context, store.Key, store.Selection, store.Standing, bool) (int64, error) {
	return 0, errors.ErrUnsupported
}

func (s *Store) Forget(context.Context, store.Key, time.Time, time.Time, time.Time) (int64, error) {
	return 0, errors.ErrUnsupported
}
