package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

const invitationAnswered = `
SELECT EXISTS (SELECT 1 FROM invitation WHERE program = ? AND id = ? AND answered_on IS NOT NULL)`

// Answered implements store.Store.
func (s *Store) Answered(ctx context.Context, program store.Key, id string) (bool, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return false, fmt.Errorf("sqlite: answered: invitation %q: %w", id, err)
	}
	var answered bool
	err = s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
		number, err := numberOf(ctx, t, program)
		if err != nil || number == 0 {
			return err
		}
		return t.QueryRowContext(ctx, invitationAnswered, number, parsed[:]).Scan(&answered)
	})
	if err != nil {
		return false, fmt.Errorf("sqlite: answered: %w", err)
	}
	return answered, nil
}
