package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// AppendRetired counts responses, each so many times, as Append would, and leaves what retention then leaves of them: their
// counts, but neither answers nor identities. So a store can be had that has counted more than fits on a disk.
func (s *Store) AppendRetired(ctx context.Context, responses []store.Response, times int64) error {
	rows, programs := make([]commit.Row, len(responses)), map[store.Key]bool{}
	for i, r := range responses {
		var err error
		if rows[i], err = commit.NewRow(r); err != nil {
			return fmt.Errorf("postgres: append retired: response %d: %w", i, err)
		}
		programs[r.Program] = true
	}
	keys := slices.SortedFunc(maps.Keys(programs), compareKeys)
	prepare := func(ctx context.Context) error { return s.writer.numberPrograms(ctx, keys) }
	err := s.loop.Do(ctx, func() error {
		return s.writer.transact(prepare, func(t *tx) (*pgx.Batch, error) { return t.appendRetired(rows, times), nil })
	})
	if err != nil {
		return wrap("append retired", err)
	}
	return nil
}

// addRetired comes before the counts themselves are added.
const addRetired = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0)
	ON CONFLICT (program, hour, key, slot) DO UPDATE SET retired = rollup.retired + excluded.retired`

func (t *tx) appendRetired(rows []commit.Row, times int64) *pgx.Batch {
	for i := range rows {
		t.counts.Add(int64(t.programs[rows[i].Program]), &rows[i])
	}
	t.counts.Multiply(times)
	b := t.batch()
	for _, k := range t.counts.Sorted() {
		b.Queue(addRetired, k.Program, k.Touchpoint, k.Unit, k.Question, k.Revision, int64(k.Hour), k.Value, t.slot, t.counts[k])
	}
	return b
}
