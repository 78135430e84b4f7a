package sqlite

import (
	"context"
	"fmt"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// AppendRetired counts responses, each so many times, as Append would, and leaves what retention then leaves of them: their
// counts, but neither answers nor identities. So a store can be had that has counted more than fits on a disk.
func (s *Store) AppendRetired(ctx context.Context, responses []store.Response, times int64) error {
	err := s.do(ctx, func(t *tx) error { return t.appendRetired(responses, times) })
	if err != nil {
		return fmt.Errorf("sqlite: append retired: %w", err)
	}
	return nil
}

// addRetired comes before the count itself is added.
const addRetired = `
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 0) ON CONFLICT DO UPDATE SET retired = retired + excluded.retired`

func (t *tx) appendRetired(responses []store.Response, times int64) error {
	for i, r := range responses {
		row, err := commit.NewRow(r)
		if err != nil {
			return fmt.Errorf("response %d: %w", i, err)
		}
		program, err := t.program(row.Program)
		if err != nil {
			return err
		}
		t.counts.Add(program, &row)
	}
	t.counts.Multiply(times)
	for k, n := range t.counts {
		if _, err := t.conn.ExecContext(context.Background(), addRetired, k.Program, k.Touchpoint, k.Unit, k.Question, k.Revision,
			int64(k.Hour), k.Value, n); err != nil {
			return err
		}
	}
	return nil
}
