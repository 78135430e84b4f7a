package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

func BenchmarkAppend(b *testing.B) {
	durable, err := pgtest.Start(pgtest.Options{Durable: true, Settings: map[string]string{"max_wal_size": "1GB"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := durable.Stop(); err != nil {
			b.Error(err)
		}
	})
	storetest.BenchAppend(b, storetest.Bench{
		Open: func(b *testing.B) store.Store { return mustOpen(b, newSchema(b, durable), Options{}) },
		Plain: func(b *testing.B) func([]commit.Row, commit.Counts) error {
			return plainWriter(b, newSchema(b, durable))
		},
	})
}

// plainWriter inserts into tables like the store's in one round trip for each transaction.
func plainWriter(b *testing.B, dsn string) func([]commit.Row, commit.Counts) error {
	s := mustOpen(b, dsn, Options{})
	first := storetest.BenchResponse(0)
	first.ID = storetest.ID("first", 0)
	if _, err := s.Append(context.Background(), []store.Response{first}); err != nil { // makes the month's partitions
		b.Fatal(err)
	}
	mustClose(b, s)
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		b.Fatal(err)
	}
	config.RuntimeParams["synchronous_commit"] = "on"
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hangUp(b, conn) })
	return func(rows []commit.Row, counts commit.Counts) error {
		return conn.SendBatch(context.Background(), plainBatch(rows, counts)).Close()
	}
}

func plainBatch(rows []commit.Row, counts commit.Counts) *pgx.Batch {
	var submissions, responses, answers, sums columns
	for i := range rows {
		r := &rows[i]
		id, at := pgtype.UUID{Bytes: r.ID, Valid: true}, time.UnixMicro(r.SubmittedAt)
		submissions.add(int32(1), id, r.Digest[:], r.Receipt, at)
		responses.add(int32(1), at, id, r.Touchpoint, r.Unit, r.Language, string(r.Standing), r.Passed, r.Failed)
		for _, a := range r.Answers {
			answers.add(int32(1), at, id, a.Question, a.Revision, a.Kind, a.Vals)
		}
	}
	for _, k := range counts.Sorted() {
		sums.add(int32(1), k.Touchpoint, k.Unit, k.Question, k.Revision, int64(k.Hour), k.Value, counts[k])
	}
	b := &pgx.Batch{}
	b.Queue(`BEGIN`)
	b.Queue(`INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[])`, submissions.all...)
	b.Queue(addResponses, responses.all...)
	b.Queue(addAnswers, answers.all...)
	b.Queue(takeNumber)
	b.Queue(addCounts, append(sums.all, int16(0))...)
	b.Queue(`COMMIT`)
	return b
}

// columns are arrays of values.
type columns struct{ all []any }

func (c *columns) add(row ...any) {
	if c.all == nil {
		c.all = make([]any, len(row))
	}
	for i, v := range row {
		switch v := v.(type) {
		case int32:
			c.all[i] = grow(c.all[i], v)
		case int64:
			c.all[i] = grow(c.all[i], v)
		case string:
			c.all[i] = grow(c.all[i], v)
		case []byte:
			c.all[i] = grow(c.all[i], v)
		case time.Time:
			c.all[i] = grow(c.all[i], v)
		case pgtype.UUID:
			c.all[i] = grow(c.all[i], v)
		}
	}
}

func grow[T any](column any, v T) any {
	values, _ := column.([]T)
	return append(values, v)
}
