package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// postgresEngine is one PostgreSQL server, with a schema for each store.
type postgresEngine struct {
	world  *world
	server *pgtest.Server
	pid    int
}

// startPostgres starts a server that is durable, with the memory that a small server has in production.
func startPostgres(ctx context.Context, w *world) (*postgresEngine, error) {
	server, err := pgtest.Start(pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "4GB", "wal_compression": "lz4",
	}})
	if err != nil {
		return nil, err
	}
	e := &postgresEngine{world: w, server: server}
	if err := e.check(ctx); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return e, nil
}

// check makes sure that commits are durable, and learns the server's process.
func (e *postgresEngine) check(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, e.server.DSN(nil))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("PostgreSQL runs with %s = %s", name, value)
		}
	}
	text, err := os.ReadFile(filepath.Join(e.server.Data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	e.pid, err = strconv.Atoi(first)
	return err
}

func (e *postgresEngine) stop() error                 { return e.server.Stop() }
func (e *postgresEngine) name() string                { return "PostgreSQL" }
func (e *postgresEngine) cpu() (time.Duration, error) { return familyCPU(e.pid) }

// postgresStore is a schema of endpoints, and one of the database alone.
type postgresStore struct {
	*postgresEngine
	schema string
}

func (e *postgresEngine) fresh(ctx context.Context) (kept, error) {
	s := &postgresStore{e, fmt.Sprintf("bench_%d", e.world.next())}
	if err := e.world.write(s.schema+"/uri", e.server.DSN(nil)+"\n"); err != nil {
		return nil, err
	}
	opened, err := postgres.Open(ctx, e.server.DSN(nil), postgres.Options{Schema: s.beside()})
	if err != nil {
		return nil, err
	}
	if err := found(ctx, opened); err != nil {
		return nil, err
	}
	conn, err := s.connect(ctx, s.beside())
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "CREATE TABLE single (n bigint PRIMARY KEY, m bigint)")
	return s, errors.Join(err, conn.Close(ctx))
}

func (s *postgresStore) beside() string { return s.schema + "_alone" }

func (s *postgresStore) flags() []string {
	return []string{"--postgres-uri-file", filepath.Join(s.world.dir, s.schema, "uri"), "--postgres-schema", s.schema}
}

func (s *postgresStore) connect(ctx context.Context, schema string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.server.DSN(nil))
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = schema
	return pgx.ConnectConfig(ctx, config)
}

func (s *postgresStore) tally(ctx context.Context) (t tally, err error) {
	conn, err := s.connect(ctx, s.schema)
	if err != nil {
		return t, err
	}
	err = conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM response), (SELECT coalesce(sum(n), 0) FROM rollup WHERE question = 'recommend')").
		Scan(&t.responses, &t.counted)
	return t, errors.Join(err, conn.Close(ctx))
}

func (s *postgresStore) drop(ctx context.Context) error {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return err
	}
	for _, schema := range []string{s.schema, s.beside()} {
		_, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		if err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// postgresAlone writes to a schema's tables.
type postgresAlone struct {
	conn    *pgx.Conn
	program int32
	slot    int16
	single  int64
}

func (s *postgresStore) alone(ctx context.Context, number int) (alone, error) {
	conn, err := s.connect(ctx, s.beside())
	if err != nil {
		return nil, err
	}
	a := &postgresAlone{conn: conn, slot: int16(100 + number)}
	if err := conn.QueryRow(ctx, "SELECT id FROM program").Scan(&a.program); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	err = conn.QueryRow(ctx, "SELECT coalesce(max(n), 0) FROM single").Scan(&a.single)
	return a, err
}

func (a *postgresAlone) close(ctx context.Context) error { return a.conn.Close(ctx) }

func (a *postgresAlone) commit(ctx context.Context) error {
	a.single++
	_, err := a.conn.Exec(ctx, "INSERT INTO single VALUES ($1, $2)", a.single, a.single)
	return err
}

const (
	plainSubmissions = `INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT $1::int, * FROM unnest($2::uuid[], $3::bytea[], $4::text[], $5::timestamptz[])`
	plainResponses = `INSERT INTO response (program, submission, submitted_at, touchpoint, unit, language, passed)
		SELECT $1::int, * FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::json[])`
	plainAnswers = `INSERT INTO answer (program, submission, submitted_at, question, revision, kind, vals)
		SELECT $1::int, * FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::int[], $6::text[], $7::json[])`
	plainCounts = `INSERT INTO rollup (program, slot, seq, touchpoint, unit, question, revision, hour, value, n)
		SELECT $1::int, $2::smallint, 0, * FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[], $9::bigint[])
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET n = rollup.n + excluded.n`
)

// write sends the transaction in one round trip.
func (a *postgresAlone) write(ctx context.Context, batch []*row) error {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	a.queueRows(b, batch)
	a.queueCounts(b, countsOf(batch))
	b.Queue("COMMIT")
	return a.conn.SendBatch(ctx, b).Close()
}

func (a *postgresAlone) queueRows(b *pgx.Batch, batch []*row) {
	n := len(batch)
	ids, times := make([]pgtype.UUID, 0, n), make([]time.Time, 0, n)
	digests, receipts := make([][]byte, 0, n), make([]string, 0, n)
	touchpoints, units, languages, passed := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	var of struct {
		ids                    []pgtype.UUID
		times                  []time.Time
		questions, kinds, vals []string
		revisions              []int32
	}
	for _, r := range batch {
		id := pgtype.UUID{Bytes: r.id, Valid: true}
		ids, times = append(ids, id), append(times, r.at)
		digests, receipts = append(digests, r.digest[:]), append(receipts, r.receipt)
		touchpoints, units = append(touchpoints, r.touchpoint), append(units, r.unit)
		languages, passed = append(languages, r.language), append(passed, r.passed)
		for _, answer := range r.answers {
			of.ids, of.times = append(of.ids, id), append(of.times, r.at)
			of.questions, of.revisions = append(of.questions, answer.question), append(of.revisions, answer.revision)
			of.kinds, of.vals = append(of.kinds, answer.kind), append(of.vals, answer.vals)
		}
	}
	b.Queue(plainSubmissions, a.program, ids, digests, receipts, times)
	b.Queue(plainResponses, a.program, ids, times, touchpoints, units, languages, passed)
	b.Queue(plainAnswers, a.program, of.ids, of.times, of.questions, of.revisions, of.kinds, of.vals)
}

func (a *postgresAlone) queueCounts(b *pgx.Batch, counts map[countKey]int64) {
	n := len(counts)
	touchpoints, units, questions, values := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	revisions, hours, ns := make([]int32, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	for k, count := range counts {
		touchpoints, units = append(touchpoints, k.touchpoint), append(units, k.unit)
		questions, values = append(questions, k.question), append(values, k.value)
		revisions, hours, ns = append(revisions, k.revision), append(hours, k.hour), append(ns, count)
	}
	b.Queue(plainCounts, a.program, a.slot, touchpoints, units, questions, revisions, hours, values, ns)
}
