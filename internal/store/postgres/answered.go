package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
)

const invitationAnswered = `
SELECT EXISTS (
    SELECT 1 FROM invitation AS i JOIN program AS p ON p.id = i.program
    WHERE p.namespace = $1 AND p.name = $2 AND i.id = $3 AND i.answered_on IS NOT NULL)`

// Answered implements store.Store.
func (s *Store) Answered(ctx context.Context, program store.Key, id string) (bool, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return false, fmt.Errorf("postgres: answered: invitation %q: %w", id, err)
	}
	var answered bool
	err = s.reading(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, invitationAnswered, program.Namespace, program.Name, pgtype.UUID{Bytes: parsed, Valid: true}).Scan(&answered)
	})
	if err != nil {
		return false, wrap("answered", err)
	}
	return answered, nil
}
